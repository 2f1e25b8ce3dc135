"""The code of other packages that stages run, so that a stage is due when that code changes."""

from typing import get_args

from tasks.extensions.code import package_digest
from tasks.extensions.discovery import Offer, offers
from unlearn_core.factories import is_factory, module_of
from unlearn_core.records.base import Sha256
from unlearn_core.records.params import Params
from unlearn_core.records.provenance import ExtensionKind

_NET = "net"


def extension_digests(params: Params) -> dict[str, dict[str, Sha256]]:
    """Return the digests of all code not Lethe's that ``params.yaml`` asks for; none of it is run.

    Args:
        params: The parameters.

    Returns:
        For each stage that runs any, the digests of the code by kind, name and package; of a user's own net
        by its name.
    """
    net = _net_digest(params.parent.architecture)
    source = [offer for offer in offers("source") if offer.name == params.dataset.source]
    methods = [offer for offer in offers("method") if offer.name in params.methods]
    metrics = [offer for offer in offers("metric") if offer.name in params.policy.metrics]
    found = {
        "dataset": _digests(source),
        "parent": net,
        "moments": net,
        "unlearn": {**net, **_digests([*methods, *metrics])},
    }
    return {stage: digests for stage, digests in found.items() if digests}


def _digests(asked: list[Offer]) -> dict[str, Sha256]:
    records = [offer.record() for offer in asked]
    return {str(record): record.code for record in records}


def _net_digest(net: str | None) -> dict[str, Sha256]:
    """Return the digest of the module that a user's own net is in, or of the package that this is in."""
    return {net_entry(net): package_digest(module_of(net))} if net and is_factory(net) else {}


def net_entry(net: str) -> str:
    """Return how a user's own net is named in a list of code."""
    return f"{_NET} {net}"


def is_extension(name: str) -> bool:
    """Tell whether an entry in a list of code is not a file of Lethe's."""
    return name.partition(" ")[0] in {*get_args(ExtensionKind), _NET}
