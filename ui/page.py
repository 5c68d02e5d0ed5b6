"""The HTML of the web chat: turns, sources, and an article opened at what was cited of it.

Everything that comes from articles, models, users and browsers is escaped here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import TypeGuard
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter

from rag.draft import marked_text
from rag.errors import GazetteError
from rag.types import Article, Citation, Passage, Sentence, printed_day, to_json

CONTEXT_CHARS = 500  # of a paragraph, on either side of a quote
_MARK = re.compile(r"\[(\d+)\]")
_BOLD = re.compile(r"\*\*(.+?)\*\*")

Find = Callable[[str], Article]
"""The article of an id; raises `GazetteError` where there is none."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came of it: what the page shows, and what the browser keeps."""

    question: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    text: str | None = None
    """The whole answer with its marks; of an abstention the first line. None while it is made."""
    unchecked: str = ""
    nearest: tuple[Passage, ...] = ()
    """What an abstention found instead."""
    abstained: bool = False
    scope: str = ""
    """How what was understood of the question narrowed the search."""
    failure: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.text is not None or bool(self.failure)

    @property
    def said(self) -> str | None:
        """What a follow-up is told of it; None where it failed."""
        said = " ".join(sentence.text for sentence in self.sentences)
        return None if self.failure else "" if self.abstained else said


_TURNS = TypeAdapter(tuple[Turn, ...])


def pack(turns: Sequence[Turn]) -> str:
    """A conversation as JSON, for the browser to keep."""
    return json.dumps(to_json(tuple(turns))).replace("<", "\\u003c")  # Gradio warns of scripts


def unpack(kept: str) -> tuple[Turn, ...]:
    """What `pack` made, from a browser that may hold anything: `ValueError` for all else."""
    return _TURNS.validate_json(kept)


def shown(turn: Turn, number: int) -> str:
    """A question and its answer, as far as it has come."""
    question = escape(_beginning(turn.question, 400)) or "…"
    scope = f'<p class="where">{escape(turn.scope)}</p>' if turn.scope else ""
    return (
        f'<h2 class="question">{question}</h2>'
        f'<div aria-live="polite">{scope}{_body(turn, number)}</div>'
    )


def folded(turn: Turn, number: int, find: Find) -> str:
    """An earlier turn; a mark in it opens its sources, which are folded under it."""
    cards = sources(turn, number, find)
    under = f"<details><summary>Sources</summary>{cards}</details>" if cards else ""
    return f'<section class="turn">{shown(turn, number)}{under}</section>'


def sources(turn: Turn, number: int, find: Find) -> str:
    """What stands beside the answer: its sources, or what comes nearest."""
    if turn.abstained:
        heading = "What comes nearest"
        cards = [_source(near, escape(_beginning(near.text, 280))) for near in turn.nearest]
    else:
        heading, cards = "Sources", [_card(cited, number, find) for cited in turn.citations]
    return f"<h3>{heading}</h3>{''.join(cards)}" if cards else ""


def _body(turn: Turn, number: int) -> str:
    if turn.failure:
        return f'<p class="error" role="alert">No answer: {escape(turn.failure)}</p>'
    if turn.abstained:
        return f'<p class="answer abstained">{escape(turn.text or "")}</p>'
    if turn.text is None and not (turn.sentences or turn.unchecked):
        return '<p class="wait">Reading the articles …</p>'
    text = marked_text(turn.sentences) if turn.text is None else turn.text
    rest = f' <span class="unchecked">{escape(turn.unchecked)}</span>' if turn.text is None else ""
    return f'<p class="answer">{_prose(text, turn.sentences, number)}{rest}</p>'


def _prose(text: str, sentences: Sequence[Sentence], turn: int) -> str:
    """An answer's text with its sentences labelled and its marks leading to the sources."""
    seen: set[str] = set()

    def link(mark: re.Match[str]) -> str:
        name = f"{turn}-{mark[1]}"
        back = "" if name in seen else f' id="mark-{name}"'
        seen.add(name)
        return f'<a class="mark" href="#source-{name}"{back} title="Source">{mark[0]}</a>'

    parts, position = [], 0
    for sentence in sentences:
        start = text.find(sentence.text, position)
        if start >= 0:
            between = _BOLD.sub(r"<strong>\1</strong>", escape(text[position:start]))
            parts += [_MARK.sub(link, between), _labelled(sentence)]
            position = start + len(sentence.text)
    # Between sentences only: a [1] inside one is the article's own.
    return "".join([*parts, _MARK.sub(link, escape(text[position:]))])


def _labelled(sentence: Sentence) -> str:
    text = escape(sentence.text)
    if sentence.verdict in ("quoted", "supported"):
        return text
    how = "contradicted" if sentence.verdict == "contradicted" else "not supported"
    return (
        f'<span class="doubtful">{text}</span> <span class="verdict">{how} by the articles</span>'
    )


