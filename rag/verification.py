"""Whether evidence supports a sentence, judged by signals that need no model.

Word for word, or: its numbers, names and negations agree with a stretch of the evidence, and most
of its words are there. It knows no synonyms, so a free paraphrase stays unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.language import fold, names, negated_terms, numbers, sentence_spans, terms
from rag.types import Verdict

MOST = 0.6
"""The share of a sentence's content words that its evidence must hold."""
NEARLY_ALL = 0.75
"""From here on, a number or a negation that differs contradicts."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What of a sentence can be checked."""

    terms: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    negated: frozenset[str]
    """Of its terms, those that are denied."""

    @classmethod
    def of(cls, text: str) -> Claim:
        """The claim that a text makes."""
        return cls(
            frozenset(terms(text)),
            frozenset(numbers(text)),
            frozenset(names(text)),
            frozenset(negated_terms(text)),
        )


def verify(sentence: str, evidence: Sequence[str]) -> Verdict:
    """What the evidence says of a sentence, and the stretch of it that says so.

    A sentence that stands word for word in the evidence is supported with score 1.
    """
    verbatim = _verbatim(sentence, evidence)
    if verbatim:
        return Verdict("supported", 1.0, verbatim)
    claim = Claim.of(sentence)
    if not claim.terms:
        return Verdict("unsupported", 0.0)
    best = Verdict("unsupported", 0.0)
    for index, text in enumerate(evidence):
        for start, end in _stretches(text):
            verdict = _compare(claim, sentence, text[start:end], (index, start, end))
            if (verdict.label != "unsupported", verdict.score) > (
                best.label != "unsupported",
                best.score,
            ) or (verdict.label == "supported" and best.label == "contradicted"):
                best = verdict
    return best


def _verbatim(sentence: str, evidence: Sequence[str]) -> tuple[int, int, int] | None:
    wanted = fold(sentence).strip(" .\"'")
    if not re.search(r"\w", wanted):
        return None
    standing = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    for index, text in enumerate(evidence):
        if not standing.search(fold(text)):
            continue
        for start, end in _stretches(text):
            if standing.search(fold(text[start:end])):
                return index, start, end
        return index, 0, len(text)
    return None


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Each sentence of a text, then each two that follow each other."""
    spans = sentence_spans(text)
    yield from spans
    for first, second in pairwise(spans):
        yield first[0], second[1]


def _compare(claim: Claim, sentence: str, text: str, quote: tuple[int, int, int]) -> Verdict:
    found = Claim.of(text)
    recall = len(claim.terms & found.terms) / len(claim.terms)
    # A sentence may open with any capitalised word: what counts as a name must be found as a word.
    missing_names = {
        name for name in claim.names - found.names if name not in fold(text).casefold()
    }
    denies = bool((claim.negated ^ found.negated) & claim.terms & found.terms)
    differs = bool(claim.numbers - found.numbers and found.numbers - claim.numbers)
    if missing_names or recall < MOST:
        return Verdict("unsupported", 0.4 * recall, quote if recall else None)
    if claim.numbers <= found.numbers and not denies:
        return Verdict("supported", 0.5 + 0.45 * recall, quote)
    if recall >= NEARLY_ALL and (differs or denies):
        return Verdict("contradicted", 0.2 * (1 - recall), quote)
    return Verdict("unsupported", 0.4 * recall, quote)
