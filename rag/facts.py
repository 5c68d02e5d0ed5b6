"""A sentence as tokens that can be compared: numbers as values, units, dates, names, negations.

`$6.5bn` and `6.5 billion dollars` give the same tokens, as do `twelve` and `12`, `didn't` and
`did not`, `Jan. 5th` and `January 5`. Nothing here understands a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from rag.language import FUNCTION_WORDS, NEGATIONS, SCALES, fold, pieces, read_number, stem

Kind = Literal["word", "function", "number", "unit", "date", "name", "opening", "negation", "turn"]
"""An opening is the capitalised word that begins a sentence: it may be a name. A turn is a word
that has an opposite."""


class Token(NamedTuple):
    """One word, number or unit; `value` is what is compared."""

    value: str
    kind: Kind
    denied: bool = False
    """Whether a word of negation stands before it (or, of the last, behind), next to it but for
    function words."""

    @property
    def is_content(self) -> bool:
        """Whether it says something, beside holding the sentence together."""
        return self.kind != "function" and self.value not in FUNCTION_WORDS


FACTS = frozenset({"number", "date", "name"})
"""The kinds that a sentence cannot have of its own: its evidence must hold them."""

_UNITS = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "%": "%", "percent": "%"}
_UNITS |= {
    form: unit
    for unit in (
        "dollar euro pound yen cent point minute hour day week month year inch foot mile metre "
        "meter kilometre kilometer km mph kg tonne ton degree"
    ).split()
    for form in (unit, f"{unit}s")
}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = (
    "january february march april may june july august september october november december".split()
)
_DATES = {name: name for name in (*_DAYS, *_MONTHS)}
_SHORT_DATES = {name[:3]: name for name in (*_DAYS, *_MONTHS)} | {"sept": "september"}
_TITLES = frozenset("mr mrs ms miss dr sir lord lady prof professor".split())
_CONTRACTED = {"can't": "can", "cannot": "can", "won't": "will"}
_OPPOSITES = [
    [frozenset(side.split()) for side in pair.split("/")]
    for pair in (
        "more over above up rise rose risen rising increase increased increases increasing grow "
        "grew grown growing gain gained climb climbed jumped soared surged higher larger greater "
        "exceeded / less fewer under below down fall fell fallen falling decrease decreased "
        "decreases decreasing decline declined declining drop dropped lower smaller plunged shrank",
        "before earlier / after later",
        "first / last",
        "best better / worst worse",
        "most largest biggest highest / least smallest lowest",
        "won win wins winning beat / lost lose loses losing",
        "accept accepted accepts approved backed / reject rejected rejects refused",
        "support supports supported / oppose opposes opposed",
        "north northern / south southern",
        "east eastern / west western",
        "men man male / women woman female",
        "father son husband brother boy / mother daughter wife sister girl",
        "older / younger",
        "early / late",
        "public / private",
        "left / right",
        "open opened / close closed",
        "buy bought / sell sold",
        "guilty / innocent",
        "alive / dead",
    )
]
_TURNS = {
    stem(word): (number, side)
    for number, pair in enumerate(_OPPOSITES)
    for side, words in enumerate(pair)
    for word in words
}


def opposite(one: str, other: str) -> bool:
    """Whether two stems are words of opposite meaning."""
    if one not in _TURNS or other not in _TURNS:
        return False
    return _TURNS[one][0] == _TURNS[other][0] and _TURNS[one][1] != _TURNS[other][1]


@lru_cache(maxsize=4096)
def tokens(sentence: str) -> tuple[Token, ...]:
    """The tokens of one sentence, in order."""
    found = list(_tokens(pieces(fold(sentence))))
    denying, last = False, None
    for i, token in enumerate(found):
        if token.kind == "negation":
            denying = True
        elif token.kind != "function":
            found[i] = token._replace(denied=denying)
            denying, last = False, i
        if token.kind == "number" and token.value[0] == "#":  # January 5th, the 5th of January
            around = found[max(0, i - 1) : i + 3]
            if any(other.value in _MONTHS for other in around):
                found[i] = found[i]._replace(value=token.value[1:])
    if denying and last is not None:
        found[last] = found[last]._replace(denied=True)
    return tuple(found)


def _tokens(left: list[str]) -> Iterator[Token]:
    folded = [piece.casefold().removesuffix("'s") for piece in left]
    currency: str | None = None
    i = 0
    while i < len(left):
        word, after = folded[i], folded[i + 1] if i + 1 < len(left) else ""
        number = read_number(folded[i : i + 5])
        used = number[1] if number else 1
        if word in _UNITS and not word.isalpha() and word != "%":
            currency = _UNITS[word]
        elif number:
            yield Token(number[0], "number")
            if currency:
                yield Token(currency, "unit")
                currency = None
        elif (word, after) == ("per", "cent"):
            yield Token("%", "unit")
            used = 2
        elif word.removesuffix("s") in SCALES:  # half a million, hundreds
            yield Token(word.removesuffix("s"), "unit")
        elif word in _UNITS:
            yield Token(_UNITS[word], "unit")
        else:
            yield from _word(left[i], word, i == 0, after)
        i += used


def _word(piece: str, word: str, first: bool, after: str) -> Iterator[Token]:
    capital = piece[0].isupper()
    if word in NEGATIONS or word.endswith("n't"):
        if word in _CONTRACTED or word.endswith("n't"):
            yield Token(_CONTRACTED.get(word) or word.removesuffix("n't"), "function")
            word = "not"
        yield Token(word, "function" if after in ("only", "just", "least") else "negation")
    elif word in _DATES and (capital or word in _DAYS):
        yield Token(_DATES[word], "date")
    elif word in _SHORT_DATES and capital and after[:1].isdigit():
        yield Token(_SHORT_DATES[word], "date")
    elif stem(word) in _TURNS and (first or not capital):
        yield Token(stem(word), "turn")
    elif word in _TITLES or (word in FUNCTION_WORDS and not (piece.isupper() and len(piece) > 1)):
        yield Token(word, "function")
    else:
        kind: Kind = "word" if not capital else "opening" if first else "name"
        yield Token(stem(word.replace(".", "")), kind)
