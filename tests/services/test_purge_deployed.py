"""The deployment ``purge``: what is due goes, and what is not stays.

Each of these must turn red: a purge before the time of grace, or of what is held; a proof that
passes while another model's clone has the same images.
"""

import pytest
from company import POLICY

from tasks.checkout.checkout import Checkout
from tasks.evidence.purged import written_purge

# Minutes, on services that it leaves with the same images in several models.
pytestmark = [pytest.mark.services, pytest.mark.slow]

PURGE = {
    "r-due": ("due", {"grace_h": 0}),
    "r-held": ("held", {"grace_h": 0}),
    "r-early": ("early", {"grace_h": 720}),
}


@pytest.fixture(scope="module")
def purged(company):
    """Three requests on three models with the same images: one is due, one is held, one was served lately."""
    for _, (model, policy) in PURGE.items():
        company.add_model(model, policy={**POLICY, "purge": policy})
    with company.schedule(every_s=86_400):
        pass
    with company.stack.worker("serving"):
        for request_id, (model, _) in PURGE.items():
            company.submit(request_id, "3", model=model)
        company.completed(*PURGE)
    company.lethe("request", "hold", "r-held", "--reason", "a court asks for it")
    with company.stack.worker("purging", service="purger"):
        started = company.start("purge", {})
        assert started.status_code == 201, started.text
        run = company.ended(started.json()["id"])
        again = company.ended(company.start("purge", {}).json()["id"])
    return run, again


def clone(company, model):
    return Checkout(company.stack.folder / "volumes/work" / model)


def test_what_is_due_is_purged_and_the_rest_is_left(company, purged):
    log = company.stack.log("worker-purging")
    record = written_purge(clone(company, "due"), "r-due")
    assert record is not None, log
    assert record.finished is not None, log
    assert "purge" in [event.action for event in company.request("r-due")[1]]
    for request_id in ("r-held", "r-early"):
        model, _ = PURGE[request_id]
        assert not clone(company, model).purge_record(request_id).exists()
        assert "purge" not in [event.action for event in company.request(request_id)[1]]
    assert "r-held: held since" in log
    assert "r-early: kept until" in log


def test_the_proof_names_the_same_images_in_the_clones_of_other_models(company, purged):
    run, again = purged
    assert (run["state"]["type"], again["state"]["type"]) == ("FAILED", "FAILED")
    assert "workers: early/.dvc/cache/" in company.stack.log("worker-purging")
    assert not clone(company, "due").inventory("r-due").exists()
