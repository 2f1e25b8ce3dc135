"""DVC through its own API: what is current, what is pinned, what a lock says."""

import sys

import pytest
from templates import dvc_repository
from world import run

from tasks.storage.versioning import is_current, is_pinned, lock_digest, pin, track
from unlearn_core.errors import PipelineError, SetupError

# DVC's own trees of paths.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value will soon raise:DeprecationWarning")

STAGE = """
stages:
  copy:
    cmd: {python} -c "open('out', 'w').write(open('in').read())"
    deps: [in]
    outs: [out]
  certify:
    cmd: {python} -c "open('signed', 'w').write(open('out').read())"
    deps: [out]
    outs: [signed]
"""


@pytest.fixture
def root(tmp_path):
    """A checkout of two stages."""
    folder = dvc_repository(tmp_path / "checkout")
    (folder / "dvc.yaml").write_text(STAGE.format(python=sys.executable))
    (folder / "in").write_text("1")
    return folder


def work(root, name="out", text="1"):
    (root / name).write_text(text)


def test_a_stage_that_never_ran_is_not_current(root):
    assert not is_current(root, "copy")


def test_a_pinned_stage_is_current(root):
    work(root)
    pin(root, "copy")
    assert is_current(root, "copy")


def test_an_output_is_pinned_as_it_is_whatever_happened_to_what_it_was_made_from(root):
    assert not is_pinned(root, root / "out")
    work(root)
    assert not is_pinned(root, root / "out")
    pin(root, "copy")
    work(root, "in", "2")
    assert is_pinned(root, root / "out")
    work(root, "out", "2")
    assert not is_pinned(root, root / "out")
    (root / "out").unlink()
    assert not is_pinned(root, root / "out")


@pytest.mark.parametrize("name", ["in", "out"])
def test_a_stage_whose_files_changed_is_not_current(root, name):
    work(root)
    pin(root, "copy")
    work(root, name, "2")
    assert not is_current(root, "copy")


def test_pinning_writes_the_lock_that_a_reproduction_writes(root):
    work(root)
    pin(root, "copy")
    pinned = (root / "dvc.lock").read_bytes()
    (root / "dvc.lock").unlink()
    (root / "out").unlink()
    done = run(root, "dvc", "repro", "--force", "--no-run-cache", "copy")
    assert done.returncode == 0, done.stderr
    assert (root / "dvc.lock").read_bytes() == pinned


def test_a_stage_without_its_output_cannot_be_pinned(root):
    with pytest.raises(PipelineError, match="DVC: "):
        pin(root, "copy")


def test_a_stage_that_is_not_there_is_named(root):
    with pytest.raises(PipelineError, match="paint"):
        is_current(root, "paint")


def test_outside_of_dvc_it_says_what_to_do(tmp_path):
    with pytest.raises(SetupError, match="is not a DVC repository; run `dvc init`"):
        is_current(tmp_path, "copy")


def test_a_tracked_folder_has_a_file_for_git_beside_it(root):
    (root / "data").mkdir()
    work(root, "data/file")
    track(root, root / "data")
    assert (root / "data.dvc").is_file()


def test_there_is_no_digest_without_a_lock(root):
    with pytest.raises(PipelineError, match=r"dvc\.lock does not exist"):
        lock_digest(root)


def test_the_digest_of_a_lock_is_of_all_stages_but_certification(root):
    work(root)
    pin(root, "copy")
    before = lock_digest(root)
    work(root, "signed")
    pin(root, "certify")
    assert lock_digest(root) == before
    work(root, "in", "2")
    pin(root, "copy")
    assert lock_digest(root) != before


def test_the_digest_of_a_lock_does_not_know_how_it_was_laid_out(root):
    work(root)
    pin(root, "copy")
    before = lock_digest(root)
    with (root / "dvc.lock").open("a") as stream:
        stream.write("\n# A remark.\n")
    assert lock_digest(root) == before


@pytest.mark.parametrize("left", [b"", b'{"write": {"/a'])
def test_a_process_that_was_ended_while_dvc_wrote_its_locks_stops_nobody(root, left):
    """DVC empties the file before it writes it, so that is what a signal or a power failure leaves."""
    work(root)
    (root / ".dvc" / "tmp").mkdir(exist_ok=True)
    (root / ".dvc" / "tmp" / "rwlock").write_bytes(left)
    pin(root, "copy")
    assert is_current(root, "copy")
