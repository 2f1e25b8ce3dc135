"""infra/Makefile: secrets, backups and their restoration, with its own recipes on the running services.

Each of these must turn red: a second `init` that replaces secrets; a dump that lacks a table; a restoration
after which a role gets into another's database; a backup that failed and looks complete.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from dotenv import dotenv_values
from world import ROOT

MAKE = ["make", "--no-print-directory", "-C", str(ROOT / "infra")]


def make(*words, **environment):
    inherited = {**os.environ, **environment}
    return subprocess.run([*MAKE, *words], env=inherited, capture_output=True, text=True, check=False)


def test_init_makes_secrets_that_differ_and_that_nobody_else_reads(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert make("init", f"ENV_FILE={first}").returncode == 0
    assert make("init", f"ENV_FILE={second}").returncode == 0
    assert first.stat().st_mode & 0o777 == 0o600
    values = [*dotenv_values(first).values(), *dotenv_values(second).values()]
    assert len(set(values)) == len(values) == 32
    assert min(len(value) for value in values) == 40


def test_init_leaves_secrets_that_are_there(tmp_path):
    file = tmp_path / ".env"
    file.write_text("POSTGRES_PASSWORD=mine\n")
    done = make("init", f"ENV_FILE={file}")
    assert done.returncode != 0
    assert "is there" in done.stderr
    assert file.read_text() == "POSTGRES_PASSWORD=mine\n"


def test_init_prints_no_secret(tmp_path):
    done = make("init", f"ENV_FILE={tmp_path / '.env'}")
    said = done.stdout + done.stderr
    assert [value for value in dotenv_values(tmp_path / ".env").values() if value in said] == []


@pytest.mark.parametrize("path", ["infra/.env", "infra/backups/20261121T120000Z/lethe.dump"])
def test_git_ignores_secrets_and_backups(path):
    assert subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0


def test_every_target_is_in_the_help():
    listed = {line.split()[0] for line in make("help").stdout.splitlines()}
    text = (ROOT / "infra/Makefile").read_text()
    assert listed == set(text.split(".PHONY:")[1].splitlines()[0].split())


def test_a_restoration_asks_for_a_backup_first(tmp_path):
    done = make("restore", f"FROM={tmp_path}", "COMPOSE=false")
    assert done.returncode != 0
    assert "prefect.dump is missing or empty; name a backup with FROM=folder" in done.stderr


def test_a_backup_goes_into_one_folder_however_long_it_takes(tmp_path):
    clock = tmp_path / "date"
    clock.write_text('#!/bin/sh\necho x >> "$0.calls"; wc -l < "$0.calls"\n')
    clock.chmod(0o755)
    done = make("-n", "backup", "BACKUPS=kept", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert set(re.findall(r"kept/(\d+)", done.stdout)) == {"1"}


def test_a_backup_that_cannot_be_read_replaces_nothing(tmp_path):
    for name in ("prefect.dump", "mlflow.dump", "lethe.dump", "volumes.tar"):
        (tmp_path / name).write_bytes(b"cut off")
    calls = tmp_path / "calls"
    done = make("restore", f"FROM={tmp_path}", f"COMPOSE=echo called >> {calls}; false")
    assert done.returncode != 0
    assert "tar" in done.stderr
    assert not calls.exists()


@pytest.fixture
def beside(stack, tmp_path):
    """What makes infra/Makefile work on the stack instead of containers."""
    connection = {"PGHOST": "127.0.0.1", "PGPORT": str(stack.compose.ports["postgres"])}
    described = {
        "calls": str(tmp_path / "calls"),
        "folders": {
            "/volumes": str(stack.folder / "volumes"),
            "/owner.sql": str(ROOT / "infra/postgresql/owner.sql"),
        },
        "environments": {
            "postgres": stack.process_environment("postgres", **connection),
            "files": stack.process_environment("files"),
            "mlflow": stack.process_environment("mlflow"),
        },
    }
    stack.compose.make_places("files")
    (tmp_path / "as_compose.json").write_text(json.dumps(described))
    program = Path(__file__).with_name("as_compose.py")
    return f"COMPOSE={sys.executable} {program}", {"AS_COMPOSE": str(tmp_path / "as_compose.json")}


def lethe(stack, *words):
    """Run the command line on the ledger alone: without Prefect's address nothing is triggered."""
    return stack.run("worker", command=["lethe", *words], folder=stack.folder, PREFECT_API_URL="").strip()


