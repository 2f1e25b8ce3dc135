"""The command line: its help, its exit codes, its JSON, and what it does not load."""

import errno
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from commands_page import walk
from world import ROOT, files_of, lethe, make_checkout

from tasks.checkout.environment import sole_use
from unlearn_core.methods import CATALOGUE

COMMANDS = [words.split()[1:] for words, _ in walk()]
GROUPS = sorted({words[0] for words in COMMANDS if len(words) > 1})
HEAVY = (
    "torch",
    "sqlalchemy",
    "alembic",
    "prefect",
    "mlflow",
    "dvc",
    "great_expectations",
    "pandas",
    "sklearn",
    "matplotlib",
    "boto3",
)


def test_the_log_tells_as_much_as_was_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_LOG_LEVEL", "info")
    monkeypatch.setenv("LETHE_S3_" + "BUKET", "acme-evidence")
    assert lethe(tmp_path, "--log-level", "error", "methods")[::2] == (0, "")
    code, _, err = lethe(tmp_path, "--log-level", "debug", "train")
    assert code == 2
    assert "lethe: " in err
    assert "Traceback (most recent call last):" in err


def test_a_log_for_machines_has_a_document_for_each_line(monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_LOG", "json")
    monkeypatch.setenv("LETHE_S3_" + "BUKET", "acme-evidence")
    code, _, err = lethe(tmp_path, "train")
    told = [json.loads(line) for line in err.splitlines()]
    assert (code, [line["level"] for line in told]) == (2, ["warning", "error"])
    assert "is not in a Lethe project: it is not in a git checkout" in told[1]["message"]


def test_a_misspelt_variable_is_warned_of_and_stops_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_S3_" + "BUKET", "acme-evidence")
    code, out, err = lethe(tmp_path, "methods", "--json")
    assert (code, len(json.loads(out))) == (0, len(CATALOGUE))
    assert err.splitlines() == [
        "· LETHE_S3_" + "BUKET is not a setting of Lethe and has no effect; did you mean LETHE_S3_BUCKET?"
    ]


@pytest.mark.parametrize("command", [[], *([group] for group in GROUPS), *COMMANDS], ids=" ".join)
def test_every_command_has_help(tmp_path, command):
    code, out, err = lethe(tmp_path, *command, "--help")
    assert (code, err) == (0, "")
    assert f"{' '.join(command)} [OPTIONS]".strip() in out


@pytest.mark.parametrize("command", [[], ["keys"], ["delete"], ["request", "show"]], ids=" ".join)
def test_a_short_h_is_help_too(tmp_path, command):
    assert lethe(tmp_path, *command, "-h") == lethe(tmp_path, *command, "--help")


def test_the_first_help_has_the_commands_in_the_order_of_use(tmp_path):
    _, out, _ = lethe(tmp_path, "--help")
    shown = re.findall("^│ ([a-z]+(?:-[a-z]+)?) ", out, re.MULTILINE)
    assert shown[:7] == ["init", "keys", "demo", "adopt", "train", "status", "data"]
    assert shown == list(dict.fromkeys(command[0] for command in COMMANDS))


def test_the_first_help_names_every_command_and_what_its_exit_codes_mean(tmp_path):
    _, out, _ = lethe(tmp_path, "--help")
    for command in COMMANDS:
        assert f" {command[0]} " in out
    assert "5 no method" in " ".join(out.split())


def test_the_catalogue_is_json_with_every_method(tmp_path):
    code, out, err = lethe(tmp_path, "methods", "--json")
    assert (code, err) == (0, "")
    listed = {entry["name"]: entry for entry in json.loads(out)}
    assert set(listed) == {kind.model_fields["name"].default for kind in CATALOGUE}
    for kind in CATALOGUE:
        entry = listed[kind.model_fields["name"].default]
        assert entry["needs"] == sorted(kind.needs)
        assert set(entry["settings"]) == set(kind.model_fields) - {"name"}
        assert entry["summary"]


def test_the_catalogue_is_a_table_for_people(tmp_path):
    _, out, _ = lethe(tmp_path, "methods")
    assert all(kind.model_fields["name"].default in out for kind in CATALOGUE)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_keys_are_for_their_owner_alone(home, tmp_path):
    code, out, _ = lethe(tmp_path, "keys", "init", "--json")
    assert code == 0
    made = {Path(path).name: Path(path) for path in json.loads(out)["made"]}
    assert {"signing.key", "signing.pub", "pseudonym.key"} < set(made)
    for name in ("signing.key", "pseudonym.key"):
        assert made[name].stat().st_mode & 0o777 == 0o600


def test_keys_are_made_once(home, tmp_path):
    lethe(tmp_path, "keys", "init")
    before = files_of(home)
    assert json.loads(lethe(tmp_path, "keys", "init", "--json")[1])["made"] == []
    assert files_of(home) == before


def test_a_forced_signing_key_is_new_and_the_pseudonym_key_stays(home, tmp_path):
    lethe(tmp_path, "keys", "init")
    before = files_of(home)
    lethe(tmp_path, "keys", "init", "--force")
    changed = {Path(path).name for path, raw in files_of(home).items() if before.get(path) != raw}
    assert {"signing.key", "signing.pub"} < changed
    assert "pseudonym.key" not in changed
    assert set(before) < set(files_of(home))


def test_a_key_is_exported_trusted_elsewhere_and_listed(home, tmp_path, monkeypatch):
    lethe(tmp_path, "keys", "init")
    code, pem, _ = lethe(tmp_path, "keys", "export")
    assert (code, pem) == (0, (home / "signing.pub").read_text())
    exported = json.loads(lethe(tmp_path, "keys", "export", "--json")[1])
    (tmp_path / "issuer.pub").write_text(pem)
    (tmp_path / "issuer.pub").chmod(0o644)
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "auditor"))
    assert json.loads(lethe(tmp_path, "keys", "list", "--json")[1]) == []
    code, out, _ = lethe(tmp_path, "keys", "trust", "issuer.pub", "--json")
    assert (code, json.loads(out)["id"]) == (0, exported["id"])
    listed = json.loads(lethe(tmp_path, "keys", "list", "--json")[1])
    assert [(one["id"], one["own"]) for one in listed] == [(exported["id"], False)]
    lethe(tmp_path, "keys", "init")
    assert {one["own"] for one in json.loads(lethe(tmp_path, "keys", "list", "--json")[1])} == {True, False}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forget"], "No such command 'forget'"),
        (["delete"], "Missing argument 'REQUEST'"),
        (["delete", "demo", "--clas", "3"], "No such option"),
        (["ui", "--port", "http"], "as an integer"),
    ],
)
def test_a_wrong_call_exits_with_2_and_says_why_on_standard_error(tmp_path, arguments, said):
    code, out, err = lethe(tmp_path, *arguments, terminal=True)
    assert (code, out) == (2, "")
    assert said in " ".join(err.replace("│", " ").split())


