"""What tells that a sentence answers a question, as numbers.

Signals of sentences (`SENTENCE_SIGNALS`) choose among the sentences of the passages found; signals
of an answer (`ANSWER_SIGNALS`) tell how far to trust what was chosen. Each has one coefficient in
signals.json, which names the data and the script that it was fitted with.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.answer_type import Asked, answers_in
from rag.language import names, numbers, rarity, terms, words
from rag.types import Passage, Span

CONTEXT_WEIGHT = 0.6
"""Of the vector of the sentence before, when it is added to that of a sentence."""
NEAR_WORDS = 6.0
"""In so many words, what a term near to a possible answer is worth falls to a third."""
NOUN_WORDS = 4
"""How many words there may be between a number and what it counts."""

SENTENCE_SIGNALS = (
    "cosine",  # of the question to the sentence, with some of the sentence before
    "overlap",  # rarity-weighted share of the question's terms in the sentence,
    "before",  # of the others, in the sentence before,
    "title",  # of the others again, in the article's title
    "passage",  # the share in the whole passage
    "missing",  # the share of the question's names and numbers that the sentence lacks
    "gives",  # whether there is a thing of the kind that is asked for; 0.5 if no kind is known
    "measures",  # the same, where a number or a date is asked for
    "near",  # how near to such a thing the question's terms stand
    "noun",  # whether what is counted or chosen stands beside it
    "says",  # whether someone speaks, where the question asks what was said
    "rank",  # 1 / rank of its passage
)
ANSWER_SIGNALS = (
    "score",  # of the best sentence
    "margin",  # its share of the softmax over all
    "passage",  # see above, as is "near" and "rank"
    "names missing",  # share of the question's names that stand neither in it nor around it
    "unknown",  # whether a name or a number of the question stands in no passage
    "near",
    "nearest",  # cosine of the sentence nearest to the question
    "dense",  # cosine of the chunk that led to its passage
    "agreement",  # the share of the passages that are of its article
    "rank",
)
_ASKS_SAID = re.compile(
    r"\b(?:say|said|says|tell|told|call|describe|warn|claim|think|believe|respond|react|argue|"
    r"explain|according)\w*\b",
    re.IGNORECASE,
)
_SAYS = re.compile(
    r"[\"“”]|\b(?:said|says|told|added|according to|warned|called|wrote|argued|claimed|believes?)\b"
)
_TOKEN = re.compile(r"\S+")


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
    after: str

    @property
    def around(self) -> str:
        """It and its neighbours."""
        return f"{self.before} {self.text} {self.after}"


@cache
def coefficients(group: str) -> dict[str, float]:
    """Signal to weight, of the group `sentence` or `answer`, with `bias` where there is one."""
    text = (files("rag") / "signals.json").read_text(encoding="utf-8")
    weights: dict[str, float] = json.loads(text)[group]
    return weights


def sentence_signals(
    wanted: str, asked: Asked, candidates: Sequence[Candidate]
) -> NDArray[np.float64]:
    """The signals of each candidate for what is wanted: (candidates, `SENTENCE_SIGNALS`).

    The first, the cosine, is left 0: what it takes is `in_context`.
    """
    question = _Question.of(wanted, candidates)
    passages = {c.rank: c.passage for c in candidates}
    coverage = {
        rank: question.weight(question.held(f"{p.title} {p.text}")) for rank, p in passages.items()
    }
    titles = {rank: question.held(p.title) for rank, p in passages.items()}
    asks_said = bool(_ASKS_SAID.search(wanted))
    rows = []
    for candidate in candidates:
        here = question.held(candidate.text)
        before = question.held(candidate.before) - here
        found = answers_in(asked, candidate.text)
        gives = float(bool(found)) if asked.kind != "other" else 0.5
        near, noun = _beside(question, asked, candidate.text, found)
        rows.append(
            (
                0.0,
                question.weight(here),
                question.weight(before),
                question.weight(titles[candidate.rank] - here - before),
                coverage[candidate.rank],
                question.missing(candidate),
                gives,
                gives if asked.measures else 0.0,
                near,
                noun,
                float(asks_said and bool(_SAYS.search(candidate.text))),
                1 / (1 + candidate.rank),
            )
        )
    return np.array(rows).reshape(-1, len(SENTENCE_SIGNALS))


def in_context(
    candidates: Sequence[Candidate], vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Each unit vector with some of that of the sentence before, where that is a candidate."""
    places = {(c.rank, c.text): i for i, c in enumerate(candidates)}
    together = vectors.copy()
    for i, candidate in enumerate(candidates):
        before = places.get((candidate.rank, candidate.before))
        if before is not None:
            together[i] += CONTEXT_WEIGHT * vectors[before]
    together /= np.linalg.norm(together, axis=1, keepdims=True)
    return together


