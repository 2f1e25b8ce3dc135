"""A server on loopback that gives one answer to everything, and keeps what it was sent."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answering(ThreadingHTTPServer):
    """The server.

    Attributes:
        asked: Path, authorization and body of each request.
    """

    def __init__(self, status):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.asked = status, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/api"


class _Handler(BaseHTTPRequestHandler):
    def _answer(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_):
        pass


@contextmanager
def answering(status):
    """Answer every request with a status."""
    with Answering(status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
