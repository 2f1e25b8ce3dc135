"""Text for the pages of MLflow and Prefect, in Markdown: one template per page."""

from pathlib import Path


def note(name: str, **values: str) -> str:
    """Return the text for one of MLflow's pages, in Markdown.

    Args:
        name: The template's file name.
        values: The values of its placeholders.

    Returns:
        Markdown.
    """
    return Path(__file__).with_name("templates").joinpath(f"{name}.md").read_text("utf-8").format(**values)