def scores(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well each sentence answers: the logarithm, but for a constant, of its share."""
    weights = coefficients("sentence")
    by_name = np.array([weights[name] for name in SENTENCE_SIGNALS])
    return np.asarray(signals @ by_name)


def shares(scored: NDArray[np.float64]) -> NDArray[np.float64]:
    """The softmax: how probably each sentence is the one that answers, if one does."""
    exponents = np.exp(scored - scored.max())
    return np.asarray(exponents / exponents.sum())


def confidence(signals: Mapping[str, float]) -> float:
    """0 to 1: how probably an answer of these `ANSWER_SIGNALS` is right; logistic in them."""
    weights = coefficients("answer")
    return 1 / (1 + math.exp(-(weights["bias"] + sum(weights[n] * s for n, s in signals.items()))))


def answer_signals(
    wanted: str, candidates: Sequence[Candidate], signals: NDArray[np.float64]
) -> dict[str, float]:
    """The signals of the answer that begins with the best of some candidates."""
    scored = scores(signals)
    best = int(scored.argmax())
    candidate, of_best = candidates[best], dict(zip(SENTENCE_SIGNALS, signals[best], strict=True))
    passages = {c.rank: c.passage for c in candidates}.values()
    around = f"{candidate.passage.title} {candidate.around}"
    everything = " ".join(f"{p.title} {p.outlet or ''} {p.text}" for p in passages)
    asked_names, asked_numbers = names(wanted), numbers(wanted)
    lacks = asked_names - names(around) - set(words(around))
    same = [p.article_id == candidate.passage.article_id for p in passages]
    return {
        "score": float(scored[best]),
        "margin": float(shares(scored)[best]),
        "passage": float(of_best["passage"]),
        "names missing": len(lacks) / max(1, len(asked_names)),
        "unknown": float(
            bool(
                (asked_names | asked_numbers)
                - names(everything)
                - numbers(everything)
                - set(words(everything))
            )
        ),
        "near": float(of_best["near"]),
        "nearest": float(signals[:, SENTENCE_SIGNALS.index("cosine")].max()),
        "dense": candidate.passage.scores.dense or 0.0,
        "agreement": sum(same) / len(same),
        "rank": float(of_best["rank"]),
    }


@dataclass(frozen=True, slots=True)
class _Question:
    """What of a question is looked for in sentences."""

    rarity: dict[str, float]
    """Term to its share of importance."""
    specifics: frozenset[str]
    """Its names and numbers."""

    @classmethod
    def of(cls, text: str, candidates: Sequence[Candidate]) -> _Question:
        wanted = set(terms(text))
        found = [wanted.intersection(terms(candidate.text)) for candidate in candidates]
        return cls(rarity(wanted, found), frozenset(names(text) | numbers(text)))

    def held(self, text: str) -> set[str]:
        return self.rarity.keys() & set(terms(text))

    def weight(self, some: set[str]) -> float:
        return sum(self.rarity[term] for term in some)

    def missing(self, candidate: Candidate) -> float:
        """The share of names and numbers that a sentence lacks; what stands before it is half."""
        if not self.specifics:
            return 0.0
        text = candidate.text
        lacks = self.specifics - names(text) - numbers(text) - set(words(text))
        around = set(words(f"{candidate.before} {candidate.passage.title}"))
        return (len(lacks - around) + len(lacks & around) / 2) / len(self.specifics)


def _beside(
    question: _Question, asked: Asked, text: str, found: Sequence[Span]
) -> tuple[float, float]:
    """How near the question's terms, and whether what is counted, stand to what may answer."""
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    stems = [set(terms(text[start:end])) for start, end in tokens]
    if not found:
        held = set().union(*stems) if stems else set()
        return 0.0, len(asked.noun & held) / len(asked.noun) / 2 if asked.noun else 0.5
    near, noun = 0.0, 0.0 if asked.noun else 0.5
    for start, end in found:
        inside = [i for i, (first, last) in enumerate(tokens) if first < end and start < last]
        distance: dict[str, int] = {}
        for i, some in enumerate(stems):
            away = max(inside[0] - i, i - inside[-1], 0)
            for term in some & question.rarity.keys():
                distance[term] = min(away, distance.get(term, away))
        near = max(
            near,
            sum(question.rarity[t] * math.exp(-d / NEAR_WORDS) for t, d in distance.items()),
        )
        if asked.noun:
            around = stems[max(0, inside[0] - NOUN_WORDS) : inside[-1] + NOUN_WORDS + 1]
            noun = max(noun, len(asked.noun & set().union(*around)) / len(asked.noun))
    return near, noun
