import contextlib
import gzip
import itertools
import re
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest import fetching
from ingest.fetching import Fetcher, gunzip
from rag.errors import FetchError, RefusedAddressError, SourceError

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


# What a page says of itself


def test_page_has_what_the_server_said(site, fetcher):
    date = "Mon, 01 Jan 2024 00:00:00 GMT"
    kind = "Text/HTML; Charset=ISO-8859-1"
    site.answer("/a?b=c", Content_Type=kind, ETag='"1"', Last_Modified=date)
    page = fetcher.fetch(site.url("/a?b=c#part"))
    assert page == fetching.Page(
        url=site.url("/a?b=c"),
        body=PAGE,
        charset="iso-8859-1",
        content_type="text/html",
        etag='"1"',
        last_modified=date,
    )
    assert re.fullmatch(r"gazette/\S+ \(\+news reader\)", site.sent("User-Agent")[0])


def test_what_the_server_does_not_say_is_none(site, fetcher):
    site.answer()
    page = fetcher.fetch(site.url())
    assert (page.charset, page.content_type, page.etag, page.last_modified) == (None,) * 4


def test_any_media_type_is_returned(site, fetcher):
    site.answer(Content_Type="application/pdf", body=b"%PDF")
    assert fetcher.fetch(site.url()).content_type == "application/pdf"


def test_unchanged_page_is_none(site, fetcher):
    site.answer(status=304, body=b"")
    assert fetcher.fetch(site.url(), etag='"1"', last_modified="yesterday") is None
    assert site.sent("If-None-Match") == ['"1"']
    assert site.sent("If-Modified-Since") == ["yesterday"]


def test_changed_page_is_returned(site, fetcher):
    site.answer(ETag='"2"')
    assert fetcher.fetch(site.url(), etag='"1"').etag == '"2"'


def test_unchanged_is_an_error_where_nothing_was_known(site, fetcher):
    site.answer(status=304, body=b"")
    assert "HTTP 304 Not Modified" in failure(fetcher, site.url())


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (404, "HTTP 404 Not Found", "check the address"),
        (403, "HTTP 403 Forbidden", "save the page"),
        (429, "HTTP 429 Too Many Requests", "try again later"),
        (503, "HTTP 503 Service Unavailable", "try again later"),
        (206, "HTTP 206 Partial Content", "check the address"),
    ],
)
def test_other_statuses_are_errors(site, fetcher, status, said, advice):
    site.answer("/gone", status=status)
    message = failure(fetcher, site.url("/gone"))
    assert message.startswith(f"cannot fetch '{site.url('/gone')}': {said}; ")
    assert advice in message


# Which addresses are refused

PRIVATE_HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1",
    "0177.0.0.1", "017700000001", "0177.0x0.1", "127.0.0.1.", "0177.0.0.1.", "127.255.255.254",
    "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "１２７。０。０。１", "127．0．0．1",
    "0", "0.0.0.0", "0.1.2.3", "localhost", "LOCALHOST", "localhost.", "news.localhost",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
    "169.254.1.1", "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    "168.63.129.16", "100.100.100.200", "192.0.0.192", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]", "[::ffff:168.63.129.16]", "[::ffff:224.0.0.1]", "[::127.0.0.1]",
    "[::8.8.8.8]", "[::ffff:0:127.0.0.1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2002:808:808::]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]",
    "[64:ff9b:1:a00:0:100::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:470:1::5efe:10.0.0.1]", "[2001:470:1::200:5efe:192.168.0.1]", "[fe80::1]",
    "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]", "[fe80::5efe:8.8.8.8]", "[fc00::1]",
    "[fd00:ec2::254]", "[fd20:ce::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]",
    "[100::1]", "[5f00::1]", "[4000::1]", "[8000::1]",
]  # fmt: skip


