"""A pool on a cluster: what a job of it gives, whose errors are told, and what the cluster gets to know."""

import os
import signal
from pathlib import Path

import pytest
from retraining import BRIEF, RUN, prepared

from tasks.references.building import TRAINING_PROCESS, job_of
from tasks.references.plan import plan_references
from tasks.running.cluster import ClusterPool
from tasks.running.messages import STEP, WHY
from tasks.running.runner import needs_of, open_pool
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.reference import TrialTraining
from unlearn_core.scheduling import Needs

pytestmark = pytest.mark.cluster

ENDLESS = Recipe(**{**dict(BRIEF), "epochs": 100_000})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("pool") / "somebody", recipe=BRIEF)


@pytest.fixture(scope="module")
def training(checkout):
    plan = plan_references(checkout, RUN, count=1, shadows=0)
    return plan.wanted[plan.missing[0]].training


def test_a_job_of_a_cluster_gives_what_it_gives_here(checkout, training, on_cluster):
    steps = []
    with open_pool(checkout.root, TRAINING_PROCESS, needs_of(1, "cpu")) as pool:
        assert isinstance(pool, ClusterPool)
        assert {node.cpus for node in pool.nodes()} == {1}
        assert len(pool.nodes()) == pool.places(Needs(1)) == 3
        trial = pool.do(job_of(training, folder=None), steps.append)
        weights = pool.do(job_of(training, folder="here"), steps.append)
    assert TrialTraining(**trial).seconds_per_step > 0
    assert [step.index for step in steps] == [1]
    assert (checkout.root / "here" / "card.json").read_text().count(weights) == 1


def processes_in(root):
    """Return the processes that train in a project."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words, place = (entry / "cmdline").read_bytes(), Path(os.readlink(entry / "cwd"))
        except OSError:
            continue
        if b"training_process" in words and place == root:
            found.append(int(entry.name))
    return found


def messages_of(checkout, job):
    with open_pool(checkout.root, TRAINING_PROCESS, needs_of(1, "cpu")) as pool:
        return list(pool.told(job.canonical()))


def test_an_error_of_our_own_is_told_once_and_nothing_begins_again(checkout, training, on_cluster):
    wrong = job_of(training.model_copy(update={"torch": "0.1"}), folder="never")
    (last,) = messages_of(checkout, wrong)
    assert "torch: 0.1 was planned" in last[WHY]
    other = job_of(training, folder="never").model_copy(update={"processor": "abacus"})
    (last,) = messages_of(checkout, other)
    assert "processor: abacus was planned" in last[WHY]


def test_a_training_that_is_killed_is_no_lost_node(checkout, training, on_cluster):
    endless = training.model_copy(update={"recipe": ENDLESS})
    with open_pool(checkout.root, TRAINING_PROCESS, needs_of(1, "cpu")) as pool:
        messages = pool.told(job_of(endless, folder="never").canonical())
        assert STEP in next(messages)
        (process,) = processes_in(checkout.root)
        os.kill(process, signal.SIGKILL)
        *steps, last = messages
    assert all(STEP in message for message in steps)
    assert "its process was killed" in last[WHY]


def test_a_project_that_the_nodes_do_not_reach_is_said_so(on_cluster, tmp_path, training):
    with (
        open_pool(tmp_path / "elsewhere", TRAINING_PROCESS, Needs(1)) as pool,
        pytest.raises(PipelineError, match="a node of the cluster does not reach the project"),
    ):
        pool.do(job_of(training, folder=None))


def test_what_no_node_holds_is_refused(checkout, on_cluster):
    with (
        open_pool(checkout.root, TRAINING_PROCESS, Needs(1)) as pool,
        pytest.raises(SetupError, match="no node of the Ray cluster has 2 cores"),
    ):
        pool.places(Needs(2))


def test_a_cluster_that_is_not_there_is_named(checkout, on_cluster, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(SetupError, match="cannot be joined from this machine"):
        open_pool(checkout.root, TRAINING_PROCESS, Needs(1)).__enter__()


def test_the_cluster_gets_to_know_neither_the_command_nor_the_folder(checkout, training, on_cluster):
    messages_of(checkout, job_of(training, folder=None))
    told = on_cluster.ask("jobs")
    assert "tasks.running.ray_driver" in told
    assert "somebody" not in told
    assert "pytest" not in told
