"""The built-in answerer: it chooses the sentences that answer, and quotes them.

No language model. It does not rephrase, join or resolve; what it says stands in an article.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.embeddings import Embedder
from rag.language import fold, names, numbers, rarity, sentence_spans, terms, words
from rag.types import Passage, Query

SENTENCES = 3
SENTENCE_WORDS = 4
"""A shorter one is a place, a byline or an exclamation, and says nothing by itself."""
NEAR_BEST = 0.75
"""A second or third sentence is given where it reaches this share of the first's score."""
NOVELTY_WEIGHT = 1.0
"""What a further sentence gains by holding words of the question that those before lack. On the
real news questions: right 0.745 instead of 0.703, for four words more an answer."""
MAX_QUOTED_WORDS = 120
OVERLAP_WEIGHT = 0.8
BEFORE_WEIGHT = 0.4
TYPE_WEIGHT = 0.15
RANK_WEIGHT = 0.15
BIAS = -5.8
WEIGHTS = (6.27, 1.33, -0.42, -1.64)
"""Of `evidence_signals`; fitted by evals/bench/fit_confidence.py on half of SQuAD 2.0's development
set and on the sample suite, each also with the right article left out."""
NO_SIGNALS = (0.0,) * len(WEIGHTS)

# "how many", "how cold", "how often", but not "how did" or "how to"
_ASKS_NUMBER = re.compile(
    r"\bhow (?!do\b|does|did|is|are|was|were|has|have|had|can|could|will|would|should|may|might"
    r"|must|to\b|come\b|about\b)\w+"
    r"|\bwhat (?:price|share|percentage|proportion|number|sum|amount)\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(r"\bwhen\b|\b(?:what|which|on what) (?:day|date|year|month)\b", re.I)
_ASKS_NAME = re.compile(r"\bwho(?:m|se)?\b|\bwhich\b|\bwhere\b", re.IGNORECASE)
_DATE = re.compile(
    r"\b(?:\d{4}|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|"
    r"july|august|september|october|november|december|yesterday|today|tomorrow)\b",
    re.IGNORECASE,
)

# "LINDHOLT, Jan 17 (TBL) – "
_DATELINE = re.compile(
    r"[A-ZÀ-Þ][A-ZÀ-Þ .'’/-]+(?:, [^()–—]{1,25})?(?: ?\([^()]{2,40}\))? ?(?:[–—]|--?) ?"
    r"(?=[\w“\"‘'])"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage that may answer; offsets are into the article."""

    passage: Passage
    rank: int
    """Of its passage, from 0."""
    start: int
    end: int
    text: str
    before: str
    """The sentence before it in its passage: what a pronoun in it may stand for."""


@dataclass(frozen=True, slots=True)
class Extract:
    """The sentences that answer best, in the order in which to read them."""

    sentences: tuple[Candidate, ...]
    signals: tuple[float, ...]
    """See `evidence_signals`."""

    @property
    def confidence(self) -> float:
        """0 to 1: the probability that the sentences hold the answer; logistic in the signals."""
        weighted = sum(w * s for w, s in zip(WEIGHTS, self.signals, strict=True))
        return 1 / (1 + math.exp(-(BIAS + weighted))) if self.sentences else 0.0


def extract(
    question: str, query: Query, passages: Sequence[Passage], embedder: Embedder
) -> Extract:
    """Choose the sentences that answer a question out of the passages found for its query."""
    candidates = sentences_of(passages)
    if not candidates:
        return Extract((), NO_SIGNALS)
    vectors = embedder.encode([candidate.text for candidate in candidates])
    cosines = (vectors @ embedder.encode_query(query.text)).tolist()
    scores = score_sentences(question, candidates, cosines)
    signals = evidence_signals(query.text, passages, max(cosines), max(scores))
    return Extract(_reading_order(_choose(question, candidates, scores)), signals)


def _choose(
    question: str, candidates: Sequence[Candidate], scores: Sequence[float]
) -> list[Candidate]:
    """The best sentence, then those that are good and bring what those before do not.

    In the manner of maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), with the
    question's words that a sentence is the first to hold as what it brings.
    """
    wanted = set(terms(question))
    found = [wanted.intersection(terms(candidate.text)) for candidate in candidates]
    weights = rarity(wanted, found)
    left = dict(enumerate(scores))
    chosen, words_left, covered = list[Candidate](), MAX_QUOTED_WORDS, set[str]()
    while left and len(chosen) < SENTENCES:
        gain = NOVELTY_WEIGHT if chosen else 0.0
        value = {i: score + gain * _sum(weights, found[i] - covered) for i, score in left.items()}
        best = max(value, key=lambda i: value[i])
        if chosen and value[best] < NEAR_BEST * max(scores):
            break
        del left[best]
        length = len(candidates[best].text.split())
        if length <= words_left or not chosen:  # an only sentence that is too long will be cut
            chosen.append(candidates[best])
            words_left -= length
            covered |= found[best]
    return chosen


def score_sentences(
    question: str, sentences: Sequence[Candidate], cosines: Sequence[float]
) -> list[float]:
    """How well each sentence answers the question; larger is better, about 0 to 2.

    Its cosine to the query, the share of the question's content words that it holds (each
    weighed by how rare it is among the sentences; what the sentence before it holds counts less),
    whether it gives the kind of thing that is asked for, and the rank of its passage.
    """
    wanted = set(terms(question))
    found = [wanted.intersection(terms(sentence.text)) for sentence in sentences]
    weights = rarity(wanted, found)
    scores = []
    for sentence, cosine, here in zip(sentences, cosines, found, strict=True):
        before = wanted.intersection(terms(sentence.before)) - here
        overlap = _sum(weights, here) + BEFORE_WEIGHT * _sum(weights, before)
        scores.append(
            cosine
            + OVERLAP_WEIGHT * overlap
            + TYPE_WEIGHT * _gives_what_is_asked(question, sentence.text)
            + RANK_WEIGHT / (1 + sentence.rank)
        )
    return scores


def evidence_signals(
    question: str, passages: Sequence[Passage], best_cosine: float, best_score: float
) -> tuple[float, ...]:
    """What tells whether passages answer a question at all.

    The cosine of the nearest sentence; the score of the best; the largest share of the question's
    content words in one passage, weighed by rarity; the share of its names and numbers that no
    passage holds.
    """
    wanted = set(terms(question))
    found = [wanted.intersection(terms(f"{p.title} {p.text}")) for p in passages]
    weights = rarity(wanted, found)
    everything = " ".join(f"{p.title} {p.outlet or ''} {p.text}" for p in passages)
    specific = _specifics(question)
    missing = specific - _specifics(everything) - set(words(everything))
    return (
        best_cosine,
        best_score,
        max(_sum(weights, some) for some in found),
        len(missing) / len(specific) if specific else 0.0,
    )


def _specifics(text: str) -> set[str]:
    return names(text) | numbers(text)


def _sum(weights: dict[str, float], some: set[str]) -> float:
    return sum(weights[term] for term in some)


def _gives_what_is_asked(question: str, sentence: str) -> bool:
    if _ASKS_NUMBER.search(question):
        return bool(numbers(sentence) - numbers(question))
    if _ASKS_DATE.search(question):
        return bool(_DATE.search(sentence))
    return bool(_ASKS_NAME.search(question) and names(sentence) - names(question))


def sentences_of(passages: Sequence[Passage]) -> list[Candidate]:
    """Every sentence of the passages without its dateline, each text once."""
    seen: set[str] = set()
    candidates = []
    for rank, passage in enumerate(passages):
        before = ""
        for start, end in sentence_spans(passage.text):
            start += _dateline_length(passage.text[start:end])
            text = passage.text[start:end]
            if len(text.split()) >= SENTENCE_WORDS and (folded := fold(text)) not in seen:
                seen.add(folded)
                offsets = passage.start + start, passage.start + end
                candidates.append(Candidate(passage, rank, *offsets, text, before))
            before = text
    return candidates


def _dateline_length(sentence: str) -> int:
    match = _DATELINE.match(sentence)
    return match.end() if match else 0


def _reading_order(chosen: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Best first, but sentences of one article as they stand in it."""
    best: dict[str, int] = {}
    for position, candidate in enumerate(chosen):
        best.setdefault(candidate.passage.article_id, position)
    return tuple(sorted(chosen, key=lambda c: (best[c.passage.article_id], c.start)))
