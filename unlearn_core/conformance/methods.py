"""Checks that every method passes."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import torch
from torch import nn

from unlearn_core.catalogue import name_of
from unlearn_core.conformance import toy
from unlearn_core.conformance.case import Case, read_method
from unlearn_core.conformance.checking import Check, numpy_state
from unlearn_core.coverage import untruths
from unlearn_core.errors import ConfigurationError, UnlearningError
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Materials, Method, Need
from unlearn_core.progress import ignore_step
from unlearn_core.tuning import accuracy
from unlearn_core.unlearning import unlearn

SCOPES: tuple[ScopeKind, ...] = get_args(ScopeKind)
RETAIN_DROP = 0.03
"""How much of its accuracy on everything else the small net may lose."""


def leaves_the_model_that_it_starts_from_alone(case: Case) -> Iterator[str]:
    """The parent may be unlearned again, by another method."""
    before = case.repeated().parent_before
    if not toy.same_bits(toy.parent(), before):
        yield "the weights of the model that it started from have changed"
    if [one.training for one in toy.parent().modules()] != [one.training for one in before.modules()]:
        yield "the model that it started from was left in another mode (train or eval)"


def gives_the_same_bits_for_the_same_seed(case: Case) -> Iterator[str]:
    """A deletion can be run again."""
    if not toy.same_bits(case.outcome().model, case.repeated().result.model):
        yield "two runs with the same seed gave other weights; draw from the generator passed to `apply`"


def gives_other_bits_for_another_seed_if_it_is_stochastic(case: Case) -> Iterator[str]:
    """What a method says about itself is true."""
    same = toy.same_bits(case.outcome().model, case.outcome(1).model)
    if same is case.kind.stochastic:
        what = "the same" if same else "other"
        yield f"`stochastic` is {case.kind.stochastic}, and two seeds gave {what} weights; set it accordingly"


def gives_the_same_bits_with_what_it_found_without_searching(case: Case) -> Iterator[str]:
    """The method in a certificate is what ran: nothing is left to be found."""
    found = case.outcome()
    needed_only = toy.materials(case.scope).only(case.kind.needs)
    again = unlearn(found.method, toy.parent(), needed_only, seed=0)
    if not toy.same_bits(again.model, found.model):
        yield "the method that `apply` returned, with what it needs alone, gave other weights"
    if again.method != found.method:
        yield f"the method that `apply` returned became another one: {again.method!r}"
    if searched := [curve.name for curve in again.curves if "search" in curve.name.split(".")[:-1]]:
        yield f"the method that `apply` returned searched again: {', '.join(searched)}"


def keeps_weights_finite_and_their_names_shapes_and_types(case: Case) -> Iterator[str]:
    """The result fits where the parent was."""
    before, after = toy.parent().state_dict(), case.outcome().model.state_dict()
    if {k: (t.shape, t.dtype) for k, t in before.items()} != {
        k: (t.shape, t.dtype) for k, t in after.items()
    }:
        yield "the names, shapes or types of the weights have changed"
    if bad := [name for name, tensor in after.items() if not torch.isfinite(tensor).all()]:
        yield f"weights are not finite: {', '.join(bad)}"


class _Watched(Materials):
    """Materials that record which of the needs are read."""

    def __getattribute__(self, name: str) -> Any:
        if name in {need.value for need in Need}:
            object.__getattribute__(self, "__dict__").setdefault("read", set()).add(name)
        return object.__getattribute__(self, name)


def reads_only_what_it_declares(case: Case) -> Iterator[str]:
    """A method never saw the retained data because it was not given it."""
    full = toy.materials(case.scope)
    handed = _Watched(full.scope, full.classes, **{need.value: getattr(full, need.value) for need in Need})
    vars(handed).pop("read", None)
    model, generator = copy.deepcopy(toy.parent()).eval(), torch.Generator().manual_seed(0)
    case.asked().apply(model, handed, generator=generator, on_step=ignore_step)
    declared = {str(need) for need in case.kind.needs | case.kind.uses}
    for name in sorted(vars(handed).get("read", set()) - declared):
        yield f"it reads `{name}`, which is in neither `needs` nor `uses`"


def leaves_generators_gradients_hooks_and_switches_as_it_found_them(case: Case) -> Iterator[str]:
    """Nothing that a method does reaches what runs after it."""
    state = torch.get_rng_state(), numpy_state(), torch.is_grad_enabled()
    model = copy.deepcopy(toy.parent())
    next(model.parameters()).requires_grad_(False)
    after = unlearn(case.asked(), model, toy.materials(case.scope), seed=0).model
    if not torch.equal(torch.get_rng_state(), state[0]):
        yield "torch's global generator has moved"
    if numpy_state() != state[1]:
        yield "numpy's global generator has moved; use np.random.default_rng with its own seed"
    if torch.is_grad_enabled() != state[2]:
        yield "gradients were switched on or off globally"
    if [p.requires_grad for p in after.parameters()] != [p.requires_grad for p in model.parameters()]:
        yield "parameters that were frozen are not, or the other way round"
    if any(p.grad is not None for p in (*model.parameters(), *after.parameters())):
        yield "gradients were left on the parameters"
    if any(map(_hooked, (*model.modules(), *after.modules()))):
        yield "hooks were left on the model; take them off in a `finally`"


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


def survives_json_as_asked_and_as_resolved(case: Case) -> Iterator[str]:
    """The object in ``params.yaml``, the one that runs and the one in the certificate are the same."""
    by_default = case.kind(name=name_of(case.kind))
    for method in (by_default, case.asked(), case.outcome().method):
        again = read_method(case.kind, method.canonical())
        if again != method or again.digest != method.digest:
            yield f"{method!r} came back from its JSON as {again!r}"


def lists_every_parameter_in_its_coverage_and_marks_what_stayed(case: Case) -> Iterator[str]:
    """A certificate says how much of the model a method reached."""
    entries, found = case.outcome().coverage.parameters, case.outcome().model
    if [one.parameter for one in entries] != [name for name, _ in toy.parent().named_parameters()]:
        yield "the coverage does not have one entry for each parameter of the model, in their order"
        return
    yield from untruths(case.outcome().coverage, before=toy.parent(), after=found)


def forgets_a_class_and_knows_the_rest_as_before(case: Case) -> Iterator[str]:
    """On images as clear as these."""
    (_, before), (forgotten, after) = toy.accuracies(toy.parent()), toy.accuracies(case.outcome().model)
    if after <= before - RETAIN_DROP:
        yield f"the accuracy on the other classes fell from {before:.3f} to {after:.3f}"
    if forgotten >= case.forget_below:
        yield (
            f"the accuracy on the forgotten class is {forgotten:.3f}; expected less than "
            f"{case.forget_below:g}. Give hyper-parameters that fit a small net"
        )


def forgets_samples_and_knows_the_rest_as_before(case: Case) -> Iterator[str]:
    """On images that nobody has seen."""
    before, after = accuracy(toy.parent(), toy.test()), accuracy(case.outcome().model, toy.test())
    if after <= before - RETAIN_DROP:
        yield f"the accuracy on unseen images fell from {before:.3f} to {after:.3f}"


def says_what_it_does(kind: type[Method]) -> Iterator[str]:
    """In the list of methods, in its documentation, and in the report."""
    if not kind.__doc__ or kind.__doc__ == Method.__doc__:
        yield "the class has no docstring; say where the method is from, and what its hyper-parameters mean"
    for name, use in (("summary", "the list of methods"), ("does", "the report for people")):
        if not getattr(kind, name):
            yield f"`{name}` is empty; {use} shows it"


def declares_scopes_and_needs_that_exist(kind: type[Method]) -> Iterator[str]:
    """The router relies on them."""
    if not kind.scopes or not kind.scopes <= {*SCOPES}:
        yield f"`scopes` is {set(kind.scopes)}; expected one or both of {', '.join(SCOPES)}"
    if unknown := (kind.needs | kind.uses) - {*Need}:
        yield f"`needs` and `uses` name {', '.join(map(repr, unknown))}, which are no Need"


def refuses_a_misspelt_hyper_parameter_by_name(kind: type[Method]) -> Iterator[str]:
    """A setting that nobody reads is never let through."""
    try:
        read_method(kind, {"name": name_of(kind), "learning_rat3": 0.1})
    except ConfigurationError as error:
        if "learning_rat3" not in str(error):
            yield f"the message does not name the hyper-parameter: {error}"
    else:
        yield 'the hyper-parameter `learning_rat3` was accepted; leave `extra="forbid"` in the configuration'


def refuses_a_scope_that_it_does_not_support(kind: type[Method]) -> Iterator[str]:
    """The router leaves out what cannot serve."""
    for scope in sorted(set(SCOPES) - kind.scopes):
        try:
            unlearn(kind(name=name_of(kind)), toy.parent(), toy.materials(scope), seed=0)
        except UnlearningError as error:
            if f"not {scope}" not in str(error):
                yield f"the message does not name the scope {scope}: {error}"
        else:
            yield f"it ran in the scope {scope}, which is not in `scopes`"


OF_KIND: tuple[Check, ...] = (
    says_what_it_does,
    declares_scopes_and_needs_that_exist,
    refuses_a_misspelt_hyper_parameter_by_name,
    refuses_a_scope_that_it_does_not_support,
)
"""Checks of a class."""

OF_CASE: tuple[Check, ...] = (
    leaves_the_model_that_it_starts_from_alone,
    gives_the_same_bits_for_the_same_seed,
    gives_other_bits_for_another_seed_if_it_is_stochastic,
    gives_the_same_bits_with_what_it_found_without_searching,
    keeps_weights_finite_and_their_names_shapes_and_types,
    reads_only_what_it_declares,
    leaves_generators_gradients_hooks_and_switches_as_it_found_them,
    survives_json_as_asked_and_as_resolved,
    lists_every_parameter_in_its_coverage_and_marks_what_stayed,
)
"""Checks of a method in one scope."""

OF_SCOPE: Mapping[ScopeKind, Check] = {
    "classes": forgets_a_class_and_knows_the_rest_as_before,
    "samples": forgets_samples_and_knows_the_rest_as_before,
}
"""The last check of each scope: whether anything was forgotten."""


MOST_CHECKS = 1 + len(OF_KIND) + len(SCOPES) * (len(OF_CASE) + 2)
"""The number of checks of a method that supports every scope."""


def checks_in(scope: ScopeKind) -> tuple[Check, ...]:
    """Return the checks of a method in a scope."""
    return (*OF_CASE, OF_SCOPE[scope])
