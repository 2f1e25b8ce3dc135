"""An id is looked for in the forms in which programs write it."""

import json
from urllib.parse import quote

import pytest

from tasks.traces.sought import Sought

NAME = "zoë/müller-001"
FORMS = {
    "as it is": NAME.encode(),
    "JSON": json.dumps(NAME).encode(),
    "JSON, in capitals": json.dumps(NAME).replace("00eb", "00EB").replace("00fc", "00FC").encode(),
    "JSON, with escaped slashes": json.dumps(NAME).replace("/", "\\/").encode(),
    "an address": quote(NAME).encode(),
    "a part of an address": quote(NAME, safe="").encode(),
    "Python": ascii(NAME).encode(),
    "UTF-16": NAME.encode("utf-16"),
    "Latin-1": NAME.encode("latin-1"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_id_is_found_in_each_form(form):
    sought = Sought((), names=(NAME,))
    assert {sought.needles[index].kind for index in sought.strings.found_in(b". " + form + b" .")} == {"id"}


def test_an_id_that_is_too_short_is_counted_once():
    assert Sought((), names=("é/1",)).unsearchable == 1
    assert Sought((), names=(NAME,)).unsearchable == 0
