"""Lethe's settings from the environment: every ``LETHE_…`` variable, its type, and what it is for.

A group is read where it is needed, ``StoreSettings.read()``, so that a wrong value stops only what depends
on it. Groups are read again each time. ``docs/settings.md`` is written from here.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from tasks.checkout.authority import AuthoritySettings
from tasks.checkout.runners import RunnerSettings
from tasks.checkout.setting import Settings, require_address, variable
from tasks.checkout.terms import TombstoneSettings
from tasks.checkout.variables import names_with
from unlearn_core.errors import ConfigurationError
from unlearn_core.spelling import did_you_mean

PREFIX = "LETHE_"
LEASE_S = 600
"""How long a claim holds without a heartbeat, in seconds, by default."""


class KeySettings(Settings):
    """The keys for signatures and pseudonyms."""

    home: Path | None = variable(
        "LETHE_HOME",
        None,
        expected="a folder",
        purpose="Where the keys are; `lethe` in the user's configuration folder (`$XDG_CONFIG_HOME`, or "
        "`~/.config`) by default.",
    )
    signing_key: SecretStr | None = variable(
        "LETHE_SIGNING_KEY",
        None,
        expected="a private Ed25519 key in PEM form, or the path of its file",
        purpose="Signs certificates, in place of `signing.key` in the key folder.",
        private=True,
    )
    pseudonym_key: SecretStr | None = variable(
        "LETHE_PSEUDONYM_KEY",
        None,
        expected="at least 32 bytes in hexadecimal (64 digits)",
        purpose="Turns ids of samples and subjects into pseudonyms, in place of `pseudonym.key` in that "
        "folder.",
        private=True,
    )
    tenant: str = variable(
        "LETHE_TENANT",
        "",
        expected="a name of lower-case letters, digits, `.`, `_` and `-`",
        purpose="Whose [pseudonym key](keys.md) is used, where each customer has one; by default one key is "
        "everybody's.",
        pattern=r"^([a-z0-9][a-z0-9._-]{0,62})?$",
    )
    configuration: Path | None = variable(
        "XDG_CONFIG_HOME", None, expected="a folder", purpose="The user's configuration folder."
    )


class LedgerSettings(Settings):
    """The ledger of requests, and who acts in it."""

    database_url: SecretStr | None = variable(
        "LETHE_DATABASE_URL",
        None,
        expected="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`",
        purpose="Where the [ledger](requests.md) is; `requests/ledger.db` in the checkout by default.",
        private=True,
    )
    actor: str = variable(
        "LETHE_ACTOR",
        "",
        expected="a name",
        purpose="Who acts, in the ledger and in commits: a role or a ticket. By default the ledger names the "
        "system's user, and commits are Lethe's.",
    )


class StoreSettings(Settings):
    """Where evidence and data are in S3; without a bucket the other variables are not read."""

    wrong = ConfigurationError

    bucket: str = variable(
        "LETHE_S3_BUCKET",
        "",
        expected="the name of a bucket",
        purpose="Where [evidence](evidence-store.md) goes; without it there is no evidence store.",
    )
    data_bucket: str = variable(
        "LETHE_S3_DATA_BUCKET",
        "",
        expected="the name of a bucket",
        purpose="Where DVC keeps data and models; the evidence bucket by default.",
    )
    prefix: str = variable(
        "LETHE_S3_PREFIX", "", expected="the start of a key", purpose="What every key starts with."
    )
    endpoint: Annotated[str, AfterValidator(require_address)] = variable(
        "LETHE_S3_ENDPOINT",
        "",
        expected="http:// or https:// and a host, without a user or a password",
        purpose="A store other than AWS's; its buckets are then addressed by path.",
        private=True,
    )
    retain_days: int | None = variable(
        "LETHE_S3_RETAIN_DAYS",
        None,
        expected="a number of days from 1 to 36500",
        purpose="How long each object of evidence is locked; by default the bucket's own rule applies.",
        private=True,
        ge=1,
        le=36500,
    )

    @model_validator(mode="before")
    @classmethod
    def _look_at_nothing_without_a_bucket(cls, given: dict[str, Any]) -> dict[str, Any]:
        return given if {"LETHE_S3_BUCKET", "LETHE_S3_DATA_BUCKET"} & given.keys() else {}


Folder = Annotated[Path | None, BeforeValidator(lambda given: given or None)]


class WorkerSettings(Settings):
    """What a worker of a deployment needs to know."""

    # An empty lease is refused: somebody meant to give a number.
    model_config = SettingsConfigDict(env_ignore_empty=False)

    projects: str = variable(
        "LETHE_PROJECTS",
        "",
        expected="an address of git repositories, with `{model}` for the model's name",
        purpose="Where the models' repositories are, e.g. `/srv/projects/{model}.git`; by default the "
        "current checkout is the project.",
    )
    project: Path = variable(
        "LETHE_PROJECT",
        Path(),
        expected="a folder",
        purpose="The current project; the working folder's by default. `lethe serve` sets it for its runs.",
    )
    work: Folder = variable(
        "LETHE_WORK",
        None,
        expected="a folder",
        purpose="Where a worker keeps its clones, and the lock of the machine's accelerator.",
    )
    lease_s: float = variable(
        "LETHE_LEASE_S",
        LEASE_S,
        expected="1 to 86400 seconds",
        purpose="How long a claim on a request holds without a heartbeat.",
        ge=1,
        le=86400,
    )


class LogSettings(Settings):
    """The format and level of the log."""

    wrong = ConfigurationError

    log: Literal["text", "json"] = variable(
        "LETHE_LOG",
        "text",
        expected="text or json",
        purpose="Lines for people, or for [machines](operations.md#the-log): one JSON document per line.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = variable(
        "LETHE_LOG_LEVEL",
        "info",
        expected="debug, info, warning or error",
        purpose="The lowest level that is logged. At `debug` tracebacks are shown, which may quote data.",
    )


class CodeSettings(Settings):
    """Code of the user's own that may run."""

    factories: str = variable(
        "LETHE_FACTORIES",
        "",
        expected="`MODULE:FACTORY`, several with commas between them",
        purpose="[Nets of your own](your-own.md) that may be built although only a model's card names them.",
    )


