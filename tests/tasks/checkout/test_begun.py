"""What commands note before they begin it, and who closes it."""

import subprocess
import sys

import pytest

from tasks.checkout.begun import checkouts_noted, close_noted, note_begun, noted_here

NOTE = """
import sys; from pathlib import Path; from tasks.checkout.begun import note_begun
note_begun(Path(sys.argv[1]), 'mlflow', 'an earlier one')
note_begun(Path(sys.argv[1]), 'prefect', 'another')
"""


def closed(root, service):
    found = []
    close_noted(root, service, found.extend)
    return found


def test_what_another_process_noted_is_closed_once(tmp_path):
    subprocess.run([sys.executable, "-c", NOTE, str(tmp_path)], check=True)
    note_begun(tmp_path, "mlflow", "this one")
    assert closed(tmp_path, "mlflow") == ["an earlier one"]
    assert closed(tmp_path, "mlflow") == []
    assert closed(tmp_path, "prefect") == ["another"]


def test_what_could_not_be_closed_is_closed_later(tmp_path):
    subprocess.run([sys.executable, "-c", NOTE, str(tmp_path)], check=True)

    def fail(_left):
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        close_noted(tmp_path, "mlflow", fail)
    assert closed(tmp_path, "mlflow") == ["an earlier one"]


def test_a_process_knows_what_it_has_noted(tmp_path):
    for _ in range(2):
        note_begun(tmp_path, "prefect", "this one")
    assert noted_here(tmp_path, "prefect") == ("this one",)
    assert tmp_path.resolve() in checkouts_noted()
    assert closed(tmp_path, "prefect") == []
