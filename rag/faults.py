"""What of a claim its evidence has otherwise, or has not: facts, denials, opposites, and order.

A mention (a whole name, a number, a unit, a date, a word that has an opposite) is compared with
what the evidence has in its place: next to the words from which the claim's words beside it come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rag.alignment import Alignment
from rag.facts import FACTS, Token, opposite

Fault = Literal["differs", "lacks"]
Mention = slice
"""Of the claim's tokens."""

NEAR = 8
"""So many tokens on, or back, words still belong together."""
OWN_WORDS = 3
"""In a text without capitals any word may be a name: in the place of another one it is at fault,
where the claim has fewer words than this of its own, and so is no paraphrase."""
BE = frozenset({"is", "are", "was", "were", "be", "been", "being"})


def faults(found: Alignment) -> Iterator[Fault]:
    """Each thing that is wrong with a claim: it "differs" from the evidence, or "lacks" in it."""
    for mention in _mentions(found):
        if fault := _fault(found, mention):
            yield fault
    for token, place in zip(found.claim, found.places, strict=True):
        if place is None or token.kind == "function":
            continue
        if token.denied != found.evidence.tokens[place].denied:
            yield "differs"


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
    others = [token for side in sides for token in side if token.value not in values]
    kinds = {token.kind for token in others}
    if kind == "turn":
        return "differs" if any(opposite(values[0], other.value) for other in others) else None
    if kind in ("opening", "word"):
        is_strange = place is None or not is_near
        return "lacks" if is_strange and kinds & {*FACTS, "opening", kind} else None
    if kind == "name" and _is_passive(found, before if after is None else after):
        return None
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


def _is_passive(found: Alignment, beside: int | None) -> bool:
    """Whether of a claim and its evidence one says who did it, the other by whom it was done."""
    if beside is None:
        return False
    start, end = (found.evidence.starts[found.evidence.sentence[beside] + i] for i in (0, 1))
    said, there = (
        {token.value for token in some} for some in (found.claim, found.evidence.tokens[start:end])
    )
    return ("by" in said and bool(said & BE)) != ("by" in there and bool(there & BE))
