"""What infra/compose.yaml promises before anything runs."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from compose import FILE, Compose, interpolate, load
from dotenv import dotenv_values
from world import ROOT

from tasks.checkout.environment import LIBRARY_SETTINGS
from tasks.orchestration.deploying import PURGE_POOL

SERVICES = load()["services"]
LETHE = [name for name, service in SERVICES.items() if service["image"].startswith("lethe:")]
PROGRAMS = [name for name in LETHE if name != "files"]
SERVERS = ("postgres", "s3", "prefect", "mlflow", "worker", "worker-gpu", "purger")


def by_service(names=tuple(SERVICES)):
    return pytest.mark.parametrize("name", names)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What `make -C infra init` writes."""
    file = tmp_path_factory.mktemp("init") / ".env"
    subprocess.run(["make", "-s", "-C", ROOT / "infra", "init", f"ENV_FILE={file}"], check=True)
    return dotenv_values(file)


def test_compose_asks_for_the_secrets_that_init_makes_and_no_others(made):
    assert set(re.findall(r"\$\{(\w+):\?", FILE.read_text())) == set(made)


def test_no_secret_has_a_default():
    optional = re.findall(r"\$\{(\w+)(?::-[^}]*)?\}", FILE.read_text())
    assert [name for name in optional if re.search("PASSWORD|SECRET|KEY|TOKEN", name)] == []


@by_service(("postgres", "s3", "prefect", "mlflow", "worker"))
def test_nothing_starts_without_secrets(name, tmp_path):
    with pytest.raises(KeyError, match="run make -C infra init"):
        Compose({}, tmp_path).environment(name)


@by_service()
def test_an_image_is_pinned_by_version(name, made):
    image = interpolate(SERVICES[name]["image"], made)
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", image), image


def test_an_image_of_others_is_named_in_one_place():
    text = FILE.read_text() + (ROOT / "infra/Dockerfile").read_text()
    named = re.findall(r"(?:postgres|versitygw|python):v?\d+\.[\w.-]*", text)
    assert len(named) == len(set(named)) == 3


def test_the_image_has_the_version_of_the_package():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {interpolate(SERVICES[name]["image"], {}) for name in LETHE} == {
        f"lethe:{version}-cpu",
        f"lethe:{version}-cuda",
    }


def test_two_ports_are_published_and_on_loopback_alone():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"prefect": ["127.0.0.1:4200:4200"], "mlflow": ["127.0.0.1:5000:5000"]}


