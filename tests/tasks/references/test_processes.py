"""Trainings in processes of their own: the same bits alone and beside others, and how they fail."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import replace

import pytest
from retraining import BRIEF, RUN, prepared
from world import files_of

from tasks.checkout.files import read_record
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.references.building import TRAINING_PROCESS, build_missing, refuse_failed, sweep_references
from tasks.references.plan import Plan, plan_references
from tasks.references.retrained import train_described
from tasks.references.trials import steps_of
from tasks.running.local import LocalPool
from tasks.running.pool import side_by_side
from unlearn_core.errors import PipelineError
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.reference import Job, TrialTraining

pytestmark = pytest.mark.long

ENDLESS = Recipe(**{**dict(BRIEF), "epochs": 100_000})
TALKATIVE = """
from torch import nn


def net(classes, input_shape):
    print("building")
    return nn.Sequential(nn.Flatten(), nn.Linear(input_shape[0] * input_shape[1] * input_shape[2], classes))
"""
PATIENCE_S = 120


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("processes") / "checkout")


@pytest.fixture(scope="module")
def plan(origin):
    return plan_references(origin, RUN, count=1, shadows=1)


@pytest.fixture(scope="module")
def built(origin, plan):
    """A pair trained side by side: what was told of it."""
    return build_missing(origin, plan, at_once=2)


@pytest.fixture(scope="module")
def job(plan):
    return Job(training=plan.wanted[plan.missing[0]].training, folder="somewhere")


def changed(job, **changes):
    return Job(training=job.training.model_copy(update=changes), folder=job.folder)


def test_each_model_is_whole_and_its_cost_is_kept(origin, plan, built):
    for name, did in zip(plan.missing, built, strict=True):
        card = read_checkpoint_card(origin.reference(name))
        wanted = plan.wanted[name]
        assert did.result == card.weights
        assert (card.seed, card.data, card.threads) == (wanted.training.seed, wanted.training.data, 1)
        cost = read_record(origin.cost(card.weights), Cost)
        assert cost.samples_seen == wanted.rows
        assert did.seconds > cost.seconds > 0
        assert cost.peak_memory_mib > 50


def test_beside_another_a_model_has_the_bits_that_it_has_alone_and_in_this_process(
    origin, plan, built, tmp_path
):
    for name, wanted in plan.wanted.items():
        (tmp_path / name).mkdir()
        train_described(origin, wanted.training, tmp_path / name, on_step=lambda _step: None)
        alone, beside = files_of(tmp_path / name), files_of(origin.reference(name))
        assert list(alone.values()) == list(beside.values())


def test_the_two_of_a_pair_are_two_models(built):
    assert len({did.result for did in built}) == len(built) == 2


def test_what_is_finished_is_not_planned_again(origin, built):
    assert plan_references(origin, RUN, count=1, shadows=1).missing == ()


def test_whoever_is_free_does_the_next_job_with_the_same_bits(origin, plan, built, tmp_path):
    wanted = {name: plan.wanted[name].training for name in plan.missing}
    with LocalPool(origin.root, TRAINING_PROCESS) as pool:
        for name, training in wanted.items():
            (tmp_path / name).mkdir()
            pool.do(Job(training=training, folder=str(tmp_path / name)))
            assert pool.processes._at_work == set()
        (one,) = pool.processes._free
        assert one.process.poll() is None
    assert one.process.returncode is not None
    for name in wanted:
        again, before = files_of(tmp_path / name), files_of(origin.reference(name))
        assert list(again.values()) == list(before.values())


def test_a_trial_measures_and_writes_nothing(origin, job, built):
    before = files_of(origin.root / "models")
    with LocalPool(origin.root, TRAINING_PROCESS) as pool:
        trial = TrialTraining(**pool.do(Job(training=job.training, folder=None)))
    assert trial.seconds_per_step > 0
    assert trial.peak_memory_mib > 50
    weights = before[str(origin.parent / "model.safetensors")]
    assert trial.model_mib == pytest.approx(len(weights) / 2**20, rel=0.1)
    assert files_of(origin.root / "models") == before


def test_one_failure_is_named_and_stops_no_other(tmp_path, origin, plan):
    checkout = type(origin)(shutil.copytree(origin.root, tmp_path / "copy"))
    shutil.rmtree(checkout.references, ignore_errors=True)
    first, second = plan.missing
    wrong = replace(
        plan.wanted[first], training=plan.wanted[first].training.model_copy(update={"torch": "0.1"})
    )
    broken = Plan({**plan.wanted, first: wrong}, plan.missing)
    done = build_missing(checkout, broken, at_once=1)
    assert [did.why is None for did in done] == [False, True]
    assert plan_references(checkout, RUN, count=1, shadows=1).missing == (first,)
    with pytest.raises(PipelineError, match=rf"1 of 2 trainings failed(.|\n)*retrained 1 \({first}\): torch"):
        refuse_failed(broken, done)
    refuse_failed(broken, [done[1], done[1]])
    assert checkout.reference(second).is_dir()


def test_an_error_of_lethes_own_is_told_in_its_own_words(origin, job):
    net = job.training.architecture.model_copy(update={"name": "no_such_net"})
    with (
        LocalPool(origin.root, TRAINING_PROCESS) as pool,
        pytest.raises(PipelineError, match="there is no net 'no_such_net'"),
    ):
        pool.do(changed(job, architecture=net))


def test_any_other_error_is_told_by_its_last_line_and_kept_whole(origin, job, monkeypatch):
    monkeypatch.setenv("LETHE_FACTORIES", "math:sqrt")
    net = job.training.architecture.model_copy(update={"name": "math:sqrt"})
    with (
        LocalPool(origin.root, TRAINING_PROCESS) as pool,
        pytest.raises(PipelineError, match=r"status 1: TypeError: .*\.log\)"),
    ):
        pool.do(changed(job, architecture=net))
    (log,) = (origin.lethe / "failures").iterdir()
    assert "Traceback" in log.read_text()


def test_what_a_net_of_the_users_prints_is_no_part_of_what_is_told(origin, job, monkeypatch):
    monkeypatch.setenv("LETHE_FACTORIES", "talkative:net")
    (origin.root / "talkative.py").write_text(TALKATIVE)
    net = job.training.architecture.model_copy(update={"name": "talkative:net"})
    with LocalPool(origin.root, TRAINING_PROCESS) as pool:
        trial = pool.do(Job(training=changed(job, architecture=net).training, folder=None))
    assert TrialTraining(**trial).seconds_per_step > 0


def test_what_is_called_like_lethes_own_in_the_project_is_not_run(origin, job):
    (origin.root / "flows").mkdir()
    own = [origin.root / name for name in ("tasks.py", "torch.py", "flows/__init__.py")]
    for path in own:
        path.write_text("raise ImportError('not asked for')\n")
    try:
        with LocalPool(origin.root, TRAINING_PROCESS) as pool:
            trial = pool.do(Job(training=job.training, folder=None))
    finally:
        for path in own:
            path.unlink()
    assert TrialTraining(**trial).seconds_per_step > 0


def test_a_process_that_is_killed_is_told_as_that(origin, job):
    with LocalPool(origin.root, TRAINING_PROCESS) as pool:

        def kill(_step):
            (child,) = pool.processes._at_work
            os.kill(child.process.pid, signal.SIGKILL)

        with pytest.raises(PipelineError, match=r"its process was killed.*smaller --at-once"):
            pool.do(changed(job, recipe=ENDLESS), kill)
    assert not (origin.root / "somewhere").exists()


def test_leaving_the_block_ends_whoever_is_at_work(origin, job):
    class LeavingError(Exception):
        pass

    def leave(_step):
        raise LeavingError

    with pytest.raises(LeavingError), LocalPool(origin.root, TRAINING_PROCESS) as pool:
        pool.do(changed(job, recipe=ENDLESS), leave)
    with pytest.raises(PipelineError, match="not begun"):
        pool.do(job)


def test_leaving_the_block_ends_what_other_threads_have_at_work(origin, job):
    began = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        with LocalPool(origin.root, TRAINING_PROCESS) as pool:
            waiting = threads.submit(pool.do, changed(job, recipe=ENDLESS), lambda _step: began.set())
            assert began.wait(PATIENCE_S)
            at_work = set(pool.processes._at_work)
        try:
            with pytest.raises(PipelineError, match="killed"):
                waiting.result(timeout=PATIENCE_S)
        finally:
            for process in at_work:
                process.kill()


def test_a_training_ends_with_whoever_started_it_even_if_it_is_still_heard(origin, job):
    endless = changed(job, recipe=ENDLESS).canonical()
    with subprocess.Popen(
        [sys.executable, "-m", TRAINING_PROCESS],
        cwd=origin.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        process.stdin.write(endless + b"\n")
        assert b"step" in process.stdout.readline()
        process.stdin.close()
        try:
            assert process.wait(timeout=PATIENCE_S / 4) == 1
        finally:
            process.kill()


def test_what_a_killed_training_left_is_swept_and_nothing_else(tmp_path, origin):
    checkout = type(origin)(tmp_path)
    for name in ("0123456789abcdef", ".0123456789abcdef.x1y2z3"):
        checkout.reference(name).mkdir(parents=True)
    (checkout.references / ".gitignore").touch()
    sweep_references(checkout)
    assert sorted(path.name for path in checkout.references.iterdir()) == [".gitignore", "0123456789abcdef"]


def test_jobs_end_in_their_order_each_with_its_own_reason(job):
    def work(one):
        if one.training.seed % 2:
            raise OSError(28, "No space left on device")
        return one.training.seed

    done = side_by_side(work, [changed(job, seed=seed) for seed in range(5)], at_once=3)
    assert [did.result for did in done] == [0, None, 2, None, 4]
    assert [did.why is None for did in done] == [True, False, True, False, True]
    assert "No space left" in str(done[1].why)


def test_a_thread_sees_what_its_caller_sees(job):
    seen: ContextVar[str] = ContextVar("seen")
    seen.set("yes")
    (did,) = side_by_side(lambda _job: seen.get("no"), [job], at_once=1)
    assert did.result == "yes"


def test_the_steps_of_a_training_are_those_of_its_epochs():
    assert steps_of(Recipe(epochs=3, batch_size=10), 21) == 9
