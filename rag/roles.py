"""Who did it to whom: what stands before a verb and behind it, the passive turned round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag.alignment import Alignment
from rag.facts import Token
from rag.opposites import opposite

BE = frozenset({"is", "are", "was", "were", "be", "been", "being"})
_NO_ROLE = frozenset({"number", "unit", "function", "negation"})


class Roles(NamedTuple):
    """Of a claim against its evidence."""

    swapped: bool
    """Whether one who did it is one to whom it was done."""
    other: bool
    """Whether it was done by another whom the same sentence tells of."""
    kept: frozenset[str]
    """Who has the same role in both, where one is told actively and the other passively, or with
    the opposite verb: A beat B, B lost to A."""


class _Sides(NamedTuple):
    doing: frozenset[str]
    done_to: frozenset[str]
    is_passive: bool


def roles(found: Alignment) -> Roles:
    """Compare the roles around each verb of a claim."""
    swapped, other, kept = False, False, frozenset[str]()
    for claim, told, sentence, is_converse in _compared(found):
        doing, done_to = claim.doing & told.done_to, claim.done_to & told.doing
        is_done_to = bool(done_to - told.done_to - claim.doing)
        is_exchanged = bool(doing - told.doing - claim.done_to) and is_done_to
        if is_converse:
            kept |= doing | done_to if is_exchanged else frozenset()
            continue
        no_agent = claim.is_passive and not claim.doing and not told.is_passive
        swapped |= is_exchanged or (no_agent and is_done_to)
        if claim.is_passive != told.is_passive:
            kept |= (claim.doing & told.doing) | (claim.done_to & told.done_to)
        elif claim.doing and told.doing and not claim.doing & told.doing:
            other |= claim.doing <= sentence
    return Roles(swapped, other, kept)


def _compared(found: Alignment) -> Iterator[tuple[_Sides, _Sides, frozenset[str], bool]]:
    """The sides of each verb in the claim and its evidence, all that is told there, and whether
    the verb there is the opposite one.
    """
    evidence = found.evidence
    taken = sorted({evidence.sentence[place] for place in found.places if place is not None})
    for i, (token, place) in enumerate(zip(found.claim, found.places, strict=True)):
        if not token.acts:
            continue
        sides = _sides(found.claim, i)
        for number in taken if place is None else [evidence.sentence[place]]:
            start, end = evidence.starts[number], evidence.starts[number + 1]
            sentence = evidence.tokens[start:end]
            for j, told in enumerate(sentence):
                is_same = told.value == token.value if place is None else start + j == place
                if is_same or (place is None and opposite(token.value, told.value)):
                    yield sides, _sides(sentence, j), _values(sentence), not is_same


def _sides(sentence: Sequence[Token], verb: int) -> _Sides:
    """What stands before a verb and behind it, between the same commas."""
    stretch = sentence[verb].stretch
    start = next((i + 1 for i in range(verb, -1, -1) if sentence[i].stretch != stretch), 0)
    stops = (i for i in range(verb, len(sentence)) if sentence[i].stretch != stretch)
    before, after = sentence[start:verb], sentence[verb + 1 : next(stops, len(sentence))]
    by = next((i for i, token in enumerate(after[:6]) if token.value == "by"), None)
    is_be = any(token.value in BE for token in before[-2:])
    if by is not None and (is_be or by == 0):
        return _Sides(_values(after[by + 1 :]), _values([*before, *after[:by]]), True)
    if is_be:
        return _Sides(frozenset(), _values(before), True)
    return _Sides(_values(before), _values(after), False)


def _values(some: Sequence[Token]) -> frozenset[str]:
    return frozenset(
        token.value for token in some if token.is_content and token.kind not in _NO_ROLE
    )
