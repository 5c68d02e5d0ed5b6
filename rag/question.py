"""Understanding a question: what is searched for, and within which outlets and dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypedDict, Unpack

from rag.answer_type import asked
from rag.casing import cased, is_plain_word
from rag.dates import asked_days, without_days
from rag.errors import UsageError
from rag.followups import asks, goes_on, leans_back, standalone
from rag.kinds import of_articles, of_kind
from rag.language import search_terms, terms
from rag.outlets import asked_outlets
from rag.parts import parts
from rag.search_index import SearchIndex
from rag.types import History, Query

MAX_QUESTION_CHARS = 2000
"""A long question is a few sentences; more than this is a document pasted by mistake."""

MISSPELT_CHARS = 5
"""A shorter word that the archive lacks is near to too many others."""


class Filters(TypedDict, total=False):
    """What the caller says of outlets and days, which holds against what the question says.

    As text, a day is year-month-day.
    """

    outlets: Sequence[str] | None
    """By name or domain; None to read them out of the question, none to ask all."""
    after: date | str | None
    """Inclusive."""
    before: date | str | None
    """Exclusive."""
    as_of: date | str | None
    """To the end of that day."""
    read_filters: bool
    """Whether outlets and days are read out of the question; true where it is not given."""
    without: Sequence[str]
    """Ids of articles to leave out, to see what the others say."""


def understand(
    question: str,
    history: History = (),
    index: SearchIndex | None = None,
    **filters: Unpack[Filters],
) -> Query:
    """The query that a question stands for; what the caller says of outlets and dates holds.

    A word that the index, if one is given, does not hold is read as it may be meant, and searched
    as spelt too. Raises `UsageError` for an empty or over-long question, and for a date that is
    none.
    """
    unknown = set(filters) - set(Filters.__annotations__)
    if unknown:
        raise UsageError(
            f"there is no filter {min(unknown)!r}; there are {', '.join(Filters.__annotations__)}"
        )
    question = " ".join(question.encode(errors="replace").decode().split())
    if not question:
        raise UsageError("the question is empty; ask something about the articles")
    if len(question) > MAX_QUESTION_CHARS:
        raise UsageError(
            f"the question has {len(question):,} characters, and at most {MAX_QUESTION_CHARS:,} "
            "can be searched for; ask a shorter one"
        )
    if index:
        question = cased(question, index)
        history = [(cased(earlier, index), answered) for earlier, answered in history]
    known = index.outlets() if index else ()
    text = standalone(question, history, known)
    wordings = [text]
    if text != question:
        first = history[0][0] if len(history) > 1 else ""
        together = " ".join(filter(None, (first, *history[-1], question)))
        wordings.append(together[-MAX_QUESTION_CHARS:])
        if not goes_on(question, known):  # it may only seem to lean on the turns before
            wordings.append(question)
    alone = [standalone(part, history, known) for part in parts(question)]
    if index:
        wordings = [*(_respelt(wording, index) for wording in wordings), *wordings]
        alone = [_respelt(part, index) for part in alone]
    text, *variants = dict.fromkeys(wordings)
    latest = asked(question if asks(question) else text).latest
    query = Query(text, parts=tuple(alone), variants=tuple(variants), latest=latest)
    if index and filters.get("read_filters", True):
        query = _with_asked(query, question, history, index)
    return of_kind(question, _overruled(query, filters))


def _with_asked(query: Query, question: str, history: History, index: SearchIndex) -> Query:
    """The query with the outlets and days that a question asks for.

    What a follow-up leaves open is as in the turn before.
    """
    newest = index.newest()
    today = date.today(), newest.date() if newest else None
    known = index.outlets()
    text = standalone(question, history, known)  # "And the Post?" is asked what the Sun was
    outlets = asked_outlets(question, known) or asked_outlets(text, known)
    periods, as_of = asked_days(of_articles(question), *today)
    if history and leans_back(question, known):
        earlier = _with_asked(query, history[-1][0], history[:-1], index)
        outlets = outlets or earlier.outlets
        if not periods and not as_of:
            periods, as_of = earlier.periods, earlier.as_of
    starts, ends = [start for start, _ in periods], [end for _, end in periods]
    return replace(
        query,
        outlets=outlets,
        after=None if None in starts else min(filter(None, starts), default=None),
        before=None if None in ends else max(filter(None, ends), default=None),
        as_of=as_of,
        periods=periods,
        dayless=_dayless(query, today) if periods or as_of else (),
    )


def _dayless(query: Query, today: tuple[date, date | None]) -> tuple[str, ...]:
    """The texts of a query without the days in them; none where little more is said."""
    texts = tuple(without_days(text, *today) for text in query.parts or (query.text,))
    return texts if all(map(terms, texts)) else ()


def _overruled(query: Query, filters: Filters) -> Query:
    """The query with what the caller says of outlets and of days in place of what was read."""
    outlets = filters.get("outlets")
    if outlets is not None:
        named = (outlets,) if isinstance(outlets, str) else tuple(outlets)
        query = replace(query, outlets=named)
    after = _day(filters.get("after"), "after")
    before = _day(filters.get("before"), "before")
    as_of = _day(filters.get("as_of"), "as_of")
    if after or before or as_of:
        query = replace(query, after=after, before=before, as_of=as_of, periods=())
    read = ["outlets"] if outlets is None else []
    read += [] if after or before or as_of else ["after", "before", "as_of"]
    return replace(
        query,
        understood=tuple(name for name in read if getattr(query, name)),
        latest=query.latest and not (query.after or query.before or query.as_of),
        without=tuple(filters.get("without") or ()),
    )


def _respelt(text: str, index: SearchIndex) -> str:
    """A text with the words that the archive lacks as they may be meant.

    A name with another letter in it is another name; one that lacks a letter, or has two in the
    wrong order, is mistyped. A plain word that a dictionary has is meant as it is.
    """
    for word in search_terms(text):
        if len(word) < MISSPELT_CHARS or not word.isalpha() or not (meant := index.spelling(word)):
            continue
        written = re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)
        is_name = written is not None and written[0][0].isupper() and written.start() > 0
        if _is_another(word, meant.casefold()) if is_name else is_plain_word(word, text):
            continue
        text = re.sub(rf"\b{re.escape(word)}\b", meant, text, flags=re.IGNORECASE)
    return text


def _is_another(name: str, meant: str) -> bool:
    """Whether two names differ by more than letters missing, doubled or in the wrong order."""
    one, other = (re.sub(r"(.)\1", r"\1", each) for each in (name, meant))
    return len(one) == len(other) and sorted(one) != sorted(other)


def _day(value: date | str | None, name: str) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value.date()
    except (ValueError, AttributeError) as error:
        raise UsageError(
            f"{name}={value!r} is not a date; write it as year-month-day, 2025-03-14"
        ) from error
