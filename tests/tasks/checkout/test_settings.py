"""What ``LETHE_…`` variables say: typed, read when it is needed, and never shown where it may be a secret."""

import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from tasks.checkout.settings import (
    GROUPS,
    LEASE_S,
    PREFIX,
    KeySettings,
    LedgerSettings,
    ServiceSettings,
    StoreSettings,
    WorkerSettings,
    misspelt,
)
from unlearn_core.errors import ConfigurationError, SetupError

HUSH = "hush-3f9a"
VARIABLES = {name: (group, field) for group in GROUPS.values() for name, field in group.variables().items()}
SECRETS = [name for name, (_, field) in VARIABLES.items() if "SecretStr" in str(field.annotation)]


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_any_variable_every_group_has_its_defaults():
    assert KeySettings.read() == KeySettings(home=None, signing_key=None, pseudonym_key=None)
    assert WorkerSettings.read().lease_s == LEASE_S
    assert [type(group.read()) for group in GROUPS.values()] == list(GROUPS.values())


def test_a_value_is_read_as_what_it_is(monkeypatch):
    given = {
        "LETHE_HOME": "/keys",
        "LETHE_S3_BUCKET": " b ",
        "LETHE_S3_RETAIN_DAYS": "7",
        "LETHE_LEASE_S": "2.5",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    store = StoreSettings.read()
    assert (KeySettings.read().home, WorkerSettings.read().lease_s) == (Path("/keys"), 2.5)
    assert (store.bucket, store.retain_days) == ("b", 7)


def test_a_group_is_read_anew_each_time(monkeypatch):
    assert LedgerSettings.read().actor == ""
    monkeypatch.setenv("LETHE_ACTOR", "privacy office")
    assert LedgerSettings.read().actor == "privacy office"


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - {"LETHE_LEASE_S"}))
def test_what_is_empty_is_not_set(monkeypatch, name):
    group, _ = VARIABLES[name]
    without = group.read()
    monkeypatch.setenv(name, "")
    assert group.read() == without


def test_the_name_of_a_variable_is_in_capitals_alone(monkeypatch):
    monkeypatch.setenv("lethe_home", "/elsewhere")
    assert KeySettings.read().home is None


def test_keys_passwords_and_addresses_with_passwords_are_secrets():
    assert SECRETS == [
        "LETHE_SIGNING_KEY",
        "LETHE_PSEUDONYM_KEY",
        "LETHE_DATABASE_URL",
        "PREFECT_API_AUTH_STRING",
    ]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_in_no_representation_of_its_group(monkeypatch, name):
    monkeypatch.setenv(name, HUSH)
    group, _ = VARIABLES[name]
    read = group.read()
    (secret,) = [value for value in dict(read).values() if isinstance(value, SecretStr) and value]
    assert secret.get_secret_value() == HUSH
    assert HUSH not in f"{read!r} {read} {read.model_dump()} {read.model_dump_json()}"


WRONG = {"LETHE_S3_ENDPOINT": f"https://user:{HUSH}@s3.example", "LETHE_S3_RETAIN_DAYS": HUSH}


def test_all_that_is_wrong_is_said_at_once_and_no_value_that_may_be_a_secret(monkeypatch):
    for name, value in {"LETHE_S3_BUCKET": "b", **WRONG}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        StoreSettings.read()
    assert all(f"{name}: expected " in str(refused.value) for name in WRONG)
    assert HUSH not in "".join(traceback.format_exception(refused.value))


def test_a_value_that_is_no_secret_is_repeated(monkeypatch):
    monkeypatch.setenv("LETHE_LEASE_S", "soon")
    with pytest.raises(SetupError, match=r"^LETHE_LEASE_S is 'soon'; expected 1 to 86400 seconds$"):
        WorkerSettings.read()


def test_a_wrong_value_stops_only_what_depends_on_it(monkeypatch):
    monkeypatch.setenv("LETHE_LEASE_S", "soon")
    for group in (KeySettings, LedgerSettings, StoreSettings, ServiceSettings):
        group.read()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("S3_BUKET", "did you mean LETHE_S3_BUCKET?"),
        ("PSEUDONYMKEY", "did you mean LETHE_PSEUDONYM_KEY?"),
        ("NOTHING_LIKE_THAT", "docs/settings.md lists them"),
    ],
)
def test_a_misspelt_variable_is_named_without_its_value(monkeypatch, name, hint):
    before = misspelt()
    monkeypatch.setenv(f"{PREFIX}{name}", HUSH)
    (line,) = set(misspelt()) - set(before)
    assert line == f"{PREFIX}{name} is not a setting of Lethe and has no effect; {hint}"


@pytest.mark.parametrize("name", [*VARIABLES, "LETHE_VENV"])
def test_no_variable_that_somebody_reads_counts_as_misspelt(monkeypatch, name):
    monkeypatch.setenv(name, HUSH)
    assert [line for line in misspelt() if line.startswith(f"{name} ")] == []


FILES = {name: group for group in GROUPS.values() for name in group.secret_files()}


def test_every_secret_may_be_in_a_file():
    assert set(FILES) == {f"{name}_FILE" for name in SECRETS}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch, tmp_path, name):
    path = tmp_path / "secret"
    path.write_text(f"{HUSH}\n")
    monkeypatch.setenv(name, str(path))
    group = FILES[name]
    values = dict(zip(group.variables(), dict(group.read()).values(), strict=True))
    assert values[name.removesuffix("_FILE")].get_secret_value() == HUSH
    assert misspelt() == ()
    assert HUSH not in repr(group.read())


def test_a_secret_in_the_environment_goes_before_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_DATABASE_URL_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("LETHE_DATABASE_URL", HUSH)
    assert LedgerSettings.read().database_url.get_secret_value() == HUSH


def test_a_file_that_cannot_be_read_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_DATABASE_URL_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SetupError, match=r"LETHE_DATABASE_URL_FILE: cannot read .*nowhere: No such file"):
        LedgerSettings.read()
