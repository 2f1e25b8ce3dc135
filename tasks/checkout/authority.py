"""Who says when something was signed: the time stamp authority that the operator chose."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from tasks.checkout.setting import Settings, require_address, variable


class AuthoritySettings(Settings):
    """Where time stamps come from, and whose are believed. Without an address nobody is asked."""

    url: Annotated[str, AfterValidator(require_address)] = variable(
        "LETHE_TSA_URL",
        "",
        expected="http:// or https:// and a host, without a user or a password",
        purpose="The time stamp authority (RFC 3161) that [certificates](anchoring.md) are stamped by; "
        "without it none is asked.",
        private=True,
    )
    certificates: Path | None = variable(
        "LETHE_TSA_CA",
        None,
        expected="a file of certificates in PEM form",
        purpose="The authorities whose time stamps are believed.",
    )