def _card(citation: Citation, turn: int, find: Find) -> str:
    """A source: where it stands, and its quote highlighted in its paragraph."""
    before, after = _around(citation, find)
    name = f"{turn}-{citation.number}"
    back = f'<a class="mark" href="#mark-{name}" title="Back">[{citation.number}]</a>'
    quote = f"{escape(before)}<mark>{escape(citation.quote)}</mark>{escape(after)}"
    return _source(citation, quote, f' id="source-{name}"', back)


def _around(citation: Citation, find: Find) -> tuple[str, str]:
    """The paragraph on either side of a quote, shortened; nothing if the article has changed."""
    with contextlib.suppress(GazetteError):  # removed since it was cited
        text = find(citation.article_id).text
        if text[citation.start : citation.end] == citation.quote:
            before = text[text.rfind("\n", 0, citation.start) + 1 : citation.start]
            after = text[citation.end :].split("\n", 1)[0]
            if len(before) > CONTEXT_CHARS:
                before = f"… {before[-CONTEXT_CHARS:].split(' ', 1)[-1]}"
            return before, _beginning(after, CONTEXT_CHARS)
    return "", ""


def _source(found: Citation | Passage, text: str, anchor: str = "", back: str = "") -> str:
    """What every source shows: outlet, day, title, an already escaped text, the way to read on."""
    title = escape(found.title or "untitled")
    if _is_web(found.url):
        title = f"<a {_elsewhere(found.url)}>{title}</a>"
    words = found.quote if isinstance(found, Citation) else found.text
    place = urlencode({"start": found.start, "end": found.end, "of": digest(words)})
    href = escape(f"./article/{quote(found.article_id, safe='')}?{place}#quote")
    return (
        f'<article class="source"{anchor}><p class="where">{back} {_where(found)}</p>'
        f"<h4>{title}</h4><blockquote>{text}</blockquote>"
        f'<a class="read" href="{href}">Read the article</a></article>'
    )


def _where(found: Citation | Passage | Article) -> str:
    day = printed_day(found.published) if found.published else "undated"
    return f"<b>{escape(found.outlet or 'unknown outlet')}</b>, {day}"


def _is_web(url: str | None) -> TypeGuard[str]:
    return bool(url) and str(url).lower().startswith(("http://", "https://"))


def _elsewhere(url: str) -> str:
    return f'href="{escape(url)}" target="_blank" rel="noopener noreferrer"'


def _beginning(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit].rsplit(' ', 1)[0]} …"


# The article, opened


def digest(words: str) -> str:
    """What a link carries of the words it leads to, so that no others are ever highlighted."""
    return hashlib.sha256(words.encode(errors="replace")).hexdigest()[:16]


def article_page(article: Article, start: int, end: int, of: str) -> str:
    """The whole article as a page of its own, the cited words highlighted where they now stand."""
    span = _stands(article.text, start, end, of) if of else None
    note = ""
    if of and span is None:
        note = "This article has changed since it was cited: the cited words are no longer in it."
    by = "".join(f" · {escape(author)}" for author in article.authors)
    link = ""
    if _is_web(article.url):
        host = escape(article.url.split("/")[2])
        link = f'<p class="original"><a {_elsewhere(article.url)}>The original at {host}</a></p>'
    return bare_page(
        article.title or "untitled",
        f'<p class="where">{_where(article)}{by}</p>',
        (f'<p class="error" role="alert">{note}</p>' if note else "")
        + _paragraphs(article.text, *(span or (0, 0)))
        + link,
    )


def bare_page(title: str, head: str, body: str) -> str:
    """A page without scripts, from a plain title and escaped HTML."""
    css = (files("ui") / "chat.css").read_text(encoding="utf-8")
    title = escape(title)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>'
        f'{title}</title><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><style>{css}</style>'
        f'<body class="bare"><article class="whole">{head}<h1>{title}</h1>{body}</article>'
    )


def _stands(text: str, start: int, end: int, of: str) -> tuple[int, int] | None:
    """Where the cited words are: where they were, or moved as a whole by a change before them."""
    length = end - start
    for position in (start, *range(len(text) - length + 1)) if 0 < length <= len(text) else ():
        if digest(text[position : position + length]) == of:
            return position, position + length
    return None


def _paragraphs(text: str, start: int, end: int) -> str:
    """The text in paragraphs, the part from start to end in one mark for each paragraph."""
    parts: list[str] = []
    position, name = 0, ' id="quote"'  # of the first mark: what the link leads to
    for line in text.split("\n"):
        first = min(max(start - position, 0), len(line))
        last = min(max(end - position, 0), len(line))
        position += len(line) + 1
        before, cited, after = escape(line[:first]), escape(line[first:last]), escape(line[last:])
        if cited:
            cited, name = f"<mark{name}>{cited}</mark>", ""
        if line.strip():
            parts.append(f"<p>{before}{cited}{after}</p>")
    return "".join(parts)