@pytest.fixture(scope="module")
def strict_fetcher():
    with Fetcher() as fetcher:
        yield fetcher


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
@pytest.mark.parametrize("form", ["http://{}/", "https://me:secret@{}:8443/x"])
def test_addresses_that_are_not_public_are_refused(strict_fetcher, host, form):
    message = failure(strict_fetcher, form.format(host), RefusedAddressError)
    assert message.endswith("; pass --allow-private to fetch from your own network")
    assert "secret" not in message


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("169.254.169.254", "cloud metadata"),
        ("168.63.129.16", "cloud metadata"),
        ("fd00:ec2::254", "cloud metadata"),
        ("127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("fec0::1", "private"),
        ("100.64.0.1", "shared"),
        ("fe80::1%eth0", "link-local"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("2002:808:808::", "reserved"),
    ],
)
def test_kind_of_address(address, kind):
    assert fetching._special_kind(address) == kind


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "168.63.129.17",
     "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:470:1::1", "::ffff:8.8.8.8",
     "64:ff9b::8.8.8.8", "2001:470:1::5efe:8.8.8.8"],
)  # fmt: skip
def test_public_addresses_have_no_kind(address):
    assert fetching._special_kind(address) is None


def test_refusal_says_what_and_where(site, strict_fetcher):
    assert failure(strict_fetcher, site.url("/x"), RefusedAddressError) == (
        f"cannot fetch '{site.url('/x')}': '127.0.0.1' is the loopback address 127.0.0.1; "
        "pass --allow-private to fetch from your own network"
    )
    assert site.seen == []


def test_one_private_address_among_public_ones_is_enough(site, monkeypatch, public_fetcher):
    resolve(monkeypatch, "news.test", ["127.0.0.1", "10.0.0.1"])
    message = failure(public_fetcher, site.url(host="news.test"), RefusedAddressError)
    assert "'news.test' is the private address 10.0.0.1" in message
    assert site.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_a_private_address_is_refused(site, public_fetcher, status):
    target = site.url("/secret", host="127.0.0.2")
    site.redirect("/", target, status)
    message = failure(public_fetcher, site.url(), RefusedAddressError)
    assert message.startswith(f"cannot fetch '{site.url()}', redirected to '{target}': ")
    assert site.paths() == ["/"]


@pytest.mark.parametrize(
    "host",
    ["127.2", "2130706434", "0x7f.2", "0177.0.0.2", "127.0.0.2.", "[::1]", "[::ffff:127.0.0.2]",
     "[64:ff9b::127.0.0.2]", "[2002:7f00:2::]", "[fe80::1%25lo]"],
)  # fmt: skip
def test_redirect_to_another_spelling_is_refused(site, public_fetcher, host):
    site.redirect("/", f"//{host}:{site.port}/secret")
    failure(public_fetcher, site.url(), RefusedAddressError)
    assert site.paths() == ["/"]


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "file://127.0.0.1/etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
     "data:text/html,x", "javascript:1", "http://127.0.0.1:99999/"],
)  # fmt: skip
def test_redirect_elsewhere_than_the_web_is_refused(site, fetcher, location):
    site.redirect("/", location)
    message = failure(fetcher, site.url())
    assert message.startswith(f"cannot fetch '{site.url()}', redirected to '")
    assert site.paths() == ["/"]


def test_name_is_resolved_once_whatever_it_says_next(site, monkeypatch, public_fetcher):
    resolve(monkeypatch, "rebinding.test", ["127.0.0.1"], ["127.0.0.2"])
    site.answer()
    assert public_fetcher.fetch(site.url(host="rebinding.test")).body == PAGE
    assert site.sent("Host") == [f"rebinding.test:{site.port}"]


def test_name_that_turned_private_is_refused_when_resolved_again(site, monkeypatch, public_fetcher):
    resolve(monkeypatch, "rebinding.test", ["127.0.0.1"], ["127.0.0.2"])
    site.redirect("/", "/secret")
    message = failure(public_fetcher, site.url(host="rebinding.test"), RefusedAddressError)
    assert "'rebinding.test' is the loopback address 127.0.0.2" in message
    assert site.paths() == ["/"]


