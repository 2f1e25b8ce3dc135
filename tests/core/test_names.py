"""Names: when two are one, and how those that look alike are shown."""

import unicodedata

import pytest

from unlearn_core.names import one_form, told_apart


@pytest.mark.parametrize("name", ["Äpfel", "고양이", "Zoë", "cat", ""])
def test_a_name_has_one_form_whichever_system_wrote_it(name):
    assert {one_form(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")} == {name}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat", "dog"], "cat, dog"),
        (["Äpfel", "고양이"], "Äpfel, 고양이"),
        (["cats & dogs"], "cats & dogs"),
        (["cat", "Cat"], "'cat', 'Cat'"),
        (["cat "], "'cat '"),
        (["cat\u200b", "dog"], r"'cat\u200b', dog"),
        (["big\u00a0cat"], r"'big\xa0cat'"),
        (["A\u0308pfel"], r"'A\u0308pfel'"),
        (["Äpfel", "A\u0308pfel"], r"'\xc4pfel', 'A\u0308pfel'"),
        (["a b", "ab"], "'a b', 'ab'"),
    ],
)
def test_names_that_look_alike_are_shown_so_that_they_can_be_told_apart(names, said):
    assert told_apart(names) == said


def test_a_name_is_told_apart_from_those_beside_it():
    assert told_apart(["cat"], among=["cat ", "dog"]) == "'cat'"
    assert told_apart(["cat"], among=["cat", "dog"]) == "cat"