MISTYPED = [
    (["Anna"], "no such command (`lethe --help`)"),
    (["request", "Anna"], "no such command (`lethe request --help`)"),
    (["delete", "r-1", "--subject", "Mr", "Anna"], "more arguments than this command takes; put a name with"),
    (
        ["delete", "r-1", "--subjct", "Anna"],
        "no such option; did you mean --subject? (`lethe delete --help`)",
    ),
    (["delete", "r-1", "--Anna"], "no such option"),
    (["delete", "r-1", "--subject"], "Option '--subject' requires an argument"),
    (["delete", "--subject", "Anna"], "Missing argument 'REQUEST'"),
    (["delete", "r-1", "--json=Anna"], "Option '--json' does not take a value"),
    (["ui", "--port", "Anna"], "invalid value for '--port'; expected"),
    (["--log-level", "Anna", "methods"], "expected <debug|info|warning|error>"),
    (["delete", "Anna", "--class", "3"], "what was given as a request's id: String should match pattern"),
    (["report", "Anna"], "what was given as a request's id: String should match pattern"),
    (["delete", "Anna\udcff"], "is not an id: expected non-empty UTF-8 text"),
]


@pytest.mark.parametrize("log", ["json", "text"])
@pytest.mark.parametrize(("arguments", "said"), MISTYPED, ids=[" ".join(words) for words, _ in MISTYPED])
def test_of_a_wrong_call_a_log_has_one_line_and_nothing_that_was_typed(
    tmp_path, monkeypatch, arguments, said, log
):
    monkeypatch.setenv("LETHE_LOG", log)
    code, out, err = lethe(tmp_path, *arguments, terminal=log == "json")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in (json.loads(err)["message"] if log == "json" else err)
    assert "Anna" not in err


def test_of_a_wrong_call_a_program_gets_json(tmp_path):
    code, out, err = lethe(tmp_path, "delete", "r-1", "--subjct", "Anna", "--json")
    assert json.loads(out) == {"exit_code": code, "reason": err.removeprefix("lethe: ").rstrip("\n")}


OUTSIDE = [
    ["demo"],
    ["train"],
    ["adopt", "net.safetensors"],
    ["canary", "plant", "--records", "5"],
    ["delete", "demo"],
    ["delete", "r-1", "--class", "3"],
    ["reference"],
    ["next"],
    ["verify"],
    ["evidence", "push", "demo"],
    ["ui"],
]


