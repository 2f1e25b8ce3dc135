"""What models said in a benchmark, kept so that the gate can be asked again without training any of them.

``python -m benchmarks.answers`` judges what is kept in ``results/answers_cifar10`` by the policy in
``params.yaml`` and prints the verdicts, in a second or two. There is a folder per target: every measurement
of the original, the retrained and each unlearned model, which is all that the gate reads; and the retrained
model's logits and features as 16-bit floats, for measurements that are thought of later.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from pydantic import Field
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from tasks.checkout.files import read_record, write_record
from tasks.checkout.params import read_params
from tasks.computing.tensors import save_tensors
from unlearn_core.audit.policy import judge
from unlearn_core.kinds import ScopeKind
from unlearn_core.observations import Outputs, View
from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Policy, Verdict

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "results" / "answers_cifar10"
MEASURED, OUTPUTS = "measured.json", "retrained.safetensors"
MOST_FEATURES = 200
"""Of how many samples of a view the features are kept; logits are kept of all."""


class Measured(Record):
    """What was measured on every model of one target.

    Attributes:
        target: What was forgotten.
        scope: Whether that is a class or samples.
        original: On the model before unlearning.
        retrained: On the models trained without it.
        unlearned: On each method's model, by the method's name.
    """

    target: str
    scope: ScopeKind
    original: Evaluation
    retrained: tuple[Evaluation, ...]
    unlearned: dict[str, Evaluation] = Field(default_factory=dict)

    def verdicts(self, policy: Policy) -> dict[str, Verdict]:
        """Ask the gate about the original and every unlearned model."""
        asked = {"original": self.original, **self.unlearned}
        return {
            name: judge(policy, self.scope, one, original=self.original, references=self.retrained)
            for name, one in asked.items()
        }


def keep(folder: Path, measured: Measured, retrained: dict[View, Outputs]) -> None:
    """Write what models of one target said; models that are not among these stay.

    Args:
        folder: The target's.
        measured: What was measured now.
        retrained: The retrained model's outputs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = read_measured(folder)
    if earlier is not None and (earlier.original, earlier.retrained) == (
        measured.original,
        measured.retrained,
    ):
        unlearned = {**earlier.unlearned, **measured.unlearned}
        measured = Measured(**{**dict(measured), "unlearned": unlearned})
    write_record(folder / MEASURED, measured)
    save_tensors(folder / OUTPUTS, _shortened(retrained))


def read_measured(folder: Path) -> Measured | None:
    """Read what was measured on the models of one target, if anything was kept."""
    path = folder / MEASURED
    return read_record(path, Measured) if path.is_file() else None


def read_outputs(folder: Path) -> dict[View, Outputs]:
    """Read the retrained model's outputs of one target; features are those of the first samples of a view."""
    tensors = load_file(folder / OUTPUTS)
    views = sorted({name.rpartition(".")[0] for name in tensors})
    return {
        tuple(view.split(".")): Outputs(
            tensors[f"{view}.logits"].float(),
            tensors[f"{view}.features"].float(),
            tensors[f"{view}.labels"].long(),
        )
        for view in views
    }  # pyright: ignore[reportReturnType]


def _shortened(outputs: dict[View, Outputs]) -> dict[str, torch.Tensor]:
    """Return outputs in as few bytes as they can be used in."""
    tensors: dict[str, torch.Tensor] = {}
    for view, said in outputs.items():
        name = ".".join(view)
        tensors[f"{name}.logits"] = said.logits.half()
        tensors[f"{name}.features"] = said.features[:MOST_FEATURES].half().contiguous()
        tensors[f"{name}.labels"] = said.labels.to(torch.int16)
    return tensors


def all_kept(folder: Path = KEPT) -> Iterator[Measured]:
    """Yield what was measured, target by target."""
    for path in sorted(folder.glob(f"*/{MEASURED}")):
        yield read_record(path, Measured)


def main() -> None:
    """Judge all kept models by the present policy, and print the verdicts."""
    policy = read_params(ROOT).policy
    table = Table("target", "model", "behaves", "removed", "decided by")
    for measured in all_kept():
        for name, verdict in measured.verdicts(policy).items():
            table.add_row(
                measured.target, name, verdict.verdict, verdict.removal or "–", ", ".join(verdict.decided_by)
            )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
