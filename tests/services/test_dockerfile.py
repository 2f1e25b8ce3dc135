"""What infra/Dockerfile would build: no engine runs here, so it is read."""

import fnmatch
import re
import tomllib

import pytest
from world import PACKAGES, ROOT

FILE = ROOT / "infra/Dockerfile"
IGNORED = ROOT / "infra/Dockerfile.dockerignore"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read_stages(text):
    """Return the stages by name, each as its base and its instructions, with continued lines joined."""
    stages, name = {}, ""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            base, _, name = rest.split()
            stages[name] = (base, [])
        else:
            stages[name][1].append((word, rest))
    return stages


STAGES = read_stages(FILE.read_text())


def instructions(stage, word):
    """Return what an instruction says in a stage and in those that it is built upon, in order."""
    base, own = STAGES[stage]
    before = instructions(base, word) if base in STAGES else []
    return before + [rest for name, rest in own if name == word]


def is_sent(path):
    """Tell whether a file reaches a build: the last pattern that fits it, or a folder of it, decides."""
    sent = True
    places = [path, *("/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1))]
    for line in IGNORED.read_text().splitlines():
        pattern = line.removeprefix("!").replace("**/", "*")
        if line and not line.startswith("#") and any(fnmatch.fnmatch(place, pattern) for place in places):
            sent = line.startswith("!")
    return sent


def copied():
    return {
        path
        for _, own in STAGES.values()
        for word, rest in own
        if word == "COPY" and not rest.startswith("--from")
        for path in rest.split()[:-1]
    }


def test_bases_are_pinned_by_version():
    bases = {base for base, _ in STAGES.values() if base not in STAGES}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", *bases)


def test_python_is_one_that_the_package_supports():
    (base,) = {base for base, _ in STAGES.values() if base not in STAGES}
    assert PROJECT["requires-python"] == ">=3.11"
    assert tuple(map(int, re.findall(r"\d+", base)[:2])) >= (3, 11)


@pytest.mark.parametrize("path", sorted(copied()))
def test_what_is_copied_is_there_and_reaches_the_build(path):
    assert (ROOT / path).exists()
    assert is_sent(path)


def test_every_package_is_copied():
    assert set(PACKAGES) <= copied()


@pytest.mark.parametrize(
    "path",
    [".env", "infra/.env", "infra/.env.new", "infra/backups/x/lethe.dump", ".git/config", "requests/r-1.json",
     "data/dataset/0.parquet", "evidence/demo/report.html", "flows/__pycache__/cli.pyc", "mlruns/mlflow.db"],
)  # fmt: skip
def test_neither_secrets_nor_data_reach_a_build(path):
    assert not is_sent(path)


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_a_variant_runs_without_rights_and_with_the_pinned_environment(target):
    assert instructions(target, "USER")[-1] == "10001:10001"
    (source,) = re.findall(r"--from=(\S+) /opt/venv", " ".join(instructions(target, "COPY")))
    (installed,) = [run for run in instructions(source, "RUN") if "pip install" in run]
    assert (
        "pip install --require-hashes --requirement requirements.lock && pip install --no-deps" in installed
    )
    # What the lock has no digests of are other builds of torch.
    for command in re.findall(r"pip install (?!--require-hashes|--no-deps)[^;&]*", installed):
        assert "--constraint constraints.txt --extra-index-url" in command
        (extras,) = re.findall(r"'\.\[([a-z0-9,]+)\]'", command)
        assert set(extras.split(",")) == set(PROJECT["optional-dependencies"]) - {"dev", "ray"}


def test_only_the_variant_without_accelerator_takes_other_builds_of_torch():
    assert instructions("installed-cpu", "ARG") == ['TORCH_INDEX=""']
    assert instructions("installed-cuda", "ARG") == []
    assert [target for target in ("cpu", "cuda") if "NVIDIA" in " ".join(instructions(target, "ENV"))] == [
        "cuda"
    ]


def test_what_the_image_starts_is_installed_with_it():
    (command,) = instructions("cpu", "CMD")
    assert re.findall(r'"([^"]+)"', command)[0] in PROJECT["scripts"]


def test_no_secret_is_built_in():
    set_here = " ".join(rest for _, own in STAGES.values() for word, rest in own if word in {"ENV", "ARG"})
    assert re.findall(r"\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*", set_here) == []