@pytest.mark.parametrize("arguments", OUTSIDE, ids=" ".join)
def test_outside_of_a_checkout_it_exits_with_2_and_writes_nothing(tmp_path, arguments):
    code, out, err = lethe(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"lethe: {tmp_path} is not in a Lethe project: it is not in a git checkout")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("cli") / "project")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["delete", "r-1"], "there is no request 'r-1'"),
        (["delete", "r-1", "--class", "eleven"], "unknown class: eleven"),
        (["delete", "r-1", "--class", "3", "--subject", "p"], "unknown subject: p"),
        (["delete", "demo", "--class", "4"], "the id 'demo' is taken"),
        (["delete", "../r", "--class", "4"], "id: String should match pattern"),
        (["delete", "r-1", "--sample", "digit-9999"], "digit-9999"),
        (["delete", "r-1", "--subject", "subject-9999"], "subject-9999"),
    ],
)
def test_a_request_that_cannot_be_is_refused_by_name_and_changes_no_byte(project, arguments, said):
    before = files_of(project)
    code, out, err = lethe(project, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("lethe: ")
    assert said in err
    assert files_of(project) == before


def test_an_error_is_json_too_where_json_was_asked_for(project):
    code, out, err = lethe(project, "delete", "r-1", "--class", "eleven", "--json")
    assert code == 2
    assert json.loads(out) == {"exit_code": 2, "reason": err.removeprefix("lethe: ").rstrip("\n")}


def test_a_folder_that_cannot_be_written_is_one_message(project, monkeypatch):
    def refuse(*_arguments, **_named):
        raise PermissionError(errno.EACCES, "Permission denied", "requests")

    monkeypatch.setattr("tasks.checkout.files.written_beside", refuse)
    code, out, err = lethe(project, "delete", "r-1", "--class", "3")
    assert (code, out) == (2, "")
    assert err.startswith("lethe: [Errno 13] Permission denied: 'requests'")


def test_a_database_on_a_full_disk_is_one_message(project, monkeypatch):
    def refuse(*_arguments, **_named):
        with closing(sqlite3.connect(":memory:")) as full:
            full.execute("PRAGMA max_page_count = 2")
            try:
                full.execute("CREATE TABLE one AS SELECT zeroblob(100000)")
            except sqlite3.OperationalError as error:
                raise RuntimeError("what a library makes of it") from error

    monkeypatch.setattr("tasks.lifecycle.refusals.require_ready", refuse)
    code, out, err = lethe(project, "delete", "r-1", "--class", "3")
    assert (code, out) == (2, "")
    assert err.startswith("lethe: database or disk is full; free some space")


@pytest.mark.parametrize(
    "arguments",
    [["delete", "demo"], ["train"], ["canary", "plant", "--records", "5"], ["reference"], ["next"]],
    ids=" ".join,
)
def test_two_commands_do_not_work_in_one_checkout(project, arguments):
    before = files_of(project)
    with sole_use(project):
        code, out, err = lethe(project, *arguments)
    assert (code, out) == (2, "")
    assert "running in this checkout" in err
    assert files_of(project) == before


def test_without_keys_nothing_is_begun(project, tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "nobody"))
    before = files_of(project)
    code, out, err = lethe(project, "delete", "demo")
    assert (code, out) == (2, "")
    assert "lethe keys init" in err
    assert files_of(project) == before


def test_a_false_certificate_has_an_exit_code_of_its_own(tmp_path):
    (tmp_path / "file").write_bytes(b"{}")
    code, _, err = lethe(tmp_path, "verify", "file", "--key", str(ROOT / "tests/golden/certificate-v1.pub"))
    assert code == 6
    assert "of another kind" in err


def test_a_golden_certificate_verifies(tmp_path):
    golden = ROOT / "tests/golden"
    arguments = [
        str(golden / "certificate-digits.dsse.json"),
        "--key",
        str(golden / "certificates-2026-11.pub"),
        "--json",
    ]
    code, out, _ = lethe(tmp_path, "verify", *arguments)
    assert (code, json.loads(out)["verified"]) == (0, True)


def test_the_version_is_that_of_the_package(tmp_path):
    assert lethe(tmp_path, "--version") == (0, f"lethe {version('lethe-unlearning')}\n", "")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lethe delete d", "demo"),
        ("lethe tune sv", "svd"),
        ("lethe req", "request"),
        ("lethe delete --cl", "--class"),
    ],
)
def test_a_shell_completes_commands_options_requests_and_methods(project, typed, expected):
    program = Path(sys.executable).with_name("lethe")
    words = {"_LETHE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [program], cwd=project, env={**os.environ, **words}, capture_output=True, text=True, check=False
    )
    assert expected in done.stdout.split(), done.stderr


def test_help_loads_nothing_heavy():
    code = f"import sys, flows.cli.app; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_it_is_installed_as_a_program(tmp_path):
    program = Path(sys.executable).with_name("lethe")
    done = subprocess.run(
        [program, "verify", "nothing"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["methods", "request import none.csv"])
@pytest.mark.parametrize("completes", [False, True])
def test_a_working_folder_that_was_removed_is_told(tmp_path, command, completes):
    words = {"_LETHE_COMPLETE": "complete_bash", "COMP_WORDS": "lethe delete ", "COMP_CWORD": "2"}
    typed = f'rmdir "$PWD" && exec {Path(sys.executable).with_name("lethe")} {command}'
    done = subprocess.run(
        ["sh", "-c", typed],
        cwd=tmp_path,
        env={**os.environ, **(words if completes else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lethe: the working folder is no longer there: it was removed or replaced.")
    assert done.stderr.count("\n") == 1


def test_help_loads_no_library_that_only_a_command_needs():
    heavy = {"dvc", "great_expectations", "mlflow", "numpy", "prefect", "pydantic", "torch"}
    look = f"import sys, flows.cli.app; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
