"""Runs in MLflow that a killed command left open: the next one ends them, or continues them."""

import subprocess
import sys

import pytest
from world import make_checkout

from tasks.checkout.checkout import Checkout
from tasks.tracking.cut_short import close_killed_runs, close_own_runs
from tasks.tracking.runs import deletion_run, end_run, tracking_of

KEYS = ("sha256:" + "0" * 64, "sha256:" + "1" * 64)
BEGIN = """
import os, sys; from pathlib import Path
from tasks.checkout.checkout import Checkout
from tasks.tracking.runs import deletion_run, end_run, tracking_of
tracking = tracking_of(Checkout(Path(sys.argv[1])))
end_run(deletion_run(tracking, request_id='r-1', key=sys.argv[2]), 'FINISHED')
deletion_run(tracking, request_id='r-2', key=sys.argv[3])
os._exit(9)
"""


@pytest.fixture
def checkout(own_folders, tmp_path):
    """One that a command was working in when it was killed."""
    made = Checkout(make_checkout(tmp_path / "project"))
    subprocess.run([sys.executable, "-c", BEGIN, str(made.root), *KEYS], check=False)
    return made


def statuses(checkout):
    tracking = tracking_of(checkout)
    found = tracking.client.search_runs([tracking.experiment_id])
    return {run.info.run_name: run.info.status for run in found}


def test_what_a_killed_command_left_open_is_ended_and_continued(checkout):
    assert statuses(checkout) == {"delete r-1": "FINISHED", "delete r-2": "RUNNING"}
    close_killed_runs(checkout)
    assert statuses(checkout) == {"delete r-1": "FINISHED", "delete r-2": "KILLED"}
    again = deletion_run(tracking_of(checkout), request_id="r-2", key=KEYS[1])
    assert statuses(checkout)["delete r-2"] == "RUNNING"
    close_killed_runs(checkout)
    assert statuses(checkout)["delete r-2"] == "RUNNING"
    end_run(again, "FINISHED")


def test_a_command_that_is_interrupted_ends_its_own_and_no_other(checkout):
    deletion_run(tracking_of(checkout), request_id="r-3", key="sha256:" + "2" * 64)
    close_own_runs(checkout)
    assert statuses(checkout) == {"delete r-1": "FINISHED", "delete r-2": "RUNNING", "delete r-3": "KILLED"}
