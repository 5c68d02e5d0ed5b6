"""What kind of question it is: about the news, for an overview, about the archive, or a greeting.

By its wording alone (`kinds.toml`). When in doubt it is a plain question, for which the articles
are read; the others would only talk.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files

from rag.language import fold
from rag.types import Query, QueryKind

_PLACE = re.compile(r"(?<!P)<(\w+)>")


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """An expression with the wordings of `kinds.toml` in place of their names."""
    wordings = tomllib.loads((files("rag") / "kinds.toml").read_text(encoding="utf-8"))
    while _PLACE.search(pattern):
        pattern = _PLACE.sub(lambda m: f"({'|'.join(wordings[m[1]].splitlines())})", pattern)
    return re.compile(re.sub(r"\((?!\?)", "(?:", pattern), re.IGNORECASE)


def _plain(question: str) -> str:
    """A question without the punctuation around it."""
    return fold(question).strip(" ?!.¿¡\"'")


def _overview(question: str, wording: str = "overview") -> re.Match[str] | None:
    return _pattern(rf"<polite><{wording}>(?=\W|$)( <of>\b| <told>)?(?P<topic>.*)").match(
        _plain(question)
    )


def kind_of(question: str) -> QueryKind:
    """The kind of a question by its wording."""
    plain = _plain(question)
    if _pattern(r"(<greeting>(\W+|$))+").fullmatch(plain):
        return "greeting"
    if _pattern("<polite><archive>").match(plain):
        return "archive"
    return "overview" if _overview(question) else "question"


def of_kind(question: str, query: Query) -> Query:
    """The query with the kind of its question; for an overview the topic is what is searched."""
    kind, wording = kind_of(question), "overview"
    if kind == "question" and "outlets" in query.understood:
        if _asks_of_articles(question):
            kind = "archive"
        elif len(query.outlets) > 1 and _overview(question, "of_outlets"):
            kind, wording = "overview", "of_outlets"
    if kind != "overview":
        return replace(query, kind=kind)
    # The days are asked for, and not written of.
    whole = query.dayless if query.dayless and not query.parts else (query.text, *query.variants)
    texts = [(topic(text, wording) or text) for text in whole]
    if query.periods and asks(question, "newest"):  # "new in April": not in the topic's words
        texts = [_pattern(r" <when>( \d{4})?$").sub("", text) for text in texts]
    topics = tuple(dict.fromkeys(texts))
    return replace(query, kind=kind, text=topics[0], variants=topics[1:], parts=())


def _asks_of_articles(question: str) -> bool:
    """Whether it is worded as about the archive, or would be if whom it names is an outlet."""
    return bool(_pattern("<polite>(<archive>|<has_articles>)").match(_plain(question)))


def of_articles(question: str) -> str:
    """The question so worded that each day in it is that of articles, if it asks of them."""
    of_news = kind_of(question) == "overview" and asks(question, "newest")
    if not of_news and not _asks_of_articles(question):
        return question
    return _pattern(r"\b(?=<when>)").sub("articles ", fold(question))


def topic(text: str, wording: str = "overview") -> str:
    """A text without the words that ask for an overview: empty where they are all of it."""
    found = _overview(text, wording)
    if not found:
        return text
    said = _pattern(r"([\s,]*\b<closing>)+$").sub("", found["topic"]).strip(" ,:-")
    return said or found["whose"] or ""


def asks(question: str, what: str) -> bool:
    """Whether a question has one of the wordings for what it asks, by its name in `kinds.toml`."""
    return bool(_pattern(rf"\b<{what}>(?!\w)").search(_plain(question)))


def named(question: str, before: str) -> str | None:
    """Whom or what a question about the archive names: after a word for `by`, `from`, `about`."""
    found = _pattern(rf"\b<{before}> (?P<name>.+?)(?= <end>\b|$)").search(_plain(question))
    return found["name"] if found else None
