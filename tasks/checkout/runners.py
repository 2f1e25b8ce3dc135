"""The settings of many trainings: where they run, and what each of them is given."""

from typing import Literal

from tasks.checkout.setting import Settings, variable
from unlearn_core.errors import ConfigurationError


class RunnerSettings(Settings):
    """Where many trainings run; no model depends on it."""

    wrong = ConfigurationError

    runner: Literal["local", "ray"] = variable(
        "LETHE_RUNNER",
        "local",
        expected="local or ray",
        purpose="Where `lethe reference`, `lethe calibrate` and deletions train many models: in processes of "
        "this machine, or on a [Ray cluster](scaling.md).",
    )
    gpus: float = variable(
        "LETHE_GPUS_EACH",
        1.0,
        expected="a number above 0, at most 8",
        purpose="How many accelerators each of many trainings is given, e.g. `0.25`: four share one.",
        gt=0,
        le=8,
    )
    ray_address: str = variable(
        "RAY_ADDRESS",
        "",
        expected="HOST:PORT, or auto",
        purpose="The head of the Ray cluster, of which this machine is a node.",
    )
