"""Sources: files, folders and web pages, read only when they have changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from urllib.parse import urldefrag

from ingest.fetching import Fetcher, gunzip
from ingest.parsing import FORMATS, Problem
from rag.errors import SourceError
from rag.ledger import Source

MAX_FILE_BYTES = 1_000_000_000
"""Of one file, unpacked: a year of a newspaper as JSON Lines is about a tenth of it."""
_MEDIA_TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/markdown": "markdown",
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
}
_CREDENTIALS = re.compile(r"^(\w+://)[^/?#]*@")
_READABLE = ", ".join([*FORMATS, "and each of them .gz"])


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a source that is new or has changed, and what to remember of it."""

    seen: Source
    data: bytes
    kind: str
    url: str | None = None
    charset: str | None = None


def is_url(source: str) -> bool:
    """Whether a source is to be fetched rather than read from disk."""
    return source.partition("://")[0].lower() in ("http", "https")


def source_key(source: str) -> str:
    """What a source is known by: its URL, or its absolute path whichever way it was given."""
    if is_url(source):
        return urldefrag(without_credentials(source)).url
    return str(Path(source).absolute())


def without_credentials(source: str) -> str:
    """A source as it may be shown and stored: a URL without user name and password."""
    return _CREDENTIALS.sub(r"\1", source) if is_url(source) else source


def walk(source: str) -> Iterator[str | Problem]:
    """The sources that a source stands for: itself, or the files of a folder in order.

    Hidden files are left out; a file of a format that cannot be read is a problem.
    """
    if is_url(source):
        yield source
    elif "://" in source:
        yield Problem(source, "is no http or https URL; save the page as a file and name that")
    elif os.path.isdir(source):  # noqa: PTH112 - unlike Path's, it answers for any string
        yield from _walk_folder(source)
    elif os.path.exists(source):  # noqa: PTH110
        yield from _if_readable(source)
    else:
        yield Problem(source, "does not exist; check the path")


def _walk_folder(source: str) -> Iterator[str | Problem]:
    closed: list[OSError] = []
    for folder, folders, names in os.walk(source, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if (Path(folder) / name).is_symlink():
                yield Problem(str(Path(folder) / name), "is a link to a folder; name the folder")
        for name in sorted(name for name in names if not name.startswith(".")):
            yield from _if_readable(str(Path(folder) / name))
    for error in closed:
        yield Problem(str(error.filename), f"cannot be read ({error.strerror}); check its rights")


def _if_readable(source: str) -> Iterator[str | Problem]:
    try:
        source.encode()
    except UnicodeEncodeError:
        yield Problem(ascii(source), "has a name that is not UTF-8; rename it")
        return
    if _kind(source):
        yield source
    else:
        yield Problem(source, f"is of a format that Gazette does not read (it reads {_READABLE})")


def _kind(source: str) -> str | None:
    return FORMATS.get(Path(source.lower().removesuffix(".gz")).suffix)


def read(source: str, seen: Source | None, fetcher: Fetcher) -> Document | Source:
    """A source's bytes if they are not what was `seen`; otherwise what is now known of it.

    A file is compared by size and time, then by hash; a page by what its server says, then by
    hash. Raises `SourceError` where it cannot be read.
    """
    return _read_page(source, seen, fetcher) if is_url(source) else _read_file(source, seen)


def _read_file(source: str, seen: Source | None) -> Document | Source:
    path = Path(source)
    try:
        stat = path.stat()
        if not S_ISREG(stat.st_mode):
            raise SourceError("is not a regular file; copy what it holds into one")
        if seen and (seen.size, seen.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return seen
        if stat.st_size > MAX_FILE_BYTES:
            raise SourceError(f"has over {MAX_FILE_BYTES:,} bytes; split it")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror}); check the path") from error
    now = Source(
        key=source_key(source),
        sha256=hashlib.sha256(data).hexdigest(),
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
    )
    if seen and seen.sha256 == now.sha256:
        return replace(now, problems=seen.problems)
    if source.lower().endswith(".gz"):
        data = gunzip(data, MAX_FILE_BYTES)
    return Document(now, data, _kind(source) or "text")


def _read_page(source: str, seen: Source | None, fetcher: Fetcher) -> Document | Source:
    page = fetcher.fetch(
        urldefrag(source).url,
        seen.etag if seen else None,
        seen.last_modified if seen else None,
    )
    if page is None:
        assert seen is not None  # a server answers "not changed" only to what we sent
        return seen
    now = Source(
        key=source_key(source),
        sha256=hashlib.sha256(page.body).hexdigest(),
        etag=page.etag,
        last_modified=page.last_modified,
    )
    if seen and seen.sha256 == now.sha256:
        return replace(now, problems=seen.problems)
    kind = _MEDIA_TYPES.get(page.content_type or "text/html")
    if kind is None:
        raise SourceError(f"is {page.content_type}, not an article that Gazette can read")
    return Document(now, page.body, kind, page.url, page.charset)
