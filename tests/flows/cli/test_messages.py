"""What a person and Prefect's store are told when a flow stops."""

import pytest
from world import NOISE, clone, content, lethe

from tasks.checkout.params import write_params

pytestmark = [*NOISE, pytest.mark.usefixtures("prefect_server")]


def test_a_failing_flow_is_one_message_without_an_absolute_path(tmp_path, project, capfd):
    root = clone(project, tmp_path / "clone")
    gone = {"source": "retained", "rows_digest": content("unknown")}
    write_params(root, {"dataset": gone})
    code, _, err = lethe(root, "train")
    assert code == 4
    assert "data/generations/" in err
    printed = err + capfd.readouterr().err
    assert str(root) not in printed
    assert "Traceback" not in printed
