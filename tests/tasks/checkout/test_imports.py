"""The files that a module runs, held against a Python that really imports it.

Each of these must turn red: a package's own file left out; an import inside of a function not followed.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from world import ROOT

from tasks.checkout.imports import PACKAGES, files_run_by, own_root

LOADED = """
import importlib, sys
module, *packages = sys.argv[1:]
importlib.import_module(module)
print(*[sys.modules[name].__file__ for name in sys.modules if name.split(".")[0] in packages], sep="\\n")
"""


def test_the_root_holds_the_packages():
    assert own_root() == ROOT


@pytest.mark.parametrize("module", ["flows.stages.dataset", "flows.cli.lethe_verify", "unlearn_core.moments"])
def test_all_that_an_import_loads_is_listed(module):
    command = [sys.executable, "-c", LOADED, module, *PACKAGES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {Path(line).relative_to(ROOT) for line in done.stdout.split()}
    assert loaded
    assert loaded <= set(files_run_by(module))


def test_what_is_imported_inside_of_a_function_is_listed():
    assert "    from tasks.tracking.server import serve_ui" in (ROOT / "flows" / "cli" / "ui.py").read_text()
    assert Path("tasks/tracking/server.py") in files_run_by("flows.cli.app")


def test_what_is_not_imported_is_not_listed():
    gate = Path("unlearn_core/audit/policy.py")
    listed = files_run_by("flows.stages.dataset")
    assert gate not in listed
    assert gate in files_run_by("flows.stages.unlearn")
    assert listed == sorted(set(listed))
