"""Stands in for ``docker compose`` where infra/Makefile calls it: no container, the same command.

``exec`` and ``run`` start the command itself, with the environment of the service and its folders; building,
starting and stopping is the test's business and is only written down. A JSON file, named by AS_COMPOSE, says
where things are.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

VALUED = {"--env-file", "--profile"}


def read_call(words):
    """Return the subcommand, and the service and command that follow its options."""
    words = list(words)
    while words[0] in VALUED:
        del words[:2]
    subcommand, *rest = words
    while rest and rest[0].startswith("-"):
        del rest[0]
    return subcommand, rest


def main():
    at = json.loads(Path(os.environ["AS_COMPOSE"]).read_text())
    subcommand, rest = read_call(sys.argv[1:])
    with Path(at["calls"]).open("a") as calls:
        calls.write(f"{subcommand} {' '.join(rest[:5])}\n")
    if subcommand not in {"exec", "run"}:
        return 0
    service, *command = rest
    for inside, here in at["folders"].items():
        command = [word.replace(inside, here) for word in command]
    return subprocess.run(command, env=at["environments"][service], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
