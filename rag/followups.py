"""Making a question stand on its own: what it takes from the turns before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.language import terms
from rag.outlets import Outlet, asked_of, sole_outlet
from rag.parts import ASKS, INVERTED
from rag.referents import (
    ORDINAL,
    TIME,
    is_of_person,
    listed,
    named,
    pointed_at,
    pointer,
    topic_of,
)
from rag.types import History

_AND = r"¿?(?:and|but|so|or|und|aber|et|mais|y|pero|e)\b,?\s+"
_ABOUT = r"(?:what|how) about|was ist mit|qu'en est-il de|qué tal"
_GOING_ON = re.compile(rf"{_AND}|(?:{_ABOUT}|what else|who else)\b", re.IGNORECASE)
_IN_ENGLISH = r"(?:in|on|at|near)"
_PLACE = rf"(?:{_IN_ENGLISH}|im|auf|bei|à|au|aux|en|dans|chez|a|em|no|na)"
_PREPOSITION = rf"(?:{_PLACE}|for|from|of|with|by|für|von|pour|de|para|con)"
_ELLIPSIS = re.compile(
    rf"(?i:{_AND}(?:(?:{_ABOUT}) )?|(?:{_ABOUT}) )(?:(?P<preposition>(?i:{_PREPOSITION})) )?"
    r"(?P<other>(?:the )?(?:[^\W\d_a-z]|(?:19|20)\d\d\b)[^?]{0,40}?)\s*\??"
)
_SHORT_WORDS = 5


def standalone(question: str, history: History, known: Sequence[Outlet] = ()) -> str:
    """The question with what it takes from the turns before; as it is where it takes nothing.

    Where the outlets are known, one that is named alone is asked what the one before it was.
    """
    if not history or not leans_back(question, known):
        return question
    frame = standalone(history[-1][0], history[:-1], known)
    if outlet := sole_outlet(question, known):
        return asked_of(frame, outlet, known)
    turns = [(frame, history[-1][1]), *reversed(history[:-1])]
    if ellipsis := _ELLIPSIS.fullmatch(question):
        return _swapped(frame, ellipsis["other"].removeprefix("the "), ellipsis["preposition"])
    alone = _capital(re.sub(f"^{_AND}", "", question, flags=re.IGNORECASE))
    pointing = pointer(alone)
    if not asks(alone) and not pointing:
        return f"{frame} {question}"  # "And the crew?"
    if pointing and (name := pointed_at(pointing, turns)):
        return _pointing_to(name, alone, pointing, frame, turns)
    if named(alone):
        return alone
    topic = topic_of(frame)
    if not terms(alone) or not topic:
        return f"{frame} {question}"  # "Why?"
    return f"{alone.rstrip(' ?')} ({topic})?"


def leans_back(question: str, known: Sequence[Outlet] = ()) -> bool:
    """Whether a question may lean on the turn before it."""
    return goes_on(question, known) or pointer(question) is not None


def goes_on(question: str, known: Sequence[Outlet] = ()) -> bool:
    """Whether a question makes no sense without the turn before it."""
    is_short = len(question.split()) <= _SHORT_WORDS and pointer(question) is not None
    is_bare = is_short or len(terms(question)) < 2
    goes_on_with = _GOING_ON.match(question) or (is_bare and not named(question))
    return bool(goes_on_with or sole_outlet(question, known))


def asks(question: str) -> bool:
    """Whether a question says what it asks, and not only of what."""
    return bool(re.search(rf"\b{ASKS}|^{INVERTED}", question, re.IGNORECASE))


def _pointing_to(name: str, alone: str, pointing: re.Match[str], frame: str, turns: History) -> str:
    """A question with the name that its pronoun stands for."""
    if ORDINAL.fullmatch(pointing[0]) and len(terms(alone)) < 2:  # "And the second one?"
        for item in listed(turns):
            if item != name and item in frame:
                pointed = ORDINAL.sub(pointing[0].lower(), frame)
                return pointed.replace(item, name, 1)
        return f"What about {pointing[0].lower()} ({name})?"
    is_state = re.search(r"\b(?:is|are|was|were)\b", alone, re.IGNORECASE)
    if not (terms(alone) or is_state or is_of_person(pointing)):
        return f"{frame} {alone}"  # "How many of them?"
    if name.casefold() in alone.casefold():
        return alone
    if longer := re.search(rf"\b(?:in|at|of|for|after) the ({re.escape(name)} [a-z]+)\W*$", frame):
        name = longer[1]  # the Cup final
    return f"{alone[: pointing.end()]} ({name}){alone[pointing.end() :]}"


def _swapped(frame: str, other: str, preposition: str | None) -> str:
    """The question before with another name in the place of its own: "And in Germany?".

    A day, a month or a year stands for another one, and a place for the place. Where the question
    has none, it is added to it.
    """
    ask = frame.rstrip(" ?")
    if TIME.fullmatch(other):
        pairs = [(match.group(), other) for match in TIME.finditer(ask)]
    else:
        names = [name for name in named(ask) if not TIME.fullmatch(name)]
        pairs = _of_places(ask, names, f"{preposition} {other}") if preposition else []
        if preposition and not pairs:
            pairs = [(name, other) for name in names if f"{preposition} {name}" in ask]
        if not preposition:
            places = [old.split()[-1] for old, _ in _of_places(ask, names, "")]
            pairs = [(name, other) for name in names if name.split()[-1] not in places]
            pairs = pairs or [(name, other) for name in names]
    if pairs:
        return frame.replace(*pairs[-1], 1)
    return f"{ask} {preposition} {other}?" if preposition else f"{ask} ({other})?"


def _of_places(ask: str, names: Sequence[str], other: str) -> list[tuple[str, str]]:
    """The names of places in a question with their prepositions, and what is to stand for each."""
    if other and not re.match(rf"{_PLACE} ", other, re.IGNORECASE):
        return []
    pairs = []
    for name in names:
        if own := re.search(rf"\b({_PLACE}) (?:the )?{re.escape(name)}", ask):
            new = other
            if re.fullmatch(_IN_ENGLISH, own[1]) and not re.match(rf"{_IN_ENGLISH} ", other):
                new = f"{own[1]} {other.partition(' ')[2]}"  # the conversation began in English
            pairs.append((own[0], new))
    return pairs


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
