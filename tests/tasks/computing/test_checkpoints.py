"""Checkpoints and second moments at rest: the same bits back, the same bytes everywhere, no pickle."""

import shutil
import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn
from world import ARCHITECTURE, QUICK, blobs, content, files_of, same_weights

from tasks.checkout.files import file_digest, write_record
from tasks.computing.checkpoints import (
    CARD,
    TENSORS,
    WEIGHTS,
    load_checkpoint,
    load_moments,
    read_checkpoint_card,
    save_checkpoint,
    save_moments,
)
from tasks.computing.states import read_states
from tasks.computing.tensors import save_one_by_one, save_tensors
from tasks.computing.training import UNWRITTEN, train_checkpoint
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.models import build_seeded
from unlearn_core.moments import collect
from unlearn_core.records.artifact import Architecture, CheckpointCard
from unlearn_core.records.data import Normalisation


def card_of(**changes):
    settings = {
        "architecture": ARCHITECTURE,
        "normalisation": Normalisation(mean=(0.5,), std=(0.25,)),
        "weights": UNWRITTEN,
        "data": content("data"),
        "seed": 0,
        "threads": 1,
        "recipe": QUICK,
    }
    return CheckpointCard(**{**settings, **changes})


@pytest.fixture
def net():
    return build_seeded(ARCHITECTURE, 0)


@pytest.fixture
def folder(tmp_path, net):
    save_checkpoint(tmp_path / "model", net, card_of())
    return tmp_path / "model"


def test_a_model_reads_back_with_the_same_bits(folder, net):
    model, card = load_checkpoint(folder)
    assert same_weights(model, net)
    assert card == read_checkpoint_card(folder)


def test_a_model_is_loaded_in_eval_mode(folder):
    assert not load_checkpoint(folder)[0].training


def test_a_card_names_its_weights_by_their_digest(folder):
    assert read_checkpoint_card(folder).weights == file_digest(folder / WEIGHTS)


def test_other_weights_have_another_digest(folder, net):
    before = read_checkpoint_card(folder).weights
    net.head.bias.data[0] += 1
    assert save_checkpoint(folder, net, card_of()).weights != before


