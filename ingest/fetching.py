"""Web pages, fetched from public addresses only, within bounds of size and time.

Whoever writes a page or a feed chooses addresses that Gazette opens from inside the user's
network. So a name is resolved once, all its addresses are checked, and the connection goes to a
checked address itself: a name whose address changes meanwhile (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import importlib.metadata
import ipaddress
import re
import socket
import time
import unicodedata
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from rag.errors import FetchError, RefusedAddressError, SourceError

MAX_BODY_BYTES = 20_000_000  # as sent; the largest news pages have about 5 MB
MAX_DECODED_BYTES = 50_000_000  # decompressed: gzip packs a thousandfold, and it stays in memory
DEADLINE_SECONDS = 30.0  # for all of a fetch, because a timeout per read never ends a slow drip
CONNECT_SECONDS = 10.0  # for each address of a host, so that the next one has its turn
MAX_REDIRECTS = 5  # https, www, a short link, a consent page, and one to spare

# From IANA's special-purpose registries, the exact before the wide. Ranges in which a router
# finds an IPv4 address (6to4, Teredo, local NAT64) are refused whole: no news is there.
_SPECIAL = {
    "cloud metadata": "169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 192.0.0.192"
    " 168.63.129.16 fd00:ec2::/32 fd20:ce::254 fd00:42::42",
    "loopback": "127.0.0.0/8 ::1",
    "unspecified": "0.0.0.0/8 ::",
    "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
    "shared": "100.64.0.0/10",
    "link-local": "169.254.0.0/16 fe80::/10",
    "multicast": "224.0.0.0/4 ff00::/8",
    "documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
    "reserved": "192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4 2001::/23 2002::/16"
    " ::/3 4000::/2 8000::/1",  # all IPv6 but 2000::/3, the only part in public use
}
_NETWORKS = [
    (ipaddress.ip_network(net), kind) for kind in _SPECIAL for net in _SPECIAL[kind].split()
]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # through it an IPv6-only network sees all of IPv4
_NUMERIC_HOST = re.compile(r"(?i)^((?:https?:)?//(?:[^/?#]*@)?)([^/?#@:\s]+)")
_GZIP = 16 + zlib.MAX_WBITS
try:
    _VERSION = importlib.metadata.version("gazette")
except importlib.metadata.PackageNotFoundError:  # run from a checkout
    _VERSION = "0"
_USER_AGENT = f"gazette/{_VERSION} (+news reader)".encode()
_HEADERS = {b"User-Agent": _USER_AGENT, b"Accept": b"*/*", b"Accept-Encoding": b"gzip"}
_NOTHING = httpx.ByteStream(b"")  # stands for a body that httpx shall not read
_ANOTHER_WAY = "save the page from a browser and add the file"
_deadline: ContextVar[float] = ContextVar("deadline")


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was answered: its final URL, decompressed body, and what was said of them."""

    url: str
    body: bytes
    charset: str | None
    content_type: str | None
    etag: str | None
    last_modified: str | None


