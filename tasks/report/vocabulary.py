"""The one table of words for the pieces of names: of measurements, and of what methods record step by step.

A metric brings words for what it measures (``Words``). What its names say beside that is made of a few
pieces, such as ``train.forget`` and ``p95``, and so are the names of curves, such as ``epochs.loss``. Tests
hold that no metric and no method of Lethe's has a piece without words.
"""

from collections.abc import Mapping

PARTS = {
    "train": "training samples",
    "audit": "audit samples",
    "test": "test samples",
    "altered": "shifted and noisy samples",
    "canary": "held-out canaries",
}
SIDES = {"forget": "the forgotten data", "retain": "the kept data"}

PIECES: Mapping[str, str] = {
    **PARTS,
    **{f"{part}.{side}": f"{of} ({on})" for part, on in PARTS.items() for side, of in SIDES.items()},
    "accuracy": "right answers",
    "auc": "area under the curve",
    "balanced_accuracy": "share of right guesses",
    "bias": "expected by chance alone",
    "censored": "not known again in time",
    "difference": "difference",
    "floor": "between two retrained models",
    "forgotten": "taken for forgotten",
    "highest_edge": "upper end of the scale",
    "lowest_edge": "lower end of the scale",
    "mean": "mean",
    "new_head": "with a new last layer",
    "non_members": "not taken for training data",
    "p95": "95 of 100 samples lie below",
    "quality": "quality",
    "recalled": "called by their recorded, wrong name",
    "retrained": "of the retrained model",
    "score": "quality times accuracy",
    "steps": "steps",
    "tpr_at_1pct_fpr": "caught at 1\u202f% false alarms",
    "unseen": "never-seen samples",
    "whole": "all layers together",
}
"""What a measurement's name may say beside its metric."""

NAMED = {"layer": "layer", "class": "class"}
"""Pieces after which a name or a number of the model's follows."""

PHASES = {
    "epochs": "epoch by epoch",
    "impair": "while impairing",
    "moments": "while taking second moments",
    "noise": "while making noise",
    "polish": "while polishing",
    "repair": "while repairing",
    "search": "while searching for settings",
    "targets": "while choosing answers",
}
RECORDED = {
    "alpha_f": "how strongly the forgotten data is removed",
    "alpha_r": "how strongly the kept data is protected",
    "batch_size": "batch size",
    "confidence": "confidence",
    "epochs": "epochs",
    "forget_accuracy": "accuracy on the forgotten data",
    "forget_loss": "loss on the forgotten data",
    "held_out_images": "held-out images",
    "impair_lr": "learning rate of impairing",
    "layers": "layers made anew",
    "loss": "loss",
    "lr_start": "learning rate at the start",
    "repair_loss": "loss of repairing",
    "retain_accuracy": "accuracy on the kept data",
    "retain_loss": "loss on the kept data",
    "statistics": "statistics taken anew (1) or kept (0)",
}
"""What a method records, and in which phase of it."""


def piece_words(rest: str) -> tuple[list[str], list[str]]:
    """Put what a name says beside its metric into words, the longest known piece first.

    Args:
        rest: Dotted, as in ``floor.test.forget``.

    Returns:
        The words, in order; and the pieces for which there are none, which stand among the words as they are.
    """
    words, unknown, left = list[str](), list[str](), rest
    while left:
        head, _, after = left.partition(".")
        if head in NAMED and after:
            return [*words, f"{NAMED[head]} {after}"], unknown
        known = max((one for one in PIECES if f"{left}.".startswith(f"{one}.")), key=len, default=None)
        words.append(PIECES[known] if known else _spaced(head))
        unknown += [] if known else [head]
        left = left.removeprefix(known or head).removeprefix(".")
    return words, unknown


def curve_words(name: str) -> tuple[str, list[str]]:
    """Put the name of what a method records into words.

    Args:
        name: Dotted: the steps of a composition, the phase, and what is recorded, as in ``unsir.noise.loss``.

    Returns:
        The words, which begin with a capital; and the pieces for which there are none.
    """
    *methods, phase, value = ["", *name.split(".")][-max(2, name.count(".") + 1) :]
    told = [RECORDED.get(value, _spaced(value)), PHASES.get(phase, _spaced(phase))]
    unknown = [piece for piece, known in ((value, RECORDED), (phase, PHASES)) if piece and piece not in known]
    words = ", ".join(filter(None, (*told, " ".join(f"“{one}”" for one in methods))))
    return words[:1].upper() + words[1:], unknown


def _spaced(piece: str) -> str:
    return piece.replace("_", " ")
