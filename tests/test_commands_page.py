"""The page of commands says of the command line what is so, and the command line explains itself."""

import pytest
from commands_page import PAGE, commands_page, summary, walk
from typer.core import TyperArgument, TyperOption

COMMANDS = dict(walk())
WITHOUT_RESULT = {"lethe serve", "lethe ui", "lethe stage"}
"""What runs until it is stopped, and what DVC starts: a stage's result is files."""


def test_the_page_of_commands_is_current():
    assert PAGE.read_text() == commands_page(), "run: make docs"


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_argument_and_option_is_explained(words):
    command = COMMANDS[words]
    assert summary(command).endswith(".")
    params = [one for one in command.params if isinstance(one, TyperArgument | TyperOption)]
    assert [one.name for one in params if one.name != "help" and not one.help] == []


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() - WITHOUT_RESULT))
def test_every_command_that_has_a_result_gives_it_as_json(words):
    assert "--json" in [name for param in COMMANDS[words].params for name in param.opts]
