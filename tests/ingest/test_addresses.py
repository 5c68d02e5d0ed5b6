"""Which addresses are fetched from, and what redirects, credentials and certificates do."""

import itertools
import socket

import pytest

from ingest import fetching
from ingest.fetching import Fetcher
from rag.errors import RefusedAddressError
from tests.ingest.conftest import PAGE, failure, raw_server, resolve

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


# What is no address


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
