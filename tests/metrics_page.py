"""The page ``docs/metrics.md``, read off the catalogue and off what each metric measures in a small world.

``python tests/metrics_page.py`` writes it (``make docs``); a test holds it there.
"""

import inspect
import re
from pathlib import Path

from unlearn_core.conformance import subjects
from unlearn_core.metric import Metric
from unlearn_core.metrics import CATALOGUE

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
HEAD = """# Metrics

*Written from the code by `make docs`; edit the docstrings instead.*

The target is the retrained model, not 0 % or 0.5: compare every number with that of a model
retrained without the forgotten data. A metric sees the outputs of models, never a model. If something that it
*needs* is missing, it is silently left out; what it *uses* adds measurements if available.

| observation | meaning |
|---|---|
| views | the model's outputs for training, audit and test data, forgotten and retained |
| reference | a retrained model's outputs for the same views |
| floor | a second retrained model's outputs for the same views |
| original | the outputs of the model before unlearning for the same views |
| untrained | the outputs of a net with fresh weights for the forgotten data |
| depths | what the model and the retrained one compute at three depths, averaged over positions |
| relearning | the accuracy of copies of the model and of the retrained one while they relearn |
| new_head | the same on held-out data, once both were given the same new head |
| weights | distances of the weights from the retrained model's |
| shadows | margins of shadow models that unlearned a sample and of those that never saw it |
| ensembles | margins of several unlearned and several retrained models |

The pipeline observes the first two and those from `original` to `weights` for every model that it
measures. `{view}` stands for a part and a side, such as `train.forget`. Of a view of more than 1,000 samples
as many are drawn as the policy's bands ask for ([how many](judging.md#how-many-samples-are-measured)). The
part `altered` are held-out images moved by up to a sixteenth of their side, with
noise of a twentieth of their standard deviation, drawn from the weights of the model that is shown them:
nobody can prepare a model for them. In class scope its forgotten side are audit and test samples of the
forgotten classes, in sample scope the forgotten samples; its retained side are audit samples.
"""
VIEWS = re.compile(r"(train|audit|test|canary|altered)\.(forget|retain)$")


def metrics_page() -> str:
    """Return the page."""
    head = ("metric", "what it measures", "needs", "uses", "for", "neutral", "above it", "below it")
    rows = [_row(*head), _row(*["---"] * len(head))]
    for kind in CATALOGUE:
        name = kind().name
        lists = (", ".join(sorted(names)) or "–" for names in (kind.needs, kind.uses, kind.scopes))
        reading = (kind.neutral, kind.above, kind.below)
        rows.append(_row(f"[`{name}`](#{name})", kind.summary, *lists, *reading))
    return "\n".join([HEAD, *rows, "", *map(_section, CATALOGUE)])


def emitted(kind: type[Metric]) -> list[str]:
    """Return the names that a metric measures in either scope, those of every view as one."""
    found: dict[str, None] = {}
    for subject in (subjects.ordinary(), subjects.ordinary(sample_scope=True)):
        names = [entry.name for entry in kind().measure(subject, seed=0)]
        found |= dict.fromkeys(_short(names))
    return list(found)


def _short(names: list[str]) -> list[str]:
    """Return names with ``{view}``, ``{class}`` and ``{layer}`` where there are several of a kind."""
    heads = [VIEWS.sub("", name) for name in names]
    several = {head for head in heads if heads.count(head) > 1}
    viewed = [f"{head}{{view}}" if head in several else name for head, name in zip(heads, names, strict=True)]
    return [
        re.sub(r"\.layer\..*", ".layer.{name}", re.sub(r"\.class\.\d+", ".class.{index}", name))
        for name in viewed
    ]


def _section(kind: type[Metric]) -> str:
    metric = kind()
    text = inspect.cleandoc(kind.__doc__ or "").replace("``", "`")
    settings = {name: value for name, value in metric.model_dump(mode="json").items() if name != "name"}
    shown = ", ".join(f"`{name}` {value}" for name, value in settings.items())
    measured = ", ".join(f"`{name}`" for name in emitted(kind))
    return "\n".join(
        [
            f"## {metric.name}",
            "",
            text,
            "",
            f"- **Measures** {measured}",
            *([f"- **Settings** {shown}"] if shown else []),
            f"- **Neutral** {kind.neutral}. **Above** {kind.above}. **Below** {kind.below}.",
            "",
        ]
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(metrics_page())


if __name__ == "__main__":
    main()
