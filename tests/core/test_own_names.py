from unlearn_core import methods, metrics
from unlearn_core.catalogue import name_of
from unlearn_core.own_names import OWN_METHODS, OWN_METRICS


def test_the_names_are_those_of_the_catalogues():
    assert {name_of(method) for method in methods.CATALOGUE} == OWN_METHODS
    assert {name_of(metric) for metric in metrics.CATALOGUE} == OWN_METRICS
