"""The digest of other people's code: all of it, and nothing but it."""

import shutil
from pathlib import Path

import pytest
from plugins import install, visible

from tasks.checkout.files import method_digest
from tasks.extensions.catalogues import other_methods
from tasks.extensions.code import package_digest
from unlearn_core.errors import ConfigurationError
from unlearn_core.methods.svd import Svd


@pytest.fixture
def package(tmp_path):
    """Visible under a name of its own, so that no other test has imported it."""
    folder = tmp_path / "packages"
    shutil.copytree(Path(__file__).parents[2] / "plugin" / "lethe_example", folder / "own_package")
    with visible(folder):
        yield folder / "own_package"


def test_every_module_of_a_package_has_the_digest_of_all_of_it(package):
    assert package_digest("own_package.margin") == package_digest("own_package.arrays")
    before = package_digest("own_package.margin")
    (package / "arrays.py").write_text("# changed\n")
    after = package_digest("own_package.margin")
    assert after != before
    (package / "table.csv").write_text("1,2\n")
    assert package_digest("own_package.margin") not in {before, after}


def test_compiled_files_do_not_count(package):
    before = package_digest("own_package.margin")
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "margin.cpython-311.pyc").write_bytes(b"compiled")
    assert package_digest("own_package.margin") == before


def test_a_file_that_moves_is_another_code(package):
    before = package_digest("own_package.margin")
    (package / "arrays.py").rename(package / "tables.py")
    assert package_digest("own_package.margin") != before


def test_a_module_in_no_package_is_its_own_file(tmp_path):
    (tmp_path / "alone_here.py").write_text("x = 1\n")
    (tmp_path / "beside_it.py").write_text("x = 1\n")
    with visible(tmp_path):
        before = package_digest("alone_here")
        (tmp_path / "beside_it.py").write_text("x = 2\n")
        assert package_digest("alone_here") == before


def test_a_package_in_a_namespace_is_told_from_its_neighbours(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "company_ns" / name).mkdir(parents=True)
        (tmp_path / "company_ns" / name / "__init__.py").write_text(f"name = {name!r}\n")
    with visible(tmp_path):
        before = package_digest("company_ns.one")
        (tmp_path / "company_ns" / "two" / "__init__.py").write_text("name = 2\n")
        assert package_digest("company_ns.one") == before


def test_code_that_lies_in_no_files_is_refused():
    with pytest.raises(ConfigurationError, match="sys is not stored in files"):
        package_digest("sys")


def test_what_is_kept_for_a_method_depends_on_its_package_and_on_no_other_method(tmp_path):
    own = method_digest(Svd())
    with visible(install(tmp_path)):
        (kind,) = other_methods(["second_guess"])
        first = method_digest(kind())
        (tmp_path / "lethe_example" / "margin.py").write_text("# changed\n")
        assert method_digest(kind()) != first
    assert len({own, first, method_digest(None)}) == 3
    assert method_digest(Svd()) == own
