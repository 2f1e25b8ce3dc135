"""S3 over HTTP on loopback: moto's server behind a door that can refuse, and remembers who knocked."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

SECRETS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not/for/anybodys/eyes"}


class Quiet(WSGIRequestHandler):
    def log(self, type, message, *args):  # noqa: A002
        pass


@dataclass
class Server:
    """Moto's server.

    Attributes:
        asked: Method and path of each request since it was last emptied.
        refusals: How many of the next requests are refused, with ``status`` and ``code``, if ``asking`` is in
            their method and path.
        refusing_until: Until when, by the monotonic clock, every such request is refused, however many.
    """

    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    refusals: int = 0
    refusing_until: float = 0.0
    asking: str = ""
    status: str = "503 Service Unavailable"
    code: str = "ServiceUnavailable"
    _app: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    _server: BaseWSGIServer | None = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self):
        keys = {name.lower(): value for name, value in SECRETS.items()}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)

    def start(self):
        self._server = make_server("127.0.0.1", self.port, self, threaded=True, request_handler=Quiet)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def refuse(self, count, asking="", *, status="503 Service Unavailable", code="ServiceUnavailable"):
        self.refusals, self.asking, self.status, self.code = count, asking, status, code
        self.refusing_until = 0.0

    def refuse_for(self, seconds, asking="", *, status="503 Service Unavailable", code="ServiceUnavailable"):
        """Refuse every request for a time, as a store does that is down."""
        self.asking, self.status, self.code = asking, status, code
        self.refusing_until = time.monotonic() + seconds

    def _refuses(self, method, path):
        if self.asking not in f"{method} {path}":
            return False
        if time.monotonic() < self.refusing_until:
            return True
        refused = self.refusals > 0
        self.refusals -= refused
        return refused

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append((method, path))
        if self._refuses(method, path):
            # What is not read would come before the next request.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = f"<Error><Code>{self.code}</Code><Message>no</Message></Error>".encode()
            length = ("Content-Length", str(len(body)))
            start_response(self.status, [("Content-Type", "application/xml"), length])
            # What follows the answer to HEAD would be taken for the next answer.
            return [] if method == "HEAD" else [body]
        return self._app(environ, start_response)

    def sent(self):
        """Return the paths that something was written to."""
        return [path for method, path in self.asked if method == "PUT"]

    def objects(self, bucket):
        """Return the bytes of all objects in a bucket, by key."""
        client = self.client
        listed = client.list_objects_v2(Bucket=bucket).get("Contents", ())
        return {one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}
