"""What tells that a sentence answers a question, as numbers.

Signals of sentences (`SENTENCE_SIGNALS`) choose among the sentences of the passages found; signals
of an answer (`ANSWER_SIGNALS`) tell how far to trust what was chosen. Each has one coefficient in
signals.json, which names the data and the script that it was fitted with.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.alignment import align
from rag.answer_type import Asked, answers_in
from rag.dates import years_meant
from rag.faults import faults
from rag.language import rarity, terms
from rag.strangers import strange_names
from rag.types import Passage, Span, printed_day

NEAR_WORDS = 6.0
"""In so many words, what a term near to a possible answer is worth falls to a third."""
NOUN_WORDS = 4
"""How many words there may be between a number and what it counts."""

SENTENCE_SIGNALS = (
    "dense",  # cosine of the question to the chunk that its passage was found by
    "overlap",  # rarity-weighted share of the question's terms in the sentence,
    "before",  # of the others, in the sentence before,
    "heading",  # of the others again, in its article's title, outlet and day
    "gives",  # whether there is a thing of the kind that is asked for; 0.5 if no kind is known
    "measures",  # the same, where a number or a date is asked for
    "near",  # how near to such a thing the question's terms stand
    "noun",  # whether what is counted or chosen stands beside it
    "says",  # whether someone speaks, where the question asks what was said
    "rank",  # 1 / rank of its passage
    "newer",  # how new its passage is among the others, where the state of now is asked for
)
ANSWER_SIGNALS = (
    "score",  # of the best sentence
    "dense",  # see above
    "cosine",  # of the question to the best sentence
    "agreement",  # the share of the passages that are of its article
    "differs",  # how many names, numbers or opposites of the question its passage has otherwise
    "lacking",  # how many content words of the question it lacks
    "plain lacking",  # of those, how many are plain words: no names, numbers or the like
    "strange names",  # how many names of the question its article has not
)
READ_SIGNALS = (*ANSWER_SIGNALS, "read")
"""Where the reader has read the best sentence: also its score."""
_ASKS_SAID = re.compile(
    r"\b(?:say|said|says|tell|told|call|describe|warn|claim|think|believe|respond|react|argue|"
    r"explain|according)\w*\b",
    re.IGNORECASE,
)
_SAYS = re.compile(
    r"[\"“”]|\b(?:said|says|told|added|according to|warned|called|wrote|argued|claimed|believes?)\b"
)
_QUESTION_WORDS = re.compile(
    r"^(?:(?:in|on|at|by|from|to|for|of|with|under) )?(?:who|whom|whose|what|which|when|where|why"
    r"|how(?: many| much| long| old)?)\b ?(?:(?:did|does|do)\b)?|[ ?]+$",
    re.IGNORECASE,
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

    @property
    def heading(self) -> str:
        """The title, outlet and day of its article: what it need not say itself."""
        return heading(self.passage)


def heading(passage: Passage) -> str:
    """The title, outlet and day of a passage's article."""
    day = printed_day(passage.published) if passage.published else ""
    return f"{passage.title} {passage.outlet or ''} {day}"


@cache
def coefficients(group: str) -> dict[str, float]:
    """Signal to weight, of the group `sentence`, `answer` or `overview`, and `bias` if any."""
    text = (files("rag") / "signals.json").read_text(encoding="utf-8")
    weights: dict[str, float] = json.loads(text)[group]
    return weights


def sentence_signals(
    wanted: str, asked: Asked, candidates: Sequence[Candidate]
) -> NDArray[np.float64]:
    """The signals of each candidate for what is wanted: (candidates, `SENTENCE_SIGNALS`)."""
    question = Wanted.of(wanted, candidates)
    passages = {c.rank: c.passage for c in candidates}
    headings = {rank: question.held(heading(p)) for rank, p in passages.items()}
    newer = _newer(passages)
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
                candidate.passage.scores.dense or 0.0,
                question.weight(here),
                question.weight(before),
                question.weight(headings[candidate.rank] - here - before),
                gives,
                gives if asked.measures else 0.0,
                near,
                noun,
                float(asks_said and bool(_SAYS.search(candidate.text))),
                1 / (1 + candidate.rank),
                newer[candidate.rank] if asked.latest else 0.0,
            )
        )
    return np.array(rows).reshape(-1, len(SENTENCE_SIGNALS))


def _newer(passages: Mapping[int, Passage]) -> dict[int, float]:
    """For each rank, the share of the other passages that are older, less a half; 0 if undated."""
    days = {rank: p.published.timestamp() for rank, p in passages.items() if p.published}
    others = max(1, len(days) - 1)
    newer = {rank: sum(one < day for one in days.values()) / others for rank, day in days.items()}
    return {rank: newer.get(rank, 0.5) - 0.5 if len(days) > 1 else 0.0 for rank in passages}


