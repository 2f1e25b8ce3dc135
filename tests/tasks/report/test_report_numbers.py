"""Numbers and words of the report."""

import pytest

from tasks.report.measurements import meaning_of, title_of
from tasks.report.numbers import allowed_range, count, decimal, duration, interval, percent, points, times
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words

DISTANCE = "Distance from the retrained model"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (percent(0.1234), "12.3\u202f%"),
        (percent(-0.00001), "0.0\u202f%"),
        (points(0.04), "+4.0 points"),
        (points(-0.04), "\u22124.0 points"),
        (points(0.0), "0.0 points"),
        (decimal(-0.5), "\u22120.50"),
        (count(1234567), "1\u202f234\u202f567"),
        (duration(0.25), "0.2 seconds"),
        (duration(90), "1.5 minutes"),
        (duration(7200), "2.0 hours"),
        (times(12.3), "12"),
        (times(1.26), "1.3"),
        (allowed_range(None, 0.05, percent), "at most 5.0\u202f%"),
        (allowed_range(0.95, None, percent), "at least 95.0\u202f%"),
        (allowed_range(0.25, 0.75, decimal), "0.25 to 0.75"),
        (allowed_range(None, None, decimal), "anything"),
    ],
)
def test_numbers_are_written_for_people(written, expected):
    assert written == expected


def test_an_interval_stands_in_brackets_without_its_unit():
    entry = Measurement(name="x", value=0.5, low=0.25, high=0.75)
    assert interval(entry, percent) == "[25.0, 75.0]"
    assert interval(entry, points) == "[+25.0, +75.0]"


def test_without_bounds_there_is_no_interval():
    assert interval(Measurement(name="x", value=0.5), percent) == ""
    assert interval(None, percent) == ""


def test_a_measurement_says_on_which_data_it_was_made():
    assert meaning_of("accuracy.test.forget").label == "Right answers, the forgotten data (test samples)"


def test_the_longest_known_name_counts():
    assert meaning_of("mia.loss_auc").label == "Attack using surprise"
    assert meaning_of("mia.new_attack").label == "Membership attack, new attack"


def test_a_name_that_only_begins_alike_is_another_one():
    assert meaning_of("accuracy_of_something").label == "Accuracy of something"


def test_a_metric_of_somebody_elses_has_its_own_words_and_takes_nobodys_away():
    others = {"margin": Words(label="Lead", explanation="How far.", unit="fraction", title="Leads")}
    assert meaning_of("margin.test.retain", others).label == "Lead, the kept data (test samples)"
    assert meaning_of("margin.test.retain", others).style(0.5) == "50.0\u202f%"
    assert (title_of("margin", others), title_of("margin"), title_of("js")) == ("Leads", "Margin", DISTANCE)
    usurper = {"accuracy": Words(label="Mine", explanation="")}
    assert meaning_of("accuracy.test.forget", usurper).label.startswith("Right answers")


def test_an_unknown_measurement_says_that_it_is_unknown():
    assert "no plain words" in meaning_of("mystery.of_life").explanation
