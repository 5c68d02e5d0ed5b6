"""What a fetched page says of itself, within which bounds, and how fetching fails."""

import gzip
import itertools
import re
import socket
import threading
import time

import pytest

from ingest import fetching
from ingest.fetching import gunzip
from rag.errors import SourceError
from tests.ingest.conftest import PAGE, drip, failure, raw_server, resolve

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


def test_slow_body_is_stopped_at_the_deadline(site, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)
    site.answer(body=drip())
    assert "no whole answer in time" in failure(fetcher, site.url())


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
    [
        b"<html>",
        gzip.compress(b"x", mtime=0)[:-8] + bytes(8),  # the time would make a name of its own
        gzip.compress(b"one", mtime=0) + b"rubbish",
    ],
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
