"""Files into articles: HTML, plain text, Markdown with front matter, JSON, JSON Lines.

Every function takes bytes and yields articles whose `id` and `content_hash` are still empty, and
problems for what it could not read; nothing is passed over in silence.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import yaml
from dateutil import parser as date_parser
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rag.errors import SourceError
from rag.types import Article

FORMATS = {
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
    ".md": "markdown",
    ".json": "json",
    ".jsonl": "jsonl",
}
_TITLE_CHARS = 100
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_PLAIN_VALUE = re.compile(r"^(\w+:[ \t]+)([^\s\"'\[{|>].*?)[ \t\r]*$", re.MULTILINE)
_HEADING = re.compile(r"\A\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\r?\n|\Z)")


class Problem(NamedTuple):
    """Something in a source that could not be read, and what to do about it."""

    source: str
    reason: str


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _stated(value: Any) -> Any:
    """A date as people write it, where pydantic would take digits for seconds or know no month."""
    if not isinstance(value, str):
        return value
    if value.strip().isdigit():
        return datetime.strptime(value.strip(), "%Y%m%d")
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        if not re.search(r"[^\W\d_]{3}", value):  # 3/4/2026 is two days, by where one lives
            raise ValueError(f"{value!r} is not a date; write it as 2026-02-10") from None
    # What is not stated is filled in from a default: two show what that is.
    one, other = (date_parser.parse(value, default=default) for default in _DEFAULTS)
    if one != other:
        raise ValueError(f"{value!r} lacks a day, a month or a year")
    return one


_DEFAULTS = datetime(2000, 1, 1), datetime(2001, 2, 2)
_Moment = Annotated[datetime | None, BeforeValidator(_stated)]


class _Record(BaseModel):
    """One article as JSON or front matter gives it; only the text must be there."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    title: str = ""
    text: str = Field(min_length=1)
    url: str | None = None
    outlet: str | None = None
    authors: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = Field(
        default=(), validation_alias=AliasChoices("authors", "author")
    )
    published: _Moment = Field(default=None, validation_alias=AliasChoices("published", "date"))
    modified: _Moment = None
    language: str | None = None

    def article(self, source: str) -> Article:
        return Article(
            id="",
            source=source,
            title=self.title.strip() or opening(self.text),
            text=self.text,
            url=self.url,
            outlet=self.outlet,
            authors=self.authors,
            published=_aware(self.published),
            modified=_aware(self.modified),
            language=self.language,
        )


def parse(
    data: bytes, kind: str, source: str, url: str | None = None, charset: str | None = None
) -> Iterator[Article | Problem]:
    """The articles in a file of one of the `FORMATS`; `url` and `charset` are what HTTP said."""
    try:
        if kind == "html":
            from ingest.webpage import read_page  # trafilatura costs half a second

            yield read_page(data, source, url, charset)
        elif kind == "jsonl":
            yield from _json_lines(data, source)
        elif kind == "json":
            yield _from_json(_decode(data, source), source)
        else:
            yield _from_text(_decode(data, source), kind, source, url)
    except SourceError as error:
        yield Problem(source, str(error))
    except Exception as error:  # noqa: BLE001 - what a hostile page makes a parser raise
        yield Problem(source, f"cannot be parsed ({type(error).__name__}: {error}); leave it out")


def opening(text: str) -> str:
    """The first line of a text, cut at a space: a title for what has none."""
    line = text.strip().split("\n", 1)[0].strip()
    if len(line) <= _TITLE_CHARS:
        return line
    return line[:_TITLE_CHARS].rsplit(" ", 1)[0] + "…"


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _decode(data: bytes, source: str) -> str:
    encoding = "utf-16" if data[:2] in _UTF16 else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"is not {encoding.removesuffix('-sig').upper()} text (byte {error.start}); "
            f"convert it, for example with: iconv -f latin1 -t utf-8 {source!r}"
        ) from error
    if not text.strip():
        raise SourceError("is empty; nothing to ingest")
    return text


def _from_text(text: str, kind: str, source: str, url: str | None) -> Article:
    fields: dict[str, Any] = {}
    if kind == "markdown":
        fields, text = _front_matter(text)
        heading = _HEADING.match(text)
        if heading:
            fields.setdefault("title", heading.group(1))
            text = text[heading.end() :].lstrip()
    return _validated({"url": url, **fields, "text": text}, source)


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    match = _FRONT_MATTER.match(text)
    if not match:
        return {}, text
    try:
        fields = _yaml(match.group(1))
    except yaml.YAMLError as error:
        problem = str(error).splitlines()[0]
        raise SourceError(f"has front matter that is not YAML ({problem}); mend it") from error
    if not isinstance(fields, dict):
        raise SourceError("has front matter that is not a list of `name: value`; mend it")
    return fields, text[match.end() :].lstrip()


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        # A headline with a colon is what people forget to quote.
        quoted = _PLAIN_VALUE.sub(lambda line: f"{line[1]}{json.dumps(line[2])}", text)
        return yaml.safe_load(quoted)


def _from_json(line: str, source: str) -> Article:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise SourceError(f"is not JSON ({error}); mend it") from error
    except RecursionError as error:
        raise SourceError("is JSON nested too deeply; give one object an article") from error
    if not isinstance(fields, dict):
        raise SourceError(
            "is not a JSON object; give one object an article (many: JSON Lines, .jsonl)"
        )
    return _validated(fields, source)


def _json_lines(data: bytes, source: str) -> Iterator[Article | Problem]:
    empty = True
    if data[:2] in _UTF16:
        data = _decode(data, source).encode()
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not line.strip():
            continue
        empty = False
        try:
            yield _from_json(_decode(line, source), source)
        except SourceError as error:
            yield Problem(source, f"line {number} {error}")
    if empty:
        raise SourceError("is empty; nothing to ingest")


def _validated(fields: dict[str, Any], source: str) -> Article:
    told = {name: value for name, value in fields.items() if value not in (None, "", [])}
    if "text" not in told:
        raise SourceError("has no 'text'; that field holds the article's text")
    try:
        article = _Record.model_validate(told).article(source)
        f"{article.title}{article.text}".encode()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise SourceError(
            f"has no usable field {where!r} ({why}); mend or leave out that field"
        ) from error
    except UnicodeEncodeError as error:
        raise SourceError("holds half a character (a lone surrogate); mend its text") from error
    if not article.text.strip():
        raise SourceError("has an empty text; nothing to ingest")
    return article
