"""The page of methods says of the catalogue what is so."""

from methods_page import PAGE, methods_page

from flows.cli.methods import describe_methods


def test_the_page_of_methods_is_current():
    assert PAGE.read_text() == methods_page(), "run: make docs"


def test_every_setting_of_every_method_is_described():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    described = [row.split("`")[1] for row in rows if not row.endswith("|  |")]
    assert described == [name for method in describe_methods()[0] for name in method["settings"]]
