"""Reads one web page as an article: its body, and what the page says of itself.

In JSON-LD first, then in its metas, then in its mark-up.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urljoin, urlsplit

from dateutil import parser as dateparser
from htmldate import find_date
from trafilatura.metadata import extract_author, extract_title
from trafilatura.utils import decode_file, load_html

from ingest.body import BY, body, is_article, letters, one_line
from rag.errors import SourceError
from rag.types import Article

Node = dict[str, Any]

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MIDNIGHT = datetime(1970, 1, 1)
_ROLE = re.compile(
    r"\b(?:editors?|correspondents?|reporters?|writers?|staff|columnists?|contributors?|producer"
    r"|journalist\w*|redakt\w+|korrespondent\w*|news\w*|media|agenc\w+|bureau|reuters"
    r"|associated press|dpa|afp)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+(?:and|und|et)\s+|\s*[;|&/\n]\s*")
_HOURS = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_HOURS |= {"BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "AEST": 10, "AEDT": 11}

_AUTHOR_METAS = "author article:author parsely-author sailthru.author dc.creator byl dcsext.author"
_PUBLISHED_METAS = (
    "article:published_time og:published_time datepublished parsely-pub-date sailthru.date date"
    " dc.date.issued dc.date pubdate publishdate publish-date"
)
_MODIFIED_METAS = "article:modified_time og:updated_time datemodified last-modified date.modified"


def read_page(
    html: bytes, source: str, url: str | None = None, charset: str | None = None
) -> Article:
    """The article on a page; `charset` is what its HTTP header said.

    Raises SourceError where the page holds none. The pipeline fills in `id` and `content_hash`.
    """
    tree = load_html(_decode(html, charset))
    if tree is None:
        raise SourceError("is not an HTML page; give the address of an article")
    items = list(_items(tree))
    story = next((item for item in items if _is_story(item)), {})
    metas = _metas(tree)
    address = _url(tree, metas, url)
    outlet = _outlet(story, items, metas, address)
    authors = _authors(tree, story, items, metas)
    heads = _headlines(tree, story, metas, outlet, authors)
    published = _moment(_stated(tree, story, metas, "datePublished", _PUBLISHED_METAS))
    # the extensive search guesses, and loads a second date parser for seconds
    day = published or find_date(tree, original_date=True, extensive_search=False)
    if isinstance(day, str):
        published = _moment([day])
    language = re.match(
        "[a-z]{2}(?![a-z])",
        one_line(tree.get("lang") or metas.get("og:locale") or story.get("inLanguage")).lower(),
    )
    modified = _moment(_stated(tree, story, metas, "dateModified", _MODIFIED_METAS))
    told = [one_line(story.get("description")), metas.get("og:description", "")]
    # from here on the tree is taken apart: what is read from it has been read
    labels = [*heads, metas.get("article:section", "")]
    text = body(tree, labels, authors, [*told, metas.get("description", "")])
    if not is_article(text, bool(story) or metas.get("og:type") == "article"):
        raise SourceError("holds no article text; give the page of a single article")
    return Article(
        id="",
        source=source,
        title=heads[0] if heads else "",
        text=text,
        url=address,
        outlet=outlet,
        authors=authors,
        published=published,
        modified=modified,
        language=language[0] if language else None,
    )


def _decode(html: bytes, charset: str | None) -> str:
    """The page as text: what decodes as UTF-8 is UTF-8, whatever a header or meta claims."""
    marked = next((name for bom, name in _BOMS.items() if html.startswith(bom)), None)
    if not marked and b"\0" in html:
        raise SourceError("is binary, not an HTML page; give the address of an article")
    declared = re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", html[:4096], re.IGNORECASE)
    for name in (marked, "utf-8", charset, declared and declared[1].decode("ascii")):
        # a browser reads latin-1 as its superset
        codec = "cp1252" if (name or "").lower() in ("iso-8859-1", "latin-1", "latin1") else name
        try:
            if codec:
                return html.decode(codec)
        except (LookupError, ValueError):
            continue
    return decode_file(html)


def _items(tree: Any) -> Iterator[Node]:
    """Every object in the page's JSON-LD, outer before inner; broken scripts are passed over."""
    for script in tree.xpath("//script[contains(@type, 'ld+json')]"):
        raw = re.sub(r",(?=\s*[}\]])", "", (script.text or "").strip().strip(";"))
        try:
            yield from _objects(json.loads(raw, strict=False))
        except (ValueError, RecursionError):
            continue


def _objects(value: Any) -> Iterator[Node]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _objects(inner)


def _is_story(item: Node) -> bool:
    kinds = re.search("Article|Posting|Report|Review", str(item.get("@type")))
    return kinds is not None and bool(one_line(item.get("headline")))