class Fetcher:
    """Fetches pages over one pool of connections; a context manager that closes it."""

    def __init__(self, allow_private: bool = False) -> None:
        # The pool asks the environment for no proxy: one would connect in our place, unchecked.
        self._pool = httpcore.ConnectionPool(
            httpx.create_ssl_context(),
            max_connections=None,  # no thread waits for another's connection
            keepalive_expiry=5,  # servers too close an idle connection before long
            network_backend=_Backend(allow_private),
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pool.close()

    def fetch(
        self, url: str, etag: str | None = None, last_modified: str | None = None
    ) -> Page | None:
        """The page at a URL, or None if it is still the one of that tag or date.

        Raises RefusedAddressError for an address that is not public, and FetchError for any
        other URL that gives no page.
        """
        _deadline.set(time.monotonic() + DEADLINE_SECONDS)
        known = {b"If-None-Match": etag, b"If-Modified-Since": last_modified}
        conditions = {name: value.encode() for name, value in known.items() if value}
        cookies = httpx.Cookies()  # some redirects want theirs back; forgotten with this fetch
        target, location, before = httpx.URL(), url, ""
        try:
            for _ in range(MAX_REDIRECTS + 1):
                where = before + repr(_cut(_without_secrets(location)))
                target = _parse(location, target)
                where = before + repr(_cut(_public(target)))
                before = before or f"{where}, redirected to "
                headers = _HEADERS | conditions
                request = httpx.Request("GET", target, headers=headers, cookies=cookies)
                with self._send(request) as answer:
                    head = httpx.Response(
                        answer.status, headers=answer.headers, stream=_NOTHING, request=request
                    )
                    if not head.has_redirect_location:
                        return _read(head, answer, bool(conditions))
                cookies.extract_cookies(head)
                location = head.headers["Location"]
            raise FetchError(f"more than {MAX_REDIRECTS} redirects; check the address")
        except FetchError as error:
            raise type(error)(f"cannot fetch {where}: {error}") from None
        except (httpcore.TimeoutException, TimeoutError):
            limits = f"{CONNECT_SECONDS:g} seconds to connect, {DEADLINE_SECONDS:g} in all"
            reason = f"no whole answer in time ({limits}); try again later"
            raise FetchError(f"cannot fetch {where}: {reason}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
            reason = f"{_cut(error)}; check the address or try again later"
            raise FetchError(f"cannot fetch {where}: {reason}") from error

    def _send(self, request: httpx.Request) -> AbstractContextManager[httpcore.Response]:
        url = request.url
        if url.userinfo:  # each URL's own, so they reach no host that they were not written for
            next(httpx.BasicAuth(url.username, url.password).auth_flow(request))
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        return self._pool.stream("GET", target, headers=request.headers.raw)


def gunzip(data: bytes, limit: int) -> bytes:
    """The content of all members of gzip data.

    Raises SourceError if it is broken or cut off, or unpacks to more than `limit` bytes.
    """
    content, position, member = bytearray(), 0, zlib.decompressobj(_GZIP)
    # Zeros may pad the end. Small steps, because zlib copies what is left of one at each member.
    while position < len(data) and not (member.eof and data[position] == 0):
        if member.eof:
            member = zlib.decompressobj(_GZIP)
        step = data[position : position + 4096]
        try:
            content += member.decompress(step, limit + 1 - len(content))
        except zlib.error as error:
            raise SourceError(f"broken gzip data ({error}); get a whole copy") from error
        if len(content) > limit:
            raise SourceError(f"gzip data of over {limit:,} bytes unpacked; use a smaller file")
        position += len(step) - len(member.unused_data) - len(member.unconsumed_tail)
    if not member.eof:
        raise SourceError("gzip data that is cut off; get a whole copy")
    return bytes(content)


class _Backend(httpcore.NetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> _Stream:
        """Connect to the first address of the host that takes it, if all of them are public."""
        addresses = _resolve(host, port)
        for address in addresses:
            self._refuse_special(host, address)
        failure: Exception = FetchError(f"the host {host!r} has no address; check the address")
        for address in addresses:
            seconds = min(CONNECT_SECONDS, _time_left())
            try:  # an address is no name, so nothing is resolved a second time
                stream = httpcore.SyncBackend().connect_tcp(address, port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            try:
                self._refuse_special(host, stream.get_extra_info("server_addr")[0])
            except (RefusedAddressError, OSError):
                stream.close()
                raise
            return _Stream(stream)
        raise failure

    def _refuse_special(self, host: str, address: str) -> None:
        kind = None if self._allow_private else _special_kind(address)
        if kind is not None:
            advice = "pass --allow-private to fetch from your own network"
            raise RefusedAddressError(f"{host!r} is the {kind} address {address}; {advice}")


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing outlasts the deadline of the fetch that uses it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _time_left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _time_left())

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        try:
            return _Stream(self._stream.start_tls(*args, **{**kwargs, "timeout": _time_left()}))
        except BaseException:  # an interrupt too: httpcore leaves closing to the stream
            self._stream.close()
            raise


def _parse(text: str, base: httpx.URL) -> httpx.URL:
    """The URL of a text, or a FetchError for one that no connection may be tried for."""
    try:
        url = base.join(_NUMERIC_HOST.sub(_dotted, text))
    except (httpx.InvalidURL, ValueError) as error:
        detail = "" if "@" in text else f" ({_cut(error)})"  # it may quote a password as a port
        raise FetchError(f"not a valid URL{detail}; check the address") from None
    if url.scheme not in ("http", "https"):
        raise FetchError("not an http or https address; give one that starts with https://")
    host = url.raw_host.decode()
    if not (":" in host or re.fullmatch(r"[a-z0-9._-]+", host)):
        raise FetchError("there is no valid host name in it; check the address")
    if url.port is not None and not 0 < url.port < 65536:
        raise FetchError("no port has that number; check the address")
    return url


def _dotted(match: re.Match[str]) -> str:
    """An IPv4 host as usually written: resolvers know it in octal, hex, decimal, and short too."""
    host = unicodedata.normalize("NFKC", match[2]).replace("。", ".").removesuffix(".")
    try:
        return match[1] + socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):  # a name
        return match[0]


def _resolve(host: str, port: int) -> list[str]:
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return ["127.0.0.1", "::1"]  # by RFC 6761, whatever a resolver says
    if ":" in host:
        return [host.replace("%25", "%", 1)]  # IPv6; the % before its zone is encoded in a URL
    with_no_limit = ThreadPoolExecutor(1)  # a lookup takes no timeout, so a late one is left behind
    lookup = with_no_limit.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    with_no_limit.shutdown(wait=False)
    try:
        found = lookup.result(_time_left())
    except (socket.gaierror, UnicodeError) as error:
        reason = f"the host {_cut(host)!r} is not known ({_cut(error)})"
        raise FetchError(f"{reason}; check the address and your connection") from None
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _special_kind(address: str) -> str | None:
    """What is special about an address that no public page can have; None for a public one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    judged = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        last = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if ip.ipv4_mapped is not None or ip in _NAT64:
            judged = [last]
        elif int(ip) >> 32 & 0xFDFFFFFF == 0x5EFE:  # ISATAP, whose 7th bit may be either
            judged = [ip, last]
    return next((kind for net, kind in _NETWORKS for one in judged if one in net), None)


def _time_left() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(head: httpx.Response, answer: httpcore.Response, conditional: bool) -> Page | None:
    """The page of a final answer, None if it says that nothing changed, or a FetchError."""
    status, headers = head.status_code, head.headers
    if status == 304 and conditional:
        return None
    if status not in (200, 203):  # the others bring no page, a part of one, or a promise of one
        late = status == 429 or status >= 500
        advice = "try again later" if late else f"check the address, or {_ANOTHER_WAY}"
        raise FetchError(f"HTTP {status} {httpx.codes.get_reason_phrase(status)}; {advice}")
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise FetchError(f"packed as {_cut(encoding)!r}, which was not asked for; {_ANOTHER_WAY}")
    received = bytearray()
    for piece in answer.iter_stream():
        received += piece
        if len(received) > MAX_BODY_BYTES:
            raise FetchError(f"more than {MAX_BODY_BYTES:,} bytes; give an article's own address")
    body = bytes(received)
    try:
        body = gunzip(body, MAX_DECODED_BYTES) if body and "gzip" in encoding else body
    except SourceError as error:
        raise FetchError(str(error)) from None
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower() or None
    etag, last_modified = headers.get("ETag"), headers.get("Last-Modified")
    url = _public(head.url)
    return Page(url, body, head.charset_encoding, media_type, etag, last_modified)


def _public(url: httpx.URL) -> str:
    """The URL without credentials, and without the fragment, which is no part of the page."""
    return f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode()}"


def _without_secrets(text: str) -> str:
    """A text that may be no URL, from the last place on where a password could end."""
    return f"…{text.rpartition('@')[2]}" if "@" in text else text


def _cut(text: object) -> str:
    """Text from outside as one line, short enough for a message."""
    line = " ".join(str(text).split())
    return line if len(line) <= 200 else f"{line[:200]}…"
