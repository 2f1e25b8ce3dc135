"""Stage ``parent``: the model to start from."""

import torch

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder, write_record
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.training import train_checkpoint
from tasks.data.datasets import read_card
from tasks.data.pool import Pool
from unlearn_core.errors import PipelineError
from unlearn_core.records.artifact import Architecture, CheckpointCard
from unlearn_core.records.params import AdoptedParent, ChampionParent, RunParams, TrainedParent
from unlearn_core.seeds import derive_seed


def make_parent(checkout: Checkout) -> CheckpointCard:
    """Write ``models/parent`` as ``params.yaml`` says (trained here, adopted, or an earlier champion)."""
    params = checkout.params.parent
    if isinstance(params, TrainedParent):
        return _train(checkout, params, checkout.params.run)
    return _adopt(checkout, params)


def _train(checkout: Checkout, params: TrainedParent, run: RunParams) -> CheckpointCard:
    data = read_card(checkout.dataset)
    card, cost = train_checkpoint(
        checkout.parent,
        Pool(checkout, torch.device("cpu")).split("train"),
        architecture=Architecture(
            name=params.architecture, classes=data.classes, input_shape=data.input_shape
        ),
        recipe=params.recipe,
        normalisation=data.normalisation,
        data=data.rows_digest,
        seed=derive_seed(run.seed, "parent"),
        threads=run.threads,
        title="train the parent",
        keep=params.keep,
    )
    write_record(checkout.cost(card.weights), cost)
    return card


def _adopt(checkout: Checkout, params: ChampionParent | AdoptedParent) -> CheckpointCard:
    source = checkout.generation("models", params.weights)
    if not source.is_dir():
        raise PipelineError(f"{source} does not exist; fetch it with `dvc checkout` or `dvc pull`")
    _, card = load_checkpoint(source)
    if card.weights != params.weights:
        raise PipelineError(f"{source} contains model {card.weights}, params.yaml names {params.weights}")
    if card.data != (data := read_card(checkout.dataset).rows_digest):
        raise PipelineError(
            f"model {card.weights} belongs to data {card.data}, params.yaml gives data {data}; "
            "`lethe next` and `lethe adopt` set both together"
        )
    copy_folder(source, checkout.parent)
    return read_checkpoint_card(checkout.parent)
