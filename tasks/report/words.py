"""Plain words for what is tried and judged; what is not listed here is shown under its own name."""

METHODS = {
    "svd": "finds the directions in which the model represents the forgotten data and takes them out",
    "pgu": "pushes the model away from the forgotten data, in directions that the kept data does not use",
    "unsir": "teaches the model noise in place of the forgotten data, then repairs what else was harmed",
    "retrain": "trains a new model from the beginning, without the forgotten data",
    "finetune": "goes on training with the kept data only, hoping that the rest fades",
    "scrub": "lets the model follow the original on the kept data and leave it on the forgotten data",
    "ssd": "weakens those parts of the model that matter most to the forgotten data",
    "salun": "relabels the forgotten data at random and trains only the parts that matter most to it",
    "bad_teacher": "lets the model learn from an ignorant teacher on the forgotten data",
    "neg_grad_plus": "unlearns the forgotten data and learns the kept data at the same time",
    "gradient_ascent": "runs training backwards on the forgotten data",
    "random_labels": "trains on the forgotten data with wrong labels",
    "eu_k": "trains the last layers anew, without the forgotten data",
    "cf_k": "goes on training the last layers with the kept data only",
}

OUTCOMES = {
    "inside": "met",
    "under_forgotten": "forgotten too little",
    "over_forgotten": "forgotten too hard",
    "undecided": "too close to tell",
    "not_measured": "not measured",
}

TREATMENTS = {
    "projected": "edited only in directions that belong to the forgotten data",
    "trained": "free to change",
    "frozen": "left alone on purpose",
    "unsupported": "out of the method’s reach",
}

LEVELS = {
    "E0": "No retrained model was at hand: fixed limits were used instead of a comparison.",
    "E1": "The comparison is with one model, or a few, that were retrained without the data.",
    "E2": "The comparison is with five or more models that were retrained without the data.",
    "E3": "The comparison is with five or more retrained models, and an attacker had 64 pairs of others.",
}
