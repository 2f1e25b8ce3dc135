"""The flow ``verify``: what it looks for in a checkout, and what it believes."""

import json
import shutil

import pytest
from world import NOISE, ROOT, lethe

from tasks.keys.folder import home
from unlearn_core.records.base import canonical_json

pytestmark = [*NOISE, pytest.mark.usefixtures("prefect_server")]

GOLDEN = ROOT / "tests" / "golden"
NAME = "erase-2025-03"


@pytest.fixture
def checked(tmp_path, project, monkeypatch):
    """Return a checkout with one good certificate, of a trusted issuer."""
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    (home() / "trusted").mkdir(parents=True)
    shutil.copy(GOLDEN / "certificate-v1.pub", home() / "trusted")
    root = tmp_path / "project"
    shutil.copytree(project / ".git", root / ".git")
    for path in project.glob("*.yaml"):
        shutil.copy(path, root)
    (root / "evidence" / NAME).mkdir(parents=True)
    shutil.copy(GOLDEN / "certificate-v1.dsse.json", root / "evidence" / NAME / "certificate.dsse.json")
    return root


def test_a_certificate_is_verified_without_the_record_of_its_release(checked):
    code, out, err = lethe(checked, "verify", "--json")
    assert code == 0, err
    assert [(one["request"], one["result"]) for one in json.loads(out)] == [(NAME, "verified")]


def test_a_certificate_in_another_requests_place_is_false(checked):
    shutil.copytree(checked / "evidence" / NAME, checked / "evidence" / "r-1")
    code, _, err = lethe(checked, "verify")
    assert code == 6
    assert f"r-1: the certificate is about request {NAME}" in err


def test_a_release_whose_certificate_is_gone_is_named(checked):
    (checked / "evidence" / "r-1").mkdir()
    (checked / "evidence" / "r-1" / "released.json").write_bytes(canonical_json({}))
    code, _, err = lethe(checked, "verify")
    assert code == 6
    assert "1 of 2 certificates are false" in err
    assert "r-1: the certificate is missing" in err


def test_an_altered_certificate_is_false_and_the_others_are_listed(checked):
    path = checked / "evidence" / NAME / "certificate.dsse.json"
    path.write_bytes(path.read_bytes()[:-3])
    code, _, err = lethe(checked, "verify")
    assert code == 6
    assert f"  {NAME}: " in err
