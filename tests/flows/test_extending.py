"""A method, a metric and a source from somebody else's package: in a ladder, in records, in a certificate."""

import json
import shutil

import numpy as np
import pytest
from plugins import install, visible
from sklearn.datasets import load_digits
from world import FORGOTTEN, NOISE, SMALL, lethe, make_checkout

from flows.stages.listed import differs_from_list, require_listed
from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import read_params
from tasks.data.datasets import read_card
from tasks.data.planting import plant_canaries
from tasks.evidence.verification import verify_bytes, verify_files
from tasks.lifecycle.releases import ancestry
from tasks.lifecycle.replaying import other_code
from tasks.report.gathering import gather_facts
from tasks.requests.request_file import preview_manifest
from tasks.storage.versioning import is_current
from unlearn_core.errors import ConfigurationError, PipelineError
from unlearn_core.records.deletion import DeletionRecord

pytestmark = [*NOISE, pytest.mark.long]

STAGES = {**PREPARATION, **DELETION}
SECTIONS = {
    "dataset": {"source": "arrays", "path": "digits.npz"},
    "methods": {"second_guess": {}, "finetune": {"recipe": {"epochs": 1}}, "retrain": {}},
    "policy": {
        **SMALL["policy"],
        "ladder": {"classes": ["second_guess"], "samples": ["finetune"]},
        "classes": [
            FORGOTTEN,
            {**FORGOTTEN, "measurement": "margin.train.forget", "below": 60, "above": 9.0},
        ],
        "metrics": {"margin": {"limit": 20.0}},
    },
}
NAMED = {"source arrays", "method second_guess", "metric margin"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = install(tmp_path_factory.mktemp("packages"))
    with visible(folder):
        yield folder


@pytest.fixture(scope="module")
def served(own_folders, packages, tmp_path_factory):
    """A checkout in which all three served a request."""
    root = make_checkout(tmp_path_factory.mktemp("served") / "project", **SECTIONS)
    digits = load_digits()
    np.savez(root / "digits.npz", images=(digits.images * 15).astype(np.uint8), labels=digits.target)
    for name, stage in STAGES.items():
        assert run_due(Checkout(root), name, stage)
    return root


@pytest.fixture
def whole(served, tmp_path):
    """The same checkout once more, with DVC's cache: without it nothing is current."""
    return Checkout(shutil.copytree(served, tmp_path / "whole"))


@pytest.fixture
def changed(tmp_path):
    """The package once more, in another version and with a change in its code."""
    folder = install(tmp_path / "changed", version="1.1")
    method = folder / "lethe_example" / "second_guess.py"
    method.write_text(method.read_text() + "# another code\n")
    with visible(folder):
        yield folder


def certificate(root):
    return verify_bytes((root / "evidence" / "demo" / "certificate.dsse.json").read_bytes())[0]


def test_the_method_is_tried_accepted_and_named_with_package_version_and_code(served):
    record = read_record(Checkout(served).deletion, DeletionRecord)
    rung = record.accepted
    assert rung.unlearning.name == "second_guess"
    assert str(rung.unlearning.extension) == "method second_guess of lethe-example 1.0"
    assert rung.unlearning.extension.code.startswith("sha256:")


def test_the_metric_measures_every_model_and_decides_with_the_others(served):
    record = read_record(Checkout(served).deletion, DeletionRecord)
    for evaluation in (record.original, *record.references, record.accepted.evaluation):
        assert evaluation.get("margin.train.forget") is not None
        assert [str(one) for one in evaluation.extensions] == ["metric margin of lethe-example 1.0"]
    decided = [finding.measurement for finding in record.accepted.verdict.findings]
    assert "margin.train.forget" in decided


def test_the_source_makes_the_data_set_and_is_on_the_card_of_what_is_retained_too(served):
    checkout = Checkout(served)
    for folder in (checkout.dataset, checkout.retained):
        assert str(read_card(folder).extension) == "source arrays of lethe-example 1.0"
    assert len(preview_manifest(checkout)) == 1797
    assert ancestry(checkout) == (read_card(checkout.dataset).rows_digest,)


def test_the_certificate_names_all_three(served):
    named = certificate(served).extensions
    assert {f"{one.kind} {one.name}" for one in named} == NAMED
    assert {(one.package, one.version) for one in named} == {("lethe-example", "1.0")}
    assert len({one.code for one in named}) == 1


def test_a_certificate_is_verified_where_the_package_is_not_installed(served, packages, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(packages)])
    path = served / "evidence" / "demo" / "certificate.dsse.json"
    summary = verify_files(path, model=served / "models" / "unlearned" / "model.safetensors")
    assert summary["method"] == "second_guess"
    assert summary["extensions"].count("lethe-example 1.0, code sha256:") == 3
    code, _, err = lethe(served, "train")
    assert code == 2
    assert "'arrays'" in err


