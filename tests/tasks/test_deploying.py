"""What a folder says is deployed: read, or refused by name."""

import pytest
from world import ROOT

from tasks.deploying import read_deployments
from unlearn_core.errors import ConfigurationError, SetupError


def test_lethes_own_deployments_are_read():
    names = [one["name"] for one in read_deployments(ROOT / "infra")]
    assert names == ["delete", "pending", "train", "verify"]


def test_a_folder_without_deployments_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"prefect\.yaml does not exist; it says what is deployed"):
        read_deployments(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployments: [", "is not YAML"),
        ("", "has no list 'deployments'"),
        ("- deployments", "has no list 'deployments'"),
        ("deployments: {name: delete}", "has no list 'deployments'"),
    ],
)
def test_a_file_that_describes_no_deployments_is_refused(tmp_path, text, expected):
    (tmp_path / "prefect.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=expected):
        read_deployments(tmp_path)
