"""A sequence whose second moments are carried on and never taken anew."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from sequence import LENIENT, of_class, of_samples, prepare, serve
from templates import copied, prepared_checkout
from world import NOISE, SMALL

from flows.stages.moments import make_moments
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.computing.checkpoints import load_checkpoint, load_moments, read_checkpoint_card
from tasks.computing.materials import load_materials
from tasks.data.datasets import read_card
from tasks.data.pool import Pool
from tasks.lifecycle.releases import continue_from_champion
from unlearn_core.drift import stale_by
from unlearn_core.errors import PipelineError
from unlearn_core.moments import collect
from unlearn_core.records.artifact import MomentsCard
from unlearn_core.records.deletion import DeletionRecord

pytestmark = [*NOISE, pytest.mark.long]

METHODS = {**SMALL["methods"], "pgu": {"lr_start": 0.02, "stop_after": 2}}
POLICY = {**LENIENT, "ladder": {"classes": ["svd"], "samples": ["pgu"]}}


@dataclass(frozen=True)
class Sequence:
    """A checkout ready for its third request, and what the second wrote down."""

    root: Path
    trained: str
    first_card: MomentsCard
    second_card: MomentsCard
    second: DeletionRecord


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    root = prepared_checkout(
        tmp_path_factory.mktemp("carry") / "project",
        policy=POLICY,
        methods=METHODS,
        moments={"source": "carry", "batch_size": 256},
    )
    checkout = Checkout(root)
    prepare(root)
    first_card = load_moments(checkout.moments)[1]
    trained = read_checkpoint_card(checkout.parent).weights
    serve(root, "r-1", of_class("3"))
    continue_from_champion(checkout)
    prepare(root)
    second_card = load_moments(checkout.moments)[1]
    second = serve(root, "r-2", of_samples(root, 20))
    continue_from_champion(checkout)
    prepare(root)
    return Sequence(root, trained, first_card, second_card, second)


@pytest.fixture
def copy(served, tmp_path):
    return copied(served.root, tmp_path / "project")


def test_a_trained_model_has_moments_of_its_own(served):
    assert (served.first_card.model, served.first_card.carried_to) == (served.trained, None)


def test_a_card_says_which_weights_carried_moments_are_of_and_for(served):
    checkout = Checkout(served.root)
    assert served.second_card.model == served.trained
    assert served.second_card.carried_to == served.second.original.model
    third = load_moments(checkout.moments)[1]
    assert third.model == served.trained
    assert third.carried_to == read_checkpoint_card(checkout.parent).weights
    assert third.data == read_card(checkout.dataset).rows_digest


def test_carried_moments_are_those_of_what_is_left_at_the_trained_weights(served):
    checkout = Checkout(served.root)
    origin = load_checkpoint(checkout.generation("models", served.trained))[0]
    carried, card = load_moments(checkout.moments)
    left = Pool(checkout, torch.device("cpu")).split("train")
    assert card.samples == len(left)
    assert max(stale_by(carried, collect(origin, left)).values()) <= 1e-6


def test_a_method_is_handed_the_model_that_the_moments_are_of(served):
    checkout = Checkout(served.root)
    materials = load_materials(checkout, Pool(checkout, torch.device("cpu")))
    origin = load_checkpoint(checkout.generation("models", served.trained))[0]
    assert all(
        torch.equal(mine, theirs)
        for mine, theirs in zip(materials.moments_model.parameters(), origin.parameters(), strict=True)
    )


def test_a_projection_is_served_from_carried_moments(served):
    assert served.second.accepted.unlearning.name == "pgu"


def test_the_drift_tells_how_stale_they_are(served):
    assert served.second.drift.staleness > 0.01
    assert served.second.drift.requests == 2


def test_carried_moments_are_kept_under_version_control(served):
    folder = Checkout(served.root).carried(read_checkpoint_card(Checkout(served.root).parent).weights)
    assert folder.with_name(f"{folder.name}.dvc").is_file()


def test_continuing_twice_changes_nothing(served):
    checkout = Checkout(served.root)
    folder = checkout.carried(read_checkpoint_card(checkout.parent).weights)
    before = (folder / "card.json").read_bytes()
    continue_from_champion(checkout)
    assert (folder / "card.json").read_bytes() == before


def test_moments_that_are_not_here_are_asked_for(copy):
    checkout = Checkout(copy)
    shutil.rmtree(checkout.carried(read_checkpoint_card(checkout.parent).weights))
    with pytest.raises(PipelineError, match=r"or set `moments: \{source: collect\}`"):
        make_moments(Checkout(copy))


def test_carrying_from_another_parent_is_refused(served, copy):
    checkout = Checkout(copy)
    shutil.rmtree(checkout.carried(read_checkpoint_card(checkout.parent).weights))
    from tasks.computing.carrying import keep_carried

    with pytest.raises(PipelineError, match="Run `dvc repro` for its request"):
        keep_carried(checkout, read_checkpoint_card(checkout.unlearned))


def test_moments_can_be_collected_again_at_any_time(copy):
    write_params(copy, {"moments": {"source": "collect", "batch_size": 256}})
    card = make_moments(Checkout(copy))
    assert (card.model, card.carried_to) == (read_checkpoint_card(Checkout(copy).parent).weights, None)
