"""MLflow's experiments: one per model, described once, and never over somebody's own words."""

import re

import pytest
from world import ROOT

from tasks.report.notes import note
from tasks.tracking.experiments import open_experiment
from unlearn_core.errors import SetupError

NOTE = "mlflow.note.content"


@pytest.fixture
def client(tracking):
    return tracking.client


@pytest.fixture
def name(request):
    return request.node.name


def test_a_new_experiment_says_what_it_is_and_how_to_search(client, name):
    made = client.get_experiment(open_experiment(client, name, None))
    assert made.name == made.tags["lethe.model"] == name
    assert made.tags[NOTE].startswith("**All deletions from the model")
    assert "tags.lethe.shown LIKE 'behaves%'" in made.tags[NOTE]
    assert made.tags["mlflow.experimentKind"] == "custom_model_development"


def test_an_experiment_that_is_there_is_found_without_another_call(client, name, monkeypatch):
    made = open_experiment(client, name, None)
    monkeypatch.setattr(client, "set_experiment_tag", None)
    monkeypatch.setattr(client, "create_experiment", None)
    assert open_experiment(client, name, None) == made


def test_somebodys_own_description_stays(client, name):
    made = client.create_experiment(name, tags={NOTE: "ours"})
    assert open_experiment(client, name, None) == made
    tags = client.get_experiment(made).tags
    assert (tags[NOTE], tags["lethe.model"]) == ("ours", name)


def test_an_experiment_that_another_process_has_just_made_is_taken(client, name, monkeypatch):
    made = client.create_experiment(name)
    answers, look = [None], client.get_experiment_by_name
    monkeypatch.setattr(
        client, "get_experiment_by_name", lambda wanted: answers.pop() if answers else look(wanted)
    )
    assert open_experiment(client, name, None) == made


def test_an_experiment_that_was_deleted_is_refused_with_what_to_do(client, name):
    client.delete_experiment(client.create_experiment(name))
    with pytest.raises(SetupError, match="mlflow experiments restore"):
        open_experiment(client, name, None)


def searches(markdown):
    """Return every search that a text recommends."""
    return re.findall(r"`(tags\.[^`]+)`", markdown)


SHOWN = dict.fromkeys(searches(note("experiment", model="x") + (ROOT / "docs" / "auditing.md").read_text()))


@pytest.mark.parametrize("search", SHOWN)
def test_mlflow_understands_every_search_that_is_recommended(tracking, search):
    tracking.client.search_runs([tracking.experiment_id], search)


def test_searches_are_recommended():
    assert len(SHOWN) >= 6


def test_the_registered_models_words_say_how_to_load_it():
    told = note("registered_model", model="insects", experiment="3")
    assert 'load_model("models:/insects@champion")' in told
    assert "#/experiments/3/runs" in told
