"""Where the words of a claim come from: the cheapest way to write it with the words of a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from rag.facts import FACTS, Token, tokens
from rag.language import sentence_spans
from rag.types import Span

SKIP, BACK, NEIGHBOUR, FAR = 0.4, 1.0, 1.2, 1.8
"""What it costs not to go on with the next token of the text, but further on in its sentence,
further back in it, in a sentence beside it, or anywhere else."""
OWN_FUNCTION, OWN_WORD, OWN_FACT = 0.35, 1.2, 1.6
"""What a token costs that the claim does not take from the text. All these were set by hand, so
that a changed name or number costs less than to fetch it from another sentence and go back."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text, read to be compared with claims."""

    tokens: tuple[Token, ...]
    spans: tuple[Span, ...]
    """Of its sentences."""
    starts: tuple[int, ...]
    """Of its sentences, in tokens; last the number of tokens."""
    sentence: tuple[int, ...]
    """Of each token, the number of its sentence."""
    places: Mapping[str, Sequence[int]]
    """Of each value, where it stands."""
    triples: frozenset[tuple[str, ...]]
    """Its runs of three tokens."""
    pairs: frozenset[tuple[str, ...]]
    """Its pairs of content words, next to each other but for function words."""
    words: tuple[frozenset[str], ...]
    """Of each sentence, its content words."""
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Alignment:
    """A claim, and for each of its tokens the one of the evidence that it is taken from."""

    claim: tuple[Token, ...]
    evidence: Evidence
    places: tuple[int | None, ...]


@lru_cache(maxsize=64)  # the sentences of an answer are held against the same passages
def read(text: str) -> Evidence:
    """A text's tokens, sentence by sentence."""
    spans = tuple(sentence_spans(text))
    sentences = [tokens(text[start:end]) for start, end in spans]
    everything = [token for sentence in sentences for token in sentence]
    names = frozenset(token.value for token in everything if token.kind == "name")
    places: dict[str, list[int]] = defaultdict(list)
    for place, token in enumerate(everything):
        places[token.value].append(place)
    contents = [[token.value for token in some if token.is_content] for some in sentences]
    return Evidence(
        _with_names(everything, names),
        spans,
        tuple(accumulate(map(len, sentences), initial=0)),
        tuple(number for number, sentence in enumerate(sentences) for _ in sentence),
        dict(places),
        frozenset(runs([token.value for token in everything], 3)),
        frozenset(pair for content in contents for pair in runs(content, 2)),
        tuple(map(frozenset, contents)),
        names,
    )


def runs(values: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """The runs of so many values; of fewer, all."""
    count = max(1, len(values) - length + 1)
    return [tuple(values[i : i + length]) for i in range(count)]


def _with_names(some: Sequence[Token], names: frozenset[str]) -> tuple[Token, ...]:
    """Tokens, of which those that open a sentence and are known as names are names."""
    return tuple(
        token._replace(kind="name") if token.kind == "opening" and token.value in names else token
        for token in some
    )


def align(claim: str, text: str) -> Alignment:
    """Take each token of a claim from the place of a text from which it costs least.

    A shortest path (Viterbi): a token may be taken from wherever its value stands, or be the
    claim's own; reading on costs nothing, anything else does.
    """
    evidence = read(text)
    wanted = _with_names(
        [token for start, end in sentence_spans(claim) for token in tokens(claim[start:end])],
        evidence.names,
    )
    cost = np.full(len(evidence.tokens), np.inf)
    """Of the cheapest way that took its last token from here."""
    nothing = 0.0
    """Of the way that took none yet."""
    steps: list[dict[int, int]] = []
    for token in wanted:
        own = OWN_FACT if token.kind in FACTS else OWN_WORD if token.is_content else OWN_FUNCTION
        new, step = cost + own, dict[int, int]()
        far = int(cost.argmin()) if len(cost) else -1
        for place in evidence.places.get(token.value, ()):
            price, origin = _cheapest(cost, evidence, place)
            if cost[far] + FAR < price:
                price, origin = float(cost[far]) + FAR, far
            if nothing <= price:
                price, origin = nothing, -1
            if price < new[place]:
                new[place], step[place] = price, origin
        cost = new
        nothing += own
        steps.append(step)
    found: list[int | None] = [None] * len(wanted)
    place = int(cost.argmin()) if len(cost) and cost.min() < nothing else -1
    for i in range(len(wanted) - 1, -1, -1):
        if place in steps[i]:
            found[i] = place
            place = steps[i][place]
    return Alignment(wanted, evidence, tuple(found))


def _cheapest(cost: NDArray[np.float64], evidence: Evidence, place: int) -> tuple[float, int]:
    """What the cheapest way to a place from one near it costs, and from where it comes."""
    number, starts = evidence.sentence[place], evidence.starts
    start, end = starts[number], starts[number + 1]
    best, origin = np.inf, -1
    for first, last, price in (
        (place - 1, place, 0.0),
        (start, place, SKIP),
        (place, end, BACK),
        (starts[max(0, number - 1)], start, NEIGHBOUR),
        (end, starts[min(len(starts) - 1, number + 2)], NEIGHBOUR),
    ):
        if 0 <= first < last and price < best:
            here = first + int(cost[first:last].argmin())
            if cost[here] + price < best:
                best, origin = float(cost[here]) + price, here
    return best, origin