def test_address_really_connected_to_is_checked(site, monkeypatch, public_fetcher):
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("10.0.0.1", 80))
    message = failure(public_fetcher, site.url(), RefusedAddressError)
    assert "'127.0.0.1' is the private address 10.0.0.1" in message
    assert site.seen == []


def test_proxies_of_the_environment_are_not_used(site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    site.answer()
    with Fetcher(allow_private=True) as fetcher:
        assert fetcher.fetch(site.url()).body == PAGE


# Redirects


def test_redirects_are_followed(site, fetcher):
    for number in range(fetching.MAX_REDIRECTS):
        site.redirect(f"/{number}", f"{number + 1}")
    last = f"/{fetching.MAX_REDIRECTS}"
    site.answer(last)
    assert fetcher.fetch(site.url("/0")).url == site.url(last)


@pytest.mark.parametrize("location", ["/", "", "//", "http://"])  # where no host is, it stays
def test_redirect_loop_ends(site, fetcher, location):
    site.redirect("/", location)
    assert "more than 5 redirects" in failure(fetcher, site.url())
    assert len(site.seen) == fetching.MAX_REDIRECTS + 1


def test_cookies_last_for_one_fetch_and_its_host(site, fetcher):
    site.redirect("/", "/next", Set_Cookie="seen=1; Path=/")
    site.redirect("/next", site.url("/page", host="127.0.0.2"))
    site.answer("/page")
    fetcher.fetch(site.url())
    fetcher.fetch(site.url("/page"))
    assert site.sent("Cookie") == [None, "seen=1", None, None]


def test_body_of_a_redirect_is_not_read(site, fetcher):
    site.answer(status=302, body=itertools.repeat(bytes(100_000)), Location="/page")
    site.answer("/page")
    assert fetcher.fetch(site.url()).body == PAGE


# Credentials


def test_credentials_reach_their_own_host_only(site, fetcher):
    site.redirect("/", site.url("/other", host="127.0.0.2"))
    site.answer("/other")
    fetcher.fetch(site.url(host="me:secret@127.0.0.1"))
    assert site.sent("Authorization") == ["Basic bWU6c2VjcmV0", None]


def test_credentials_stay_with_their_host_and_out_of_the_page(site, fetcher):
    site.redirect("/", "/next")
    site.answer("/next")
    assert fetcher.fetch(site.url(host="me:secret@127.0.0.1")).url == site.url("/next")
    assert site.sent("Authorization") == ["Basic bWU6c2VjcmV0"] * 2


@pytest.mark.parametrize(
    "url",
    ["http://me:secret@127.0.0.1:1/", "http://me:secret@nowhere.invalid/", "ftp://me:secret@host/",
     "http://me:secret@host:99999/", "http://me:secret@host:port/", "http://me:secret/word@host/",
     "http://me:secret@[::1/", "http:\\\\me:secret@host/", "me:secret@host/x",
     "http://me:secret@hö\ud800st/", "http://me:secret@a b/", "http://127.0.0.1:secret@a@127.1:0/"],
)  # fmt: skip
def test_credentials_are_in_no_message(fetcher, url):
    assert "secret" not in failure(fetcher, url)


def test_credentials_of_a_redirect_are_in_no_message(site, fetcher):
    site.redirect("/", "http://me:secret@127.0.0.1:1/")
    message = failure(fetcher, site.url())
    assert "secret" not in message
    assert "redirected to 'http://127.0.0.1:1/'" in message


def test_an_at_sign_in_the_path_is_shown(site, fetcher):
    site.answer("/@me/post", status=404)
    assert site.url("/@me/post") in failure(fetcher, site.url("/@me/post"))


# Bounds


def test_gzip_is_unpacked(site, fetcher):
    site.answer(body=gzip.compress(PAGE), Content_Encoding="GZIP")
    assert fetcher.fetch(site.url()).body == PAGE
    assert site.sent("Accept-Encoding") == ["gzip"]


def test_gzip_bomb_is_stopped(site, fetcher):
    site.answer(body=gzip.compress(bytes(60_000_000), 1), Content_Encoding="gzip")
    assert "over 50,000,000 bytes" in failure(fetcher, site.url())


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x" * 2000])
def test_compression_that_was_not_asked_for_is_refused(site, fetcher, encoding):
    site.answer(Content_Encoding=encoding)
    assert "not asked for" in failure(fetcher, site.url())


def test_broken_gzip_is_an_error(site, fetcher):
    site.answer(body=gzip.compress(PAGE)[:-4], Content_Encoding="gzip")
    assert "cut off" in failure(fetcher, site.url())


def test_empty_body_is_empty_though_called_gzip(site, fetcher):
    site.answer(body=b"", Content_Encoding="gzip")
    assert fetcher.fetch(site.url()).body == b""


def test_endless_body_is_stopped(site, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_BODY_BYTES", 1_000_000)
    site.answer(body=itertools.repeat(bytes(100_000)))
    assert "more than 1,000,000 bytes" in failure(fetcher, site.url())


def test_body_of_the_largest_size_is_taken(site, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_BODY_BYTES", len(PAGE))
    site.answer()
    assert fetcher.fetch(site.url()).body == PAGE


def drip(piece=b"x"):
    for _ in range(500):  # for ever, as a reader sees it, but a broken deadline fails a test
        yield piece
        time.sleep(0.01)


def test_slow_body_is_stopped_at_the_deadline(site, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)
    site.answer(body=drip())
    assert "no whole answer in time" in failure(fetcher, site.url())


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


@pytest.mark.parametrize(
    "pieces", [(b"HTTP/1.1 200 OK\r\nX: ", b"x"), (b"HTTP/1.1 103 Early Hints\r\n\r\n",)]
)
def test_slow_head_is_stopped_at_the_deadline(fetcher, monkeypatch, pieces):
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)
    with raw_server(*pieces, dripping=True) as url:
        assert "no whole answer in time" in failure(fetcher, url)


def test_slow_tls_handshake_is_stopped_at_the_deadline(fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)
    record_of_16_kb = b"\x16\x03\x03\x40\x00"
    with raw_server(record_of_16_kb, b"\x00", dripping=True) as url:
        assert "no whole answer in time" in failure(fetcher, url.replace("http:", "https:"))


def test_no_handshake_is_begun_after_the_deadline(tls_site, fetcher, monkeypatch):
    real = socket.socket.getpeername

    def late(self):
        fetching._deadline.set(0.0)
        return real(self)

    monkeypatch.setattr(socket.socket, "getpeername", late)
    url = f"https://127.0.0.1:{tls_site.port}/"
    assert "no whole answer in time" in failure(fetcher, url)  # and no socket is left open


def test_slow_name_server_is_stopped_at_the_deadline(fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.1)
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: let_go.wait(5) and [])
    try:
        assert "no whole answer in time" in failure(fetcher, "http://news.test/")
    finally:
        let_go.set()


def test_deadline_is_for_all_redirects_together(site, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)
    real = socket.getaddrinfo

    def slow(*args, **kwargs):
        time.sleep(0.08)
        return real(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    site.redirect("/", "/")
    assert "no whole answer in time" in failure(fetcher, site.url())


def test_each_fetch_has_its_own_deadline(site, fetcher, monkeypatch):
    site.answer()
    with monkeypatch.context() as lowered:
        lowered.setattr(fetching, "DEADLINE_SECONDS", -1.0)
        failure(fetcher, site.url())
    assert fetcher.fetch(site.url()).body == PAGE


def test_endless_head_is_stopped(fetcher):
    with raw_server(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000) as url:
        failure(fetcher, url)


# Failures of the connection


def test_connection_refused(fetcher):
    assert "Connection refused" in failure(fetcher, "http://127.0.0.1:1/")


def test_next_address_is_tried_when_one_refuses(site, fetcher, monkeypatch):
    resolve(monkeypatch, "news.test", ["::1", "127.0.0.1"])  # the site is not on IPv6
    site.answer()
    assert fetcher.fetch(site.url(host="news.test")).body == PAGE


@pytest.mark.parametrize(("deadline", "longest"), [(5.0, 5.0), (60.0, fetching.CONNECT_SECONDS)])
def test_connecting_has_its_own_limit_within_the_deadline(fetcher, monkeypatch, deadline, longest):
    timeouts = []

    def connect(address, timeout, **kwargs):
        timeouts.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", deadline)
    assert "no whole answer in time" in failure(fetcher, "http://127.0.0.1/")
    assert len(timeouts) == 1
    assert longest - 2 < timeouts[0] <= longest


def test_zone_of_an_address_is_kept_for_private_networks():
    assert fetching._resolve("fe80::1%25eth0", 80) == ["fe80::1%eth0"]


def test_localhost_is_reached_where_private_addresses_are_allowed(site, fetcher):
    site.answer()
    assert fetcher.fetch(site.url(host="LocalHost")).body == PAGE


def test_unknown_host(fetcher):
    assert "'nowhere.invalid' is not known" in failure(fetcher, "http://nowhere.invalid/")


def test_host_without_an_address(fetcher, monkeypatch):
    resolve(monkeypatch, "news.test", [])
    assert "has no address" in failure(fetcher, "http://news.test/")


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 9 \r\n\r\n",
     b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n"],
)  # fmt: skip
def test_broken_answers(fetcher, answer):
    with raw_server(answer) as url:
        failure(fetcher, url)


@pytest.mark.parametrize(
    "head",
    [b"Content-Type: \xff\xfe; charset=\xff", b"Content-Type: text/html; charset*=x'y'%ff",
     b"Content-Type: ;;;=", b"Set-Cookie: \xff=\xfe; expires=never; domain=[", b"ETag: \xff"],
)  # fmt: skip
def test_odd_headers_are_no_error(fetcher, head):
    with raw_server(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nContent-Length: 2\r\n\r\nok") as url:
        assert fetcher.fetch(url).body == b"ok"


def test_odd_etag_can_be_sent_again(site, fetcher):
    site.answer(status=304, body=b"")
    assert fetcher.fetch(site.url(), etag='"ÿ"') is None


@pytest.mark.parametrize(
    "location",
    [b"http://[", b"http://\xff/", b"http://a..b/", b"//[v1.x]/", b"http://a\x01b/",
     b"http://" + b"a" * 70_000],
)  # fmt: skip
def test_odd_redirects_are_fetch_errors(fetcher, location):
    head = b"HTTP/1.1 302 Found\r\nSet-Cookie: a=b; domain=[\r\nLocation: " + location
    with raw_server(head + b"\r\n\r\n") as url:
        failure(fetcher, url)


@pytest.mark.parametrize(
    "url",
    ["", " ", "news", "/news", "//news.invalid/", "http:", "http://", "http:///x", "http://:80/",
     "http://a:b/", "http://a:0/", "http://a:65536/", "http://a:-1/", "http://a:" + "9" * 5000,
     "http://a b/", "http://a\tb/", "http://a/\n", "http://a\x00b/", " http://a/", "http://[::1/",
     "http://[x]/", "http://1.2.3.256/", "http://a..invalid/", "http://.invalid/", "http://a%00b/",
     f"http://{'a' * 64}.invalid/", f"http://{'a.' * 200}invalid/", "http://-/", "http://\ud800/",
     "http://a.invalid/\ud800", "http://xn--zz--.invalid/", "http://ﷺ.invalid/", "http://a／b.invalid/",
     "http://a\\b/", "http://*/", "http://a!b/", "file:///etc/passwd", "ftp://a/", "data:,x",
     "gopher://a/", "javascript:1", "mailto:a@b", "http://" + "a" * 70_000, "http://\u200d.invalid/",
     "http://aא.invalid/", "://", "http://[fe80::1%25nosuchzone]:1/", "http://_.invalid/"],
)  # fmt: skip
def test_bad_urls(fetcher, url):
    failure(fetcher, url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a:0/", "no port has that number"),
        ("http://a:65536/", "no port has that number"),
        ("http://a:b/", "not a valid URL (Invalid port: 'b')"),
        ("http://a.invalid/\ud800", "not a valid URL"),
        ("http://a..invalid/", "is not known"),
        ("http://", "no valid host name"),
        ("news.test/a", "not an http or https address"),
    ],
)
def test_what_is_wrong_with_a_url(fetcher, url, reason):
    assert reason in failure(fetcher, url)


def test_spaces_in_a_path_are_encoded(site, fetcher):
    site.answer("/a%20b")
    assert fetcher.fetch(site.url("/a b")).body == PAGE


# TLS


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


def test_certificate_is_of_the_name_not_the_address(tls_site, monkeypatch, public_fetcher):
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_site.certificate))
    resolve(monkeypatch, "news.test", ["127.0.0.1"])
    with Fetcher() as fetcher:
        assert fetcher.fetch(f"https://news.test:{tls_site.port}/").body == PAGE
        resolve(monkeypatch, "other.test", ["127.0.0.1"])
        message = failure(fetcher, f"https://other.test:{tls_site.port}/")
    assert "CERTIFICATE_VERIFY_FAILED" in message
    assert len(tls_site.seen) == 1


