"""Optuna's studies, kept in a journal.

Every trial has its own seed, so a resumed study gives the same result as an uninterrupted one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.records.base import Sha256
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.tuning import Dimension, Range, Trial, Value, Values

if TYPE_CHECKING:
    import optuna

STARTUP_TRIALS = 6
"""Random trials, before the search learns from them and gives up early on those worse than most."""

Report = Callable[[float], None]
"""Called with the score after each epoch; raises ``GiveUp`` if most trials did better at that point."""


@dataclass(frozen=True)
class Ended:
    """How a trial ended: with a score; or without one, because it was given up or for another reason."""

    score: float | None
    cost: Cost
    why: str | None = None

    def as_trial(self, values: Values) -> Trial:
        """Return its record."""
        state = "complete" if self.score is not None else "pruned" if self.why is None else "failed"
        return Trial(values=values, state=state, score=self.score, cost=self.cost, why=self.why)


class GiveUp(Exception):  # noqa: N818
    """A trial is not worth continuing."""


class Study:
    """The trials of one search, in a file that outlives it."""

    def __init__(self, path: Path) -> None:
        """Open or begin a study.

        Args:
            path: Its journal; the name says what is searched.
        """
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._study = optuna.create_study(
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(path))),
            study_name=path.stem,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=2),
        )
        # An interrupted trial is recorded as failed, so no later trial learns from it.
        for left in self._study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            self._study.tell(left.number, state=optuna.trial.TrialState.FAIL)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that ended."""
        kept = (trial.user_attrs.get("trial") for trial in self._study.trials)
        return tuple(Trial.parse(raw) for raw in kept if raw is not None)

    def untuned(self, settings: Sha256, run: Callable[[], Ended]) -> Trial:
        """Return the trial of unchanged settings, run once and not one of ``trials``.

        Args:
            settings: Their digest.
            run: Tries them; see ``try_one``.

        Returns:
            The trial.
        """
        if settings not in self._study.user_attrs:
            self._study.set_user_attr(settings, run().as_trial({}).canonical().decode())
        return Trial.parse(self._study.user_attrs[settings])

    def try_one(
        self,
        space: Mapping[str, Dimension],
        run: Callable[[Values, Report], Ended],
        *,
        seed: int,
    ) -> Trial:
        """Choose values, try them, and keep the result.

        Args:
            space: What to choose from.
            run: Tries values; its report may tell it to give up.
            seed: The seed of the choice.

        Returns:
            The trial.
        """
        import optuna

        self._study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
        asked = self._study.ask()
        values = {name: _suggest(asked, name, dimension) for name, dimension in space.items()}
        made = run(values, _reporting(asked)).as_trial(values)
        asked.set_user_attr("trial", made.canonical().decode())
        if made.score is not None:
            self._study.tell(asked, made.score)
        else:  # recorded as failed it would teach nothing
            self._study.tell(asked, state=optuna.trial.TrialState.PRUNED)
        return made


def _suggest(trial: "optuna.Trial", name: str, dimension: Dimension) -> Value:
    if isinstance(dimension, Range):
        value = trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)
        return float(f"{value:.4g}")
    return dimension.options[trial.suggest_categorical(name, list(range(len(dimension.options))))]


def _reporting(trial: "optuna.Trial") -> Report:
    epochs = 0

    def report(score: float) -> None:
        nonlocal epochs
        epochs += 1
        trial.report(score, epochs)
        if trial.should_prune():
            raise GiveUp

    return report
