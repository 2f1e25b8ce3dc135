"""A time stamp authority (RFC 3161) over HTTP on loopback: OpenSSL signs, as many real ones do."""

import datetime
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """
[tsa]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
certs = {folder}/signer.pem
default_policy = 1.2.3.4.1
digests = sha256, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """An authority with a root of its own.

    Attributes:
        url: Where it is asked; nobody answers there once it has been stopped.
        root: The certificate that it is trusted by, PEM.
        asked: How many stamps were asked for.
        says: What it answers in place of a stamp, if anything: a status and a body.
    """

    def __init__(self, folder: Path, *, name: str = "A Notary"):
        folder.mkdir()
        self.folder, self.name, self.asked, self.says = folder, name, 0, None
        self.root = folder / "root.pem"
        _certify(folder, name)
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder))
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsr"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, query: bytes) -> bytes:
        """Return the signed response to a query."""
        asked, answered = self.folder / "asked.tsq", self.folder / "answer.tsr"
        asked.write_bytes(query)
        program = ["openssl", "ts", "-reply", "-config", self.folder / "openssl.cnf", "-section", "tsa"]
        subprocess.run([*program, "-queryfile", asked, "-out", answered], check=True, capture_output=True)
        return answered.read_bytes()

    def _handler(authority):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                authority.asked += 1
                query = self.rfile.read(int(self.headers["Content-Length"]))
                status, body = authority.says or (200, authority.answer(query))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


def _certify(folder: Path, name: str) -> None:
    """Write a root, and a certificate under it that may sign time stamps and nothing else."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, subject = (
        x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, one), x509.NameAttribute(NameOID.COUNTRY_NAME, "XX")]
        )
        for one in (f"{name}, root", name)
    )
    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    root = _builder(issuer, issuer, root_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    signer = _builder(issuer, subject, key).add_extension(stamping, critical=True)
    for file, one in (("root.pem", root), ("signer.pem", signer)):
        (folder / file).write_bytes(one.sign(root_key, SHA256()).public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signer.key").write_bytes(pem)


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
    )
