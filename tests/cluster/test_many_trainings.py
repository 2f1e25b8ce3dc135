"""Many trainings on a cluster: the models of one machine, whatever is lost or killed on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from retraining import BRIEF
from templates import prepared_checkout
from world import NOISE

from tasks.computing.checkpoints import is_whole
from unlearn_core.records.reference import ReferenceReport

pytestmark = [
    *NOISE,
    pytest.mark.cluster,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]

MANY, FEW = 24, 8
PATIENCE_S = 300
CALIBRATE = ("calibrate", "--kind", "samples", "--count", "12", "--coverage", "0.5", "--adversaries", "0")


def begin(root, *command, runner):
    """Start a command of Lethe's."""
    programs = Path(sys.executable).parent
    own = {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PREFECT_HOME": str(root.with_name("prefect")),
        "LETHE_RUNNER": runner,
    }
    full, said = [str(programs / "lethe"), *command], root.with_name(f"said-{root.name}")
    with said.open("a") as errors:
        process = subprocess.Popen(
            full, cwd=root, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    return process, said


def ended(process, said, code=0):
    """Wait for the end of a command, and return what it printed, and what it said on the way."""
    out, _ = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == code, said.read_text()
    return out, said.read_text()


def wait_until(holds):
    end = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def finished(root):
    """Return when the files of each finished model were written."""
    return {
        path: path.stat().st_mtime_ns
        for folder in (root / "models" / "references").glob("[!.]*/")
        if is_whole(folder)
        for path in folder.iterdir()
    }


def models(root):
    """Return the bytes of all models, by name."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in (root / "models" / "references").glob("*/*")
    }


def processes_for(root):
    """Return the processes that train in a project, and those that talk to Ray."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words, place = (entry / "cmdline").read_bytes(), Path(os.readlink(entry / "cwd"))
        except OSError:
            continue
        if (b"training_process" in words and place == root) or b"ray_driver" in words or b"ray::" in words:
            found.append(words)
    return [words for words in found if not words.startswith(b"ray::IDLE")]


def project(folder):
    recipe = {**BRIEF.model_dump(mode="json"), "epochs": 4}
    parent = {"source": "train", "architecture": "small_resnet", "recipe": recipe}
    return prepared_checkout(folder, parent=parent)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What the local runner gives."""
    root = project(tmp_path_factory.mktemp("here") / "project")
    _, err = ended(*begin(root, "reference", "--count", str(MANY), "--json", runner="local"))
    assert err.count("✓ retrained") == MANY
    return models(root)


def test_a_node_is_lost_and_nothing_that_had_finished_is_trained_again(here, cluster, on_cluster, tmp_path):
    root = project(tmp_path / "project")
    process, said = begin(root, "reference", "--count", str(MANY), "--json", runner="ray")
    wait_until(lambda: len(list((root / "models" / "references").glob("[!.]*/"))) >= MANY // 4)
    before = finished(root)
    assert cluster.ask("lose") == "lost"
    out, err = ended(process, said)
    assert cluster.ask("regain") == "regained"
    report = ReferenceReport.parse(out)
    assert report.took is not None
    assert len(report.took.built) == MANY
    assert err.count("✓ retrained") == MANY
    assert "a node was lost" in err
    assert MANY > len({path.parent for path in before}) >= MANY // 4
    assert before.items() <= finished(root).items()
    assert models(root) == here


def test_what_a_killed_command_began_ends_and_its_models_stay(here, on_cluster, tmp_path):
    root = project(tmp_path / "project")
    process, said = begin(root, "reference", "--count", str(FEW), runner="ray")
    wait_until(lambda: len(list((root / "models" / "references").glob("[!.]*/"))) >= 2)
    assert processes_for(root)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    wait_until(lambda: not processes_for(root))
    before = finished(root)
    kept = len({path.parent for path in before})
    assert FEW > kept >= 2
    said.write_text("")
    _, err = ended(*begin(root, "reference", "--count", str(FEW), runner="ray"))
    assert f"{kept} of {FEW} models are finished" in err
    assert err.count("✓ retrained") == FEW - kept
    assert before.items() <= finished(root).items()
    assert models(root).items() <= here.items()


def test_a_calibration_that_is_interrupted_measures_on_a_cluster_what_it_measures_here(on_cluster, tmp_path):
    root = project(tmp_path / "project")
    process, said = begin(root, *CALIBRATE, runner="ray")
    wait_until(lambda: measured(root))
    process.send_signal(signal.SIGINT)
    ended(process, said, code=128 + signal.SIGINT)
    wait_until(lambda: not processes_for(root))
    before = {path: path.stat().st_mtime_ns for path in measured(root)}
    ended(*begin(root, *CALIBRATE, runner="ray"))
    after = {path: path.stat().st_mtime_ns for path in measured(root)}
    assert before.items() < after.items()
    other = project(tmp_path / "other")
    ended(*begin(other, *CALIBRATE, runner="local"))
    on_nodes, alone = ({path.name: path.read_bytes() for path in measured(one)} for one in (root, other))
    assert len(alone) == 12
    assert on_nodes == alone


def measured(root):
    """Return the files of what was measured."""
    return sorted((root / ".lethe" / "calibration").glob("[!.]*"))