def scores(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well sentences of these `SENTENCE_SIGNALS` answer, one by one."""
    weights = coefficients("sentence")
    by_name = np.array([weights[name] for name in SENTENCE_SIGNALS])
    return np.asarray(signals @ by_name)


def shares(scored: NDArray[np.float64]) -> NDArray[np.float64]:
    """The softmax: how probably each sentence is the one that answers, if one does."""
    exponents = np.exp(scored - scored.max())
    return np.asarray(exponents / exponents.sum())


def confidence(signals: Mapping[str, float], group: str = "answer") -> float:
    """0 to 1: how probably an answer of these signals is right; logistic in them."""
    weights = coefficients(group)
    return 1 / (1 + math.exp(-(weights["bias"] + sum(weights[n] * s for n, s in signals.items()))))


def answer_signals(
    wanted: str,
    candidates: Sequence[Candidate],
    scored: NDArray[np.float64],
    cosine: float,
    outlets: Sequence[str] = (),
    said: float | None = None,
) -> dict[str, float]:
    """The signals of the answer that begins with the best of some candidates, by their scores.

    `outlets` are those whose articles the question asks for: no article need name another's.
    `said` is the reader's score of the best; without it there is no signal `read`.
    """
    best = int(scored.argmax())
    candidate = candidates[best]
    passage = candidate.passage
    passages = {c.rank: c.passage for c in candidates}.values()
    own = sum(p.article_id == passage.article_id for p in passages)
    texts = own_texts(candidate, candidates)
    return {
        "score": float(scored[best]),
        "dense": passage.scores.dense or 0.0,
        "cosine": cosine,
        "agreement": own / len(passages),
        **_against(wanted, f"{candidate.heading}\n{passage.text}"),
        "strange names": strange_names(wanted, [*texts, *outlets], passage.language),
        **({} if said is None else {"read": said}),
    }


def own_texts(candidate: Candidate, candidates: Iterable[Candidate]) -> list[str]:
    """What the passages of a candidate's article say, under their headings, with unsaid years."""
    passages = {c.rank: c.passage for c in candidates}.values()
    own = [p for p in passages if p.article_id == candidate.passage.article_id]
    return [f"{heading(p)}\n{p.text}\n{_years_meant(p)}" for p in own]


def _years_meant(passage: Passage) -> str:
    if passage.published is None:
        return ""
    return " ".join(map(str, years_meant(passage.text, passage.published.date())))


def _against(wanted: str, text: str) -> dict[str, float]:
    """What of a question a text has otherwise, or lacks, as if the question were a claim."""
    found = align(_QUESTION_WORDS.sub("", wanted) or wanted, text)
    places = zip(found.claim, found.places, strict=True)
    lacking = [token for token, place in places if place is None and token.is_content]
    return {
        "differs": float(sum(fault == "differs" for fault in faults(found))),
        "lacking": float(len(lacking)),
        "plain lacking": float(sum(token.kind == "word" for token in lacking)),
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a question is looked for in sentences."""

    rarity: dict[str, float]
    """Term to its share of importance."""

    @classmethod
    def of(cls, text: str, candidates: Sequence[Candidate]) -> Wanted:
        """What is looked for in candidates, whose words tell how rare each term is."""
        wanted = set(terms(text))
        found = [wanted.intersection(terms(candidate.text)) for candidate in candidates]
        return cls(rarity(wanted, found))

    def held(self, text: str) -> set[str]:
        """The terms that a text has."""
        return self.rarity.keys() & set(terms(text))

    def weight(self, some: set[str]) -> float:
        """The share of importance that terms have together, 0 to 1."""
        return math.fsum(self.rarity[term] for term in some)


def _beside(
    question: Wanted, asked: Asked, text: str, found: Sequence[Span]
) -> tuple[float, float]:
    """How near the question's terms, and whether what is counted, stand to what may answer."""
    if found:
        nears, nouns = zip(*nearness(question, asked, text, found), strict=True)
        return max(nears), max(nouns)
    return 0.0, len(asked.noun & set(terms(text))) / len(asked.noun) / 2 if asked.noun else 0.5


def nearness(
    question: Wanted, asked: Asked, text: str, found: Sequence[Span]
) -> Iterator[tuple[float, float]]:
    """For each of the spans of a text: how near the question's terms stand to it, 0 to 1.

    And the share of what is counted or chosen that stands beside it; 0.5 where nothing is.
    """
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    stems = [set(terms(text[start:end])) for start, end in tokens]
    for start, end in found:
        inside = [i for i, (first, last) in enumerate(tokens) if first < end and start < last]
        distance: dict[str, int] = {}
        for i, some in enumerate(stems):
            away = max(inside[0] - i, i - inside[-1], 0)
            for term in some & question.rarity.keys():
                distance[term] = min(away, distance.get(term, away))
        near = math.fsum(
            question.rarity[t] * math.exp(-d / NEAR_WORDS) for t, d in distance.items()
        )
        noun = 0.5
        if asked.noun:
            around = stems[max(0, inside[0] - NOUN_WORDS) : inside[-1] + NOUN_WORDS + 1]
            noun = len(asked.noun & set().union(*around)) / len(asked.noun)
        yield near, noun
