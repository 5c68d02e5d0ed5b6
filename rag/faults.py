"""What of a claim its evidence has otherwise, or has not: facts, denials, opposites, and order.

A mention (a whole name, a number, a unit, a date, a word that has an opposite) is compared with
what the evidence has in its place: next to the words from which the claim's words beside it come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rag.alignment import Alignment
from rag.facts import FACTS, Token
from rag.opposites import alike, opposite
from rag.quantities import amount_fits, fits
from rag.roles import roles

Fault = Literal["differs", "lacks"]
Mention = slice
"""Of the claim's tokens."""

NEAR = 8
"""So many tokens on, or back, words still belong together."""
OWN_WORDS = 3
"""In a text without capitals any word may be a name: in the place of another one it is at fault,
where the claim has fewer words than this of its own, and so is no paraphrase."""
_TOLD_OPEN = {"done": 0, "undone": 0, "future": 1, "aim": 1, "open": 2}
_CLAIMED_OPEN = _TOLD_OPEN | {"aim": 2}
"""How open it is whether a verb's deed is done. Of an infinitive in a claim the verb before it says
so, which is compared itself."""


def faults(found: Alignment) -> Iterator[Fault]:
    """Each thing that is wrong with a claim: it "differs" from the evidence, or "lacks" in it."""
    compared = roles(found)
    if compared.swapped:
        yield "differs"
    elif compared.other:
        yield "lacks"
    for mention in _mentions(found):
        values = {token.value for token in found.claim[mention]}
        if not values <= compared.kept and (fault := _fault(found, mention)):
            yield fault
    yield from denials(found)
    for token, told in _pairs(found):
        if (fit := amount_fits(token.amount, told.amount)) != "same":
            yield fit
    yield from _replaced(found)


def denials(found: Alignment) -> Iterator[Fault]:
    """The words that only one of a claim and its evidence denies."""
    for token, told in _pairs(found):
        if token.denied != told.denied:
            yield "differs"


def governed(found: Alignment) -> Iterator[Fault]:
    """What a claim tells as so that its evidence only denies, doubts, or tells as still to come."""
    pairs = _pairs(found)
    for token, told in pairs:
        is_verb = token.held == "said" and (token.acts or token.mood != "done")
        if is_verb and _TOLD_OPEN[told.mood] > _CLAIMED_OPEN[token.mood]:
            yield "lacks"
    bare = [told.held for token, told in pairs if token.held == "said" != told.held]
    if len(bare) >= max(1, sum(token.kind != "function" for token in found.claim) / 2):
        yield "differs" if "denied" in bare else "lacks"


def _pairs(found: Alignment) -> list[tuple[Token, Token]]:
    """The claim's words but for function words, each with the one that it is taken from."""
    return [
        (token, found.evidence.tokens[place])
        for token, place in zip(found.claim, found.places, strict=True)
        if place is not None and token.kind != "function"
    ]


def _replaced(found: Alignment) -> Iterator[Fault]:
    """The verbs that stand where the evidence has another."""
    for i, (token, place) in enumerate(zip(found.claim, found.places, strict=True)):
        if place is not None or not token.acts:
            continue
        before, after = (side[0] if side else None for side in _around(found, slice(i, i + 1)))
        if before is None or after is None or not 0 < after - before <= NEAR:
            continue
        between = [t for t in found.evidence.tokens[before + 1 : after] if t.acts]
        if between and not any(alike(token.value, other.value) for other in between):
            yield "lacks"


def _mentions(found: Alignment) -> Iterator[Mention]:
    claim = found.claim
    lacking = sum(t.is_content for t, p in zip(claim, found.places, strict=True) if p is None)
    any_word = not found.evidence.names and lacking < OWN_WORDS
    start = 0
    while start < len(claim):
        end, kind = start + 1, claim[start].kind
        while kind == "name" and end < len(claim) and claim[end].kind == "name":
            end += 1
        if kind not in ("function", "negation") and (any_word or kind != "word"):
            yield slice(start, end)
        start = end


