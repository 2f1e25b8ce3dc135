"""A user's own nets: modules of the project that run because a card or a setting names them."""

import json
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import nearest_project
from tasks.checkout.own_modules import importable
from tasks.checkout.params import read_values
from tasks.checkout.settings import CodeSettings
from tasks.extensions.code import package_digest
from tasks.extensions.listing import net_entry
from unlearn_core.errors import PipelineError
from unlearn_core.factories import is_factory, module_of, require_allowed
from unlearn_core.records.base import Sha256


def allow_net(net: str, folder: Path, *named: str | None) -> None:
    """Refuse to run the code of a net that the operator has not named, or that is not the recorded code.

    Args:
        net: The net's name, as a card has it.
        folder: A folder of the project that it is to be built for.
        named: Names that the operator has typed.

    Raises:
        ConfigurationError: If the net is a user's own, and neither the project's ``params.yaml`` nor
            ``LETHE_FACTORIES`` names it; its module was not run.
        PipelineError: If its code is not what ``reports/code`` lists; it was not run either.
    """
    if not is_factory(net):
        return
    project = nearest_project(folder)
    settings = {} if project is None else read_values(project)["parent"]
    allowed = {settings.get("architecture"), *named, *CodeSettings.read().factories.replace(",", " ").split()}
    require_allowed(net, {one for one in allowed if one})
    importable(project or folder, net)
    recorded = set() if project is None else _recorded(project, net)
    if recorded and recorded != {found := package_digest(module_of(net))}:
        raise PipelineError(
            f"the code of the net {net!r} is {found}, reports/code lists {', '.join(sorted(recorded))}; it "
            "was not run. If you changed it, run `lethe train`, which lists it anew"
        )


def _recorded(project: Path, net: str) -> set[Sha256]:
    """Return the digests that the stages' lists of code have for a net."""
    lists = (json.loads(path.read_bytes()) for path in sorted(Checkout(project).code.glob("*.json")))
    return {digests[net_entry(net)] for digests in lists if net_entry(net) in digests}
