"""Whether evidence supports a sentence, judged by signals that need no model.

Word for word, or: its words come from few places of the evidence, and what can be checked of them
(names, numbers with their units and bounds, dates, negations, opposites, who did it to whom) agrees
with what stands there, and nothing that governs them there denies it, doubts it or puts it off. It
knows few synonyms, so a free paraphrase stays unsupported; a cross-encoder that was
trained on entailment may judge in place of the signals.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from rag.alignment import Alignment, align, runs
from rag.errors import CrossEncoderError
from rag.faults import Fault, denials, faults, governed
from rag.language import fold, sentence_spans
from rag.orders import without_orders
from rag.types import MAX_PASSAGE_CHARS, Span, Verdict, VerdictLabel

if TYPE_CHECKING:
    from rag.cross_encoder import CrossEncoder

BIAS = -0.37
WEIGHTS = (0.75, 1.06, 1.17, -6.5, -0.16, -0.49)
"""Of `signals`; fitted by evals/bench/verification.py on halves of QAGS, each set weighing the same
(cross-validated AUC then: CNN/DailyMail 0.88, XSum 0.66)."""
COVERED = 2 / 3
"""A sentence of which the text holds fewer content words than this share is less probable in
proportion. AUC with it and without: XSum 0.66 and 0.64, CNN/DailyMail 0.88 in both."""
_EDGES = " .\"'"
NEARLY_CERTAIN = 0.99
"""The most that anything but the evidence's own words can score."""


def verify(sentence: str, evidence: Sequence[str], verifier: CrossEncoder | None = None) -> Verdict:
    """What the evidence says of a sentence, and the stretch of it that says so.

    A sentence that stands word for word in the evidence, not broken off, is supported with score 1;
    if it is only a part of one there, unless the rest denies it, doubts it or makes it depend. Any
    other is judged by the verifier, if there is one; raises `CrossEncoderError` where it cannot
    judge. What gives the reader orders supports nothing but itself.
    """
    best = Verdict("unsupported", 0.0)
    wanted = fold(sentence).strip(_EDGES)
    if not re.search(r"\w", wanted):
        return best
    standing = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    reported = [without_orders(text) for text in evidence]
    for index, text in enumerate(evidence):
        for start, end in _where(standing, text):
            said = fold(text[start:end])
            if said.strip(_EDGES) == wanted or (
                standing.search(fold(reported[index][start:end]))
                and _is_whole(standing, said)
                and not _torn(align(sentence, said))
            ):
                return Verdict("supported", 1.0, (index, start, end))
    for index, text in enumerate(reported):
        found = align(sentence, text)
        if any(place is not None for place in found.places):
            quote = _quote(found)
            if verifier:
                premise = text if len(text) <= MAX_PASSAGE_CHARS else text[slice(*quote)]
                label, score = _entailed(sentence, premise, verifier)
            else:
                parts = [align(sentence, text[slice(*span)]) for span in _where(standing, text)]
                of_each = [_torn(part) for part in parts]
                label, score = _judge(found, min(of_each, key=len) if parts else wrong(found))
            best = max(best, Verdict(label, score, (index, *quote)), key=_rank)
    return best


def wrong(found: Alignment) -> list[Fault]:
    """All that is at fault with a claim that does not stand in its evidence word for word."""
    return [*faults(found), *governed(found)]


def _torn(found: Alignment) -> list[Fault]:
    """What is at fault with a claim that stands there word for word, but in a longer sentence."""
    return [*denials(found), *governed(found)]


def _rank(verdict: Verdict) -> tuple[int, bool, float]:
    order = ("unsupported", "contradicted", "supported").index(verdict.label)
    return order, verdict.quote is not None, verdict.score


def _where(standing: re.Pattern[str], text: str) -> list[Span]:
    """Each sentence of a text in which something stands, or the fewest that hold it together."""
    if not standing.search(fold(text)):
        return []
    spans = sentence_spans(text)
    if alone := [span for span in spans if standing.search(fold(text[slice(*span)]))]:
        return alone
    end = next(end for _, end in spans if standing.search(fold(text[:end])))
    return [(next(s for s, _ in spans[::-1] if standing.search(fold(text[s:end]))), end)]


