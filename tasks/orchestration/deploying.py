"""Prefect's server: the work pool, the deployments, and the automations for their runs; all idempotent."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.checkout.imports import PACKAGES, own_root
from tasks.checkout.plain_yaml import load_yaml
from tasks.checkout.settings import ServiceSettings
from unlearn_core.errors import ConfigurationError, PipelineError, SetupError, UnavailableError

POOL_TYPE = "process"
PURGE_POOL = "lethe-purge"
"""The work pool whose workers have credentials that may erase."""
DEPLOYMENTS = Path(__file__).resolve().with_name("deployments")
"""Lethe's ``prefect.yaml`` and ``automations.yaml``."""


def deploy(folder: Path, *, pool: str) -> tuple[str, ...]:
    """Register what a folder describes with the server that ``PREFECT_API_URL`` names.

    Args:
        folder: Holds ``prefect.yaml`` and ``automations.yaml``.
        pool: The work pool; it, and any other that is named there, is created for workers that start
            processes, if missing.

    Returns:
        The full names of the deployments.

    Raises:
        SetupError: If no server is named, it denies access, a file is missing, or the working folder would
            hide Lethe from its workers.
        ConfigurationError: If one of the files has not the expected content.
        PipelineError: If ``prefect deploy`` failed; it says why.
        UnavailableError: If the server does not answer.
    """
    require_server()
    _refuse_hiding(Path.cwd())
    described, watches = read_deployments(folder), _read(folder / "automations.yaml", "automations")
    with prefect_explained():
        for name in sorted({pool, *_pools(described)}):
            asyncio.run(_make_pool(name))
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    file = ["--prefect-file", str(folder / "prefect.yaml")]
    done = subprocess.run([*command, *file], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PipelineError(f"`prefect deploy` failed with {done.returncode}:\n{done.stdout}{done.stderr}")
    names = tuple(f"{one['name']}/{one['name']}" for one in described)
    with prefect_explained():
        asyncio.run(_refuse_unknown_parameters(names))
        asyncio.run(_watch_over_runs(watches))
    return names


def require_server() -> None:
    """Refuse to go on if no Prefect server is named: a temporary one would forget everything.

    Raises:
        SetupError: If ``PREFECT_API_URL`` is not set.
    """
    if not ServiceSettings.read().prefect_url:
        raise SetupError(
            "PREFECT_API_URL is not set; `prefect server start` starts a server, and its address is "
            "http://127.0.0.1:4200/api"
        )


@contextmanager
def prefect_explained() -> Iterator[None]:
    """Turn errors from Prefect's server into Lethe's errors; none quotes an address.

    Yields:
        Nothing.

    Raises:
        SetupError: If the address is not a URL, or the server refuses.
        UnavailableError: If it does not answer.
    """
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        said = f"Prefect's server answered {status}"
        if status >= 500:
            raise UnavailableError(f"{said}; the same may succeed later") from error
        raise SetupError(f"{said}; check PREFECT_API_URL and PREFECT_API_AUTH_STRING") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise SetupError("PREFECT_API_URL is not a URL, e.g. http://127.0.0.1:4200/api") from error
    except httpx.TransportError as error:
        raise UnavailableError(
            f"Prefect's server does not answer at PREFECT_API_URL: {error}; the same may succeed later"
        ) from error


def _refuse_hiding(folder: Path) -> None:
    """Refuse to deploy from a folder with a module named like one of Lethe's.

    Prefect starts runs in the folder that was deployed from, and searches it first for modules.

    Raises:
        SetupError: If there is one.
    """
    names = [name for package in PACKAGES for name in (package, f"{package}.py")]
    if folder.resolve() != own_root() and (found := [name for name in names if (folder / name).exists()]):
        raise SetupError(
            f"{', '.join(found)} in this folder would hide Lethe's code from Prefect's workers; deploy "
            "from another folder, and let LETHE_PROJECTS say where the projects are"
        )


def read_deployments(folder: Path) -> list[dict[str, Any]]:
    """Return the deployments that a folder's ``prefect.yaml`` describes.

    Raises:
        SetupError: If there is no such file.
        ConfigurationError: If it describes none.
    """
    return _read(folder / "prefect.yaml", "deployments")


def _read(path: Path, section: str) -> list[dict[str, Any]]:
    if not path.is_file():
        raise SetupError(f"{path} does not exist; it says what is deployed")
    described = load_yaml(path)
    if not isinstance(described, dict) or not isinstance(found := described.get(section), list):
        raise ConfigurationError(f"{path} has no list {section!r}; Lethe's own file is an example")
    return found


def _pools(described: list[dict[str, Any]]) -> set[str]:
    """Return the names of the work pools that deployments name."""
    named = (one.get("work_pool") for one in described)
    return {one["name"] for one in named if isinstance(one, dict) and isinstance(one.get("name"), str)}


async def _make_pool(name: str) -> None:
    """Create the work pool; an existing one keeps its settings."""
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound

    async with get_client() as client:
        try:
            await client.read_work_pool(name)
        except ObjectNotFound:
            await client.create_work_pool(WorkPoolCreate(name=name, type=POOL_TYPE))


async def _refuse_unknown_parameters(names: tuple[str, ...]) -> None:
    """Make the server refuse an unknown parameter at once, instead of when the run has begun."""
    from prefect import get_client

    async with get_client() as client:
        for name in names:
            found = await client.read_deployment_by_name(name)
            schema = {**(found.parameter_openapi_schema or {}), "additionalProperties": False}
            changed = {"parameter_openapi_schema": schema, "enforce_parameter_schema": True}
            response = await client.request(
                "PATCH", "/deployments/{id}", path_params={"id": str(found.id)}, json=changed
            )
            response.raise_for_status()


async def _watch_over_runs(described: list[dict[str, Any]]) -> None:
    """Create the automations, or update those of the same name."""
    from prefect import get_client
    from prefect.events.schemas.automations import AutomationCore

    async with get_client() as client:
        for one in described:
            wanted = AutomationCore.model_validate(one)
            found = await client.read_automations_by_name(wanted.name)
            if found:
                await client.update_automation(found[0].id, wanted)
            else:
                await client.create_automation(wanted)
