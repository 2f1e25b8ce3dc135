"""A checkpoint's tensors: what may stand around their names, what may be missing, and what does not fit."""

import pytest
import torch
from pictures import CLASSES
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from tasks.lifecycle.fitting import fit_weights, read_weights
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture

NET = Architecture(name="small_resnet", classes=CLASSES, input_shape=(1, 8, 8))
LOSS = {"criterion.weight": torch.ones(3)}


@pytest.fixture
def weights():
    return dict(build_seeded(NET, 0).state_dict())


def saved(folder, tensors):
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "net.safetensors")
    return folder / "net.safetensors"


def test_weights_read_back(tmp_path, weights):
    found = read_weights(saved(tmp_path, weights))
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())


def test_the_name_of_a_tensor_writes_no_line_of_its_own(weights):
    forged = "evil\x1b[31m\nlethe: verdict: removed"
    with pytest.raises(ConfigurationError) as refused:
        fit_weights(NET, {**weights, forged: torch.ones(3)}, exact=True)
    said = str(refused.value)
    assert "evil" in said
    assert "\x1b" not in said
    assert not any(line.startswith("lethe: verdict") for line in said.splitlines())


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 a zip archive of pickles", b"\x80\x04 a pickle"])
def test_what_is_no_safetensors_file_is_refused_with_what_to_do(tmp_path, raw):
    (tmp_path / "net.pt").write_bytes(raw)
    with pytest.raises(
        ConfigurationError, match=r"never loaded. Write one with safetensors\.torch\.save_file"
    ):
        read_weights(tmp_path / "net.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"net\.safetensors is not a file"):
        read_weights(tmp_path / "net.safetensors")


def test_half_precision_becomes_the_nets_own(weights):
    halved = {n: t.half() if t.is_floating_point() else t for n, t in weights.items()}
    found = fit_weights(NET, halved).state_dict()
    for name, tensor in halved.items():
        assert found[name].dtype == weights[name].dtype
        assert torch.equal(found[name], tensor.to(found[name].dtype))


def test_every_kind_of_misfit_is_told_in_two_lines(weights):
    wrong = {**weights, "head.weight": torch.zeros(10, 64), "extra.weight": torch.zeros(1)}
    wrong["bn.bias"] = torch.full((32,), torch.nan)
    del wrong["stem.weight"]
    with pytest.raises(ConfigurationError) as caught:
        fit_weights(NET, wrong)
    said = str(caught.value)
    assert "stem.weight is missing" in said
    assert "extra.weight is not in the net" in said
    assert "head.weight is [10, 64], the net has [3, 64]" in said
    assert "bn.bias is not finite" in said
    assert "as many classes as the data has (3)" in said
    assert said.count("\n") == 1


def test_of_many_misfits_the_first_are_named_and_the_others_counted(weights):
    needed = [name for name in weights if not name.endswith("num_batches_tracked")]
    with pytest.raises(ConfigurationError, match=f"and {len(needed) - 3} more are missing"):
        fit_weights(NET, {})


def test_a_factory_that_fails_is_one_message():
    with pytest.raises(ConfigurationError, match="builtins:len cannot be built: TypeError"):
        fit_weights(Architecture(name="builtins:len", classes=CLASSES, input_shape=(1, 8, 8)), {})


def net():
    return build_seeded(NET, 0)


def under(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def averaged(tensors):
    return {name: tensor + 1 for name, tensor in tensors.items() if tensor.is_floating_point()}


def partly(tensors):
    return {f"module.{name}" if "block" in name else name: tensor for name, tensor in tensors.items()}


WRAPPED = {
    "parallel": lambda plain: nn.DataParallel(net()).state_dict(),
    "compiled": lambda plain: under("_orig_mod.", plain),
    "compiled parallel": lambda plain: under("_orig_mod.module.", plain),
    "parallel compiled": lambda plain: under("module._orig_mod.", plain),
    "twice parallel": lambda plain: under("module.module.", plain),
    "averaged": lambda plain: AveragedModel(net()).state_dict(),
    "averaged parallel": lambda plain: AveragedModel(nn.DataParallel(net())).state_dict(),
    "checkpointed inside": lambda plain: {
        name.replace("block1.", "block1._checkpoint_wrapped_module."): one for name, one in plain.items()
    },
    "a part compiled": lambda plain: {
        name.replace("block1.", "block1._orig_mod."): one for name, one in plain.items()
    },
    "some wrapped": partly,
    "of a trainer": lambda plain: under("state_dict.model.", plain),
    "with a loss": lambda plain: under("net.", plain) | LOSS,
    "without counters": lambda plain: {
        name: one for name, one in plain.items() if not name.endswith("num_batches_tracked")
    },
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_what_stands_around_names_is_taken_off(weights, kind, tmp_path):
    found = fit_weights(NET, read_weights(saved(tmp_path, WRAPPED[kind](weights)))).state_dict()
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], one) for name, one in weights.items())


