"""Classes without a held-out image are forgotten like others: by retraining, and the certificate says why."""

import numpy as np
import pytest
import torch
from sequence import prepare, serve
from tiny import make_tiny
from world import FORGOTTEN, NOISE, SMALL

from flows.stages.split import split_data
from tasks.checkout.checkout import Checkout
from tasks.computing.materials import load_materials, views
from tasks.data.pool import Pool
from tasks.evidence.verification import verify_files
from tasks.requests.request_file import make_request, make_scope, submit_request

pytestmark = NOISE
HELD_OUT = {**FORGOTTEN, "measurement": "accuracy.audit.forget"}
POLICY = {**SMALL["policy"], "classes": [FORGOTTEN, HELD_OUT], "when_inconclusive": "accept_with_note"}


@pytest.fixture(scope="module")
def prepared(own_folders, tmp_path_factory):
    root = make_tiny(tmp_path_factory.mktemp("few") / "project", few=2, policy=POLICY)
    prepare(root)
    return Checkout(root)


@pytest.mark.long
def test_views_of_forgotten_classes_show_all_of_them_or_do_not_exist(prepared):
    for number, (classes, shown) in enumerate({("a",): True, ("few",): False, ("a", "few"): False}.items()):
        scope = make_scope(classes=classes, samples=(), subjects=())
        checkout = submit_request(prepared, make_request(f"v-{number}", scope, model="digits"))
        split_data(checkout)
        pool = Pool(checkout, torch.device("cpu"))
        found = views(checkout, pool)
        assert [(part, "forget") in found for part in ("audit", "test")] == [shown, shown]
        assert np.isin([0, 3], found["train", "forget"].labels.numpy()).tolist() == [
            "a" in classes,
            "few" in classes,
        ]
        tuning = load_materials(checkout, pool).tuning.forget
        assert (tuning is None) == ("a" not in classes)


@pytest.mark.long
def test_a_class_without_a_held_out_image_is_retrained_away(prepared):
    scope = make_scope(classes=("few",), samples=(), subjects=())
    record = serve(prepared.root, "r-few", scope)
    assert record.tried == ("retrain",)
    assert "Only a retrained model is accepted" in next(
        one.why for one in record.left_out if one.method == "svd"
    )
    assert record.accepted.verdict.verdict == "inconclusive"
    lacking = {one.measurement: one.lacking for one in record.accepted.verdict.findings}
    assert lacking["accuracy.audit.forget"] == "not every forgotten class has a sample in the audit split"
    assert verify_files(prepared.certificate("r-few"))
    page = prepared.report("r-few").read_text()
    assert "Not measured: not every forgotten class has a sample in the audit split" in page
