"""The base job template of a Kubernetes work pool: filled in by Prefect, accepted by its server."""

import json
import re

import httpx
import pytest
from compose import load
from world import ROOT

FILE = ROOT / "infra/kubernetes/base-job-template.json"
TEMPLATE = json.loads(FILE.read_text())
VARIABLES = TEMPLATE["variables"]["properties"]
MANIFEST = TEMPLATE["job_configuration"]["job_manifest"]
POD = MANIFEST["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def fill(**values):
    """Let Prefect's own code fill in the template, as for a worker with a deployment's job variables."""
    from prefect.utilities.templating import apply_values

    defaults = {name: one["default"] for name, one in VARIABLES.items() if "default" in one}
    return apply_values(TEMPLATE["job_configuration"], {**defaults, **values})["job_manifest"]


def placeholders(part):
    return set(re.findall(r"\{\{ *(\w+) *\}\}", json.dumps(part)))


def test_it_has_the_two_parts_that_prefect_asks_for():
    assert set(TEMPLATE) == {"job_configuration", "variables"}
    assert TEMPLATE["variables"]["type"] == "object"


def test_each_placeholder_is_a_variable_and_each_variable_is_used():
    assert placeholders(TEMPLATE["job_configuration"]) == set(VARIABLES)


def test_each_variable_has_a_title_and_a_description_for_the_form():
    assert [
        name for name, one in VARIABLES.items() if not one.get("title") or not one.get("description")
    ] == []


def test_prefect_fills_in_every_default(own_folders):
    filled = fill()
    assert placeholders(filled) <= {"name"}
    (container,) = filled["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert filled["spec"]["activeDeadlineSeconds"] == 86400


def test_a_deployment_can_ask_for_more_accelerators_or_none(own_folders):
    for gpus in (0, 4):
        (container,) = fill(gpus=gpus)["spec"]["template"]["spec"]["containers"]
        resources = container["resources"]
        assert resources["limits"]["nvidia.com/gpu"] == resources["requests"]["nvidia.com/gpu"] == gpus


def test_the_job_has_no_rights_and_is_tried_once():
    assert MANIFEST["spec"]["backoffLimit"] == 0
    assert POD["restartPolicy"] == "Never"
    assert POD["automountServiceAccountToken"] is False
    user = load()["services"]["worker"]["user"]
    assert f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}" == user
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_secrets_come_by_name_alone():
    sources = [source for one in CONTAINER["envFrom"] for source in one]
    assert sources == ["configMapRef", "secretRef"]
    assert "value" not in json.dumps(CONTAINER["envFrom"])


def test_what_is_mounted_is_there_and_what_is_written_is_mounted():
    mounted = {one["name"]: one["mountPath"] for one in CONTAINER["volumeMounts"]}
    assert set(mounted) == {one["name"] for one in POD["volumes"]}
    environment = load()["services"]["worker"]["environment"]
    assert environment["LETHE_WORK"] == mounted["work"]
    assert environment["PREFECT_HOME"].startswith(mounted["state"])
    assert f"{environment['LETHE_HOME']}/trusted" == mounted["trusted"]


def test_the_image_is_of_the_version_that_compose_builds():
    image = load()["services"]["worker-gpu"]["image"]
    assert re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", image) == VARIABLES["image"]["default"]


@pytest.mark.services
def test_prefects_server_makes_a_work_pool_of_it(stack):
    command = ["prefect", "--no-prompt", "work-pool", "create", "lethe-kubernetes", "--type", "kubernetes"]
    stack.run("deploy", command=[*command, "--base-job-template", str(FILE)])
    user, password = stack.environment["PREFECT_API_AUTH_STRING"].split(":")
    pool = httpx.get(f"{stack.prefect_url}/work_pools/lethe-kubernetes", auth=(user, password)).json()
    assert pool["type"] == "kubernetes"
    assert pool["base_job_template"] == TEMPLATE
    refused = httpx.post(
        f"{stack.prefect_url}/work_pools/",
        json={"name": "typo", "type": "kubernetes",
              "base_job_template": {**TEMPLATE, "job_configuration": {"x": "{{ no_such_variable }}"}}},
        auth=(user, password),
    )  # fmt: skip
    assert refused.status_code == 422
