"""Strangers: names and numbers of a question that an article has not.

What is asked of a person, a place or a year is not answered by an article that tells the same of
another, however near it is in all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import groupby

from rag.alignment import read
from rag.facts import Token
from rag.language import FUNCTION_WORDS, fold, stem
from rag.phrases import ENGLISH, language_of

SMALL = 12
"""A number up to it is as often left out, or told by a list: "the three founders"."""
MISSPELT = 0.83
"""How like a name must be to be the same one misspelt (difflib's ratio): of six letters, two may
have changed places."""
SHARED_LETTERS = 4
"""What a country and its people have in common at least: Iran, Iranians."""

# "The coldest since 1987" is told of another year.
_YEAR = re.compile(r"(?<!since )\b(?:1\d|20)\d\d\b")
_WORD = re.compile(r"[^\W\d_]+")
# Countries and peoples that do not begin alike.
_COUNTRIES = {
    stem(name): stem(names.split()[0])
    for names in (
        "america american us usa",
        "britain british briton uk",
        "denmark danish dane",
        "finland finnish finn",
        "france french",
        "ireland irish",
        "netherlands dutch holland",
        "philippines filipino",
        "poland polish pole",
        "spain spanish spaniard",
        "switzerland swiss",
        "wales welsh",
    )
    for name in names.split()
}


def strange_numbers(question: str, texts: Iterable[str]) -> int:
    """How many numbers of a question an article's texts have not, small ones left out."""
    there = {value for text in texts for value in read(text).places}
    numbers = {token.value for token in read(question).tokens if token.kind == "number"}
    return sum(not (value.isdigit() and int(value) <= SMALL) for value in numbers - there)


def is_of_another_year(question: str, text: str) -> bool:
    """Whether all years that a text names are before, or all after, those of a question."""
    wanted, named = (sorted(map(int, _YEAR.findall(each))) for each in (question, text))
    return bool(wanted and named) and (named[-1] < wanted[0] or named[0] > wanted[-1])


def strange_names(question: str, texts: Sequence[str], language: str | None = None) -> float:
    """How many names of a question an article's texts have not.

    Of a name of several words it is the share that is not there. Names are told by their capitals:
    none are in a question Written Like This or in German, nor in one whose language is not the
    article's.
    """
    if _is_titled(question) or not _is_comparable(question, language or ENGLISH):
        return 0.0
    everything = [read(text) for text in texts]
    there = {value for evidence in everything for value in evidence.places}
    there |= {_initials(run) for e in everything for run in _mentions(e.tokens) if len(run) > 1}
    names = {name for evidence in everything for name in evidence.names}
    letters = fold(" ".join(texts)).casefold()
    strange = 0.0
    for mention in _mentions(read(question).tokens):
        if len(mention) == 1 or _initials(mention) not in there:
            unread = [token.value for token in mention if token.value not in there]
            strange += sum(not _is_told(name, letters, names) for name in unread) / len(mention)
    return strange


def _is_titled(question: str) -> bool:
    small = [w for w in _WORD.findall(question)[1:] if w.casefold() in FUNCTION_WORDS]
    return bool(small) and all(word[0].isupper() for word in small)


def _is_comparable(question: str, language: str) -> bool:
    """Whether a question's names may be looked for in an article of a language."""
    if language.startswith(ENGLISH):  # of a question in another, names are mostly the same
        return True
    return not language.startswith("de") and language.startswith(language_of(question))


def _mentions(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Whole names."""
    for kind, run in groupby(tokens, key=lambda token: token.kind):
        if kind == "name":
            yield list(run)


def _initials(mention: Sequence[Token]) -> str:
    return "".join(token.value[0] for token in mention)


def _is_told(name: str, letters: str, names: set[str]) -> bool:
    """Whether a name is told as part of a word, misspelt, or as that of a country's people."""
    if name in _COUNTRIES and _COUNTRIES[name] in {_COUNTRIES.get(other) for other in names}:
        return True
    if len(name) < SHARED_LETTERS:
        return False
    if name in letters or get_close_matches(name, names, n=1, cutoff=MISSPELT):
        return True
    return any(
        name[:shared] == other[:shared] for other in names if (shared := _shared(name, other))
    )


def _shared(one: str, other: str) -> int:
    """How many letters a country and its people must share: all but the last of the shorter."""
    return max(SHARED_LETTERS, min(len(one), len(other)) - 1)
