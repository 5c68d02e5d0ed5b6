"""Understanding a question: what is searched for, and within which outlets and dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TypedDict, Unpack

from rag.errors import UsageError
from rag.kinds import of_kind
from rag.language import search_terms, words
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
    """What the caller says of outlets and dates; as text, a day is year-month-day."""

    outlets: Sequence[str] | None
    """By name or domain."""
    after: date | str | None
    """Inclusive."""
    before: date | str | None
    """Exclusive."""
    as_of: date | str | None
    """To the end of that day."""
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
    outlets = filters.get("outlets") or ()
    standalone = _standalone(question, history)
    # A question that may only seem to lean on the turns before is searched on its own too.
    alone = standalone != question and not _goes_on(question)
    parts = (question, standalone) if alone else (standalone,)
    if index:
        respelt = [_respelt(part, index) for part in parts]
        parts = tuple(dict.fromkeys((*parts, *respelt)))
    query = Query(
        text=standalone,
        parts=parts if len(parts) > 1 else (),
        outlets=(outlets,) if isinstance(outlets, str) else tuple(outlets),
        after=_day(filters.get("after"), "after"),
        before=_day(filters.get("before"), "before"),
        as_of=_day(filters.get("as_of"), "as_of"),
        without=tuple(filters.get("without") or ()),
    )
    return of_kind(question, query)


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
