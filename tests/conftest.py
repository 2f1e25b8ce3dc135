"""What every test stands on: keys and Prefect's state in temporary folders, one thread, no telemetry."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from once import made_once, share

from tasks.checkout.environment import configure_libraries
from tasks.keys.folder import init_keys
from unlearn_core.records.base import sha256

# A shell lets its background jobs ignore these, and what a test starts would ignore them too.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


GOLDEN = Path(__file__).with_name("golden")


# A busy machine is no failure.
settings.register_profile("lethe", deadline=None)
settings.load_profile("lethe")


def pytest_configure():
    """Set what Prefect reads once, when a module imports it: that is before any fixture runs."""
    configure_libraries()
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="lethe-prefect-")


def pytest_unconfigure():
    """Remove Prefect's folder again."""
    shutil.rmtree(os.environ["PREFECT_HOME"], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Keys of the tests' own; nobody else's are touched, and no service is talked to."""
    share(tmp_path_factory)
    home = made_once("home", lambda folder: init_keys(folder / "lethe"))
    os.environ["LETHE_HOME"] = str(home / "lethe")
    for path in GOLDEN.glob("*.pub"):
        path.chmod(0o644)  # git leaves it to the umask whether others may change a key
    stores = [name for name in os.environ if name.startswith(("LETHE_S3_", "LETHE_TSA_"))]
    keys = ("LETHE_SIGNING_KEY", "LETHE_PSEUDONYM_KEY")
    for name in (*keys, "MLFLOW_TRACKING_URI", "LETHE_DATABASE_URL", *stores):
        os.environ.pop(name, None)
    return home


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def s3_server():
    """Moto's server on loopback, for all tests; each makes a bucket of its own."""
    from s3 import Server

    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3(s3_server):
    """The same, and an environment with which boto3 finds it and nothing of anybody's own."""
    from s3 import SECRETS

    with pytest.MonkeyPatch.context() as patch:
        nobody = {"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
        settings = {"AWS_EC2_METADATA_DISABLED": "true", "LETHE_S3_ENDPOINT": s3_server.endpoint}
        for name, value in {**nobody, **settings, **SECRETS}.items():
            patch.setenv(name, value)
        yield s3_server
    s3_server.refuse(0)


@pytest.fixture(scope="session")
def authorities(tmp_path_factory):
    """Two time stamp authorities that do not know each other."""
    from authority import Authority

    folder = tmp_path_factory.mktemp("authorities")
    made = Authority(folder / "notary"), Authority(folder / "stranger", name="A Stranger")
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def notary(authorities, monkeypatch):
    """The authority that this machine asks and believes."""
    monkeypatch.setenv("LETHE_TSA_URL", authorities[0].url)
    monkeypatch.setenv("LETHE_TSA_CA", str(authorities[0].root))
    yield authorities[0]
    authorities[0].says = None


@pytest.fixture
def bucket(s3, request):
    """An empty bucket of the test's own; nothing in the environment names it."""
    name = f"b-{sha256(request.node.nodeid.encode())[-16:]}"
    s3.client.create_bucket(Bucket=name)
    s3.asked.clear()
    yield name
    s3.refuse(0)
