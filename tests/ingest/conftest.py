"""A site on loopback, and fetchers with their failures."""

import contextlib
import itertools
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest import fetching
from ingest.fetching import Fetcher
from rag.errors import FetchError

PAGE = "<p>Größe</p>".encode()

# For news.test alone, until 2126; only these tests trust it.
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUHbYB3HW/3ypwT5FPTyJc7dc75KQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbmV3cy50ZXN0MCAXDTI2MTEyNTAwMDAxOFoYDzIxMjYxMTAx
MDAwMDE4WjAUMRIwEAYDVQQDDAluZXdzLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARRuAEirvv8bSlND/Ao9wlgCykKlLqYMOWMme1hcWrO4CA6JYaA184J
f8fVcma9nGAq36wF/57Rr2GI7sN25xoXo2kwZzAdBgNVHQ4EFgQUruy1N63Kn3cG
AjHhUOTqGMeXrzcwHwYDVR0jBBgwFoAUruy1N63Kn3cGAjHhUOTqGMeXrzcwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALggluZXdzLnRlc3QwCgYIKoZIzj0EAwID
SAAwRQIhAOeNZDbwBkPkMAjmdeL4VsKOnISqQ6Wsh8CqruDhBDUyAiA+rNtIDWr+
hFWGZYKESGjXM/7NGt7ZjawwH4vyJa19JQ==
-----END CERTIFICATE-----
"""
KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqeweSNGJbNS3VJlr
C/IOTwHwGgherlEZWUrRwK52jHWhRANCAARRuAEirvv8bSlND/Ao9wlgCykKlLqY
MOWMme1hcWrO4CA6JYaA184Jf8fVcma9nGAq36wF/57Rr2GI7sN25xoX
-----END PRIVATE KEY-----
"""


class Site(ThreadingHTTPServer):
    """A real server on every 127.x.x.x; `seen` has the path and headers of each request."""

    daemon_threads = False  # so that closing it waits for its threads

    def __init__(self):
        super().__init__(("", 0), Handler)
        self.port = self.server_address[1]
        self.seen = []
        self.answers = {}
        self.closing = threading.Event()

    def url(self, path="/", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def answer(self, path="/", status=200, body=PAGE, **headers):
        self.answers[path] = status, headers, body

    def redirect(self, path, location, status=302, **headers):
        self.answer(path, status, b"", Location=location, **headers)

    def paths(self):
        return [path for path, _ in self.seen]

    def sent(self, header):
        return [headers.get(header) for _, headers in self.seen]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        status, headers, body = self.server.answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if isinstance(body, bytes):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client hangs up on what is too much for it
            for piece in [body] if isinstance(body, bytes) else body:
                if self.server.closing.is_set():
                    break
                self.wfile.write(piece)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site():
    with serving(Site()) as server:
        yield server


@pytest.fixture(scope="module")
def fetcher():
    with Fetcher(allow_private=True) as fetcher:
        yield fetcher


@pytest.fixture(scope="module")
def strict_fetcher():
    with Fetcher() as fetcher:
        yield fetcher


@pytest.fixture
def public_fetcher(monkeypatch):
    """One that takes 127.0.0.1 for a public address, and no other that is not."""
    judge = fetching._special_kind
    monkeypatch.setattr(
        fetching,
        "_special_kind",
        lambda address: judge(address) if address != "127.0.0.1" else None,
    )
    with Fetcher() as fetcher:
        yield fetcher


def resolve(monkeypatch, host, *answers):
    """Each look-up of the host gives the next answer, which is a list of addresses."""
    real = socket.getaddrinfo
    remaining = iter(answers)

    def getaddrinfo(name, *args, **kwargs):
        addresses = next(remaining) if name == host else [name]
        return [info for each in addresses for info in real(each, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def failure(fetcher, url, kind=FetchError):
    with pytest.raises(kind) as caught:
        fetcher.fetch(url)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert message.startswith("cannot fetch '")
    assert "; " in message
    assert message.isprintable()
    assert len(message) < 800
    return message


@pytest.fixture
def tls_site(tmp_path):
    certificate = tmp_path / "news.test.pem"
    certificate.write_text(CERTIFICATE + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Site()
    server.handle_error = lambda *args: None  # a client that hangs up in the handshake
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.certificate = certificate
    server.answer()
    with serving(server):
        yield server


def drip(piece=b"x"):
    for _ in range(500):  # for ever, as a reader sees it, but a broken deadline fails a test
        yield piece
        time.sleep(0.01)


@contextlib.contextmanager
def raw_server(*pieces, dripping=False):
    """Answers its one connection with bytes as they are; may drip the last until hung up on."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            for piece in itertools.chain(pieces, drip(pieces[-1]) if dripping else ()):
                connection.sendall(piece)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        thread.join()
        listener.close()
