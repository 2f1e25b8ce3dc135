"""Real deletions behind both servers: one that no model can pass, one that one can, one retrained."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image
from world import NOTHING, ROOT, lethe

from tasks.checkout.params import read_values, write_params


@dataclass(frozen=True)
class Door:
    """Where an auditor may look, and what is there.

    Attributes:
        mlflow: The address of MLflow's pages.
        prefect: The address of Prefect's pages.
        experiment: MLflow's id of the experiment.
        runs: MLflow's runs of deletions, by request.
        flows: Prefect's flow runs, by request.
    """

    mlflow: str
    prefect: str
    experiment: str
    runs: dict[str, dict[str, Any]]
    flows: dict[str, dict[str, Any]]


def serve_three(root: Path, mlflow: str, prefect: str) -> Door:
    """Serve ``r-18``, which no model can pass, then ``r-17``, which one does, and ``r-19`` after that.

    It is done in a process of its own: beside a browser's event loop Prefect would not wait for its calls.
    """
    servers = {"MLFLOW_TRACKING_URI": mlflow, "PREFECT_API_URL": f"{prefect}/api"}
    here = [str(ROOT), *(str(ROOT / "tests" / one) for one in (".", "browser"))]
    command = [sys.executable, __file__, str(root)]
    environment = {**os.environ, **servers, "PYTHONPATH": os.pathsep.join(here)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    experiment, runs = found_in_mlflow(mlflow)
    return Door(mlflow, f"{prefect}/v2", experiment, runs, found_in_prefect(prefect))


def delete_three(root: Path) -> None:
    """Serve the requests by the command line, against the servers that the environment names."""
    policy = read_values(root)["policy"]
    ladder = {**policy["ladder"], "classes": ["finetune"]}
    impossible = {"classes": [NOTHING], "reference": "none", "ladder": ladder}
    write_params(root, {"policy": {**policy, **impossible}})
    did(root, 5, "delete", "r-18", "--class", "5")
    write_params(root, {"policy": policy})
    did(root, 0, "request", "submit", "r-17", "--class", "3", "--received", "2026-11-20")
    did(root, 0, "delete", "r-17", "--class", "3")
    did(root, 0, "next")
    write_params(root, {"policy": {**policy, "ladder": {**policy["ladder"], "classes": ["retrain"]}}})
    did(root, 0, "delete", "r-19", "--class", "8")


def did(root: Path, code: int, *arguments: str) -> None:
    found, out, err = lethe(root, *arguments)
    assert found == code, out + err


def found_in_mlflow(address: str) -> tuple[str, dict[str, dict[str, Any]]]:
    api = f"{address}/api/2.0/mlflow"
    name = asked(f"{api}/experiments/get-by-name?experiment_name=digits")
    experiment = name["experiment"]["experiment_id"]
    wanted = {"experiment_ids": [experiment], "filter": "tags.`lethe.kind` = 'deletion'"}
    runs = asked(f"{api}/runs/search", wanted)["runs"]
    tags = [{tag["key"]: tag["value"] for tag in one["data"]["tags"]} for one in runs]
    return experiment, {
        tag["lethe.request"]: {**one["info"], "tags": tag} for one, tag in zip(runs, tags, strict=True)
    }


def found_in_prefect(address: str) -> dict[str, dict[str, Any]]:
    """Return the flow runs of deletions, each with the texts on its page."""
    found = {}
    for one in asked(f"{address}/api/flow_runs/filter", {}):
        if request := one["parameters"].get("request_id"):
            # The error of a failed run is an artifact as well, of no type.
            wanted = {"artifacts": {"flow_run_id": {"any_": [one["id"]]}, "type": {"any_": ["markdown"]}}}
            found[request] = {**one, "artifacts": asked(f"{address}/api/artifacts/filter", wanted)}
    return found


def asked(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data, headers={"content-type": "application/json"})) as answer:
        return json.load(answer)


def screenshot(page: Any, path: Path, *, full_page: bool = False) -> Path:
    """Take a screenshot, packed as well as PNG can."""
    page.screenshot(path=path, full_page=full_page)
    with Image.open(path) as shot:
        packed = shot.convert("RGB")
    packed.quantize(method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    return path


@dataclass
class Desk:
    """A browser's page at a desk, with what it said on the console and whom else it asked."""

    page: Any
    screenshots: Path
    said: list[str] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)

    def watch(self, is_known: Callable[[str], bool]) -> None:
        """Note errors but those that the pages have without Lethe, and let nothing out to the network."""

        def note(text: str) -> None:
            if not is_known(text):
                self.said.append(text)

        self.page.on(
            "console",
            lambda one: note(f"{one.text} {one.location.get('url', '')}") if one.type == "error" else None,
        )
        self.page.on("pageerror", lambda error: note(str(error)))
        self.page.route("**/*", self._stay_here)

    def _stay_here(self, route: Any) -> None:
        host = route.request.url.split("/")[2]
        if host.split(":")[0] == "127.0.0.1":
            route.continue_()
        else:
            self.elsewhere.add(host)
            route.abort()

    def keep(self, name: str) -> Path:
        """Take a screenshot of what is in the window."""
        return screenshot(self.page, self.screenshots / f"{name}.png")

    def follow(self, name: str) -> Any:
        """Click on a link that opens a page of its own, and return that page."""
        with self.page.context.expect_page() as opened:
            self.page.get_by_role("link", name=name).click()
        return opened.value


if __name__ == "__main__":
    delete_three(Path(sys.argv[1]))
