"""Requests that were imported together are served by few runs, each with its own certificate."""

import json

import pytest
from tiny import prepared_tiny
from world import NOISE, SMALL, lethe

from tasks.checkout.checkout import Checkout
from tasks.requests.ledger.ledger import connect
from tasks.requests.request_file import preview_manifest

pytestmark = [*NOISE, pytest.mark.long]

COUNT, AT_MOST = 7, 4
POLICY = {**SMALL["policy"], "batch": {"wait_h": 48, "at_most": AT_MOST}}


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """A project in which seven imported requests, each for a sample, were served by one command."""
    root = prepared_tiny(tmp_path_factory.mktemp("few") / "project", policy=POLICY)
    manifest = preview_manifest(Checkout(root))
    samples = manifest.sample_ids[manifest.splits == "train"][:COUNT]
    rows = [f"r-{n},sample,{sample}" for n, sample in enumerate(samples)]
    path = root.parent / "requests.csv"
    path.write_text("\n".join(["id,kind,name", *rows]) + "\n")
    assert lethe(root, "request", "import", str(path))[0] == 0
    code, out, _ = lethe(root, "pending", "--json")
    assert (code, json.loads(out)) == (0, {"served": COUNT, "waiting": 0})
    return Checkout(root)


def test_as_few_runs_as_the_policy_allows_serve_them(served):
    ledger = connect(served.root)
    events = [event for n in range(COUNT) for event in ledger.history(f"r-{n}")[1]]
    assert sum(event.action == "complete" for event in events) == COUNT
    assert len(list((served.root / "requests").glob("group-*.json"))) == -(-COUNT // AT_MOST)
    ledger.verify()


def test_each_has_its_own_certificate(served):
    released = {json.loads(served.released(f"r-{n}").read_text())["certificate_digest"] for n in range(COUNT)}
    assert len(released) == COUNT
    assert all(served.certificate(f"r-{n}").is_file() for n in range(COUNT))
