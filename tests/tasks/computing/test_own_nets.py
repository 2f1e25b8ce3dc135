"""A net of the user's own: code of the project, run only where somebody named it, and only as it was listed.

Each of these must turn red: a module that runs because a card names it; one that runs although it was changed
since its digest was recorded.
"""

import json
import shutil

import pytest
from torch import nn
from world import ARCHITECTURE, QUICK, ROOT, blobs

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_params, write_params
from tasks.computing.checkpoints import load_checkpoint, save_checkpoint
from tasks.computing.own_nets import allow_net
from tasks.computing.training import UNWRITTEN, train_checkpoint
from tasks.extensions.code import package_digest
from tasks.extensions.listing import extension_digests
from unlearn_core.errors import ConfigurationError, PipelineError
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.data import Normalisation

RECIPE = {"optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "epochs": 1}
NORMALISATION = Normalisation(mean=(0.5,), std=(0.5,))


@pytest.fixture
def project(tmp_path, request, monkeypatch):
    """A project with a module of its own, which leaves a mark when it is run."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root)
    # A module of the test's own, since Python imports each only once.
    name = f"own_net_{abs(hash(request.node.name))}"
    (root / f"{name}.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\n"
        "from torch import nn\n"
        "def make(*, classes, input_shape):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))\n"
    )
    monkeypatch.syspath_prepend(root)
    monkeypatch.delenv("LETHE_FACTORIES", raising=False)
    return Checkout(root), f"{name}:make"


@pytest.fixture
def planted(project):
    """A checkpoint whose card names the module: a bucket or a clone brought it."""
    checkout, net = project
    card = CheckpointCard(
        architecture=ARCHITECTURE.model_copy(update={"name": net}),
        normalisation=NORMALISATION,
        weights=UNWRITTEN,
        data=UNWRITTEN,
        seed=None,
        threads=None,
        recipe=None,
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    save_checkpoint(checkout.parent, model, card)
    return checkout.parent


def ran(checkout):
    return (checkout.root.parent / "ran").exists()


def name_in_params(checkout, net):
    write_params(checkout.root, {"parent": {"source": "train", "architecture": net, "recipe": RECIPE}})


def list_net(checkout, net, digest):
    checkout.code.mkdir(parents=True)
    (checkout.code / "parent.json").write_text(json.dumps({f"net {net}": digest}))


def test_a_module_that_only_a_card_names_is_not_run(project, planted):
    checkout, net = project
    with pytest.raises(ConfigurationError, match=f"card names the net '{net}'.*nothing was run"):
        load_checkpoint(planted)
    with pytest.raises(ConfigurationError, match="nothing was"):
        train_checkpoint(
            checkout.reference("r"), blobs(), architecture=ARCHITECTURE.model_copy(update={"name": net}),
            recipe=QUICK, normalisation=NORMALISATION, data=UNWRITTEN, seed=0, threads=1, title="train",
        )  # fmt: skip
    assert not ran(checkout)


@pytest.mark.parametrize("where", ["params", "setting"])
def test_a_module_that_the_operator_names_is_run(project, planted, where, monkeypatch):
    checkout, net = project
    if where == "params":
        name_in_params(checkout, net)
    else:
        monkeypatch.setenv("LETHE_FACTORIES", f"another:net, {net}")
    load_checkpoint(planted)
    assert ran(checkout)


def test_a_module_that_was_changed_since_it_was_listed_is_not_run(project, planted):
    checkout, net = project
    name_in_params(checkout, net)
    list_net(checkout, net, f"sha256:{'0' * 64}")
    with pytest.raises(PipelineError, match="it was not run"):
        load_checkpoint(planted)
    assert not ran(checkout)
    shutil.rmtree(checkout.code)
    list_net(checkout, net, package_digest(net.partition(":")[0]))
    load_checkpoint(planted)


def test_the_stages_that_build_a_net_list_its_code(project):
    checkout, net = project
    before = extension_digests(read_params(checkout.root))
    name_in_params(checkout, net)
    found = extension_digests(read_params(checkout.root))
    assert {stage for stage in found if f"net {net}" in found[stage]} == {"parent", "moments", "unlearn"}
    assert before == {}
    assert not ran(checkout)


@pytest.mark.parametrize("net", ["small_resnet", "torchvision:resnet18"])
def test_a_net_that_is_not_a_users_needs_no_leave(net, tmp_path):
    allow_net(net, tmp_path)
