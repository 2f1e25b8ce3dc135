"""Names of files that come from elsewhere: a bucket, a registry, another's clone."""

from pathlib import PurePosixPath

from unlearn_core.errors import PipelineError


def refuse_unsafe_name(name: object, where: str) -> str:
    """Refuse a name that does not stay in the folder that it is given for.

    Args:
        name: A relative path with ``/``, as it came.
        where: What names it, for the message.

    Returns:
        The name.

    Raises:
        PipelineError: If it is absolute, leads upwards, or has a backslash or a control character.
    """
    if not isinstance(name, str) or not name or not _is_safe(name):
        raise PipelineError(
            f"{where} names the file {name!r}, which is no plain path below its folder; nothing was written. "
            "Somebody may have made it to overwrite files of yours"
        )
    return name


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return (
        not PurePosixPath(name).is_absolute()
        and not {"", ".", ".."} & set(parts)
        and "\\" not in name
        and name.isprintable()
    )
