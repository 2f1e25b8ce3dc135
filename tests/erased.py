"""A person who was forgotten, the forms in which their rows may lie somewhere, and a test's own search."""

import base64
import sqlite3
import subprocess
import zlib
from itertools import chain

import numpy as np
import pyarrow.parquet as pq
from once import made_once
from sequence import LENIENT, serve_and_go_on
from templates import run_stages
from world import make_checkout

from flows.stages.pipeline import PREPARATION
from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_manifest
from tasks.requests.request_file import make_scope
from unlearn_core.data import open_image

PERSON, CONTROL = "subject-0003", "subject-0007"


def person_forgotten(folder):
    """Make a project that goes on from the model that forgot a person, whose rows it still has.

    Args:
        folder: Made; must not exist.
    """
    subprocess.run(["cp", "-a", str(made_once("forgotten", _forget)), str(folder)], check=True)
    return folder


def _forget(root):
    make_checkout(root, policy=LENIENT)
    run_stages(root, PREPARATION)
    serve_and_go_on(root, "r-1", make_scope(classes=(), samples=(), subjects=(PERSON,)))


def rows_of(root, person):
    """Return every form in which a person's rows may lie somewhere, by what it is."""
    checkout = Checkout(root)
    manifest = read_manifest(checkout.dataset)
    mine = manifest.subject_ids == person
    images = list(each_image(checkout.dataset, mine))
    pixels = [np.asarray(open_image(image)) for image in images]
    return {
        "file": images,
        "base64": [base64.b64encode(image)[:-4] for image in images],
        "uint8": [one.tobytes() for one in pixels],
        "float32": [(one.astype(np.float32) / np.float32(255)).tobytes() for one in pixels],
        "id": [str(one).encode() for one in manifest.sample_ids[mine]],
        "subject": [person.encode()],
    }


def contents(*roots):
    """Yield every file below some folders, and what is inside of Parquet, SQLite and git's objects."""
    for path in chain.from_iterable(root.rglob("*") for root in roots):
        if not path.is_file() or path.is_symlink():
            continue
        raw = path.read_bytes()
        yield path, raw
        if raw[:4] == b"PAR1":
            for column in pq.read_table(path).columns:
                for value in column.to_pylist():
                    yield path, value if isinstance(value, bytes) else str(value).encode()
        elif raw[:6] == b"SQLite":
            with sqlite3.connect(path) as database:
                yield path, "\n".join(database.iterdump()).encode()
            database.close()
        elif "objects" in path.parts and ".git" in path.parts and len(path.name) == 38:
            yield path, zlib.decompress(raw)


def found(rows, *roots):
    """Return where any form of some rows lies, by what it is."""
    places = {kind: set() for kind in rows}
    for path, content in contents(*roots):
        for kind, needles in rows.items():
            if any(needle in content for needle in needles):
                places[kind].add(path.relative_to(roots[0]).as_posix())
    return places
