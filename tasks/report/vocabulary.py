"""What each kind of measurement is called, tells and is written like, for people."""

from tasks.report.numbers import Style, decimal, percent, plain, points

SIDES = {"forget": "the forgotten data", "retain": "the kept data"}
PARTS = {
    "train": "training samples",
    "audit": "audit samples",
    "test": "test samples",
    "canary": "held-out canaries",
}


STATISTICS = {
    "floor": "between two retrained models",
    "mean": "mean",
    "p95": "95 of 100 samples lie below",
}


FAMILIES: dict[str, tuple[str, str, Style]] = {
    "accuracy": ("Right answers", "How often the model names the right class.", percent),
    "loss": (
        "Surprise",
        "How surprised the model is by the right answer: 0 is not at all. Data that a model was trained on "
        "surprises it least.",
        decimal,
    ),
    "confidence.true_class": (
        "Trust in the right answer",
        "The probability that the model gives to the right class, on average.",
        percent,
    ),
    "confidence.entropy": (
        "Indecision",
        "How evenly the model spreads its bets over all classes: 0 is one certain bet.",
        decimal,
    ),
    "mia.loss_auc": (
        "Attack by surprise",
        "How well somebody who sees only the model’s surprise tells forgotten samples from never-seen ones: "
        "0.50 is guessing, 1.00 is always right.",
        decimal,
    ),
    "mia.logistic_auc": (
        "Learned attack on surprise",
        "The same by an attacker who learns where to draw the line: 0.50 is guessing.",
        decimal,
    ),
    "mia.softmax_auc": (
        "Learned attack on probabilities",
        "The same by an attacker who sees the model’s largest probabilities: 0.50 is guessing.",
        decimal,
    ),
    "mia.balanced_accuracy": (
        "Attacker’s right calls",
        "How often such an attacker is right about a sample: 50\u202f% is guessing.",
        percent,
    ),
    "mia.loss_tpr_at_1pct_fpr": (
        "Caught at 1\u202f% false alarms",
        "How many forgotten samples an attacker finds who may be wrong about one in a hundred others.",
        percent,
    ),
    "mia": (
        "Membership attack",
        "How well an attacker tells forgotten samples from never-seen ones.",
        decimal,
    ),
    "probe.accuracy": (
        "Recoverable knowledge",
        "How often a new last layer, put on the model’s inner representation, finds the right class of the "
        "forgotten data: what the model still knows but does not say.",
        percent,
    ),
    "probe.gap": (
        "Recoverable knowledge, beyond the retrained model’s",
        "The same, less what the retrained model’s representation gives away.",
        points,
    ),
    "js": (
        "Distance from the retrained model",
        "How far the predictions are from the retrained model’s: 0 is the same, 1 is nothing in common.",
        decimal,
    ),
    "relearn.steps": (
        "Steps to learn it again",
        "How many steps of training bring the forgotten data back. Much fewer than the retrained model needs "
        "means that something was left.",
        plain,
    ),
    "relearn.ratio": (
        "Steps, against the retrained model’s",
        "1 is just as many; clearly below 1, something was left.",
        decimal,
    ),
    "relearn.censored": (
        "Not known again in time",
        "1 if the data had not come back when training ended: it takes more than the steps above.",
        plain,
    ),
    "relearn": (
        "Relearning",
        "How fast the model learns the forgotten data again; much faster than the retrained model means that "
        "something was left.",
        plain,
    ),
    "canary.auc": (
        "Canaries told apart",
        "The chance that an attacker ranks a record that was planted above one that might have been: 0.5 is "
        "guessing.",
        decimal,
    ),
    "canary.p_value": (
        "Canaries, by chance",
        "How often chance alone would set planted and held-out records so far apart.",
        decimal,
    ),
    "canary.exposure": (
        "Exposure of the canaries",
        "In bits: how far up the planted records rank among those that might have been planted.",
        decimal,
    ),
    "klom": (
        "Distance between groups of models",
        "How far unlearned models lie from retrained ones.",
        decimal,
    ),
    "average_gap.mean": (
        "Average gap",
        "The mean distance from the retrained model in three accuracies and one attack: 0 is none.",
        points,
    ),
    "average_gap": ("Gap to the retrained model", "Above 0 is more, below 0 is less.", points),
    "svc_salun": (
        "Confidence attack (SalUn)",
        "How many samples an attacker who reads the model’s confidence does not take for training data.",
        percent,
    ),
    "svc_salun.difference": (
        "Confidence attack (SalUn), difference",
        "0 where forgotten samples look just like never-seen ones.",
        points,
    ),
    "svc_efficacy": (
        "Confidence attack (Kodge)",
        "How many samples an attacker who reads the model’s confidence takes for forgotten.",
        percent,
    ),
    "svc_efficacy.difference": (
        "Confidence attack (Kodge), difference",
        "0 where the model treats the forgotten class like any other.",
        points,
    ),
    "ulira": (
        "Strong attack with shadow models",
        "An attacker who trains and unlearns models of their own to compare with: 0.50 is guessing.",
        decimal,
    ),
    "ulira.shadows": ("Strong attack, pairs of shadow models", "The more, the stronger the attack.", plain),
    "epsilon": (
        "Forgetting quality",
        "Whether several unlearned models can be told from several retrained ones.",
        decimal,
    ),
    **{
        f"{family}.{kind}_models": (f"{label}, {kind} models", "The more, the better known.", plain)
        for family, label in (("klom", "Distance between groups"), ("epsilon", "Forgetting quality"))
        for kind in ("unlearned", "retrained")
    },
    "neighbour_leakage": (
        "What the other classes give away",
        "How differently from the retrained model the remaining probability is spread: 0 is alike, 1 is not.",
        decimal,
    ),
    "neighbour_leakage.original": (
        "Distance from the original, over the other classes",
        "0 is just what the original said, as if the class were merely hidden; a retrained model lies above.",
        decimal,
    ),
    "activation": (
        "Distance of the answers",
        "Another distance from the retrained model’s answers: 0 is the same.",
        decimal,
    ),
    "weight_distance": (
        "Distance of the parameters",
        "How far the model’s numbers are from the retrained model’s, of their size. Two retrained models "
        "are far apart as well, so this describes and does not test.",
        percent,
    ),
    "zrf.gap": (
        "Likeness to an ignorant model, beyond the retrained model’s",
        "0 is just as much as the retrained model.",
        decimal,
    ),
    "interclass_confusion": (
        "Confusion of two classes",
        "How often two classes are called by each other’s name.",
        percent,
    ),
    "interclass_confusion.gap": (
        "Confusion of two classes, beyond the retrained model’s",
        "0 is just as often as the retrained model.",
        points,
    ),
    "zrf": ("Likeness to an ignorant model", "1 is just like a model that knows nothing.", decimal),
}
"""By the longest beginning of a measurement's name: what it is called, what it tells, how it is written."""

GROUPS = {
    "confidence": "Confidence",
    "mia": "Attacks: was this sample trained on?",
    "probe": "What the inner representation still knows",
    "relearn": "Learning it again",
}
"""Titles of families that are more than their first measurement; the others are called by their label."""