def _metas(tree: Any) -> dict[str, str]:
    """The page's metas by name in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        if content := one_line(meta.get("content")):
            found.setdefault(name.lower(), content)
    return found


def _named(value: Any, items: list[Node], persons: bool | None = None) -> list[str]:
    """The names in a JSON-LD value, references followed; `persons` keeps (or leaves out) them."""
    names = []
    for one in value if isinstance(value, list) else [value]:
        node = {"name": one} if isinstance(one, str) else one if isinstance(one, dict) else {}
        if "name" not in node and (ref := node.get("@id")):
            node = next((i for i in items if i.get("@id") == ref and "name" in i), {})
        person = "Person" in str(node.get("@type", "Person"))
        if persons is None or person is persons:
            many = node.get("name")
            names += [one_line(name) for name in (many if isinstance(many, list) else [many])]
    return [name for name in names if name and not re.match("https?:|www\\.", name)]


def _authors(tree: Any, story: Node, items: list[Node], metas: dict[str, str]) -> tuple[str, ...]:
    """Persons; an agency or desk only where no person is named."""
    desks: list[str] = []
    for raw in _bylines(tree, story, items, metas):
        names = [name for value in raw for name in _persons(value)]
        persons = [name for name in names if " " in name and not _ROLE.search(name)]
        if persons:
            return tuple(dict.fromkeys(persons))
        desks = desks or names
    creator = story.get("author") or story.get("creator")
    return tuple(dict.fromkeys(_named(creator, items, persons=False) or desks))


def _bylines(
    tree: Any, story: Node, items: list[Node], metas: dict[str, str]
) -> Iterator[list[str]]:
    """Where authors are named, the most reliable first."""
    yield _named(story.get("author") or story.get("creator"), items, persons=True)
    for name in _AUTHOR_METAS.split():
        yield [metas.get(name, "")]
    yield [extract_author(tree) or ""]


def _persons(value: str) -> Iterator[str]:
    """The names in a byline: no "By", no role after a comma, no address, no handle."""
    for part in _AND.split(BY.sub("", value)):
        first, *others = (piece.strip(" .*-–—") for piece in part.split(","))
        for name in (first, *(o for o in others if " " in o and " " in first)):
            is_name = 1 < len(name) <= 60 and not re.search(r"[@\d]|https?:|www\.", name)
            if is_name and (name == first or not _ROLE.search(name)):
                yield name


def _outlet(story: Node, items: list[Node], metas: dict[str, str], url: str | None) -> str | None:
    host = (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
    metas_named = [metas.get(name, "") for name in ("og:site_name", "application-name")]
    names = [name for name in (*_named(story.get("publisher"), items), *metas_named) if name]
    # a publisher's record may hold a slogan or a company: the name that the domain bears is better
    names.sort(key=lambda name: letters(name) not in letters(host))
    return next(filter(None, (*names, metas.get("twitter:site", "").lstrip("@"), host)), None)


def _headlines(
    tree: Any, story: Node, metas: dict[str, str], outlet: str | None, authors: tuple[str, ...]
) -> list[str]:
    """What the page calls itself, best first, without outlet or author at its end."""
    names = {letters(name) for name in (outlet or "", metas.get("og:site_name", ""), *authors)}
    heads = []
    for head in (
        one_line(story.get("headline")),
        metas.get("og:title", ""),
        *(one_line(h1.text_content()) for h1 in tree.iter("h1")),
        metas.get("twitter:title", ""),
        one_line(extract_title(tree)),
    ):
        while (cut := re.match(r"(.+\S)\s+[|–—·«»-]\s+(.+)", head)) and (
            letters(BY.sub("", cut[2])) in names
        ):
            head = cut[1]
        heads.append(head)
    return list(dict.fromkeys(filter(None, heads)))


def _url(tree: Any, metas: dict[str, str], given: str | None) -> str | None:
    canonical = tree.xpath("//link[@rel='canonical']/@href")
    for address in (*canonical, metas.get("og:url", ""), given or ""):
        try:
            parts = urlsplit(absolute := urljoin(given or "", str(address).strip()))
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname:
            return absolute
    return None


def _stated(tree: Any, story: Node, metas: dict[str, str], prop: str, names: str) -> list[str]:
    """Every place where a moment is told, the most reliable first."""
    marked = tree.xpath(f"//*[@itemprop='{prop}']")
    if prop == "datePublished":
        marked += tree.xpath("(//article//time[@datetime] | //time[@pubdate])[1]")
    marks = [e.get("datetime") or e.get("content") or e.text_content() for e in marked]
    return [
        one_line(story.get(prop)),
        *(metas.get(n, "") for n in names.split()),
        *map(one_line, marks),
    ]


def _moment(stated: Iterable[str]) -> datetime | None:
    """The first that reads as a moment with its day; UTC where it names no zone."""
    for value in stated:
        if not re.search(r"\d{4}", value) or not re.search(r"\d\D+\d|\d{8}", value):
            continue
        try:
            dotted = re.match(r"\d\d?\.", value) is not None
            moment: datetime = dateparser.parse(
                value, dayfirst=dotted, tzinfos=_zone, default=_MIDNIGHT
            )
            return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _zone(name: str | None, offset: int | None) -> timezone | None:
    seconds = _HOURS[name] * 3600 if name in _HOURS else offset
    return None if seconds is None else timezone(timedelta(seconds=seconds))
