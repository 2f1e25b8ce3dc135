"""Several ranks make of one deletion what one process makes of it; started by torchrun, on loopback."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import unlearning_on_ranks
from safetensors.torch import load_file
from torch import Tensor, nn
from unlearning_on_ranks import METHODS, results
from world import ROOT

from unlearn_core.data import Samples
from unlearn_core.data_parallel import data_parallel
from unlearn_core.ranks import gathered, own_part, own_rank, share, total, world_size

PROGRAM = str(Path(unlearning_on_ranks.__file__))
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
Results = dict[str, Tensor]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program on two ranks, and see that nothing of it is left."""
    command = [*TORCHRUN, PROGRAM, *arguments]
    started = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    told, _ = started.communicate(timeout=300)
    assert still_running(*arguments) == []
    return subprocess.CompletedProcess(command, started.returncode, told)


def still_running(*arguments: str) -> list[str]:
    """Return the command lines of processes that run the program with such arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if PROGRAM in line and {*arguments} <= {*line}:
            found.append(" ".join(line))
    return found


@pytest.fixture(scope="module")
def alone() -> Results:
    return results()


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> list[Results]:
    folder = tmp_path_factory.mktemp("ranks")
    done = run(str(folder))
    assert done.returncode == 0, done.stdout
    return [load_file(folder / f"{number}.safetensors") for number in range(2)]


def of(found: Results, start: str) -> Results:
    chosen = {name: tensor for name, tensor in found.items() if name.startswith(start)}
    assert chosen
    return chosen


def difference(mine: Tensor, theirs: Tensor) -> float:
    return float((mine.double() - theirs.double()).norm() / theirs.double().norm())


@pytest.mark.long
def test_all_ranks_end_with_the_same_bits(together: list[Results]) -> None:
    first, second = together
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


@pytest.mark.long
def test_second_moments_are_those_of_one_process(alone: Results, together: list[Results]) -> None:
    for name, moment in of(alone, "moments.").items():
        assert difference(together[0][name], moment) <= 1e-12
    assert torch.equal(together[0]["positions"], alone["positions"])


@pytest.mark.long
def test_measurements_are_exactly_those_of_one_process(alone: Results, together: list[Results]) -> None:
    assert bytes(together[0]["evaluation"].tolist()) == bytes(alone["evaluation"].tolist())


@pytest.mark.long
@pytest.mark.parametrize("name", METHODS)
def test_a_method_finds_the_weights_of_one_process(
    alone: Results, together: list[Results], name: str
) -> None:
    for key, tensor in of(alone, f"weights.{name}.").items():
        assert difference(together[0][key], tensor) <= 1e-4, key


@pytest.mark.long
@pytest.mark.parametrize("name", METHODS)
def test_a_method_chooses_and_is_judged_as_in_one_process(
    alone: Results, together: list[Results], name: str
) -> None:
    for what in ("method", "verdict"):
        mine, theirs = (bytes(found[f"{what}.{name}"].tolist()) for found in (together[0], alone))
        assert mine == theirs


@pytest.mark.long
def test_random_numbers_are_left_where_one_process_leaves_them(
    alone: Results, together: list[Results]
) -> None:
    assert torch.equal(together[0]["drawn"], alone["drawn"])


@pytest.mark.long
def test_torchrun_ends_all_ranks_when_one_dies(tmp_path: Path) -> None:
    done = run(str(tmp_path), "dies")
    assert done.returncode != 0
    assert "Signal 9 (SIGKILL)" in done.stdout
    assert "rank      : 1" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "said"),
    [("strays", "ModelError: the ranks differ before unlearning"), ("drops", "draws random numbers")],
)
def test_what_ranks_cannot_do_alike_is_refused(tmp_path: Path, fault: str, said: str) -> None:
    done = run(str(tmp_path), fault)
    assert done.returncode != 0
    assert said in done.stdout


@pytest.mark.long
def test_a_rank_whose_fellow_has_died_ends_with_one_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    command = [sys.executable, PROGRAM, str(tmp_path), "dies"]
    ranks = [
        subprocess.Popen(
            command, env=environment(**group, RANK=str(number)), stderr=subprocess.PIPE, text=True
        )
        for number in range(2)
    ]
    told = [process.communicate(timeout=300)[1] for process in ranks]
    assert ranks[1].returncode == -signal.SIGKILL
    assert ranks[0].returncode == 1
    assert told[0].count("UnavailableError: rank 0 of 2 could not add up with the others") == 1


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 3))


def test_without_a_group_nothing_is_changed() -> None:
    model, some = net(), [torch.ones(2)]
    kinds = [type(module) for module in model.modules()]
    with data_parallel(model):
        assert [type(module) for module in model.modules()] == kinds
    samples = Samples(torch.zeros(10, 1), torch.zeros(10, dtype=torch.int64))
    assert (own_rank(), world_size(), share(7)) == (0, 1, range(7))
    assert own_part(samples, 3) is samples
    assert total(some)[0] is some[0]
    assert gathered(some[0], 2, 1) is some[0]


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_shares_are_the_whole_in_order(monkeypatch: pytest.MonkeyPatch, ranks: int) -> None:
    parts: list[Any] = []
    for number in range(ranks):
        monkeypatch.setattr("unlearn_core.ranks.world_size", lambda: ranks)
        monkeypatch.setattr("unlearn_core.ranks.own_rank", lambda number=number: number)
        parts.append(share(10))
    assert [thing for part in parts for thing in part] == list(range(10))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
