"""Lethe's own methods, one file each; those that are made of others are in ``compositions``.

A method is listed here and nowhere else: all that parses, runs, tests and documents methods goes through
``CATALOGUE``. Methods that others wrote are passed to the functions that take them.
"""

from collections.abc import Mapping
from typing import Any

from unlearn_core.catalogue import parse_one_of
from unlearn_core.method import Method
from unlearn_core.methods.bad_teacher import BadTeacher
from unlearn_core.methods.cf_k import CfK
from unlearn_core.methods.compositions.pgu_fresh_top import PguFreshTop
from unlearn_core.methods.compositions.svd_repair import SvdRepair
from unlearn_core.methods.compositions.unsir_fresh_top import UnsirFreshTop
from unlearn_core.methods.compositions.unsir_repair import UnsirRepair
from unlearn_core.methods.delete_distill import DeleteDistill
from unlearn_core.methods.eu_k import EuK
from unlearn_core.methods.finetune import Finetune
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.methods.gradient_ascent import GradientAscent
from unlearn_core.methods.msg import Msg
from unlearn_core.methods.neg_grad_plus import NegGradPlus
from unlearn_core.methods.pgu import Pgu
from unlearn_core.methods.random_labels import RandomLabels
from unlearn_core.methods.regun import ReGun
from unlearn_core.methods.repair import Repair
from unlearn_core.methods.retrain import Retrain
from unlearn_core.methods.rewind import Rewind
from unlearn_core.methods.salun import SalUn
from unlearn_core.methods.scrub import Scrub
from unlearn_core.methods.ssd import Ssd
from unlearn_core.methods.svd import Svd
from unlearn_core.methods.trew import Trew
from unlearn_core.methods.unsir import Unsir

CATALOGUE: tuple[type[Method], ...] = (
    Svd,
    Pgu,
    Unsir,
    FreshTop,
    PguFreshTop,
    UnsirFreshTop,
    SvdRepair,
    UnsirRepair,
    Trew,
    DeleteDistill,
    Msg,
    ReGun,
    Scrub,
    Ssd,
    SalUn,
    BadTeacher,
    NegGradPlus,
    GradientAscent,
    RandomLabels,
    EuK,
    CfK,
    Finetune,
    Repair,
    Rewind,
    Retrain,
)
"""Lethe's own methods."""


def parse_method(raw: bytes | str | Mapping[str, Any], others: tuple[type[Method], ...] = ()) -> Method:
    """Read a method from its JSON, strictly.

    Args:
        raw: JSON text, or what it decodes to: the method's ``name`` and its hyper-parameters.
        others: Methods that are not Lethe's own.

    Returns:
        The method. Invalid input raises a ``ConfigurationError`` that lists every problem.
    """
    return parse_one_of("method", (*CATALOGUE, *others), raw)


def parse_methods(
    settings: Mapping[str, Mapping[str, Any]], others: tuple[type[Method], ...] = ()
) -> tuple[Method, ...]:
    """Read several methods from their hyper-parameters by name, as ``params.yaml`` holds them."""
    return tuple(parse_method({"name": name, **given}, others) for name, given in settings.items())
