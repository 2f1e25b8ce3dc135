"""A deletion whose certificate is stamped later, witnessed, stored and verified, and what lies beside it.

Each of these must turn red: an authority that is away and stops a deletion; a stamp or a witness that does
not reach the bucket; a false stamp that a verifier passes; a released model that OpenSSF refuses.
"""

import json
import shutil

import pytest
from model_signing.verifying import Config
from sequence import of_class, serve
from templates import prepared_checkout
from world import NOISE, lethe

from flows.stages.certify import certify
from tasks.checkout.checkout import Checkout, short
from tasks.evidence.anchoring import believed_authorities, read_stamp, stamp_of
from tasks.evidence.stored import verify_stored
from tasks.evidence.witnessing import countersign
from tasks.keys.folder import home, init_keys
from tasks.keys.releasing import release_key, release_pem
from tasks.keys.signing import load_signer
from tasks.keys.trust import trust_key
from tasks.lifecycle.releases import read_release
from tasks.storage.object_store import find_store
from unlearn_core.errors import EvidenceError

pytestmark = [*NOISE, pytest.mark.long]

REQUEST = "r-17"
FALSE = 6


@pytest.fixture(scope="module")
def served(own_folders, authorities, tmp_path_factory):
    """A checkout that has served a request while its time stamp authority did not answer."""
    root = prepared_checkout(tmp_path_factory.mktemp("anchored") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_TSA_URL", authorities[0].url)
        patch.setenv("LETHE_TSA_CA", str(authorities[0].root))
        authorities[0].says = (503, b"")
        serve(root, REQUEST, of_class("3"))
        authorities[0].says = None
    return root


def given(root, *arguments):
    code, out, err = lethe(root, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_deletion_is_served_without_its_authority_and_certified_again_with_it(served, copy, notary):
    assert not stamp_of(Checkout(served).certificate(REQUEST)).exists()
    certify(Checkout(copy))
    certificate = Checkout(copy).certificate(REQUEST)
    stamp = stamp_of(certificate).read_bytes()
    anchor = read_stamp(stamp, certificate.read_bytes(), believed_authorities())
    assert anchor.authority == "C=XX,CN=A Notary"


def witnessed(certificate, folder):
    """Countersign a certificate as somebody with a key folder of their own does."""
    issuer = shutil.copy(home() / "signing.pub", folder / "issuer.pub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_HOME", str(folder / "witness"))
        init_keys(home())
        trust_key(issuer)
        return countersign(certificate)[0]


def test_a_stamp_and_a_witness_that_come_later_reach_the_bucket(copy, notary, bucket, s3, tmp_path):
    certificate = Checkout(copy).certificate(REQUEST)
    given(copy, "evidence", "push", REQUEST)
    stamped = given(copy, "evidence", "stamp", REQUEST)
    assert stamped["certificate.dsse.json"]["authority"] == "C=XX,CN=A Notary"
    place = witnessed(certificate, tmp_path)
    assert given(copy, "evidence", "push", REQUEST)["sent"] == [place.name]
    folder = f"audit/digits/{REQUEST}/{short(read_release(Checkout(copy), REQUEST).certificate_digest)}"
    stored = s3.objects(bucket)
    for path in (certificate.with_name("certificate.tsr"), place):
        assert stored[f"{folder}/{path.name}"] == path.read_bytes()
    given(copy, "evidence", "verify", REQUEST)
    (one,) = verify_stored(find_store(), "digits", REQUEST)
    assert one.request.id == REQUEST
    other = {"Bucket": bucket, "Key": f"{folder}/certificate.tsr", "Body": b"another's"}
    s3.client.put_object(**other)
    with pytest.raises(EvidenceError, match="time stamp"):
        verify_stored(find_store(), "digits", REQUEST)
    s3.client.delete_object(Bucket=bucket, Key=f"{folder}/certificate.tsr")
    code, _, err = lethe(copy, "evidence", "verify", REQUEST)
    assert code == FALSE
    assert "certificate.tsr is missing from the store" in err


def test_a_false_stamp_is_found_where_the_whole_checkout_is_verified(copy, notary):
    given(copy, "evidence", "stamp", REQUEST)
    place = Checkout(copy).certificate(REQUEST).with_name("certificate.tsr")
    place.write_bytes(place.read_bytes()[:-1] + b"\0")
    code, _, err = lethe(copy, "verify")
    assert code == FALSE
    assert "time stamp" in err


def test_a_released_model_has_papers_that_others_can_read(served, tmp_path):
    checkout = Checkout(served)
    (public := tmp_path / "release.pub").write_bytes(release_pem(release_key(load_signer()).public_key()))
    verifier = Config().use_elliptic_key_verifier(public_key=public)
    verifier.verify(checkout.unlearned, checkout.evidence(REQUEST) / "model.sig")
    bill = json.loads((checkout.evidence(REQUEST) / "bom.cdx.json").read_bytes())
    assert bill["metadata"]["component"]["version"] == str(read_release(checkout, REQUEST).registered_version)
    assert given(served, "keys", "export", "--release")["public_key"] == public.read_text()


def test_papers_belong_to_the_evidence_and_a_change_to_them_is_found(copy, bucket, s3):
    sent = given(copy, "evidence", "push", REQUEST)["sent"]
    assert {"model.sig", "bom.cdx.json"} < {*sent}
    (Checkout(copy).evidence(REQUEST) / "bom.cdx.json").write_text("{}")
    code, _, err = lethe(copy, "evidence", "verify", REQUEST)
    assert code == FALSE
    assert "bom.cdx.json differs" in err
