"""Understanding a question: what is searched for, and within which outlets and dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypedDict, Unpack

from rag.dates import asked_days
from rag.errors import UsageError
from rag.language import search_terms, words
from rag.outlets import asked_outlets
from rag.search_index import SearchIndex
from rag.types import Query

MAX_QUESTION_CHARS = 2000
"""A long question is a few sentences; more than this is a document pasted by mistake."""

MISSPELT_CHARS = 5
"""A shorter word that the archive lacks is near to too many others."""

History = Sequence[tuple[str, str]]
"""The turns before, oldest first: (question, answer)."""

# What leans on the turn before: words that point back, and openings that go on from it.
_POINTING = frozenset(
    "he she it they him her them his hers its their theirs this that these those there one ones "
    "former latter same then".split()
)
_GOING_ON = ("and ", "but ", "so ", "or ", "what about", "how about", "what else", "who else")
_SHORT_WORDS = 5


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

    A word that the index, if one is given, does not hold is searched as spelt and as it may be
    meant. Raises `UsageError` for an empty or over-long question, and for a date that is none.
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
    standalone = _standalone(question, history)
    # A question that may only seem to lean on the turns before is searched on its own too.
    alone = standalone != question and not _goes_on(question)
    wordings = [standalone, question] if alone else [standalone]
    if index:
        wordings += [_respelt(wording, index) for wording in wordings]
    query = Query(text=standalone, variants=tuple(dict.fromkeys(wordings))[1:])
    if index and filters.get("read_filters", True):
        query = _with_asked(query, question, history, index)
    return _overruled(query, filters)


def _with_asked(query: Query, question: str, history: History, index: SearchIndex) -> Query:
    """The query with the outlets and days that a question asks for.

    What a follow-up leaves open is as in the turn before.
    """
    newest = index.newest()
    outlets = asked_outlets(question, index.outlets())
    periods, as_of = asked_days(question, date.today(), newest.date() if newest else None)
    if history and _leans_back(question):
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
    )


def _overruled(query: Query, filters: Filters) -> Query:
    """The query with what the caller says of outlets and of days in place of what was read."""
    outlets = filters.get("outlets")
    if outlets is not None:
        outlets = (outlets,) if isinstance(outlets, str) else tuple(outlets)
        query = replace(query, outlets=outlets)
    days = {name: _day(filters.get(name), name) for name in ("after", "before", "as_of")}
    if any(days.values()):
        query = replace(query, periods=(), **days)
    given = {"outlets": outlets is not None} | dict.fromkeys(days, any(days.values()))
    understood = tuple(name for name in given if getattr(query, name) and not given[name])
    return replace(query, understood=understood, without=tuple(filters.get("without") or ()))


def _respelt(text: str, index: SearchIndex) -> str:
    for word in search_terms(text):
        if len(word) >= MISSPELT_CHARS and word.isalpha() and (meant := index.spelling(word)):
            text = re.sub(rf"\b{re.escape(word)}\b", meant, text, flags=re.IGNORECASE)
    return text


def _standalone(question: str, history: History) -> str:
    """The question with the turns before it, where it leans on them."""
    if not history or not _leans_back(question):
        return question
    asked, answered = history[-1]
    first = history[0][0] if len(history) > 1 else ""
    return " ".join(part for part in (first, asked, answered, question) if part)[
        -MAX_QUESTION_CHARS:
    ]


def _leans_back(question: str) -> bool:
    return _goes_on(question) or not _POINTING.isdisjoint(words(question))


def _goes_on(question: str) -> bool:
    """Whether a question makes no sense without the turn before it."""
    return len(list(words(question))) <= _SHORT_WORDS or question.casefold().startswith(_GOING_ON)


def _day(value: date | str | None, name: str) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value.date()
    except (ValueError, AttributeError) as error:
        raise UsageError(
            f"{name}={value!r} is not a date; write it as year-month-day, 2025-03-14"
        ) from error