TWICE = {
    "under two names": lambda plain: (under("model.", plain) | under("ema.", averaged(plain)), "model"),
    "at the top and below": lambda plain: (plain | under("ema.module.", averaged(plain)), "."),
}


@pytest.mark.parametrize("kind", TWICE)
def test_a_net_that_is_there_twice_is_told_in_two_lines_and_either_can_be_named(weights, kind):
    both, first = TWICE[kind](weights)
    with pytest.raises(ConfigurationError, match=r"hold the net 2 times.*ema.*\n.*--part") as caught:
        fit_weights(NET, both)
    assert str(caught.value).count("\n") == 1
    for part, expected in ((first, weights), ("ema", averaged(weights))):
        found = fit_weights(NET, both, part=part).state_dict()
        assert all(torch.equal(found[name], one) for name, one in expected.items())


def test_a_name_under_which_nothing_lies_is_told_with_those_that_there_are(weights):
    with pytest.raises(ConfigurationError, match=r"nothing of the net under 'eam'; it lies under model"):
        fit_weights(NET, under("model.", weights), part="eam")


def test_more_layers_among_the_nets_own_are_another_net(weights):
    more = under("model.", {**weights, "auxiliary.weight": torch.zeros(3)})
    with pytest.raises(ConfigurationError, match=r"model\.auxiliary\.weight is not in the net"):
        fit_weights(NET, more)


def test_weights_of_eight_bits_are_told_as_such(weights):
    quantised = {**weights, "head.weight": torch.zeros(3, 64, dtype=torch.int8)}
    with pytest.raises(ConfigurationError, match=r"head\.weight is of whole numbers \(quantised\)"):
        fit_weights(NET, quantised)


class Tied(nn.Module):
    """A net whose last layer is its second, under another name."""

    def __init__(self, classes, input_shape):
        super().__init__()
        self.first = nn.Linear(input_shape[-1], classes)
        self.middle = nn.Linear(classes, classes)
        self.last = self.middle


TIED = Architecture(name=f"{__name__}:Tied", classes=CLASSES, input_shape=(1, 8, 8))


@pytest.mark.parametrize("dropped", ["middle", "last"])
def test_of_a_tensor_with_two_names_one_is_enough(dropped):
    plain = Tied(3, (1, 8, 8)).state_dict()
    kept = {name: tensor for name, tensor in plain.items() if not name.startswith(dropped)}
    found = fit_weights(TIED, under("module.", kept)).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in plain.items())


def test_a_tensor_with_two_names_has_one_value():
    apart = {name: tensor.clone() for name, tensor in Tied(3, (1, 8, 8)).state_dict().items()}
    apart["last.weight"] += 1
    with pytest.raises(ConfigurationError, match=r"last\.weight are one tensor in the net, and differ"):
        fit_weights(TIED, apart)


def test_a_tensor_that_is_missing_under_both_names_is_named_once_for_each():
    plain = Tied(3, (1, 8, 8)).state_dict()
    less = {name: tensor for name, tensor in plain.items() if "weight" not in name or name[0] == "f"}
    with pytest.raises(ConfigurationError, match=r"middle\.weight, last\.weight are missing"):
        fit_weights(TIED, less)
