"""A proxy as in front of a production host: it speaks TLS and plain HTTP on one port, and says which it was.

It overwrites X-Real-IP and X-Forwarded-Proto, and appends to X-Forwarded-For. Its certificate is its own: programs
trust it where SSL_CERT_FILE names `certificate`.
"""

import datetime
import http.client
import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
HANDSHAKE = b"\x16"  # the first byte of a TLS connection (RFC 8446, section 5.1)
OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length")
SECONDS = 65.0  # for an answer


class TlsProxy:
    """Forwards to `target` (http://…), as a context manager; `folder` gets the certificate and its key."""

    def __init__(self, target: str, folder: Path) -> None:
        self.target = urlsplit(target).netloc
        self.certificate = folder / "proxy.pem"
        if not self.certificate.exists():
            write_certificate(self.certificate)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate)
        self.server = Server((HOST, 0), handler_of(self))
        self.address = f"https://{HOST}:{self.server.server_port}"

    def __enter__(self) -> "TlsProxy":
        threading.Thread(target=self.server.serve_forever, args=(0.1,), name="tls-proxy", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that leaves, or does not trust the certificate, is no fault of the proxy."""


def handler_of(proxy: TlsProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            self.scheme = "http"
            self.request.settimeout(SECONDS)
            if self.request.recv(1, socket.MSG_PEEK) == HANDSHAKE:
                self.request = proxy.context.wrap_socket(self.request, server_side=True)
                self.scheme = "https"
            super().setup()

        def log_message(self, format: str, *args: str) -> None:
            pass

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(proxy.target, timeout=SECONDS)
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.forwarded_headers():
                    connection.putheader(name, value)
                connection.endheaders(body or None)
                response = connection.getresponse()
                self.answer(response, response.read())
            except OSError:
                self.send_error(502)
            finally:
                connection.close()

        def forwarded_headers(self) -> list[tuple[str, str]]:
            client = self.client_address[0]
            before = self.headers.get("X-Forwarded-For")
            replaced = {
                "x-real-ip": client,
                "x-forwarded-proto": self.scheme,
                "x-forwarded-for": f"{before}, {client}" if before else client,
            }
            kept = [
                (name, value)
                for name, value in self.headers.items()
                if name.lower() not in (*replaced, "connection", "keep-alive")
            ]
            return [*kept, *replaced.items()]

        def answer(self, response: http.client.HTTPResponse, body: bytes) -> None:
            self.send_response_only(response.status, response.reason)
            for name, value in response.getheaders():
                if name.lower() not in OF_THE_CONNECTION:
                    self.send_header(name, value)
            length = response.headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.forward)
    return Handler


def write_certificate(path: Path) -> None:
    """Write a key and a certificate for this machine's address, signed by itself, into one file of its owner."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Design Gallery on this machine")])
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.touch(mode=0o600)
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