def submit(stack, request):
    lethe(stack, "request", "submit", request, "--class", "3", "--model", "of-no-worker")


@pytest.mark.services
def test_what_was_backed_up_comes_back(stack, deployed, beside, tmp_path):
    compose, environment = beside
    user, password = stack.environment["PREFECT_API_AUTH_STRING"].split(":")
    api = httpx.Client(base_url=stack.prefect_url, auth=(user, password), timeout=30)
    submit(stack, "backed-up")
    head = json.loads(lethe(stack, "request", "verify", "--json"))["head"]
    key = (stack.folder / "volumes/keys/signing.key").read_bytes()
    assert api.post("/variables/", json={"name": "backed-up", "value": "yes"}).status_code == 201

    backup = tmp_path / "backup"
    done = make("backup", f"TO={backup}", compose, **environment)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in backup.iterdir()} == {
        "prefect.dump", "mlflow.dump", "lethe.dump", "volumes.tar",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o077 for path in [backup, *backup.iterdir()]} == {0}

    submit(stack, "too-late")
    api.delete("/variables/name/backed-up")
    (stack.folder / "volumes/keys/signing.key").unlink()
    for server in ("prefect", "mlflow"):
        stack.stop(server)
    done = make("restore", f"FROM={backup}", compose, **environment)
    assert done.returncode == 0, done.stderr
    assert "stop worker worker-gpu purger prefect mlflow" in (tmp_path / "calls").read_text()
    for server in ("prefect", "mlflow"):
        stack.start(server)

    assert json.loads(lethe(stack, "request", "verify", "--json"))["head"] == head
    assert "too-late" not in lethe(stack, "request", "list", "--json")
    assert api.get("/variables/name/backed-up").json()["value"] == "yes"
    assert (stack.folder / "volumes/keys/signing.key").read_bytes() == key
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(stack.ledger_url, dbname="prefect")
    api.close()
    lethe(stack, "request", "cancel", "backed-up", "--reason", "it was a test")


@pytest.mark.services
def test_a_dump_that_fails_leaves_nothing_that_looks_like_one(stack, beside, tmp_path):
    compose, environment = beside
    described = json.loads(Path(environment["AS_COMPOSE"]).read_text())
    described["environments"]["postgres"]["POSTGRES_PASSWORD"] = "wrong"
    Path(environment["AS_COMPOSE"]).write_text(json.dumps(described))
    done = make("backup", f"TO={tmp_path / 'backup'}", compose, **environment)
    assert done.returncode != 0
    assert [path.name for path in (tmp_path / "backup").iterdir() if path.suffix != ".part"] == []


@pytest.mark.services
def test_databases_that_are_up_to_date_survive_the_upgrade_of_mlflow(stack, beside):
    compose, environment = beside
    done = make("upgrade", f"TO={Path(environment['AS_COMPOSE']).parent / 'b'}", compose, **environment)
    assert done.returncode == 0, done.stderr
    assert stack.healthy("mlflow")
    calls = (Path(environment["AS_COMPOSE"]).parent / "calls").read_text().splitlines()
    saved = [n for n, call in enumerate(calls) if call.startswith(("exec postgres", "run files"))]
    assert len(saved) == 5  # three dumps, the volumes, and the ledger's owner
    assert calls.index("stop worker worker-gpu purger") < min(saved)


