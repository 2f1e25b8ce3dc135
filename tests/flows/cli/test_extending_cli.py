"""``lethe methods``, ``check-method`` and ``check-metric`` with somebody else's package."""

import json

import pytest
from plugins import install, visible
from world import lethe, run

from unlearn_core.methods import CATALOGUE

BROKEN = (
    "no docstring",
    "`does` is empty",
    "`learning_rat3` was accepted",
    "`stochastic` is True, and two seeds gave the same weights",
    "reads `retain`",
    "numpy's global generator has moved",
    "hooks were left on the model",
    "does not have one entry for each parameter",
    "the accuracy on the forgotten class is 1.000",
)
"""All that is wrong with the method ``sloppy``."""


@pytest.fixture(scope="module", autouse=True)
def packages(tmp_path_factory):
    folder = install(tmp_path_factory.mktemp("packages"))
    with visible(folder):
        yield folder


def test_the_list_names_the_package_and_tells_of_what_cannot_be_used(tmp_path):
    code, out, err = lethe(tmp_path, "methods", "--json")
    listed = {entry["name"]: entry["package"] for entry in json.loads(out)}
    assert code == 0
    assert listed["second_guess"] == "lethe-example 1.0"
    assert [name for name, package in listed.items() if package is None] == [
        kind.model_fields["name"].default for kind in CATALOGUE
    ]
    assert "the method 'not_there' of lethe-example 1.0" in err
    assert "No module named 'lethe_example.nothing_here'" in err
    _, table, _ = lethe(tmp_path, "methods")
    assert "second_guess" in table
    assert "(lethe-example" in table


def test_a_method_that_keeps_to_all_checks(tmp_path):
    code, out, err = lethe(tmp_path, "check-method", "second_guess")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "second_guess passes all 16 checks"


def test_a_broken_method_fails_with_every_reason(tmp_path):
    code, out, err = lethe(tmp_path, "check-method", "sloppy")
    assert (code, err) == (3, "")
    assert [reason for reason in BROKEN if reason not in " ".join(out.split())] == []
    assert out.count("\n✗ ") == len(BROKEN)


def test_the_same_as_one_json_document(tmp_path):
    code, out, _ = lethe(tmp_path, "check-method", "lethe_example.sloppy:Sloppy", "--json")
    told = json.loads(out)
    assert (code, told["conforms"], told["target"]) == (3, False, "lethe_example.sloppy:Sloppy")
    results = {(one["check"], one["where"]): one["result"] for one in told["checks"]}
    assert results["runs", "classes"] == "kept"
    assert results["reads only what it declares", "classes"] == "broken"
    assert sum(len(one["reasons"]) for one in told["checks"]) == len(BROKEN)


def test_hyper_parameters_and_what_is_expected_can_be_given(tmp_path):
    weak = '{"recipe": {"epochs": 1, "learning_rate": 1e-6, "optimizer": "sgd"}}'
    code, out, _ = lethe(tmp_path, "check-method", "second_guess", "--settings", weak)
    assert code == 3
    assert "Give hyper-parameters that fit a small net" in out
    accepted = ["--settings", weak, "--forget-below", "1.1"]
    assert lethe(tmp_path, "check-method", "second_guess", *accepted)[0] == 0


def test_a_method_in_the_working_folder_is_found(tmp_path):
    (tmp_path / "mine.py").write_text("from lethe_example.second_guess import SecondGuess\n")
    done = run(tmp_path, "lethe", "check-method", "mine:SecondGuess", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["conforms"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["check-method", "secnd_guess"],
            "there is no method 'secnd_guess'; did you mean second_guess? Lethe has bad_teacher",
        ),
        (["check-method", "nowhere.at_all:Method"], "cannot be imported: ModuleNotFoundError"),
        (["check-method", "not_there"], "No module named 'lethe_example.nothing_here'"),
        (["check-method", "second_guess", "--settings", "{"], "--settings is not JSON"),
        (["check-method", "second_guess", "--settings", "[1]"], "expected an object"),
        (["check-metric", "margn"], "there is no metric 'margn'; did you mean margin? Lethe has accuracy"),
    ],
)
def test_what_cannot_be_checked_is_wrong_usage(tmp_path, arguments, said):
    code, _, err = lethe(tmp_path, *arguments)
    assert code == 2
    assert said in err


def test_a_metric_is_checked_likewise(tmp_path):
    code, out, _ = lethe(tmp_path, "check-metric", "margin", "--json")
    assert (code, json.loads(out)["conforms"]) == (0, True)
    code, out, _ = lethe(tmp_path, "check-metric", "lethe_example.sloppy:Sloppy")
    assert code == 3
    assert "is not derived from unlearn_core.metric.Metric" in out
    assert "13 checks were not made" in out
