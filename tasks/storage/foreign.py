"""What DVC's files may not ask for: git, a bucket or a remote brings them, and DVC does as they say.

Outputs go where ``dvc.yaml``, ``dvc.lock`` and ``.dvc`` files say, files of a folder where its manifest says,
and a remote's settings may name a program. Everything is refused before DVC fetches or writes anything.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.checkout.names import refuse_unsafe_name
from unlearn_core.errors import PipelineError, SetupError

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo

OUTPUT_FOLDERS = ("data", "models", "reports", "requests")
"""Where the outputs of a project are."""
RUN_PROGRAMS = ("bearer_token_command", "configpath", "credentialpath")
"""Settings of a remote that name a program, or a file that may name one."""
_OID = re.compile(r"[0-9a-f]{32}(\.dir)?")


def refuse_programs(config: dict[str, Any]) -> None:
    """Refuse a committed ``.dvc/config`` that would run a program, or keep data outside of the project.

    Args:
        config: The settings of that file alone; those of the user's own files may do so.

    Raises:
        SetupError: If it does.
    """
    named = [
        f"remote.{name}.{key}"
        for name, remote in config.get("remote", {}).items()
        for key in RUN_PROGRAMS
        if key in remote
    ]
    if "dir" in config.get("cache", {}):
        named.append("cache.dir")
    if config.get("hydra", {}).get("plugins_path"):
        named.append("hydra.plugins_path")
    if named:
        raise SetupError(
            f".dvc/config, which git brings, sets {', '.join(named)}: that may run a program, or write "
            "outside of the project. If you want it, use `dvc config --local` or `--global`, which stay here"
        )


def refuse_places(root: Path, outs: Iterable["Output"]) -> None:
    """Refuse outputs that DVC would take from elsewhere, or write anywhere but in the project's own folders.

    Args:
        root: The project; absolute, since DVC works in its folder.
        outs: The outputs.

    Raises:
        PipelineError: If one is outside of them, or imported, or a link leads out.
    """
    top = root.resolve()
    for out in outs:
        if out.stage.is_import:
            raise PipelineError(
                f"{out.stage.addressing} would copy {out.stage.deps[0]} into the project; the outputs of a "
                "project come from its cache and its remote, and nothing else is fetched"
            )
        place = Path(out.fs_path)
        if out.protocol != "local" or not place.is_relative_to(top):
            raise PipelineError(f"{out.stage.addressing} would write {out.fs_path}, outside of the project")
        inside = place.relative_to(top)
        refuse_unsafe_name(inside.as_posix(), out.stage.addressing)
        if inside.parts[0] not in OUTPUT_FOLDERS:
            raise PipelineError(
                f"{out.stage.addressing} would write {inside}; the outputs of a project are in "
                f"{', '.join(OUTPUT_FOLDERS)}, and nothing else is fetched"
            )
        if not place.resolve().is_relative_to(top):
            raise PipelineError(
                f"{inside} is reached by a link that leads out of the project; remove the link"
            )


def refuse_manifests(repo: "Repo", outs: Iterable["Output"]) -> None:
    """Refuse folders with a file that would be written elsewhere; manifests are fetched if missing.

    Args:
        repo: The repository.
        outs: Outputs; those that are not folders have no manifest.

    Raises:
        PipelineError: If a manifest's entry is not a plain path below the folder with a digest.
    """
    for out in outs:
        if not (out.hash_info and out.hash_info.isdir):
            continue
        path = Path(out.cache.oid_to_path(out.hash_info.value))
        if not path.is_file() and repo.config["core"].get("remote"):
            # DVC reads a manifest as soon as it fetches it; this fetches nothing else.
            repo.cloud.pull([out.hash_info])
        if path.is_file():
            _refuse_manifest(path.read_bytes(), f"the manifest of {out}")


def _refuse_manifest(raw: bytes, where: str) -> None:
    try:
        entries = [(entry["relpath"], str(entry["md5"])) for entry in json.loads(raw)]
    except (ValueError, TypeError, KeyError) as error:
        raise PipelineError(f"{where} is not one of DVC's: {error!r}") from error
    for name, digest in entries:
        refuse_unsafe_name(name, where)
        if not _OID.fullmatch(digest):
            raise PipelineError(f"{where} gives {name!r} the digest {digest!r}, which is none")