def _is_whole(standing: re.Pattern[str], text: str) -> bool:
    """Whether something stands in a text as a sentence, or between its marks: not broken off."""
    return any(
        re.search(r"(?:^|[^\w\s]\s*)$", text[: match.start()])
        and re.match(r"\s*(?:$|[^\w\s.]|\.\W*$)", text[match.end() :])
        for match in standing.finditer(text)
    )


def _quote(found: Alignment) -> Span:
    """The sentence that most is taken from; with the one beside it if much is."""
    evidence = found.evidence
    counts = Counter(
        evidence.sentence[place]
        for token, place in zip(found.claim, found.places, strict=True)
        if place is not None and (token.is_content or not any(t.is_content for t in found.claim))
    ) or Counter(evidence.sentence[place] for place in found.places if place is not None)
    main, most = counts.most_common(1)[0]
    beside = max((main - 1, main + 1), key=lambda number: counts[number])
    first, last = sorted((main, beside if counts[beside] > most / 4 else main))
    return evidence.spans[first][0], evidence.spans[last][1]


def _judge(found: Alignment, at_fault: Sequence[Fault]) -> tuple[VerdictLabel, float]:
    """The label, and the probability of support; under one half where something is at fault."""
    values = signals(found, len(at_fault))
    weighted = BIAS + sum(w * value for w, value in zip(WEIGHTS, values, strict=True))
    held = [p is not None for t, p in zip(found.claim, found.places, strict=True) if t.is_content]
    covered = sum(held) / (len(held) or 1)
    probability = min(NEARLY_CERTAIN, 1 / (1 + math.exp(-weighted))) * min(1, covered / COVERED)
    if at_fault or (probability >= 0.5 and _adds_its_end(held)):
        close = probability >= 0.5
        label: VerdictLabel = "contradicted" if close and "differs" in at_fault else "unsupported"
        return label, probability / (1 + probability)
    return ("supported" if probability >= 0.5 else "unsupported"), probability


def _adds_its_end(held: Sequence[bool]) -> bool:
    """Whether a claim names what the text has, and ends in what the text has not: "... closes"."""
    return len(held) > 1 and not held[-1] and list(held) == sorted(held, reverse=True)


def signals(found: Alignment, wrong: int) -> tuple[float, ...]:
    """What tells whether a text supports a claim.

    The share of the claim's runs of three tokens that stand in the text; of its pairs of content
    words, the share that stand side by side there; how much it shares with the nearest sentence
    (Dice); the jumps between sentences that it takes to write it, per token; how many of its
    content words are not taken from the text; how many faults it has, at most two.
    """
    evidence, places = found.evidence, found.places
    values = [token.value for token in found.claim]
    content = [token.value for token in found.claim if token.is_content]
    taken = [evidence.sentence[place] for place in places if place is not None]
    lacking = sum(t.is_content for t, p in zip(found.claim, places, strict=True) if p is None)
    wanted = set(content)
    return (
        _share(runs(values, 3), evidence.triples),
        _share(runs(content, 2), evidence.pairs),
        max(2 * len(wanted & some) / (len(wanted) + len(some) or 1) for some in evidence.words),
        sum(one != other for one, other in pairwise(taken)) / len(values),
        float(lacking),
        float(min(2, wrong)),
    )


def _share(wanted: Sequence[tuple[str, ...]], found: frozenset[tuple[str, ...]]) -> float:
    return sum(run in found for run in wanted) / len(wanted)


def _entailed(sentence: str, premise: str, verifier: CrossEncoder) -> tuple[VerdictLabel, float]:
    """The label and the probability of support by a model of entailment, or of one score."""
    labels = verifier.labels
    logits = verifier.scores([(premise, sentence)])[0].tolist()
    if len(labels) == 1:
        score = 1 / (1 + math.exp(-logits[0]))
        return ("supported" if score >= 0.5 else "unsupported"), score
    entails = next((i for i, label in enumerate(labels) if label.startswith("entail")), None)
    if entails is None:
        raise CrossEncoderError(
            f"the verifier {verifier.name!r} gives {', '.join(labels)}, and no entailment; name a "
            "cross-encoder that was trained on natural language inference"
        )
    weights = [math.exp(logit - max(logits)) for logit in logits]
    best = labels[logits.index(max(logits))]
    if labels.index(best) == entails:
        label: VerdictLabel = "supported"
    else:
        label = "contradicted" if best.startswith("contradict") else "unsupported"
    return label, weights[entails] / sum(weights)
