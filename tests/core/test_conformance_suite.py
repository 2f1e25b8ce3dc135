"""The checks themselves: each finds the fault that it is there for, and nothing else does."""

import re
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch
from pydantic import ConfigDict

from unlearn_core.conformance import check_method, check_metric
from unlearn_core.errors import UsageError
from unlearn_core.importance import marked_coverage
from unlearn_core.layers import all_trained
from unlearn_core.method import Method, Need
from unlearn_core.metric import Metric
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.result import Coverage
from unlearn_core.records.words import Words


def against(checked):
    """Return the checks that found something, with what they found."""
    return {one.check: " ".join(one.reasons) for one in checked if one.reasons}


class Flawless(Method):
    """Hides a class: the smallest method that keeps to every check."""

    name: Literal["flawless"] = "flawless"
    needs: ClassVar = frozenset({Need.FORGET})
    scopes: ClassVar = frozenset({"classes"})
    summary: ClassVar = "hide the class"
    does: ClassVar = "hides the class"
    stochastic: ClassVar = False

    def apply(self, model, materials, *, generator, on_step):
        model[-1].bias.data[list(materials.classes)] = -100.0
        return self, all_trained(model)


class Undocumented(Flawless):
    does: ClassVar = ""


Undocumented.__doc__ = None


class Fancied(Flawless):
    """Says that it needs what there is not."""

    scopes: ClassVar = frozenset({"classes", "persons"})
    uses: ClassVar = frozenset({"oracle"})


class Lax(Flawless):
    """Lets a misspelt setting through."""

    model_config = ConfigDict(extra="ignore")


class Unseeded(Flawless):
    """Draws from where no seed reaches."""

    stochastic: ClassVar = True

    def apply(self, model, materials, *, generator, on_step):
        model[0].weight.data += 1e-6 * float(np.random.default_rng().random())
        return super().apply(model, materials, generator=generator, on_step=on_step)


class Boasting(Flawless):
    """Says that chance is in it."""

    stochastic: ClassVar = True


class Forgetful(Flawless):
    """Finds a setting and does not say which."""

    def apply(self, model, materials, *, generator, on_step):
        if materials.tuning is not None:
            model[0].weight.data += 1e-6
        return super().apply(model, materials, generator=generator, on_step=on_step)

    uses: ClassVar = frozenset({Need.TUNING})


class Widening(Flawless):
    """Changes the type of a weight."""

    def apply(self, model, materials, *, generator, on_step):
        found = super().apply(model, materials, generator=generator, on_step=on_step)
        model[1].num_batches_tracked = model[1].num_batches_tracked.to(torch.int32)
        return found


class Peeking(Flawless):
    """Reads what it did not ask for."""

    def apply(self, model, materials, *, generator, on_step):
        _ = materials.retain, materials.origin
        return super().apply(model, materials, generator=generator, on_step=on_step)


class Untidy(Flawless):
    """Leaves hooks behind, and moves numpy's generator by one draw."""

    def apply(self, model, materials, *, generator, on_step):
        np.random.random()
        model[0].register_forward_hook(lambda *_: None)
        return super().apply(model, materials, generator=generator, on_step=on_step)


class Renamed(Flawless):
    """Comes back from JSON as another one."""

    def canonical(self):
        return super().canonical().replace(b'"step":1', b'"step":2')

    step: int = 1


class Silent(Flawless):
    """Says nothing of what it reached."""

    def apply(self, model, materials, *, generator, on_step):
        method, _ = super().apply(model, materials, generator=generator, on_step=on_step)
        return method, Coverage(parameters=())


class Modest(Flawless):
    """Says that it moves one weight, and moves two."""

    def apply(self, model, materials, *, generator, on_step):
        model[-1].bias.data += 1e-6
        marks = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in model.named_parameters()}
        marks["8.bias"][0] = True
        method, _ = super().apply(model, materials, generator=generator, on_step=on_step)
        return method, marked_coverage(model, marks)


class Weak(Flawless):
    """Forgets nothing."""

    def apply(self, model, materials, *, generator, on_step):
        model[-1].bias.data += 1e-6
        return self, all_trained(model)


class Ruinous(Flawless):
    """Forgets everything."""

    def apply(self, model, materials, *, generator, on_step):
        model[-1].weight.data.zero_()
        return super().apply(model, materials, generator=generator, on_step=on_step)


FAULTS = {
    Undocumented: ("says what it does", r"no docstring.*`does` is empty"),
    Fancied: ("declares scopes and needs that exist", r"`scopes` is .*persons.* name 'oracle'"),
    Lax: ("refuses a misspelt hyper parameter by name", "was accepted"),
    Unseeded: ("gives the same bits for the same seed", "other weights"),
    Boasting: ("gives other bits for another seed if it is stochastic", "is True, .* the same weights"),
    Forgetful: ("gives the same bits with what it found without searching", "gave other weights"),
    Widening: ("keeps weights finite and their names shapes and types", "have changed"),
    Peeking: ("reads only what it declares", r"it reads `origin`, .*it reads `retain`"),
    Untidy: (
        "leaves generators gradients hooks and switches as it found them",
        "numpy's global generator has moved.*hooks were left",
    ),
    Renamed: ("survives json as asked and as resolved", "came back from its JSON"),
    Silent: ("lists every parameter in its coverage and marks what stayed", "does not have one entry"),
    Modest: (
        "lists every parameter in its coverage and marks what stayed",
        r"calls 3 elements of 8\.bias frozen, and 4 of its 4 elements have changed",
    ),
    Weak: ("forgets a class and knows the rest as before", "forgotten class is 1.000"),
    Ruinous: ("forgets a class and knows the rest as before", "the other classes fell"),
}


