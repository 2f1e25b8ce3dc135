"""Great Expectations: does the data set match its card, and the split the request?

Rules about single rows are expectations on the rows. Rules between tables are first computed as counts of
exceptions, one column per rule in a frame of one row, and the expectation is that each is 0: so neither the
results nor the report can hold the id of a sample.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tasks.checkout.variables import set_variable
from tasks.data.data_docs import write_data_docs
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Sha256
from unlearn_core.records.data import CANARY_SPLIT, FORGOTTEN_SPLIT, DatasetCard
from unlearn_core.records.validation import ValidationRecord
from unlearn_core.selection import Manifest, Selection

if TYPE_CHECKING:
    import pandas as pd

_Tables = dict[str, tuple["pd.DataFrame", list[Any]]]


def validate_dataset(
    manifest: Manifest,
    card: DatasetCard,
    *,
    digests: Mapping[str, Sha256],
    rows_digest: Sha256,
    docs: Path,
) -> ValidationRecord:
    """Check a data set against its card.

    Args:
        manifest: The rows as they are on disk.
        card: The description of the rows.
        digests: The digest of each split's rows, recomputed.
        rows_digest: The digest of all rows, recomputed.
        docs: Folder for the report: ``dataset-rows.html`` and ``dataset-rules.html``.

    Returns:
        What was evaluated; nothing in it failed.

    Raises:
        PipelineError: If an expectation failed; each is named, and the report has been written.
    """
    tables = {
        "dataset-rows": _row_expectations(manifest, card),
        "dataset-rules": _expect_zero(_dataset_rules(manifest, card, digests, rows_digest)),
    }
    return _validate("dataset", card, tables, docs)


def validate_split(
    manifest: Manifest, selection: Selection, retained: Manifest, *, card: DatasetCard, docs: Path
) -> ValidationRecord:
    """Check a split into forgotten and retained rows, and the retained data set, against the request.

    Args:
        manifest: The rows of the data set before the deletion.
        selection: Masks over those rows.
        retained: The rows of the retained data set, read back after writing.
        card: The card of the data set before the deletion.
        docs: Folder for the report, ``split-rules.html``.

    Returns:
        What was evaluated; nothing in it failed.

    Raises:
        PipelineError: If an expectation failed; each is named, and the report has been written.
    """
    tables = {"split-rules": _expect_zero(_split_rules(manifest, selection, retained))}
    return _validate("split", card, tables, docs)


def _dataset_rules(
    manifest: Manifest, card: DatasetCard, digests: Mapping[str, Sha256], rows_digest: Sha256
) -> dict[str, int]:
    """Count the exceptions to each rule between the rows and the card."""
    rules = {
        "the classes are the card's": int(manifest.classes != card.classes),
        "the splits are the card's": len(
            {str(s) for s in np.unique(manifest.splits)} ^ {s.split for s in card.splits}
        ),
        "the digest of all rows is the card's": int(rows_digest != card.rows_digest),
    }
    for split in card.splits:
        labels = manifest.labels[manifest.splits == split.split]
        found = [int((labels == label).sum()) for label in range(len(card.classes))]
        rules[f"each class has as many {split.split} rows as the card says"] = sum(
            abs(have - want) for have, want in zip(found, split.rows_per_class, strict=True)
        )
        rules[f"the digest of the {split.split} rows is the card's"] = int(
            digests.get(split.split) != split.rows_digest
        )
    return rules | _canary_rules(manifest, card)


def _canary_rules(manifest: Manifest, card: DatasetCard) -> dict[str, int]:
    """Count the exceptions to the rules for held-out canaries; without any there are no such rules."""
    if CANARY_SPLIT not in {split.split for split in card.splits}:
        return {}
    held_out = manifest.splits == CANARY_SPLIT
    trained_on = manifest.sample_ids[manifest.splits == "train"]
    rules = {
        "no held-out canary is a training row": np.isin(manifest.sample_ids[held_out], trained_on),
        "held-out canaries belong to nobody": manifest.subject_ids[held_out] != "",
    }
    return {name: int(exceptions.sum()) for name, exceptions in rules.items()}


def _split_rules(manifest: Manifest, selection: Selection, retained: Manifest) -> dict[str, int]:
    """Count the exceptions to each rule between the split, the data set and the retained data set."""
    train = manifest.splits == "train"
    forget, retain, keep, asked = selection.forget, selection.retain, selection.keep, selection.asked
    present = np.isin(manifest.sample_ids, retained.sample_ids)
    known = np.isin(retained.sample_ids, manifest.sample_ids)
    copies = np.isin(retained.sha256, manifest.sha256[forget])
    rules = {
        "something is forgotten": not forget.any(),
        "something is retained": not retain.any(),
        "no row is both forgotten and retained": forget & retain,
        "every training row is forgotten or retained": train & ~(forget | retain),
        "only training rows are forgotten or retained": (forget | retain) & ~train,
        "no training row of a forgotten class is retained": retain
        & np.isin(manifest.labels, selection.classes),
        "no forgotten row is in the retained data set": forget & present,
        "no copy of a forgotten image is in the retained data set": copies,
        "every row to keep is in the retained data set": (keep | retain | asked) & ~present,
        "every row of the retained data set was to be kept": (present & ~(keep | asked)).sum()
        + (~known).sum(),
        "what is left of a forgotten class is in no split that is learned or measured": np.isin(
            retained.labels, selection.classes
        )
        & (retained.splits != FORGOTTEN_SPLIT),
    }
    return {name: int(np.sum(exceptions)) for name, exceptions in rules.items()}


def _row_expectations(manifest: Manifest, card: DatasetCard) -> "tuple[pd.DataFrame, list[Any]]":
    """State what must hold for each row, or for all rows together."""
    import pandas as pd

    gxe = _great_expectations().expectations
    frame = pd.DataFrame(
        {
            "sample_id": [str(one) or None for one in manifest.sample_ids],
            "label": manifest.labels,
            "split": manifest.splits.astype(object),
            "sha256": manifest.sha256.astype(object),
        }
    )
    stated = {
        "every row has a sample id": gxe.ExpectColumnValuesToNotBeNull(column="sample_id"),
        "sample ids are unique": gxe.ExpectColumnValuesToBeUnique(column="sample_id"),
        "labels are classes of the card": gxe.ExpectColumnValuesToBeInSet(
            column="label", value_set=list(range(len(card.classes)))
        ),
        "splits are splits of the card": gxe.ExpectColumnValuesToBeInSet(
            column="split", value_set=[entry.split for entry in card.splits]
        ),
        "contents are named by a SHA-256": gxe.ExpectColumnValuesToMatchRegex(
            column="sha256", regex="^sha256:[0-9a-f]{64}$"
        ),
        "there are as many rows as the card says": gxe.ExpectTableRowCountToEqual(
            value=sum(entry.rows for entry in card.splits)
        ),
    }
    return frame, [_named(expectation, rule) for rule, expectation in stated.items()]


def _expect_zero(rules: Mapping[str, int]) -> "tuple[pd.DataFrame, list[Any]]":
    """Put counts of exceptions into a frame of one row, and expect 0 of each."""
    import pandas as pd

    gxe = _great_expectations().expectations
    expectations = [
        _named(gxe.ExpectColumnValuesToBeInSet(column=rule, value_set=[0]), rule) for rule in rules
    ]
    return pd.DataFrame([dict(rules)]), expectations


def _named(expectation: Any, rule: str) -> Any:
    """Give an expectation the words that the report and the error show for it."""
    expectation.description = rule
    return expectation


def _validate(
    subject: Literal["dataset", "split"], card: DatasetCard, tables: _Tables, docs: Path
) -> ValidationRecord:
    """Evaluate every table's expectations, write the report, and refuse what failed."""
    outcomes: dict[str, bool] = {}
    for name, result in _run(tables).items():
        write_data_docs(result, docs / f"{name}.html")
        outcomes |= {entry.expectation_config.description: bool(entry.success) for entry in result.results}
    failed = tuple(rule for rule, success in outcomes.items() if not success)
    record = ValidationRecord(
        subject=subject, data=card.rows_digest, expectations=tuple(outcomes), failed=failed
    )
    if failed:
        lines = "\n".join(f"  not true: {rule}" for rule in failed)
        raise PipelineError(
            f"the {subject} fails {len(failed)} of {record.evaluated} expectations:\n{lines}\n"
            f"the report is in {docs}; repair the data, or rebuild its card if the change was intended"
        )
    return record


def _run(tables: _Tables) -> dict[str, Any]:
    """Evaluate the tables and return each one's validation result by the table's name."""
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("memory")
    results = {}
    for name, (frame, expectations) in tables.items():
        definition = gx.ValidationDefinition(
            name=name,
            data=source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all rows"),
            suite=context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations)),
        )
        # With any richer format the report would hold the values that broke a rule, sample ids too.
        results[name] = definition.run(batch_parameters={"dataframe": frame}, result_format="BOOLEAN_ONLY")
    return results


def _great_expectations() -> Any:
    """Import Great Expectations with its analytics off; it reads the switch on import."""
    set_variable("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    # Its modules set their own log levels, so each must be reset.
    for name in logging.root.manager.loggerDict:
        if name.startswith("great_expectations"):
            logging.getLogger(name).setLevel(logging.WARNING)
    return gx