def _fault(found: Alignment, mention: Mention) -> Fault | None:
    """What is wrong with one mention, if anything."""
    claim, places = found.claim[mention], found.places[mention]
    values, kind, place = [token.value for token in claim], claim[0].kind, places[0]
    if kind == "number" and (fault := _misfit(found, mention.start)):
        return fault
    around = _around(found, mention)
    nearest = [side[0] for side in around if side]
    is_near = place is None or any(p is not None and abs(p - place) <= NEAR for p in nearest)
    if kind == "number" and nearest and not is_near:  # it may be told of something else
        return "lacks"
    before, after = (next((p for p in side if p is not None), None) for side in around)
    way = [p for p in (before, *places, after) if p is not None]
    is_whole = None not in places and len(places) < len(way) and way == sorted(way)
    if is_whole and way[-1] - way[0] < len(way) + NEAR:  # it stands there, with words left out
        return None
    sides = [_run(found, before, 1), _run(found, after, -1)]
    if any(_holds(side, values) for side in sides):
        return None
    beside = [token for side in sides for token in side if token.kind == kind == "number"]
    limit = claim[0].bound
    if limit and any(not t.bound and fits(values[0], limit, t.value, "") == "same" for t in beside):
        return None  # above 2,000, where it has 2,150
    others = [token for side in sides for token in side if token.value not in values]
    kinds = {token.kind for token in others}
    if kind == "turn":
        return "differs" if any(opposite(values[0], other.value) for other in others) else None
    if kind in ("opening", "word"):
        is_strange = place is None or not is_near
        return "lacks" if is_strange and kinds & {*FACTS, "opening", kind} else None
    if kind in kinds:
        return "differs"
    is_elsewhere = kind == "date" or not kinds & FACTS
    is_there = None not in places and is_elsewhere and _stand_together(found, values)
    return None if kind not in FACTS or is_there else "lacks"


def _around(found: Alignment, mention: Mention) -> tuple[list[int | None], list[int | None]]:
    """Where the words of content before and behind a mention are from, the nearest to it first."""
    content = [(i, p) for i, p in enumerate(found.places) if found.claim[i].is_content]
    before = [place for i, place in reversed(content) if i < mention.start]
    return before, [place for i, place in content if i >= mention.stop]


def _run(found: Alignment, place: int | None, step: int) -> list[Token]:
    """What the evidence has next to a place, in its sentence: a word of content, or a name."""
    if place is None:
        return []
    evidence = found.evidence
    number = evidence.sentence[place]
    sentence = range(evidence.starts[number], evidence.starts[number + 1])
    run: list[Token] = []
    while (place := place + step) in sentence:
        token = evidence.tokens[place]
        if run and (token.kind != "name" or run[-1].kind not in ("name", "opening")):
            break
        if token.kind != "function":
            run.append(token)
    return run[::step]


def _holds(run: Sequence[Token], values: Sequence[str]) -> bool:
    """Whether values stand in a run, in their order: a name may be shortened."""
    left = iter([token.value for token in run])
    return all(value in left for value in values)


def _stand_together(found: Alignment, values: Sequence[str]) -> bool:
    some = found.evidence.tokens
    return any(
        [token.value for token in some[place : place + len(values)]] == list(values)
        for place in found.evidence.places.get(values[0], ())
    )


def _misfit(found: Alignment, i: int) -> Fault | None:
    """What is wrong with a number that the evidence has, but with another bound or of another."""
    evidence, number, place = found.evidence, found.claim[i], found.places[i]
    if place is None:
        return None
    told = evidence.tokens[place]
    if (fit := fits(number.value, number.bound, told.value, told.bound)) != "same":
        return fit
    end = i + 1
    while end < len(found.claim) and found.claim[end].kind == "unit":
        end += 1
    before, after = (side[0] if side else None for side in _around(found, slice(i, end)))
    if before is None:
        return None
    if after is not None and before < after <= before + NEAR and not before < place < after:
        between = evidence.tokens[before + 1 : after]
        if any(other.kind == "number" for other in between):  # this one is of something else
            return "differs"
    beside = evidence.tokens[before]
    if before > place and evidence.sentence[before] == evidence.sentence[place]:
        start = evidence.starts[evidence.sentence[place]]
        own = [t for t in evidence.tokens[start:place] if t.stretch == told.stretch]
        if beside.stretch != told.stretch and any(t.is_content for t in own):
            return "lacks"
    return None
