"""What of a claim its evidence has otherwise, or has not: facts, denials, opposites, and order.

A mention (a whole name, a number, a unit, a date, a word that has an opposite) is compared with
what the evidence has in its place: next to the words from which the claim's words beside it come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from rag.alignment import Alignment
from rag.facts import FACTS, Token, opposite
from rag.language import NEGATIONS

Fault = Literal["differs", "lacks"]
Mention = slice
"""Of the claim's tokens."""

NEAR = 4
"""So many tokens on, or back, words still belong together."""
OWN_WORDS = 3
"""In a text without capitals any word may be a name: in the place of another one it is at fault,
where the claim has fewer words than this of its own, and so is no paraphrase."""
BE = frozenset({"is", "are", "was", "were", "be", "been", "being"})


def faults(found: Alignment) -> Iterator[Fault]:
    """Each thing that is wrong with a claim: it "differs" from the evidence, or "lacks" in it."""
    loose: list[tuple[str, int, int]] = []
    for mention in _mentions(found):
        yield from _fault(found, mention)
        kind, place = found.claim[mention.start].kind, found.places[mention.start]
        if kind not in FACTS or place is None or _is_anchored(found, mention):
            continue
        if kind != "name" or not _is_passive(found, place):
            loose.append((kind, found.evidence.sentence[place], place))
    for (kind, sentence, place), other in pairwise(loose):
        if (kind, sentence) == other[:2] and place > other[2]:
            yield "differs"  # they have changed places
    yield from _denials(found)


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


def _fault(found: Alignment, mention: Mention) -> Iterator[Fault]:
    """What is wrong with one mention, if anything."""
    claim, places = found.claim[mention], found.places[mention]
    values, kind = [token.value for token in claim], claim[0].kind
    before, after = _beside(found, mention)
    if _in_place(before, places, after):
        return
    sides = [_run(found, before, 1), _run(found, after, -1)]
    if any(_holds(side, values) for side in sides):
        return
    others = [token for side in sides for token in side if token.value not in values]
    kinds = {token.kind for token in others}
    if kind == "turn":
        if any(opposite(values[0], token.value) for token in others):
            yield "differs"
    elif kind in ("opening", "word"):
        strange = places[0] is None or (kind == "word" and not _is_anchored(found, mention))
        if strange and kinds & {*FACTS, "opening", kind}:
            yield "lacks"
    elif kind == "name" and _is_passive(found, before if after is None else after):
        return
    elif kind in kinds:
        yield "differs"
    elif kind in FACTS and (
        None in places
        or (kind != "date" and kinds & FACTS)
        or (kind == "number" and not _is_anchored(found, mention))
        or not _stand_together(found, values)
    ):
        yield "lacks"


def _in_place(before: int | None, places: Sequence[int | None], after: int | None) -> bool:
    """Whether a mention stands as it is between what is beside it, perhaps with words left out."""
    together = all(one is not None and other == one + 1 for one, other in pairwise(places))
    way = [place for place in (before, *places, after) if place is not None]
    return (
        together
        and None not in places
        and len(way) > len(places)
        and way == sorted(way)
        and way[-1] - way[0] < len(way) + NEAR
    )


def _beside(found: Alignment, mention: Mention) -> tuple[int | None, int | None]:
    """Where the nearest words of content before and behind a mention are taken from."""
    content = [
        place if token.is_content else None
        for token, place in zip(found.claim, found.places, strict=True)
    ]
    before = next((p for p in reversed(content[: mention.start]) if p is not None), None)
    return before, next((p for p in content[mention.stop :] if p is not None), None)


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


def _is_anchored(found: Alignment, mention: Mention) -> bool:
    """Whether a word beside a mention stands near it in the evidence too, on the same side."""
    place = found.places[mention.start]
    before, after = _beside(found, mention)
    return place is None or any(
        other is not None and 0 < side * (other - place) <= NEAR
        for other, side in ((before, -1), (after, 1))
    )


def _is_passive(found: Alignment, beside: int | None) -> bool:
    """Whether of a claim and its evidence one says who did it, the other by whom it was done."""
    if beside is None:
        return False
    evidence = found.evidence
    own = {t.value for t, p in zip(found.claim, found.places, strict=True) if p is None}
    number = evidence.sentence[beside]
    taken = {p for p in found.places if p is not None and evidence.sentence[p] == number}
    left = {evidence.tokens[p].value for p in range(min(taken), max(taken)) if p not in taken}
    return any("by" in some and some & BE for some in (own, left))


def _denials(found: Alignment) -> Iterator[Fault]:
    """Where one of the two denies what the other says."""
    evidence = found.evidence
    for token, place in zip(found.claim, found.places, strict=True):
        if place is None or token.kind == "function":
            continue
        if token.denied != evidence.tokens[place].denied:
            yield "differs"
    # "not only", "not just" and the like deny nothing by themselves, but must be in both
    for i, (place, following) in enumerate(pairwise(found.places)):
        if following is None or evidence.tokens[following].kind != "function":
            continue
        if place is None and found.claim[i].value in NEGATIONS:
            yield "differs"
        elif place is not None and place < following <= place + 3:
            between = evidence.tokens[place + 1 : following]
            if any(token.value in NEGATIONS for token in between):
                yield "differs"
