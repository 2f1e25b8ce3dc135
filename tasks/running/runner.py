"""Where jobs run: on this machine, or on a Ray cluster, as ``LETHE_RUNNER`` says."""

from pathlib import Path

from tasks.checkout.runners import RunnerSettings
from tasks.running.local import LocalPool
from tasks.running.pool import JobPool
from unlearn_core.scheduling import Needs


def open_pool(root: Path, module: str, needs: Needs) -> JobPool:
    """Return a pool for jobs; it begins when its block does.

    Args:
        root: The top folder of the project. All nodes of a cluster must reach it by the same path.
        module: What a process runs: it calls ``do_jobs``.
        needs: What each job is given on a cluster.

    Returns:
        The pool that ``LETHE_RUNNER`` names.
    """
    if RunnerSettings.read().runner == "local":
        return LocalPool(root, module)
    from tasks.running.cluster import ClusterPool

    return ClusterPool(root, module, needs)


def needs_of(threads: int, device: str, memory_mib: float = 0.0) -> Needs:
    """Return what a training or an evaluation needs.

    Args:
        threads: As ``run.threads`` says.
        device: What it computes on: ``cpu``, or an accelerator's name.
        memory_mib: What it was measured to take; 0 if that is not known yet. On an accelerator that is the
            accelerator's own memory, which the share covers.

    Returns:
        The needs.
    """
    if device == "cpu":
        return Needs(threads, memory_mib)
    return Needs(threads, gpus=RunnerSettings.read().gpus)
