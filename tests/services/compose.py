"""infra/compose.yaml as this machine runs it: the same commands and environment, on loopback and in a folder.

Hosts become 127.0.0.1, container ports free ports, and volumes folders; nothing else is changed, so what is
wrong in the file is wrong here.
"""

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from world import ROOT

FILE = ROOT / "infra/compose.yaml"
PORTS = {"postgres": 5432, "s3": 7070, "prefect": 4200, "mlflow": 5000, "worker": 8080}
"""What each service listens on in its container."""


def load():
    """Return compose.yaml as it is written, with its anchors resolved."""
    return YAML(typ="safe", pure=True).load(FILE.read_text())


def free_ports(count):
    """Return ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def interpolate(text, variables):
    """Fill in ``${VARIABLES}`` as Compose does: ``:-`` has a default, ``:?`` refuses to go on without one."""

    def fill(found):
        if found[0] == "$$":
            return "$"
        name, rule, rest = found["name"], found["rule"], found["rest"]
        if value := variables.get(name, ""):
            return value
        if rule == ":?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    filled = re.sub(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<rule>:[?-])(?P<rest>[^{}]*))?\})", fill, text)
    bare = re.sub(r"\$\$|\$\{[^}]*\}", "", text)
    assert "$" not in bare, f"Compose would take the $ of {text!r} for a variable; write $$"
    return filled


@dataclass
class Compose:
    """The file, mapped to this machine.

    Attributes:
        variables: What stands in ``.env``.
        folder: What the volumes become folders in.
        ports: The port on this machine of each service.
    """

    variables: dict[str, str]
    folder: Path
    ports: dict[str, int] = field(
        default_factory=lambda: dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    )

    def __post_init__(self):
        self.services = load()["services"]

    def environment(self, service, **ports):
        given = self.services[service].get("environment", {})
        return {name: self._mapped(service, str(value), ports) for name, value in given.items()}

    def command(self, service, **ports):
        return [self._mapped(service, word, ports) for word in self.services[service]["command"]]

    def health_check(self, service, **ports):
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD", f"the health check of {service} is not a command without a shell"
        return [self._mapped(service, word, ports) for word in command]

    def place(self, service, path):
        """Return the folder or file that a path in a service's container stands for, or None."""
        return self._places(service).get(path)

    def _places(self, service):
        places = {}
        for mount in self.services[service].get("volumes", ()):
            source, target = mount.split(":")[:2]
            inside = source.startswith(".")
            places[target] = (FILE.parent / source).resolve() if inside else self.folder / "volumes" / source
        for mount in self.services[service].get("tmpfs", ()):
            target = mount.split(":")[0]
            places[target] = self.folder / "tmpfs" / service / target.strip("/").replace("/", "-")
        return places

    def make_places(self, service):
        """Make the folders that a service's volumes and file systems in memory stand for."""
        for place in self._places(service).values():
            if not place.is_file():
                place.mkdir(parents=True, exist_ok=True)

    def _mapped(self, service, text, ports):
        """Fill in variables, then exchange addresses, ports and paths, all in one pass."""
        text = interpolate(text, self.variables)
        mapped = {str(PORTS[name]): str(port) for name, port in {**self.ports, **ports}.items()}
        if text in mapped:
            return mapped[text]
        places = {path: str(place) for path, place in self._places(service).items()}
        hosts = "|".join([*PORTS, "127.0.0.1", "localhost"])
        address = rf"(?:\b(?P<host>{hosts}):|(?P<flag>--port ))(?P<port>{'|'.join(mapped)})\b"
        path = rf"(?<![\w./-])(?P<path>{'|'.join(map(re.escape, places)) or '(?!)'})(?![\w.-])"

        def exchange(found):
            if found["path"]:
                return places[found["path"]]
            if found["any"]:
                return "127.0.0.1"
            port = mapped[found["port"]]
            host = found["host"] if found["host"] == "localhost" else "127.0.0.1"
            return f"--port {port}" if found["flag"] else f"{host}:{port}"

        return re.sub(rf"{address}|{path}|(?P<any>\b0\.0\.0\.0\b)", exchange, text)