@by_service()
def test_a_container_can_change_nothing_but_its_volumes_and_gain_no_rights(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service or name == "files"


def test_what_reads_every_volume_runs_for_backups_alone_and_without_a_network():
    service = SERVICES["files"]
    assert service["profiles"] == ["backup"]
    assert service["network_mode"] == "none"
    assert set(service["cap_add"]) == {"CHOWN", "DAC_OVERRIDE", "FOWNER"}
    assert "environment" not in service
    kept = set(
        re.findall(r"^VOLUMES := (.*)$", (ROOT / "infra/Makefile").read_text(), re.MULTILINE)[0].split()
    )
    mounted = dict(mount.split(":") for mount in service["volumes"])
    assert mounted == {name: f"/volumes/{name}" for name in kept}
    assert set(load()["volumes"]) - kept == {"postgres", "state", "s3-users"}, "these are made again"


@by_service(PROGRAMS)
def test_lethes_own_containers_do_not_run_as_root(name):
    user, group = SERVICES[name]["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0


@by_service(SERVERS)
def test_a_server_has_a_health_check_and_starts_again(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@by_service()
def test_what_a_service_waits_for_can_come(name):
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wanted["condition"] == "service_completed_successfully"
            assert other in {"buckets", "deploy", "s3-users", "tables"}
        assert "profiles" not in SERVICES[other]


@by_service(PROGRAMS)
def test_telemetry_is_off(name):
    environment = SERVICES[name]["environment"]
    switches = [key for key in LIBRARY_SETTINGS if "TRACK" in key or "ANALYTICS" in key or "TELEMETRY" in key]
    assert {key: environment.get(key) for key in switches} == {key: LIBRARY_SETTINGS[key] for key in switches}


def used_by(secret):
    """Return the services whose environment a secret is in."""
    return {name for name, service in SERVICES.items() if secret in str(service.get("environment"))}


def test_the_keys_of_root_and_of_the_owner_are_with_what_needs_them_and_ends_alone():
    assert used_by("S3_ROOT_SECRET_ACCESS_KEY") == {"s3", "s3-users", "buckets"}
    assert used_by("LETHE_OWNER_DATABASE_PASSWORD") == {"postgres", "tables"}
    assert used_by("${POSTGRES_PASSWORD") == {"postgres"}
    assert "restart" in SERVICES["tables"]
    assert {SERVICES[name]["restart"] for name in ("s3-users", "buckets", "tables")} == {"on-failure:3"}


def test_each_service_has_its_own_user_of_the_store(made, tmp_path):
    compose = Compose(made, tmp_path)
    names = ("worker", "mlflow", "purger", "buckets")
    keys = {name: compose.environment(name)["AWS_ACCESS_KEY_ID"] for name in names}
    assert len(set(keys.values())) == 4
    given = compose.environment("buckets")
    users = [given[name] for name in ("S3_WORKER", "S3_MLFLOW", "S3_PURGE")]
    assert users == [keys["worker"], keys["mlflow"], keys["purger"]]


def test_what_erases_differs_from_a_worker_in_its_pool_and_its_user_of_the_store_alone():
    worker, purger = SERVICES["worker"], SERVICES["purger"]
    keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert {
        name for name, value in purger["environment"].items() if worker["environment"][name] != value
    } == keys
    assert worker["environment"].keys() == purger["environment"].keys()
    assert purger["volumes"] == worker["volumes"]
    assert purger["command"][purger["command"].index("--pool") + 1] == PURGE_POOL
    assert used_by("S3_PURGE_SECRET_ACCESS_KEY") == {"purger", "s3-users"}
    # It is started by itself: who upgrades must not find that data went.
    assert purger["profiles"] == ["purge"]


@by_service(("worker", "worker-gpu", "lethe", "deploy"))
def test_workers_and_the_command_line_are_given_the_same(name):
    assert SERVICES[name]["environment"] == SERVICES["worker"]["environment"]
    assert SERVICES[name]["volumes"] == SERVICES["worker"]["volumes"]


def test_a_worker_stores_no_pickles():
    serializer = "PREFECT_RESULTS_DEFAULT_SERIALIZER"
    assert SERVICES["worker"]["environment"][serializer] == LIBRARY_SETTINGS[serializer]


def test_one_worker_asks_for_an_accelerator_and_one_does_not():
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert "deploy" not in SERVICES["worker"]
    assert (SERVICES["worker"]["profiles"], SERVICES["worker-gpu"]["profiles"]) == (["cpu"], ["gpu"])


@by_service(PROGRAMS)
def test_a_program_of_lethes_image_is_installed_with_it(name):
    command = SERVICES[name].get("command") or SERVICES[name]["entrypoint"]
    scripts = Path(sys.executable).parent
    assert (scripts / command[0]).exists() or shutil.which(command[0]) in {"/bin/sh", "/usr/bin/sh"}


def test_files_that_are_mounted_are_there():
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    sources = {mount.split(":")[0] for mount in mounts if mount.startswith(".")}
    assert sources
    assert [source for source in sources if not (FILE.parent / source).is_file()] == []
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(load()["volumes"])


def test_variables_are_filled_in_as_compose_does():
    given = {"A": "1", "EMPTY": ""}
    assert interpolate("x${A}y${B:-2}z$$A", given) == "x1y2z$A"
    assert interpolate("${EMPTY:-default}", given) == "default"
    with pytest.raises(KeyError, match="needed"):
        interpolate("${EMPTY:?needed}", given)
    with pytest.raises(AssertionError, match=r"write \$\$"):
        interpolate("$HOME", given)


def test_addresses_ports_and_folders_become_those_of_this_machine(made, tmp_path):
    compose = Compose(made, tmp_path)
    ports = compose.ports
    worker = compose.environment("worker")
    assert worker["PREFECT_API_URL"] == f"http://127.0.0.1:{ports['prefect']}/api"
    assert worker["LETHE_PROJECTS"] == f"{tmp_path}/volumes/projects/{{model}}.git"
    assert worker["LETHE_DATABASE_URL"].endswith(f"@127.0.0.1:{ports['postgres']}/lethe")
    assert worker["PREFECT_WORKER_WEBSERVER_PORT"] == str(ports["worker"])
    assert compose.environment("worker", worker=7)["PREFECT_WORKER_WEBSERVER_PORT"] == "7"
    assert compose.command("prefect")[-4:] == ["--host", "127.0.0.1", "--port", str(ports["prefect"])]
    mapped = " ".join(compose.command("mlflow"))
    assert f'--allowed-hosts "127.0.0.1:{ports["mlflow"]},127.0.0.1:{ports["mlflow"]},localhost' in mapped
    left = "".join([*worker.values(), mapped]).replace(str(tmp_path), "")
    assert [word for word in ("/srv/", "postgres:5432", "0.0.0.0", "prefect:4200") if word in left] == []
