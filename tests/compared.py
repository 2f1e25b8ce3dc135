"""Rows of a comparison that nobody ran, to rank and to render."""

from world import content

from unlearn_core.ranking import AVERAGE_GAP, rank
from unlearn_core.records.benchmark import BenchmarkRow, ForgetSet, Leaderboard

FORGET, RETAIN, ATTACK = "accuracy.train.forget", "accuracy.test.retain", "mia.loss_auc"


def row(method, *, gap=0.0, seed=0, name="class dog", kind="class", average=None, **changes):
    """Return a case whose forget accuracy lies so far from that of the retrained model, which is 0.1."""
    values = {FORGET: 0.1 + gap, RETAIN: 0.9, AVERAGE_GAP: abs(gap) if average is None else average}
    told = {
        "forget": ForgetSet(kind=kind, name=name, rows=40),
        "seed": seed,
        "method": method,
        "outcome": "passes",
        "why": "because",
        "reference": content("retrained"),
        "values": values,
        "retrained": {FORGET: 0.1, RETAIN: 0.9, AVERAGE_GAP: 0.0},
        "seconds": 2.0,
        "retraining_seconds": 8.0,
        **changes,
    }
    return BenchmarkRow(**told)


def failed(method, *, why="it stopped", seed=0, name="class dog"):
    return row(method, seed=seed, name=name, outcome="failed", why=why, values={}, retrained={}, seconds=None)


def board(*rows, dataset="pets"):
    return Leaderboard(
        dataset=dataset,
        data=content("data"),
        architecture="small_resnet",
        parent=content("parent"),
        device="cpu",
        seeds=1 + max(one.seed for one in rows),
        forget=tuple({one.forget.name: one.forget for one in rows}.values()),
        standings=rank(rows),
        rows=rows,
    )
