"""The package in ``tests/plugin``, made visible as an installer does it: its code beside a .dist-info."""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent / "plugin"


def install(folder: Path, *, name: str = "lethe-example", version: str = "1.0", code: bool = True) -> Path:
    """Install the package into a folder.

    Args:
        folder: Stands for ``site-packages``.
        name: What it calls itself.
        version: Its version.
        code: Whether its modules come with it.
    """
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    groups = [
        "\n".join([f"[{group}]", *(f"{one} = {value}" for one, value in entries.items())])
        for group, entries in project["entry-points"].items()
    ]
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
    if code:
        shutil.copytree(SOURCE / "lethe_example", folder / "lethe_example")
    return folder


def offering(folder: Path, name: str, **groups: str) -> Path:
    """Install a package that consists of entry points alone, such as ``methods="mine = package:Mine"``."""
    info = folder / f"{name.replace('-', '_')}-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    text = "\n".join(f"[lethe.{group}]\n{entries}\n" for group, entries in groups.items())
    (info / "entry_points.txt").write_text(text)
    return folder


@contextmanager
def visible(*folders: Path) -> Iterator[None]:
    """Let this process, and those that it starts, find what is installed in some folders."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in folders:
            patch.syspath_prepend(str(folder))
            patch.setenv("PYTHONPATH", str(folder), prepend=":")
        try:
            yield
        finally:
            for module in [one for one in sys.modules if one.split(".")[0] == "lethe_example"]:
                del sys.modules[module]
