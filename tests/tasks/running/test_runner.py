"""Which pool runs many trainings, and what each of them is given."""

import pytest

from tasks.running import cluster, local
from tasks.running.local import LocalPool
from tasks.running.runner import needs_of, open_pool
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.scheduling import Needs


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch):
    for name in ("LETHE_RUNNER", "LETHE_GPUS_EACH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def test_by_default_this_machine_runs_them(tmp_path):
    assert isinstance(open_pool(tmp_path, "nothing", Needs(1)), LocalPool)


def test_one_runs_here_even_where_nothing_is_to_spare(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "cores", lambda: 8)
    monkeypatch.setattr(local, "memory_available_mib", lambda: 1000.0)
    pool = LocalPool(tmp_path, "nothing")
    assert [pool.places(Needs(1, memory_mib=size)) for size in (90.0, 450.0, 2000.0)] == [8, 2, 1]
    assert pool.places(Needs(1, gpus=1.0)) == 1


def test_a_runner_that_there_is_none_of_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_RUNNER", "slurm")
    with pytest.raises(ConfigurationError, match="LETHE_RUNNER is 'slurm'; expected local or ray"):
        open_pool(tmp_path, "nothing", Needs(1))


@pytest.mark.parametrize("address", ["", "ray://head:10001"])
def test_a_cluster_that_nobody_named_is_not_looked_for(tmp_path, monkeypatch, address):
    monkeypatch.setenv("LETHE_RUNNER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr(cluster, "find_spec", lambda _name: "there")
    with pytest.raises(SetupError, match=r"RAY_ADDRESS is .*expected HOST:PORT"):
        open_pool(tmp_path, "nothing", Needs(1)).__enter__()


def test_whoever_has_no_ray_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_RUNNER", "ray")
    monkeypatch.setattr(cluster, "find_spec", lambda _name: None)
    with pytest.raises(SetupError, match=r"lethe-unlearning\[ray\]"):
        open_pool(tmp_path, "nothing", Needs(1)).__enter__()


def test_a_training_is_given_memory_on_a_processor_and_its_share_of_an_accelerator(monkeypatch):
    assert needs_of(2, "cpu", 300.0) == Needs(2, memory_mib=300.0)
    assert needs_of(2, "NVIDIA H200", 300.0) == Needs(2, gpus=1.0)
    monkeypatch.setenv("LETHE_GPUS_EACH", "0.25")
    assert needs_of(2, "NVIDIA H200") == Needs(2, gpus=0.25)
