"""The names of Lethe's own methods and metrics, for what must know them without loading torch."""

LAST_RESORT = "retrain"
"""The method that closes every ladder, named or not."""

OWN_METHODS = frozenset(
    {
        "bad_teacher", "cf_k", "delete_distill", "eu_k", "finetune", "fresh_top", "gradient_ascent",
        "msg", "neg_grad_plus", "pgu", "pgu_fresh_top", "random_labels", "regun", "repair", "retrain",
        "rewind", "salun", "scrub", "ssd", "svd", "svd_repair", "trew", "unsir", "unsir_fresh_top",
        "unsir_repair",
    }
)  # fmt: skip
"""Any other method must come from an extension, which a certificate names."""

OWN_METRICS = frozenset(
    {
        "accuracy", "activation", "average_gap", "canary", "confidence", "divergence", "epsilon",
        "interclass_confusion", "klom", "membership", "neighbour_leakage", "probe", "recovery",
        "relearn", "svc_efficacy", "svc_salun", "ulira", "weight_distance", "zrf",
    }
)  # fmt: skip
"""Any other metric must come from an extension."""