def test_there_is_nothing_beside_weights_and_card(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([CARD, WEIGHTS])


def test_no_pickle_is_in_the_file(folder):
    raw = (folder / WEIGHTS).read_bytes()
    header = int.from_bytes(raw[:8], "little")
    assert raw[8:9] == b"{"
    assert header < len(raw)


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import test_checkpoints as here

    folder = Path(sys.argv[1])
    net = here.build_seeded(here.ARCHITECTURE, 0)
    here.save_checkpoint(folder / "model", net, here.card_of())
    here.save_moments(folder / "moments", here.moments_of(net), model=here.content(1), data=here.content(2))
    """
)


def moments_of(net):
    return collect(net, blobs(), batch_size=32)


def test_another_process_writes_the_same_bytes(tmp_path, net):
    folders = [tmp_path / "here", tmp_path / "there"]
    save_checkpoint(folders[0] / "model", net, card_of())
    save_moments(folders[0] / "moments", moments_of(net), model=content(1), data=content(2))
    path = ":".join(str(one) for one in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", WRITER, folders[1]],
        env={"PYTHONPATH": path, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here, there = ({name[len(str(one)) :]: raw for name, raw in files_of(one).items()} for one in folders)
    assert len(here) == 4
    assert here == there


@pytest.mark.parametrize("position", [8, -1])
def test_altered_weights_are_refused_with_both_digests(folder, position):
    path = folder / WEIGHTS
    raw = bytearray(path.read_bytes())
    raw[position] ^= 1
    path.write_bytes(raw)
    with pytest.raises(PipelineError, match=f"has digest {file_digest(path)}, its card says"):
        load_checkpoint(folder)


def test_missing_weights_are_asked_for(folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(PipelineError, match="does not exist; run `dvc repro`"):
        load_checkpoint(folder)


def test_weights_that_do_not_fit_the_net_are_refused(folder):
    wider = Architecture(name="small_resnet", classes=("a", "b", "c", "d"), input_shape=(1, 8, 8))
    write_record(folder / CARD, card_of(architecture=wider, weights=file_digest(folder / WEIGHTS)))
    with pytest.raises(PipelineError, match="does not fit the net small_resnet"):
        load_checkpoint(folder)


class Unfinished(nn.Linear):
    """A net that stops half way through being written."""

    def state_dict(self, *args, **kwargs):
        raise KeyboardInterrupt


def test_a_write_that_is_interrupted_leaves_the_old_checkpoint(folder):
    before = files_of(folder)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(folder, Unfinished(1, 1), card_of())
    assert files_of(folder.parent) == before


def make_tied(*, classes, input_shape):
    """Stands for a user's net in which two layers share one weight."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, classes))
    net[2].weight = net[1].weight
    return net


def test_a_net_with_shared_weights_reads_back(tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_FACTORIES", "test_checkpoints:make_tied")
    architecture = Architecture(name="test_checkpoints:make_tied", classes=("a", "b"), input_shape=(1, 8, 8))
    net = build_seeded(architecture, 0)
    save_checkpoint(tmp_path / "tied", net, card_of(architecture=architecture))
    model, _ = load_checkpoint(tmp_path / "tied")
    assert same_weights(model, net)
    assert model[1].weight is model[2].weight


def test_a_model_in_another_memory_layout_has_the_same_digest(folder, net):
    before = read_checkpoint_card(folder).weights
    assert save_checkpoint(folder, net.to(memory_format=torch.channels_last), card_of()).weights == before


@pytest.fixture
def moments(tmp_path, net):
    save_moments(tmp_path / "moments", moments_of(net), model=content(1), data=content(2))
    return tmp_path / "moments"


def test_second_moments_read_back_with_the_same_bits_in_the_same_order(moments, net):
    found, card = load_moments(moments)
    expected = moments_of(net)
    assert list(found.layers) == list(expected.layers)
    assert all(torch.equal(found.layers[name], expected.layers[name]) for name in expected.layers)
    assert (found.positions, found.samples) == (expected.positions, expected.samples)
    assert (card.model, card.data) == (content(1), content(2))


def test_second_moments_are_written_one_by_one_as_the_library_writes_them(tmp_path):
    layers = {name: torch.randn(2, size, size).double() for name, size in {"b": 5, "ä.1": 3, "a": 1}.items()}
    save_tensors(tmp_path / "at once", layers)
    save_one_by_one(tmp_path / "singly", layers, {name: tuple(one.shape) for name, one in layers.items()})
    assert (tmp_path / "singly").read_bytes() == (tmp_path / "at once").read_bytes()


def test_a_folder_that_second_moments_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"moments cannot be written: .*; is the disk full"):
        save_one_by_one(tmp_path / "absent" / "moments", {}, {})


def test_states_of_a_training_read_back_beside_its_model(tmp_path):
    settings = {"architecture": ARCHITECTURE, "recipe": QUICK, "normalisation": card_of().normalisation}
    settings |= {"data": content("data"), "seed": 0, "threads": 1, "title": "train"}
    train_checkpoint(tmp_path / "plain", blobs(), **settings)
    train_checkpoint(tmp_path / "kept", blobs(), **settings, keep=(0.5,))
    assert (tmp_path / "plain" / WEIGHTS).read_bytes() == (tmp_path / "kept" / WEIGHTS).read_bytes()
    assert read_states(tmp_path / "plain") is None
    (state,) = read_states(tmp_path / "kept")
    assert state.share == pytest.approx(0.5, abs=0.5 / state.steps)
    model = build_seeded(ARCHITECTURE, 1)
    state.restore(model)
    assert all(
        torch.equal(tensor, state.tensors[f"weights.{name}"]) for name, tensor in model.state_dict().items()
    )
    with (tmp_path / "kept" / "states.safetensors").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(PipelineError, match="not the file that its card names"):
        read_states(tmp_path / "kept")


def test_altered_second_moments_are_refused(moments):
    with (moments / TENSORS).open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(PipelineError, match="its card says"):
        load_moments(moments)


def test_a_copied_folder_is_the_same_checkpoint(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert load_checkpoint(tmp_path / "copy")[1] == read_checkpoint_card(folder)
