"""What the machine has to spare, and that a container's limits count."""

import os

import pytest

from tasks.computing import machine
from tasks.computing.machine import cores, disk_free_mib, memory_available_mib


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A container's folder, and a machine with 4 GiB available."""
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "CONTAINER", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(16)), raising=False)
    return tmp_path


def test_without_a_limit_all_cores_and_all_available_memory_count(container):
    assert cores() == 16
    assert memory_available_mib() == 4096


@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000", 16), ("250000 100000", 2), ("50000 100000", 1)]
)
def test_a_quota_of_cores_is_rounded_down_to_one_at_least(container, quota, expected):
    (container / "cpu.max").write_text(quota + "\n")
    assert cores() == expected


def test_a_limit_of_memory_counts_what_is_used_but_for_what_would_be_given_back(container):
    (container / "memory.max").write_text(f"{1024 * 2**20}\n")
    (container / "memory.current").write_text(f"{600 * 2**20}\n")
    (container / "memory.stat").write_text(f"anon 1\ninactive_file {100 * 2**20}\n")
    assert memory_available_mib() == 524


def test_a_limit_of_no_limit_is_none(container):
    (container / "memory.max").write_text("max\n")
    assert memory_available_mib() == 4096


def test_the_disk_of_a_folder_that_is_not_there_yet_is_its_parents(tmp_path):
    assert disk_free_mib(tmp_path / "not" / "yet") == pytest.approx(disk_free_mib(tmp_path), rel=0.1)