def test_the_report_has_their_words(served):
    facts = gather_facts(Checkout(served), "demo")
    assert facts.does == {
        "second_guess": "teaches the model to take the forgotten data for what it resembles most"
    }
    page = (served / "evidence" / "demo" / "report.html").read_text()
    assert "Lead of the right answer, the forgotten data (training samples)" in page
    assert "This method teaches the model to take the forgotten data" in page
    assert "It is not part of Lethe: it comes from lethe-example." in page
    assert "metric margin of lethe-example 1.0, code" in page


def test_the_list_of_code_names_them_for_the_stages_that_run_them(served):
    listed = {path.stem: json.loads(path.read_bytes()) for path in Checkout(served).code.iterdir()}
    others = {stage: sorted(name for name in files if " of " in name) for stage, files in listed.items()}
    assert {stage: names for stage, names in others.items() if names} == {
        "dataset": ["source arrays of lethe-example 1.0"],
        "unlearn": ["method second_guess of lethe-example 1.0", "metric margin of lethe-example 1.0"],
    }
    assert differs_from_list(Checkout(served)) == []


def test_other_code_of_a_package_makes_due_what_runs_it(whole, changed):
    assert run_due(whole, "code", STAGES["code"])
    assert [name for name in STAGES if not is_current(whole.root, name)] == ["dataset", "unlearn"]
    assert not run_due(whole, "code", STAGES["code"])


def test_a_stage_of_dvcs_does_not_run_other_code_than_is_listed(whole, changed):
    with pytest.raises(PipelineError, match=r"method second_guess of lethe-example 1\.1.*run `lethe train`"):
        require_listed(whole)
    STAGES["code"](whole)
    require_listed(whole)


def test_a_replay_says_that_the_package_is_another(served, changed):
    assert "method second_guess of lethe-example 1.0" in other_code(served)


def test_the_settings_of_the_source_are_validated_by_its_own_record(whole):
    assert type(whole.params.dataset).__name__ == "ArraysSource"
    text = (whole.root / "params.yaml").read_text()
    (whole.root / "params.yaml").write_text(text.replace("path: digits.npz", "file: digits.npz"))
    with pytest.raises(ConfigurationError) as caught:
        read_params(whole.root)
    heading, missing, extra = str(caught.value).splitlines()
    assert heading == "params.yaml, section 'dataset' is not valid:"
    assert missing.startswith("  arrays.path: Field required")
    assert extra == "  arrays.file: Extra inputs are not permitted (got 'digits.npz')"


def test_canaries_can_be_planted_among_its_rows(whole):
    planted = plant_canaries(whole, records=5, seed=None)
    assert planted.held_out == 5
    params = read_params(whole.root).dataset
    assert params.canaries == 5


def test_adopting_takes_the_source_that_params_yaml_names(served):
    from tasks.lifecycle.adopting import settle_source
    from tasks.lifecycle.claims import Adoption
    from unlearn_core.records.adoption import Claims

    asked = Adoption("weights", None, "model", None, Claims(), False)
    settings, source = settle_source(Checkout(served), asked, Claims())
    assert (type(settings).__name__, type(source).__name__) == ("ArraysSource", "Arrays")


def test_what_params_yaml_asks_for_and_cannot_be_used_stops_the_ladder_by_name(whole):
    text = (whole.root / "params.yaml").read_text()
    (whole.root / "params.yaml").write_text(
        text.replace("second_guess: {}", "second_guess: {}\n  not_there: {}")
    )
    with pytest.raises(ConfigurationError, match=r"'not_there' of lethe-example 1\.0"):
        STAGES["unlearn"](Checkout(whole.root))
