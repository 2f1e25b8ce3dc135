"""No raw name reaches a reader: every piece of a name that Lethe's own metrics use has words.

Each of these must turn red: a metric whose measurement has a piece that the table lacks; a part or a side
without words; a name in a sentence from the records that stays as it is.
"""

from typing import get_args

import pytest

from tasks.report.measurements import in_plain_words, meaning_of
from tasks.report.vocabulary import PARTS, SIDES, curve_words, piece_words
from unlearn_core.catalogue import name_of
from unlearn_core.conformance import subjects
from unlearn_core.metric import Part, Side
from unlearn_core.metrics import CATALOGUE, WORDS


@pytest.mark.parametrize("kind", CATALOGUE, ids=name_of)
def test_every_piece_of_what_a_metric_measures_has_words(kind):
    seen = (subjects.ordinary(), subjects.ordinary(sample_scope=True))
    for name in {entry.name for subject in seen for entry in kind().measure(subject, seed=0)}:
        family = max((one for one in WORDS if f"{name}.".startswith(f"{one}.")), key=len)
        assert piece_words(name.removeprefix(family).strip("."))[1] == [], name


def test_every_part_and_side_of_the_data_has_words():
    assert set(get_args(Part)) <= set(PARTS)
    assert set(get_args(Side)) == set(SIDES)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("js.floor.test.retain", ", between two retrained models, the kept data (test samples)"),
        ("accuracy.test.class.3", "Right answers, test samples, class 3"),
        ("weight_distance.layer.body.0", ", layer body.0"),
        ("relearn.new_head.retrained.censored", ", of the retrained model, not known again in time"),
    ],
)
def test_a_label_is_made_of_the_words_of_its_pieces(name, label):
    assert meaning_of(name).label.endswith(label)


@pytest.mark.parametrize(
    ("name", "words", "unknown"),
    [
        ("epochs.loss", "Loss, epoch by epoch", []),
        ("unsir.search.impair_lr", "Learning rate of impairing, while searching for settings, “unsir”", []),
        ("my_phase.my_value", "My value, my phase", ["my_value", "my_phase"]),
        ("loss", "Loss", []),
    ],
)
def test_a_curve_is_called_by_what_it_records_and_when(name, words, unknown):
    assert curve_words(name) == (words, unknown)


def test_a_sentence_from_the_records_names_measurements_in_words():
    said = "Not judged: mia.loss_auc (9), probe.gap. See report.json and mystery.of_life."
    told = "Not judged: “Attack using surprise” (9), “Recoverable knowledge, beyond the retrained model’s”."
    assert in_plain_words(said) == f"{told} See report.json and mystery.of_life."
