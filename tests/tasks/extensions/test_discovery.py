"""What other packages offer: found without running any of it, loaded by name, and told by what is wrong."""

import subprocess
import sys

import pytest
from plugins import install, offering, visible

from tasks.extensions.catalogues import METHODS, find_class, list_all, other_methods, other_metrics
from tasks.extensions.discovery import extension_of, offers
from tasks.measuring.metrics import metrics_asked
from unlearn_core.catalogue import name_of
from unlearn_core.errors import ConfigurationError
from unlearn_core.methods.svd import Svd
from unlearn_core.records.policy import Policy

BAND = {
    "measurement": "margin.train.forget",
    "below": 1.0,
    "above": 1.0,
    "below_means": "over_forgotten",
    "above_means": "under_forgotten",
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = install(tmp_path_factory.mktemp("packages"))
    with visible(folder):
        yield folder


def loaded_modules(*arguments):
    """Run a program on the command line of Python and return which modules of the package it loaded."""
    code = "import sys; exec(sys.argv[1]); print([m for m in sys.modules if 'lethe_example' in m])"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def test_offers_name_the_package_its_version_and_nothing_else(packages):
    found = {offer.name: str(offer) for offer in offers("method")}
    assert found == dict.fromkeys(["no_method", "not_there", "second_guess", "sloppy"], "lethe-example 1.0")
    assert [offer.name for offer in offers("metric")] == ["margin"]
    assert [offer.name for offer in offers("source")] == ["arrays"]


@pytest.mark.parametrize(
    "program",
    [
        "from tasks.extensions.discovery import offers; assert offers('method')",
        "from tasks.extensions.catalogues import other_methods; assert other_methods(['svd', 'pgu']) == ()",
        "from flows.cli.app import app\ntry: app(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_of_a_package_runs_before_it_is_asked_for(packages, program):
    assert loaded_modules(program) == "[]"


def test_only_what_is_asked_for_is_loaded(packages):
    program = "from tasks.extensions.catalogues import other_methods; other_methods(['svd', 'second_guess'])"
    assert loaded_modules(program) == "['lethe_example', 'lethe_example.second_guess']"


def test_methods_and_metrics_are_loaded_by_name_beside_lethes_own(packages):
    (method,) = other_methods(["svd", "second_guess"])
    (metric,) = other_metrics(["margin"])
    assert (method.__name__, metric.__name__) == ("SecondGuess", "Margin")


def test_what_cannot_be_loaded_says_the_package_the_place_and_every_reason(packages):
    with pytest.raises(ConfigurationError) as caught:
        other_methods(["not_there"])
    assert str(caught.value) == (
        "the method 'not_there' of lethe-example 1.0 (lethe_example.nothing_here:NotThere) cannot be used: "
        "ModuleNotFoundError: No module named 'lethe_example.nothing_here'"
    )
    with pytest.raises(ConfigurationError, match=r"'no_method' .* is not derived from unlearn_core\.method"):
        other_methods(["no_method"])


def test_a_name_that_nobody_offers_is_told_with_all_that_are(packages):
    with pytest.raises(
        ConfigurationError, match=r"no method 'svdd'; did you mean svd\? Lethe has .*sloppy \(lethe-exam"
    ):
        other_methods(["svdd"])


def test_the_list_has_what_works_and_tells_what_does_not(packages):
    listed = list_all("method")
    others = {kind.__name__: str(offer) for kind, offer in listed.kinds if offer is not None}
    assert others == dict.fromkeys(["SecondGuess", "Sloppy"], "lethe-example 1.0")
    assert [kind for kind, offer in listed.kinds if offer is None] == list(METHODS.values())
    assert sorted(problem.split("'")[1] for problem in listed.problems) == ["no_method", "not_there"]


def test_two_packages_with_one_name_are_an_error_that_names_both(packages, tmp_path):
    offering(tmp_path, "lethe-rival", methods="second_guess = lethe_example.second_guess:SecondGuess")
    with visible(packages, tmp_path):
        with pytest.raises(
            ConfigurationError, match=r"by lethe-example 1\.0 and by lethe-rival 2\.0; a name"
        ):
            other_methods(["second_guess"])
        (told,) = [one for one in list_all("method").problems if "second_guess" in one]
        assert "lethe-example 1.0 and by lethe-rival 2.0" in told
        assert other_methods(["sloppy"])


def test_nobody_takes_the_name_of_one_of_lethes_own_methods(tmp_path):
    offering(tmp_path, "lethe-rival", methods="svd = lethe_rival:Svd")
    with visible(tmp_path):
        with pytest.raises(
            ConfigurationError, match=r"by Lethe itself \(lethe-unlearning\) and by lethe-riv"
        ):
            other_methods(["svd"])
        assert other_methods(["pgu"]) == ()
        assert [kind for kind, _ in list_all("method").kinds if name_of(kind) == "svd"] == [Svd]


def test_a_class_is_named_in_records_by_package_version_and_code(packages):
    (method,) = other_methods(["second_guess"])
    named = extension_of("method", method)
    assert str(named) == "method second_guess of lethe-example 1.0"
    assert named.code.startswith("sha256:")
    assert extension_of("method", Svd) is None
    assert extension_of("metric", method) is None


def test_a_class_is_found_by_module_or_by_name(packages):
    assert find_class("method", "lethe_example.sloppy:Sloppy") is find_class("method", "sloppy")
    assert find_class("method", "svd") is Svd
    for target in ("lethe_example.sloppy:Slppy", "lethe_exampl.sloppy:Sloppy"):
        with pytest.raises(ConfigurationError, match=f"{target} cannot be imported"):
            find_class("method", target)


def policy(**metrics):
    return Policy.model_validate(
        {
            "ladder": {"classes": (), "samples": ()},
            "classes": (BAND,),
            "samples": (BAND,),
            "metrics": metrics,
        }
    )


def test_a_policy_asks_for_metrics_with_their_settings(packages):
    (metric,) = metrics_asked(policy(margin={"limit": 5.0}))
    assert metric.model_dump() == {"name": "margin", "limit": 5.0}
    with pytest.raises(ConfigurationError, match=r"margin\.limti"):
        metrics_asked(policy(margin={"limti": 5.0}))


def test_a_policy_does_not_ask_for_what_every_policy_measures(packages):
    with pytest.raises(ConfigurationError, match=r"policy\.metrics names accuracy, which every policy"):
        metrics_asked(policy(accuracy={}))


def test_a_policy_without_metrics_keeps_its_digest():
    assert "metrics" not in policy().model_dump()
