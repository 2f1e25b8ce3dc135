"""Words for the pages of MLflow and Prefect, in Markdown: one template a page."""

from pathlib import Path


def note(name: str, **values: str) -> str:
    """Return words for one of MLflow's pages, in Markdown.

    Args:
        name: The file's, in the folder of templates.
        values: What stands in its braces.

    Returns:
        Markdown.
    """
    return Path(__file__).with_name("templates").joinpath(f"{name}.md").read_text("utf-8").format(**values)
