"""The page of metrics says of the catalogue what is so."""

import pytest
from metrics_page import PAGE, emitted, metrics_page

from unlearn_core.metrics import CATALOGUE


def test_the_page_of_metrics_is_current():
    assert PAGE.read_text() == metrics_page(), "run: make docs"


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.__name__)
def test_every_measurement_is_named(kind):
    section = PAGE.read_text().split(f"\n## {kind().name}\n")[1].split("\n## ")[0]
    assert [name for name in emitted(kind) if f"`{name}`" not in section] == []


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.__name__)
def test_every_docstring_names_its_traps(kind):
    assert "Traps: " in " ".join(kind.__doc__.split())