def test_unknown_certificate_is_refused(tls_site, monkeypatch, fetcher):
    resolve(monkeypatch, "news.test", ["127.0.0.1"])
    message = failure(fetcher, f"https://news.test:{tls_site.port}/")
    assert "CERTIFICATE_VERIFY_FAILED" in message
    assert tls_site.seen == []


def test_tls_with_a_plain_server(fetcher):
    with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        failure(fetcher, url.replace("http:", "https:"))


# gunzip


def test_gunzip_reads_all_members_and_padding():
    data = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + bytes(7)
    assert gunzip(data, 7) == b"one two"


def test_gunzip_of_more_than_one_step():
    content = bytes(range(256)) * 400
    assert gunzip(gzip.compress(content, 0) * 2, 204_800) == content * 2


@pytest.mark.parametrize("cut", [0, 1, 5, 10, 15, -8, -1])
def test_gunzip_of_cut_off_data(cut):
    with pytest.raises(SourceError, match="cut off"):
        gunzip(gzip.compress(b"some content")[:cut], 100)


def test_gunzip_of_a_cut_off_second_member():
    with pytest.raises(SourceError, match="cut off"):
        gunzip(gzip.compress(b"one") + gzip.compress(b"two")[:-3], 100)


@pytest.mark.parametrize(
    "data",
    [b"<html>", gzip.compress(b"x")[:-8] + bytes(8), gzip.compress(b"one") + b"rubbish"],
)
def test_gunzip_of_broken_data(data):
    with pytest.raises(SourceError, match="broken gzip data"):
        gunzip(data, 100)


def test_gunzip_limit_is_of_all_members_together():
    data = gzip.compress(b"123") + gzip.compress(b"456")
    assert gunzip(data, 6) == b"123456"
    with pytest.raises(SourceError, match="over 5 bytes"):
        gunzip(data, 5)


def test_gunzip_stops_while_it_unpacks(monkeypatch):
    real = fetching.zlib.decompressobj
    unpacked = []

    class Counting:
        def __init__(self, wbits):
            self._real = real(wbits)

        def decompress(self, data, max_length):
            unpacked.append(len(self._real.decompress(data, max_length)))
            return bytes(unpacked[-1])

        def __getattr__(self, name):
            return getattr(self._real, name)

    monkeypatch.setattr(fetching.zlib, "decompressobj", Counting)
    with pytest.raises(SourceError, match="over 1,000 bytes"):
        gunzip(gzip.compress(bytes(10_000_000)), 1000)
    assert sum(unpacked) == 1001