class ServiceSettings(Settings):
    """Variables of other programs that Lethe reads too."""

    tracking_uri: str = variable(
        "MLFLOW_TRACKING_URI",
        "",
        expected="an address",
        purpose="MLflow's server; the folder `mlruns` by default.",
    )
    prefect_url: str = variable(
        "PREFECT_API_URL",
        "",
        expected="an address",
        purpose="Prefect's server, e.g. `http://127.0.0.1:4200/api`; without it no request is announced.",
    )
    prefect_auth: SecretStr = variable(
        "PREFECT_API_AUTH_STRING",
        SecretStr(""),
        expected="`USER:PASSWORD`",
        purpose="Credentials for Prefect's server.",
        private=True,
    )
    aws_data_path: str | None = variable(
        "AWS_DATA_PATH", None, expected="folders", purpose="More descriptions of services for boto3."
    )


GROUPS: dict[str, type[Settings]] = {
    "Keys": KeySettings,
    "Tombstones": TombstoneSettings,
    "The ledger": LedgerSettings,
    "Evidence and data in S3": StoreSettings,
    "Time stamps": AuthoritySettings,
    "Workers": WorkerSettings,
    "Many trainings": RunnerSettings,
    "The log": LogSettings,
    "Your own code": CodeSettings,
    "Other programs": ServiceSettings,
}
"""All groups, by the headings of the documentation."""

ELSEWHERE = {
    "LETHE_VENV": "`make`: the virtual environment; `.venv` by default",
    "LETHE_CI_CACHE": "`.ci/run`: where environments are kept between runs",
    "LETHE_VERSION": "`infra/compose.yaml`: the version of the image",
    "LETHE_DATABASE_PASSWORD": "`infra/compose.yaml`: the password of the ledger's database",
    "LETHE_OWNER_DATABASE_PASSWORD": "`infra/compose.yaml`: the password of the owner of its tables",
    "LETHE_SCREENSHOTS": "`make test-browser`: a folder for pictures of pages",
    "LETHE_TEST_STACK": "the tests: marks the processes of a stack",
    "LETHE_TEST_PROCESS": "the tests: marks one process",
}
"""Variables with Lethe's prefix that something other than the program reads."""


def misspelt() -> tuple[str, ...]:
    """Return a line for each variable that has Lethe's prefix and is not a setting."""
    known = {name for group in GROUPS.values() for name in (*group.variables(), *group.secret_files())}
    known |= set(ELSEWHERE)
    return tuple(_misspelling(name, known) for name in names_with(PREFIX) if name not in known)


def _misspelling(name: str, known: set[str]) -> str:
    # All of them begin alike, so less than this says nothing.
    hint = did_you_mean(name, known, alike=0.8).strip() or "docs/settings.md lists them"
    return f"{name} is not a setting of Lethe and has no effect; {hint}"
