"""What was served before, and where the next deletion starts."""

import shutil

import pytest
from world import NOISE, QUICK, content, files_of, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import read_values
from tasks.computing.checkpoints import CARD, WEIGHTS, save_checkpoint
from tasks.computing.training import UNWRITTEN
from tasks.data.datasets import (
    describe_dataset,
    manifest_of,
    read_card,
    rows_digest,
    write_dataset,
    write_retained,
)
from tasks.data.digits import make_digits
from tasks.lifecycle.releases import continue_from_champion, read_release
from tasks.lifecycle.standing import find_release
from tasks.requests.request_file import read_request
from tasks.tracking.registry import promote, register_model
from tasks.tracking.runs import deletion_run, tracking_of
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture, CheckpointCard
from unlearn_core.records.data import Normalisation
from unlearn_core.records.deletion import Outcome, Released
from unlearn_core.records.params import DigitsSource

pytestmark = NOISE

NORMALISATION = Normalisation(mean=(0.5,), std=(0.5,))


@pytest.fixture(scope="module")
def checkout(own_folders, tmp_path_factory):
    """A checkout whose last deletion is the champion: a net that nobody trained, and rows without threes."""
    found = Checkout(make_checkout(tmp_path_factory.mktemp("released") / "project"))
    table, classes = make_digits(DigitsSource())
    manifest = manifest_of(table, classes)
    shape = {"name": "digits", "input_shape": (1, 8, 8), "normalisation": NORMALISATION}
    write_dataset(found.dataset, table, describe_dataset(manifest, **shape))
    keep = manifest.labels != 3
    kept = manifest_of(table.filter(keep), classes)
    whole = rows_digest(manifest)
    write_retained(found.retained, found.dataset, keep, describe_dataset(kept, **shape, lineage=(whole,)))
    outcome = released_model(found, data=whole, retained=rows_digest(kept))
    released = Released(
        outcome=outcome,
        registered_model="digits",
        registered_version=1,
        certificate="evidence/demo/certificate.dsse.json",
        certificate_digest=content("certificate"),
        run="run",
    )
    write_record(found.evidence("demo") / "released.json", released)
    (found.root / released.certificate).write_bytes(b"{}")
    return found


def released_model(checkout, *, data, retained):
    """Register an untrained net as what came of the request."""
    architecture = Architecture(name="small_resnet", classes=tuple("0123456789"), input_shape=(1, 8, 8))
    card = CheckpointCard(
        architecture=architecture,
        normalisation=NORMALISATION,
        weights=UNWRITTEN,
        data=retained,
        seed=0,
        threads=1,
        recipe=QUICK,
    )
    card = save_checkpoint(checkout.unlearned, build_seeded(architecture, 0), card)
    scope = read_request(checkout, "demo").scope_digest
    run = deletion_run(tracking_of(checkout), request_id="demo", key=content("key"))
    version = register_model(
        run,
        "digits",
        weights=checkout.unlearned / WEIGHTS,
        card=checkout.unlearned / CARD,
        key=content("key"),
        tags={"lethe.request": "demo", "lethe.scope": scope, "lethe.data": data},
    )
    promote(run.tracking, "digits", version.version)
    return Outcome(
        request="demo",
        deletion=content("deletion"),
        data=data,
        retained=retained,
        parent=content("parent"),
        model=card.weights,
        method="svd",
        verdict="passes",
        level="E1",
        policy=content("policy"),
        note=None,
    )


@pytest.fixture(autouse=True)
def settings(checkout):
    """Give every test the settings as they were."""
    path = checkout.root / "params.yaml"
    before = path.read_bytes()
    yield
    path.write_bytes(before)


def test_a_served_request_is_found(checkout):
    assert find_release(checkout, "demo") == read_release(checkout, "demo")


def test_a_request_without_evidence_was_not_served(checkout):
    assert find_release(checkout, "r-17") is None


def test_a_request_without_its_certificate_was_not_served(checkout):
    path = checkout.evidence("demo") / "certificate.dsse.json"
    path.rename(path.with_suffix(".gone"))
    try:
        assert find_release(checkout, "demo") is None
    finally:
        path.with_suffix(".gone").rename(path)


def test_a_request_on_other_data_was_not_served(checkout):
    checkout = checkout.changed({"dataset": {"source": "digits", "seed": 1}})
    assert find_release(checkout, "demo") is None


def test_a_request_with_another_scope_was_not_served(checkout):
    path = checkout.request("demo")
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"3"', b'"4"'))
    try:
        assert find_release(checkout, "demo") is None
    finally:
        path.write_bytes(before)


def test_the_champion_and_its_data_become_the_start_of_the_next(checkout):
    outcome = read_release(checkout, "demo").outcome
    model, data = (checkout.root / folder for folder in continue_from_champion(checkout))
    params = read_values(checkout.root)
    assert params["parent"] == {"source": "champion", "weights": outcome.model}
    assert params["dataset"] == {"source": "retained", "rows_digest": outcome.retained}
    assert files_of(model) == relocated(checkout.unlearned, model)
    assert files_of(data) == relocated(checkout.retained, data)


def relocated(source, target):
    """Return the files of one folder as they would be called in another."""
    return {path.replace(str(source), str(target)): raw for path, raw in files_of(source).items()}


def test_what_the_next_starts_from_is_tracked_for_git(checkout):
    for folder in continue_from_champion(checkout):
        assert (checkout.root / f"{folder}.dvc").is_file()


def test_continuing_twice_changes_nothing(checkout):
    continue_from_champion(checkout)
    folders = [checkout.root / name for name in ("models", "data", "requests")]
    before = files_of(*folders), (checkout.root / "params.yaml").read_bytes()
    continue_from_champion(checkout)
    assert (files_of(*folders), (checkout.root / "params.yaml").read_bytes()) == before


def test_a_request_that_led_to_the_present_data_is_still_served(checkout):
    continue_from_champion(checkout)
    assert find_release(checkout, "demo") == read_release(checkout, "demo")


def test_the_retained_data_remember_where_they_come_from(checkout):
    card = read_card(checkout.root / continue_from_champion(checkout)[1])
    assert card.lineage == (read_card(checkout.dataset).rows_digest,)


def test_a_deletion_that_is_not_the_champion_is_no_start(checkout):
    checkout = checkout.changed({"registry": {"model": "another"}})
    before = files_of(checkout.root / "models", checkout.root / "data")
    with pytest.raises(PipelineError, match="the champion of 'another' is none; finish it first"):
        continue_from_champion(checkout)
    assert files_of(checkout.root / "models", checkout.root / "data") == before


def test_the_retained_data_of_another_request_are_no_start(checkout):
    before = (checkout.root / "params.yaml").read_bytes()
    retained = checkout.retained.rename(checkout.retained.with_name("kept"))
    shutil.copytree(checkout.dataset, checkout.retained)
    try:
        with pytest.raises(PipelineError, match="a later request wrote them and was not accepted"):
            continue_from_champion(checkout)
    finally:
        shutil.rmtree(checkout.retained)
        retained.rename(checkout.retained)
    assert (checkout.root / "params.yaml").read_bytes() == before


def test_an_altered_model_is_no_start(checkout):
    path = checkout.unlearned / WEIGHTS
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + b"?")
    try:
        with pytest.raises(PipelineError, match="its card says"):
            continue_from_champion(checkout)
    finally:
        path.write_bytes(raw)


def test_before_the_first_deletion_there_is_no_start(tmp_path):
    with pytest.raises(SetupError, match="no deletion has been accepted"):
        continue_from_champion(Checkout(tmp_path))
