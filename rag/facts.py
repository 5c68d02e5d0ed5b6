"""A sentence as tokens that can be compared: numbers as values, units, dates, names, negations.

`$6.5bn` and `6.5 billion dollars` give the same tokens, as do `twelve` and `12`, `didn't` and
`did not`, `Jan. 5th` and `5 January`. Nothing here understands a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from rag.clauses import Held, Mood, clauses
from rag.language import FUNCTION_WORDS, NEGATIONS, PIECE, SCALES, read_number, stem
from rag.opposites import TURNS, is_verb, root
from rag.plain import MONTHS, plain
from rag.quantities import AMOUNTS, bound_after, bound_before

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
    bound: str = ""
    """Of a number: the sign of "at least" and the like, which are no tokens themselves."""
    amount: str = ""
    """The word before it, but for function words, that is one of `AMOUNTS`."""
    acts: bool = False
    """Whether it is a verb, by its form or by what is behind it."""
    stretch: int = 0
    """Between which commas, colons or semicolons of its sentence it stands."""
    held: Held = "said"
    mood: Mood = "done"

    @property
    def is_content(self) -> bool:
        """Whether it says something, beside holding the sentence together."""
        return self.kind != "function" and self.value not in FUNCTION_WORDS


FACTS = frozenset({"number", "date", "name"})
"""The kinds that a sentence cannot have of its own: its evidence must hold them."""

_UNITS = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "%": "%", "percent": "%"}
_UNITS |= {
    form: group.split("/")[0]
    for group in (
        "dollar euro pound yen cent point minute/min hour/hr day week month year/yr inch "
        "foot/feet/ft mile metre/meter kilometre/kilometer/km centimetre/centimeter/cm "
        "millimetre/millimeter/mm mph kph kilogram/kilogramme/kilo/kg gram/gramme litre/liter "
        "tonne ton degree hectare/ha"
    ).split()
    for unit in group.split("/")
    for form in (unit, f"{unit}s")
}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_DATES = {name: name for name in (*_DAYS, *MONTHS)}
_SHORT_DATES = {name[:3]: name for name in (*_DAYS, *MONTHS)} | {"sept": "september"}
_TITLES = frozenset("mr mrs ms miss dr sir lord lady prof professor".split())
_CONTRACTED = {"can't": "can", "cannot": "can", "won't": "will"}
_FOREIGN_NEGATIONS = frozenset(
    "nicht kein keine keinen keinem keiner keines nie niemals nichts niemand ne pas jamais aucun "
    "aucune rien nunca jamás tampoco ningún ninguna nadie".split()
)
"""Of German, French and Spanish."""


@lru_cache(maxsize=4096)
def tokens(sentence: str) -> tuple[Token, ...]:
    """The tokens of one sentence, in order."""
    text = plain(sentence)
    read = list(PIECE.finditer(text))
    in_clauses = clauses(text)
    found: list[Token] = []
    denying, amount, last = False, "", None
    for i, token in _tokens([piece.group() for piece in read]):
        start = read[i].start()
        stretch, held = in_clauses.stretch(start), in_clauses.held(start)
        mood = in_clauses.moods.get(start, "done")
        value, denied, of = token.value, False, ""
        if token.kind == "negation":
            # "No, it did" denies nothing of its own
            denying = value != "no" or not text.startswith(",", read[i].end())
        elif value in AMOUNTS and not (found and found[-1].value in ("the", "at", "after")):
            is_a_few = value == "few" and found and found[-1].value == "a"
            amount = "some" if is_a_few else AMOUNTS[value]
        elif token.kind != "function":
            denied, of = denying or mood == "undone", amount
            denying, amount, last = False, "", len(found)
        if value[0] == "#" and found and found[-1].value in MONTHS:  # January 5th
            value = value[1:]
        _, kind, _, bound, _, acts, *_ = token
        found.append(Token(value, kind, denied, bound, of, acts, stretch, held, mood))
    if denying and last is not None:
        found[last] = found[last]._replace(denied=True)
    return tuple(found)


def _tokens(left: list[str]) -> Iterator[tuple[int, Token]]:
    """The tokens of pieces, each with the number of the piece it begins with."""
    folded = [piece.casefold().removesuffix("'s") for piece in left]
    currency: str | None = None
    sign = bound = ""
    i = 0
    while i < len(left):
        word, after = folded[i], folded[i + 1] if i + 1 < len(left) else ""
        used = 1
        if number := read_number(folded[i : i + 5]):
            used = number[1]
            bound = bound or bound_after(folded[i + used : i + used + 2]) or ""
            yield i, Token(sign + number[0], "number", bound=bound)
            if currency:
                yield i, Token(currency, "unit")
            currency, sign, bound = None, "", ""
        elif (limit := bound_before(folded[i : i + 3])) and _is_number(folded[i + limit[1] :][:6]):
            bound, used = limit
        elif word == "minus" and after[:1].isdigit():
            sign = "-"
        elif word in _UNITS and not word.isalpha() and word != "%":
            currency = _UNITS[word]
        elif unit := _unit(word, after):
            yield i, Token(unit, "unit")
            used = 1 + ((word, after) == ("per", "cent"))
        else:
            for token in _word(left[i], word, i == 0, after):
                yield i, token
        i += used


def _unit(word: str, after: str) -> str | None:
    scale = word.removesuffix("s")  # half a million, hundreds
    return (
        "%" if (word, after) == ("per", "cent") else scale if scale in SCALES else _UNITS.get(word)
    )


def _is_number(words: list[str]) -> bool:
    """Whether a number begins here, with a sign of currency before it or not."""
    while words and words[0] in ("$", "€", "£", "¥", "minus"):
        words = words[1:]
    return bool(words) and read_number(words[:5]) is not None


def _word(piece: str, word: str, first: bool, after: str) -> Iterator[Token]:
    capital = piece[0].isupper()
    if word.startswith("n'") and len(word) > 2:  # n'a pas
        yield Token("ne", "negation")
        word = word[2:]
    if word in NEGATIONS or word in _FOREIGN_NEGATIONS or word.endswith("n't"):
        if word in _CONTRACTED or word.endswith("n't"):
            yield Token(_CONTRACTED.get(word) or word.removesuffix("n't"), "function")
            word = "not"
        yield Token(word, "function" if after in ("only", "just", "least") else "negation")
    elif word in _DATES and (capital or word in _DAYS):
        yield Token(_DATES[word], "date")
    elif word in _SHORT_DATES and capital and after[:1].isdigit():
        yield Token(_SHORT_DATES[word], "date")
    elif root(word) in TURNS and (first or not capital):
        yield Token(root(word), "turn", acts=is_verb(word, after))
    elif word in _TITLES or (word in FUNCTION_WORDS and not (piece.isupper() and len(piece) > 1)):
        yield Token(word, "function")
    else:
        kind: Kind = "word" if not capital else "opening" if first else "name"
        value = root(word) if not capital else stem(word.replace(".", ""))
        yield Token(value, kind, acts=is_verb(word, after))
