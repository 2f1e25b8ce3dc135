"""The deployment ``purge``: what is due goes, and what is not stays.

Each of these must turn red: a purge before the time of grace, or of what is held; one whose result other
machines do not get; a worker of the other pool that erases.
"""

import json

import pytest
from company import POLICY

from tasks.checkout.checkout import Checkout

pytestmark = [pytest.mark.services, pytest.mark.long]

PURGE = {
    "r-due": ("due", {"grace_h": 0}),
    "r-held": ("held", {"grace_h": 0}),
    "r-early": ("early", {"grace_h": 720}),
}


@pytest.fixture(scope="module")
def purged(company):
    """Three requests on three models, of which one is due: it is held, or was served too recently."""
    for _, (model, policy) in PURGE.items():
        company.add_model(model, policy={**POLICY, "purge": policy})
    with company.schedule(every_s=86_400):
        pass
    with company.stack.worker("serving"):
        for request_id, (model, _) in PURGE.items():
            company.submit(request_id, "3", model=model)
        company.completed(*PURGE)
    company.lethe("request", "hold", "r-held", "--reason", "a court asks for it")
    before = {model: objects(company, model) for model, _ in PURGE.values()}
    with company.stack.worker("purging", service="purger"):
        started = company.start("purge", {})
        assert started.status_code == 201, started.text
        run = company.ended(started.json()["id"])
        again = company.ended(company.start("purge", {}).json()["id"])
    return run, again, before


def clone(company, model):
    return Checkout(company.stack.folder / "volumes/work" / model)


def objects(company, model):
    """Return the digests of what the clone's DVC files and lock name."""
    folder = clone(company, model).root / "data/generations"
    return sorted(one.name for one in folder.glob("*.dvc"))


def test_what_is_due_is_purged_and_proven_and_the_rest_is_left(company, purged):
    run, again, _ = purged
    assert run["state"]["type"] == "COMPLETED", company.stack.log("worker-purging")
    assert again["state"]["type"] == "COMPLETED"
    inventories = {
        name: clone(company, model).inventory(name).is_file() for name, (model, _) in PURGE.items()
    }
    assert inventories == {"r-due": True, "r-held": False, "r-early": False}
    record = json.loads(clone(company, "due").purge_record("r-due").read_text())
    assert record["proved"]
    assert not clone(company, "early").purge_record("r-early").exists()
    assert [event.action for event in company.request("r-early")[1]][-1] == "complete"
    actions = [event.action for event in company.request("r-due")[1]]
    assert "purge" in actions
    # The second run found nothing to do.
    assert (run["name"], again["name"]) == ("purge · 1 purged", "purge · 0 purged")


def test_the_next_request_is_served_from_what_the_purge_left(company, purged):
    with company.stack.worker("after"):
        company.submit("r-next", "5", model="due")
        company.completed("r-next")
    assert [event.action for event in company.request("r-next")[1]][-1] == "complete"


def test_the_inventory_is_with_the_evidence_and_the_commit_is_pushed(company, purged):
    assert any("/inventory-" in f"/{path}" for path in company.evidence("due", "r-due"))
    assert not any("inventory" in path for path in company.evidence("early", "r-early"))
