"""Which modules each stage of ``dvc.yaml`` depends on, read off the import graph.

``python tests/stage_dependencies.py`` writes the lists into ``dvc.yaml``; a test holds them there.
"""

import sys
from pathlib import Path

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("unlearn_core", "tasks", "flows")


def modules_of(graph: grimp.ImportGraph, stage: str) -> list[str]:
    """Return the files of every module that a stage imports, directly or not, and its own."""
    start = f"flows.stages.{stage}"
    modules = {start, *graph.find_upstream_modules(start)}
    return sorted(_file(module) for module in modules if _file(module))


def _file(module: str) -> str:
    """Return a module's file, or nothing for a package that only says what it holds."""
    path = Path(*module.split("."))
    if (ROOT / path.with_suffix(".py")).is_file():
        return str(path.with_suffix(".py"))
    front_page = path / "__init__.py"
    return str(front_page) if "import" in (ROOT / front_page).read_text() else ""


def build_graph() -> grimp.ImportGraph:
    """Return the import graph of Lethe's own packages."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def code_dependencies(dependencies: list[str]) -> list[str]:
    """Return those dependencies of a stage that are code."""
    return sorted(path for path in dependencies if path.endswith(".py"))


def main() -> None:
    """Write the lists into ``dvc.yaml``; everything else in it stays."""
    yaml = YAML()
    yaml.width = 120
    path = ROOT / "dvc.yaml"
    document = yaml.load(path.read_text())
    graph = build_graph()
    for name, stage in document["stages"].items():
        others = [dependency for dependency in stage["deps"] if not dependency.endswith(".py")]
        stage["deps"] = others + modules_of(graph, name)
    with path.open("w") as stream:
        yaml.dump(document, stream)


if __name__ == "__main__":
    # Else `flows` would be the folder of tests beside this file.
    sys.path.insert(0, str(ROOT))
    main()
