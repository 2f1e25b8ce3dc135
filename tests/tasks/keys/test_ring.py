"""Pseudonym keys of tenants: rotated without losing what must match, and destroyed with all that they made.

Each of these must turn red: a request, tombstone or receipt that a rotation breaks; a key that is nowhere in
between; a tenant whose key opens another's; a shredded key from which anything still follows.
"""

import stat

import numpy as np
import pytest
from world import lethe, manifest

from tasks.keys.folder import home, init_keys, load_pseudonym_key
from tasks.keys.marks import marks_of, open_looks, seal_looks
from tasks.keys.ring import pseudonym_keys, rotate_pseudonym_key, shred_pseudonym_keys, shredded_keys
from tasks.keys.signing import pseudonymise
from tasks.requests.request_file import make_scope, pseudonymiser
from unlearn_core.errors import MisfitError, SetupError
from unlearn_core.selection import rows_named

ROWS = manifest("aabbcc", "rrrrrr", subjects="x-yzz-")


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    """A key folder of the test's own."""
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "keys"))
    init_keys(home())
    return home()


@pytest.fixture
def tenant(monkeypatch):
    """Switch to a tenant, whose key is made when it is missing."""

    def switch(name):
        monkeypatch.setenv("LETHE_TENANT", name)
        init_keys(home())

    return switch


def of(*, samples=(), subjects=()):
    return make_scope(classes=(), samples=samples, subjects=subjects)


def rows(scope):
    return np.flatnonzero(rows_named(scope, ROWS, pseudonymiser(scope))).tolist()


def test_a_request_from_before_a_rotation_means_the_same_rows(keys):
    person, sample = of(subjects=("z",)), of(samples=("row-002",))
    for _ in range(3):
        rotate_pseudonym_key()
    assert (rows(person), rows(sample)) == ([3, 4], [2])
    assert of(subjects=("z",)) != person
    assert rows(of(subjects=("z",))) == [3, 4]


def test_a_rotation_keeps_each_key_and_only_for_its_owner(keys):
    first = load_pseudonym_key()
    old, new = rotate_pseudonym_key()
    assert pseudonym_keys()[1:] == (first,)
    assert load_pseudonym_key() != first
    assert old != new
    kept = [keys / "pseudonym.key", *(keys / "retired").iterdir()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600, 0o600]
    assert stat.S_IMODE((keys / "retired").stat().st_mode) == 0o700


def test_a_rotation_that_is_cut_short_loses_no_key(keys, monkeypatch):
    first, write = load_pseudonym_key(), __import__("tasks.keys.ring", fromlist=["write_key"]).write_key

    def once(path, *arguments, **options):
        if path.name == "pseudonym.key":
            raise KeyboardInterrupt
        return write(path, *arguments, **options)

    monkeypatch.setattr("tasks.keys.ring.write_key", once)
    with pytest.raises(KeyboardInterrupt):
        rotate_pseudonym_key()
    assert pseudonym_keys() == (first,)


def test_a_key_from_the_environment_is_rotated_where_it_is_kept(keys, monkeypatch):
    monkeypatch.setenv("LETHE_PSEUDONYM_KEY", "ab" * 32)
    with pytest.raises(SetupError, match="where it is kept"):
        rotate_pseudonym_key()
    with pytest.raises(SetupError, match="where it is kept"):
        shred_pseudonym_keys(only_retired=False, really=True)


def test_after_shredding_the_retired_keys_only_what_they_made_is_lost(keys):
    before = of(subjects=("z",))
    rotate_pseudonym_key()
    after = of(subjects=("z",))
    (gone,) = shred_pseudonym_keys(only_retired=True, really=True)
    assert [one.key for one in shredded_keys()] == [gone]
    assert rows(after) == [3, 4]
    with pytest.raises(MisfitError):
        rows(before)


def everything(key):
    """Return what a key makes of each name and picture of the data."""
    names = {*ROWS.sample_ids.tolist(), *ROWS.subject_ids.tolist()}
    made = {pseudonymise(key, kind, name) for kind in ("sample", "subject") for name in names}
    return made | set(marks_of(key, ROWS.contents))


def test_a_shredded_tenants_pseudonyms_and_tombstones_follow_from_nothing_that_is_left(keys, tenant):
    tenant("acme")
    pseudonyms, marks = {*of(subjects=("z",)).names}, {*marks_of(load_pseudonym_key(), ROWS.contents)}
    sealed = seal_looks(load_pseudonym_key(), np.arange(3, dtype=np.uint64), about=b"r-1")
    rotate_pseudonym_key()
    shred_pseudonym_keys(only_retired=False, really=True)
    with pytest.raises(SetupError, match="cannot read the key"):
        pseudonym_keys()
    tenant("acme")  # a new key takes nothing back
    tenant("globex")
    left = [bytes.fromhex(path.read_text()) for path in keys.rglob("*.key") if path.name != "signing.key"]
    assert len(left) == 3
    for key in left:
        assert not (pseudonyms | marks) & everything(key)
        with pytest.raises(SetupError, match="do not open"):
            open_looks(key, sealed, about=b"r-1")


def test_no_tenants_key_matches_or_loses_what_anothers_made(keys, tenant):
    tenant("acme")
    theirs = of(subjects=("z",))
    tenant("globex")
    ours = of(subjects=("z",))
    with pytest.raises(MisfitError):
        rows(theirs)
    tenant("acme")
    shred_pseudonym_keys(only_retired=False, really=True)
    tenant("globex")
    assert rows(ours) == [3, 4]


def test_the_commands_say_what_would_be_destroyed_before_anything_is(keys, tmp_path):
    code, out, err = lethe(tmp_path, "keys", "rotate")
    assert (code, err) == (0, "")
    assert out.startswith("retired      sha256:")
    code, out, _ = lethe(tmp_path, "keys", "shred", "--retired")
    assert code == 0
    assert "nothing was destroyed; add --yes" in out
    assert len(pseudonym_keys()) == 2
    assert lethe(tmp_path, "keys", "shred")[0] == 2
    assert lethe(tmp_path, "keys", "shred", "--retired", "--yes")[0] == 0
    assert len(pseudonym_keys()) == 1
    assert not list((keys / "retired").iterdir())


def test_a_tenant_is_a_name_and_no_path(keys, monkeypatch):
    monkeypatch.setenv("LETHE_TENANT", "../others")
    with pytest.raises(SetupError, match="LETHE_TENANT"):
        load_pseudonym_key()
