"""A wrong word costs a moment: it is refused before anything heavy is loaded, and nothing is made.

All refusals are made in one new process; after each it notes which heavy modules came, and which files.
"""

import json
import subprocess
import sys

import pytest
from world import make_checkout

HEAVY = ["torch", "mlflow", "prefect", "dvc", "great_expectations", "sklearn", "pandas", "matplotlib"]
PROGRAM = f"""
import contextlib, io, json, os, pathlib, sys
from flows.cli.app import main
told, heavy = [], set({HEAVY})
for folder, arguments in json.load(sys.stdin):
    os.chdir(folder)
    before, loaded = set(pathlib.Path().rglob("*")), heavy & set(sys.modules)
    sys.argv = ["lethe", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    made = sorted(str(path) for path in set(pathlib.Path().rglob("*")) - before)
    loaded = sorted(heavy & set(sys.modules) - loaded)
    told.append([code, out.getvalue(), err.getvalue(), loaded, made])
print(json.dumps(told))
"""
"""Run from outside of pytest, which has loaded torch."""

OUTSIDE = [
    ["demo"],
    ["train"],
    ["adopt", "net.safetensors"],
    ["canary", "plant", "--records", "5"],
    ["delete", "r-1", "--class", "3"],
    ["reference"],
    ["benchmark"],
    ["benchmark", "--adversaries"],
    ["tune", "svd"],
    ["next"],
    ["status"],
    ["lineage", "--class", "3"],
    ["data"],
    ["verify"],
    ["report"],
    ["approve", "r-1", "--by", "dpo"],
    ["evidence", "push", "demo"],
    ["request", "list"],
    ["request", "submit", "r-1", "--class", "3"],
    ["pending"],
    ["serve"],
    ["stage", "split"],
    ["upgrade"],
    ["db", "current"],
    ["ui"],
]
NET = ("--architecture", "small_resnet")
INSIDE = [
    ("project", ["delete", "r-1", "--class", "banana"], 2, "unknown class: banana; the data set has 0, 1"),
    ("project", ["delete", "r-1", "--class", "33"], 2, "unknown class: 33; did you mean 3? "),
    ("project", ["delete", "r-1", "--sample", "digit-9999"], 2, "unknown sample: digit-9999; did you mean d"),
    ("project", ["delete", "r-1", "--subject", "nobody"], 2, "unknown subject: nobody"),
    ("project", ["delete", "r-1", "--subject", "subject-00"], 2, "did you mean subject-00"),
    ("project", ["data"], 0, "rows; "),
    ("project", ["data", "--persons"], 0, "person(s); "),
    ("project", ["data", "digit-0003", "--json"], 0, '"sample": "digit-0003"'),
    ("project", ["data", "nobody"], 2, "nothing in the data set is nobody"),
    ("project", ["data", "--class", "banana"], 2, "unknown class: banana"),
    ("project", ["data", "digit-00", "--show"], 2, "search for one to see its picture"),
    ("project", ["delete", "demos"], 2, "did you mean demo? name its scope"),
    ("project", ["request", "submit", "r-1", "--class", "banana"], 2, "unknown class: banana"),
    ("project", ["adopt", "none.safetensors", *NET, "--data", "."], 2, "none.safetensors is not a file"),
    ("project", ["adopt", "params.yaml", *NET, "--data", "."], 2, "params.yaml is not a safetensors file"),
    ("project", ["adopt", "net.safetensors", "--data", "."], 2, "architecture is unknown"),
    ("project", ["adopt", "net.safetensors", *NET, "--data", "image"], 2, "--data: there is no image"),
    ("project", ["adopt", "net.safetensors", *NET], 2, "trained on with --data"),
    ("project", ["canary", "plant", "--records", "100000"], 2, "canaries"),
    ("project", ["next"], 2, "no deletion has been accepted"),
    ("project", ["status"], 0, "digits has no version in use yet"),
    ("project", ["lineage"], 2, "name one of --class, --sample, --subject, --dataset, --model"),
    ("project", ["lineage", "--class", "3", "--sample", "digit-0001"], 2, "2 were named"),
    ("project", ["lineage", "--model", "latest"], 2, "expected a digest"),
    ("project", ["verify"], 0, "no certificates here yet"),
    ("project", ["tune", "sdv"], 2, "there is no method 'sdv' in params.yaml; did you mean svd? it has"),
    ("project", ["benchmark", "--method", "sdv"], 2, "there is no method 'sdv'"),
    ("project", ["benchmark"], 2, "there is no parent"),
    ("project", ["report", "demos"], 2, "for the request 'demos'; did you mean demo? serve it"),
    ("project", ["approve", "demo", "--by", "dpo"], 2, "no model has been accepted"),
    ("project", ["evidence", "push", "demo"], 2, ""),
    ("project", ["stage", "spilt"], 2, "there is no stage 'spilt'"),
    ("project", ["pending"], 0, "0 requests"),
    ("project", ["serve"], 2, "PREFECT_API_URL"),
    ("project", ["deploy"], 2, "PREFECT_API_URL"),
    ("without", ["delete", "demo"], 2, "there is no request 'demo'"),
    ("without", ["demo"], 2, "there is no request 'demo'"),
    ("without", ["reference"], 2, "there is no request 'demo'"),
    ("without", ["benchmark", "--adversaries"], 2, "there is no request 'demo'"),
    ("without", ["tune", "svd"], 2, "there is no request 'demo'"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Give every command in one process, and return what came of each."""
    home = tmp_path_factory.mktemp("refusals")
    (home / "outside").mkdir()
    project, without = (make_checkout(home / name) for name in ("project", "without"))
    (project / "net.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (without / "requests" / "demo.json").unlink()
    asked = [("outside", one) for one in OUTSIDE] + [one[:2] for one in INSIDE]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([(str(home / folder), arguments) for folder, arguments in asked]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    keys = (f"{folder} {' '.join(arguments)}" for folder, arguments in asked)
    return home, dict(zip(keys, found, strict=True))


@pytest.mark.parametrize("arguments", OUTSIDE, ids=" ".join)
def test_outside_of_a_project_there_is_one_answer_and_nothing_is_loaded_or_made(told, arguments):
    home, answers = told
    code, out, err, loaded, made = answers[f"outside {' '.join(arguments)}"]
    assert (code, out, loaded, made) == (2, "", [], [])
    assert f"lethe: {home / 'outside'} is not in a Lethe project: " in err
    assert "Change to your project, or run `lethe init` to make one here" in err


@pytest.mark.parametrize(("folder", "arguments", "expected", "said"), INSIDE, ids=lambda one: str(one)[:60])
def test_a_wrong_word_is_refused_before_anything_heavy_is_loaded_and_makes_nothing(
    told, folder, arguments, expected, said
):
    code, out, err, loaded, made = told[1][f"{folder} {' '.join(arguments)}"]
    assert (code, loaded, made) == (expected, [], []), err
    assert said in (err if expected else out)