def test_a_method_without_fault_has_nothing_against_it():
    assert against(check_method(Flawless)) == {}


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_found_by_the_check_that_is_there_for_it(kind):
    check, reason = FAULTS[kind]
    found = against(check_method(kind))
    assert next(iter(found)) == check
    assert re.search(reason, found[check])


class Crashing(Flawless):
    """Stops in the middle."""

    def apply(self, model, materials, *, generator, on_step):
        raise ZeroDivisionError("of\nnothing")


def test_a_method_that_does_not_run_says_why_and_what_was_not_checked():
    checked = list(check_method(Crashing))
    assert against(checked) == {"runs": "ZeroDivisionError: of nothing"}
    assert sum(not one.made for one in checked) == 10


def test_what_is_no_method_says_every_reason():
    class Nothing(Method):
        name: str
        power: float

    (first, *others) = check_method(Nothing)
    assert first.reasons == (
        'it must name itself by a field such as `name: Literal["mine"] = "mine"`',
        "the class does not set `needs`",
        "the class does not set `scopes`",
        "the class does not set `summary`",
        "the setting `power` has no default",
        "it does not define `apply`",
    )
    assert not any(one.made for one in others)


@pytest.mark.parametrize("name", ["../up", "With Space", ""])
def test_a_name_that_cannot_be_a_files_is_refused(name):
    kind = type("Odd", (Flawless,), {"__annotations__": {"name": Literal[name]}, "name": name})
    assert "is not lower-case letters" in " ".join(next(iter(check_method(kind))).reasons)


def test_settings_for_the_small_net_are_the_methods_own():
    found = against(check_method(Flawless, settings={"stepp": 1}))
    assert "stepp" in found["runs"]
    assert against(check_method(Weak, forget_below=1.1)) == {}


class Plain(Metric):
    """The smallest metric that keeps to every check: the accuracy on the retained audit samples."""

    name: Literal["plain"] = "plain"
    summary: ClassVar = "accuracy"
    neutral: ClassVar = "the retrained model's"
    above: ClassVar = "nothing"
    below: ClassVar = "damaged"
    words: ClassVar = {"plain": Words(label="Accuracy", explanation="How often it is right.")}

    def measure(self, subject, *, seed):
        said = subject.view("audit", "retain")
        value = float((said.logits.argmax(1) == said.labels).float().mean())
        return (Measurement(name="plain.audit.retain", value=value, samples=len(said)),)


class Wordless(Plain):
    """Has no words."""

    words: ClassVar = {}


class Nosy(Plain):
    """Reads what it did not ask for."""

    def measure(self, subject, *, seed):
        (found,) = super().measure(subject, seed=seed)
        more = () if subject.reference is None else (found.model_copy(update={"name": "plain.reference"}),)
        return (found, *more)


class Everywhere(Plain):
    """Says that it has a meaning for classes alone, and measures samples too."""

    scopes: ClassVar = frozenset({"classes"})


class Restless(Plain):
    """Draws without a seed."""

    def measure(self, subject, *, seed):
        (found,) = super().measure(subject, seed=seed)
        return (found.model_copy(update={"value": float(np.random.default_rng().random())}),)


class Meddling(Plain):
    """Changes what the next metric sees."""

    def measure(self, subject, *, seed):
        found = super().measure(subject, seed=seed)
        subject.view("audit", "retain").logits.zero_()
        return found


class Shouting(Plain):
    """Writes a name in capitals."""

    def measure(self, subject, *, seed):
        return tuple(
            one.model_copy(update={"name": "plain.AUDIT"}) for one in super().measure(subject, seed=seed)
        )


class Outside(Plain):
    """Gives an interval without its value."""

    def measure(self, subject, *, seed):
        (found,) = super().measure(subject, seed=seed)
        return (found.model_copy(update={"low": 2.0, "high": 3.0}),)


class Ordered(Plain):
    """Looks at the first sample."""

    def measure(self, subject, *, seed):
        first = float(subject.view("audit", "retain").logits[0, 0])
        return (Measurement(name="plain.first", value=first),)


class Obliging(Plain):
    """Says something of nothing."""

    def measure(self, subject, *, seed):
        try:
            return super().measure(subject, seed=seed)
        except UsageError:
            return ()


METRIC_FAULTS = {
    Wordless: {"has plain words for what it measures"},
    Nosy: {"measures nothing without what it needs"},
    Everywhere: {"measures in the scopes that it names and in no other"},
    Restless: {"measures the same with the same seed"},
    Meddling: {"leaves outputs and generators alone"},
    Shouting: {"gives each measurement a dotted name of its own"},
    Outside: {"gives finite numbers within their intervals"},
    Ordered: {"measures the same in any order of the samples"},
    Obliging: {"refuses an empty view by name", "refuses a subject without views"},
}


def test_a_metric_without_fault_has_nothing_against_it():
    assert against(check_metric(Plain)) == {}


@pytest.mark.parametrize("kind", METRIC_FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_of_a_metric_is_found_by_the_check_that_is_there_for_it(kind):
    assert METRIC_FAULTS[kind] <= set(against(check_metric(kind)))


def test_what_is_no_metric_says_so():
    assert "is not derived from unlearn_core.metric.Metric" in against(check_metric(Flawless))["is a metric"]