def test_a_newer_version_gets_the_secrets_that_it_needs_besides(tmp_path):
    file = tmp_path / ".env"
    make("init", f"ENV_FILE={file}")
    whole = dotenv_values(file)
    file.write_text("POSTGRES_PASSWORD=mine\n")
    done = make("secrets", f"ENV_FILE={file}")
    assert done.returncode == 0, done.stderr
    added = dotenv_values(file)
    assert set(added) == set(whole)
    assert added.pop("POSTGRES_PASSWORD") == "mine"
    assert not [value for value in added.values() if value in done.stdout]
    before = file.read_text()
    make("secrets", f"ENV_FILE={file}")
    assert file.read_text() == before


def test_digests_are_written_behind_the_versions_and_replaced(tmp_path):
    for name in ("Makefile", "compose.yaml", "Dockerfile"):
        shutil.copy(ROOT / "infra" / name, tmp_path)
    for number in (7, 8):
        digest = f"sha256:{number:064d}"
        command = [*MAKE[:-1], str(tmp_path), "pins", f"INSPECT=echo {digest}; true"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert len(done.stdout.splitlines()) == 3
        for name, expected in (("compose.yaml", 2), ("Dockerfile", 1)):
            text = (tmp_path / name).read_text()
            assert text.count(f"@{digest}\n") + text.count(f"@{digest} AS") == expected
            assert re.sub(r"@sha256:\d{64}", "", text) == re.sub(
                r"@sha256:[0-9a-f]{64}", "", (ROOT / "infra" / name).read_text()
            )


@pytest.fixture
def infra(tmp_path):
    """A copy of the files that name images; the digest of each comes from no registry."""
    for name in ("Makefile", "compose.yaml", "Dockerfile"):
        shutil.copy(ROOT / "infra" / name, tmp_path)
    shutil.copytree(ROOT / "infra/kubernetes", tmp_path / "kubernetes")

    def make_here(*words):
        command = [*MAKE[:-1], str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return make_here


DIGEST = f"sha256:{7:064d}"
NAMING = ("compose.yaml", "Dockerfile")
"""The files that name images of others, in the order in which they are asked for."""


def test_an_image_without_a_digest_is_warned_of_until_it_has_one(infra):
    warned = infra("unpinned").stderr
    assert re.findall(r"warning: (\S+) ", warned) == re.findall(
        r"(?:image-\S+|FROM) (\S+:\S+)", "".join((ROOT / "infra" / n).read_text() for n in NAMING)
    )
    assert infra("pins", f"INSPECT=echo {DIGEST}; true").returncode == 0
    assert infra("unpinned").stderr == ""


def test_what_is_no_digest_is_written_nowhere(infra):
    done = infra("pins", "INSPECT=echo not found; true")
    assert (done.returncode, "no digest came, but: not found" in done.stderr) == (2, True)
    assert infra("unpinned").stderr.count("warning:") == 3


def test_every_start_warns_of_images_without_digests():
    text = (ROOT / "infra/Makefile").read_text()
    assert re.search(r"^up: unpinned ", text, re.MULTILINE)
    upgrade = text.split("\nupgrade:")[1]
    assert "$(MAKE) --no-print-directory up" in upgrade


def test_a_job_in_a_cluster_takes_its_image_by_digest_alone(infra):
    image = f"registry.example.org:5000/lethe@{DIGEST}"
    made = json.loads(infra("job", f"IMAGE={image}").stdout)
    theirs = json.loads((ROOT / "infra/kubernetes/base-job-template.json").read_text())
    assert made["variables"]["properties"]["image"].pop("default") == image
    assert theirs["variables"]["properties"]["image"].pop("default").startswith("lethe:")
    assert made == theirs
    for wrong in ("", "registry.example.org/lethe:0.1.0-cuda", "lethe@sha256:7"):
        refused = infra("job", f"IMAGE={wrong}")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"IMAGE='{wrong}' has no digest" in refused.stderr
