"""The cases of a comparison: forget sets, each with several seeds."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.params import require_configured
from tasks.data.datasets import read_card, read_manifest, rows_digest
from tasks.keys.signing import pseudonymise
from unlearn_core.errors import RequestError, SetupError
from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.benchmark import ForgetKind, ForgetSet
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.scope import ClassScope, SampleScope, Scope, SubjectScope
from unlearn_core.seeds import derive_seed
from unlearn_core.selection import Manifest, Selection, retained_rows, select

MOST_CLASSES = 10
"""How many classes are forgotten, one at a time, if none are named."""

NO_PARENT = "there is no parent to compare methods on; run `lethe train` first"

NO_KEY = bytes(32)
"""Rows are found through pseudonyms. These are never written, so their key need not be secret."""

_SCOPES: dict[ForgetKind, RequestKind] = {"class": "classes", "random": "samples", "subject": "subjects"}


@dataclass(frozen=True)
class Asked:
    """Which forget sets are wanted; each class, count and subject is a separate forget set.

    Attributes:
        classes: Names of classes.
        random: How many training samples to draw; every seed has its own draw.
        subjects: Ids of subjects.
    """

    classes: tuple[str, ...] = ()
    random: tuple[int, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class BenchmarkCase:
    """One forget set with one seed.

    Attributes:
        forget: What is forgotten, as shown on pages.
        seed: The index of the seed, from 0.
        split: The rows that this means.
    """

    forget: ForgetSet
    seed: int
    split: SplitRecord

    @property
    def title(self) -> str:
        """The case's title, for people."""
        return f"{self.forget.name}, seed {self.seed}"

    @property
    def folder(self) -> str:
        """The name of the case's folder."""
        return f"{self.forget.kind}-{short(self.split.retained)}-{self.seed}"


def require_comparable(checkout: Checkout, asked: Asked, methods: Collection[str]) -> None:
    """Refuse a comparison of what is not there, before torch is loaded.

    Args:
        checkout: The checkout.
        asked: The forget sets; unknown ones are refused, as by ``plan_cases``.
        methods: Names of methods; unknown ones are refused, as by ``require_configured``.

    Raises:
        SetupError: If there is no parent yet.
    """
    require_configured(checkout.params, methods)
    if not checkout.parent.is_dir():
        raise SetupError(NO_PARENT)
    plan_cases(checkout, asked, seeds=1, base=checkout.params.run.seed)


def plan_cases(checkout: Checkout, asked: Asked, *, seeds: int, base: int) -> tuple[BenchmarkCase, ...]:
    """List the cases: all forget sets with the first seed, then all with the next one.

    Args:
        checkout: The checkout, with its data set.
        asked: The forget sets; if empty, every single class, or ``MOST_CLASSES`` of many classes, evenly
            spread.
        seeds: How many seeds.
        base: The checkout's seed, which the draws depend on.

    Returns:
        The cases.

    Raises:
        RequestError: If something named is not in the data, or cannot be forgotten.
    """
    manifest, data = read_manifest(checkout.dataset), read_card(checkout.dataset).rows_digest
    if asked == Asked():
        asked = Asked(classes=_spread(manifest))
    cases: list[BenchmarkCase] = []
    for seed in range(seeds):
        for kind, scope, name in _scopes(manifest, asked, derive_seed(base + seed, "benchmark")):
            found = select(scope, manifest, partial(pseudonymise, NO_KEY))
            split = split_of(kind, manifest, found, data)
            shown = f"person {short(split.retained)[:8]}" if kind == "subject" else name
            rows = len(split.forget_rows)
            cases.append(BenchmarkCase(ForgetSet(kind=kind, name=shown, rows=rows), seed, split))
    return tuple(cases)


def _spread(manifest: Manifest) -> tuple[str, ...]:
    """Return the classes that have training rows, or some of them."""
    present = np.unique(manifest.labels[manifest.splits == "train"])
    places = np.linspace(0, len(present) - 1, min(MOST_CLASSES, len(present))).round().astype(int)
    return tuple(manifest.classes[index] for index in present[places])


def _scopes(manifest: Manifest, asked: Asked, seed: int) -> Iterator[tuple[ForgetKind, Scope, str]]:
    """Yield the kind, the scope and the name of every forget set; a subject's name must not be shown."""
    for name in dict.fromkeys(asked.classes):
        yield "class", ClassScope(classes=(name,)), f"class {name}"
    for count in dict.fromkeys(asked.random):
        ids = (pseudonymise(NO_KEY, "sample", one) for one in draw(manifest, count, seed))
        yield "random", SampleScope(samples=tuple(ids)), f"{count} random samples"
    for name in dict.fromkeys(asked.subjects):
        if name not in manifest.subject_ids:
            raise RequestError(f"unknown subject: {name}; check the id")
        yield "subject", SubjectScope(subjects=(pseudonymise(NO_KEY, "subject", name),)), name


def draw(manifest: Manifest, count: int, seed: int) -> tuple[str, ...]:
    """Draw training samples that have no exact copy.

    Args:
        manifest: The data set.
        count: How many.
        seed: For the draw.

    Returns:
        Their ids, in order.

    Raises:
        RequestError: If there are not that many, or none would be left.
    """
    images, copies = np.unique(manifest.sha256, return_counts=True)
    single = np.isin(manifest.sha256, images[copies == 1])
    ids = np.sort(manifest.sample_ids[single & (manifest.splits == "train")])
    if not 0 < count < len(ids):
        raise RequestError(f"{count} random samples were asked for; there are {len(ids)} to draw from")
    return tuple(sorted(np.random.default_rng(seed).choice(ids, count, replace=False).tolist()))


def split_of(kind: ForgetKind, manifest: Manifest, found: Selection, data: str) -> SplitRecord:
    """Return the split of a forget set, without pseudonyms; the rows distinguish cases.

    Args:
        kind: What is forgotten.
        manifest: The data set.
        found: The rows.
        data: The data set's digest.

    Returns:
        The split.
    """
    rows = tuple(int(row) for row in np.flatnonzero(found.forget))
    return SplitRecord(
        request="benchmark",
        scope_kind=_SCOPES[kind],
        scope=sha256(canonical_json([kind, rows])),
        data=data,
        retained=rows_digest(retained_rows(manifest, found)),
        classes=found.classes,
        forget_rows=rows,
        forgotten=(),
    )
