"""The built-in answerer: it chooses the sentences that answer, and quotes them.

No language model. It does not rephrase or join; what it says stands in an article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.answer_type import Asked, answers_in, asked, is_given
from rag.embeddings import Embedder
from rag.filters import is_of_the_days
from rag.followups import asks
from rag.language import fold, sentence_spans, terms
from rag.orders import without_orders
from rag.reader import read
from rag.retrieval import in_turn
from rag.short_answer import short_answer
from rag.signals import (
    Candidate,
    answer_signals,
    coefficients,
    confidence,
    own_texts,
    scores,
    sentence_signals,
    shares,
)
from rag.strangers import is_of_another_year, strange_names, strange_numbers
from rag.types import Passage, Query

SENTENCES, SENTENCES_OF_PART = 3, 2
"""The most that are given for a question, and for each part of one."""
SENTENCE_WORDS = 4
"""A shorter one is a place, a byline or an exclamation, and says nothing by itself."""
SURE = 0.65
"""Sentences are given until it is so probable that the one that answers is among them."""
NOT_GIVEN = 0.3
"""What is left of the confidence where nothing has the form of what is asked for, the passage has
too little of the question, or the article has not the name, year or number that it is asked of. On
SQuAD's half 0.16 of the answers that have not the form are right, of the others 0.42."""
HELD = 0.3
"""The share of the question's words that is enough. In a language that the embedding model has not
learnt, texts are near to each other whatever they say."""
READ = 18
"""So many sentences, the best by their signals, are read."""
HARDLY_WORSE = 1.5
"""How far below the best score, a logarithm, a sentence may be to take its place."""
ENOUGH_CONFIDENCE, ENOUGH_READ = 0.4, 0.28
"""Below it the answer is silence, by signals alone and where the reader had its say. Of the
questions that evals/bench/fit_answers.py asks, each silences about one in twenty that can be
answered."""
MAX_QUOTED_WORDS = 120
_ASKS = re.compile(r"\?[\"”’'»)]*$")

# "LINDHOLT, Jan 17 (TBL) – "
_DATELINE = re.compile(
    r"[A-ZÀ-Þ][A-ZÀ-Þ .'’/-]+(?:, [^()–—]{1,25})?(?: ?\([^()]{2,40}\))? ?(?:[–—]|--?) ?"
    r"(?=[\w“\"‘'])"
)


@dataclass(frozen=True, slots=True)
class Extract:
    """The sentences that answer best, in the order in which to read them."""

    sentences: tuple[Candidate, ...] = ()
    confidence: float = 0.0
    """0 to 1: the probability that the sentences hold the answer."""
    shorts: tuple[str, ...] = ()
    """Words of theirs that answer by themselves, one for each part; empty where none stand out."""


def extract(
    question: str,
    query: Query,
    passages: Sequence[Passage],
    embedder: Embedder,
    reads: bool = True,
) -> Extract:
    """Choose the sentences that answer a question out of the passages found for its query.

    Of a question in parts each is answered; the confidence is then that of the least sure. Where it
    `reads`, the reader has its say on the best sentences. What is asked of some days is first
    looked for in the articles of these days, which need not name them.
    """
    if query.dayless and not query.widened:
        of_the_days = [p for p in passages if is_of_the_days(query, p.published)]
        found = _extract(question, query, of_the_days, embedder, reads)
        if found.confidence >= (ENOUGH_READ if reads else ENOUGH_CONFIDENCE):
            return found
    return _extract(question, replace(query, dayless=()), passages, embedder, reads)


def _extract(
    question: str, query: Query, passages: Sequence[Passage], embedder: Embedder, reads: bool
) -> Extract:
    candidates = sentences_of(passages)
    if not candidates:
        return Extract()
    wanted = _wanted(question, query)
    answered = [_answered(part, what, query, candidates, embedder, reads) for part, what in wanted]
    chosen = dict.fromkeys(sentence for each in answered for sentence in each.sentences)
    sentences = _reading_order(_within_words(chosen))
    shorts = tuple(short for each in answered for short in each.shorts)
    return Extract(
        sentences,
        min(each.confidence for each in answered),
        shorts if len(shorts) == len(wanted) else (),
    )


def _wanted(question: str, query: Query) -> list[tuple[str, Asked]]:
    """Each question that stands on its own, and what it asks for.

    "And in Brunn?" asks for what the question before it did.
    """
    in_full = query.parts or not asks(question)
    dayless = () if query.widened else query.dayless
    return [
        (part, replace(asked(part if in_full else question), latest=query.latest))
        for part in dayless or query.parts or (query.text,)
    ]


def rank_by_reading(
    question: str, query: Query, passages: Sequence[Passage]
) -> tuple[Passage, ...]:
    """The passages in the order of what the reader and the signals say of their best sentences.

    A passage's score is the logarithm of the sum over its sentences that are read: two that may
    answer say more than one. One of which nothing is read stays behind those. Of a question in
    parts the best passage for each comes first, then the second.
    """
    candidates = sentences_of(passages)
    orders = []
    for part, what in _wanted(question, query) if candidates else ():
        scored = score_sentences(part, what, candidates)
        best = _best(scored)
        said = read(part, [candidates[i] for i in best])
        total = np.full(len(passages), -np.inf)
        for i, score in zip(best, said, strict=True):
            rank = candidates[i].rank
            total[rank] = np.logaddexp(total[rank], scored[i] + score)
        orders.append([passages[rank] for rank in np.argsort(-total, kind="stable")])
    return tuple(in_turn(orders)) if orders else tuple(passages)


def _answered(
    wanted: str,
    what: Asked,
    query: Query,
    candidates: Sequence[Candidate],
    embedder: Embedder,
    reads: bool,
) -> Extract:
    """The sentences for one question that stands on its own."""
    outlets = () if query.widened else query.outlets
    scored = score_sentences(wanted, what, candidates)
    said: dict[int, float] = {}
    if reads:
        scored, said = read_best(wanted, candidates, scored)
    scored = _of_the_form(what, candidates, scored)
    scored, is_strange = _among_known(wanted, what, candidates, scored, outlets)
    share = shares(scored)
    chosen: list[int] = []
    limit = SENTENCES_OF_PART if len(query.parts) > 1 else SENTENCES
    for i in np.argsort(-scored, kind="stable")[:limit]:
        if share[chosen].sum() >= SURE:
            break
        chosen.append(int(i))
    best = candidates[chosen[0]]
    if what.measures and not any(answers_in(what, candidates[i].text) for i in chosen):
        chosen += _neighbours_that_give(what, candidates, chosen)[: SENTENCES - len(chosen)]
    cosine = float(embedder.encode([best.text])[0] @ embedder.encode_query(wanted))
    signals = answer_signals(wanted, candidates, scored, cosine, outlets, said.get(chosen[0]))
    said_here = " ".join(candidates[i].text for i in chosen)
    given = _is_held(wanted, best) and is_given(what, said_here, best.passage.text)
    given = given and not is_strange
    short = None
    if given and len(chosen) == 1:  # else it is not sure that this sentence answers
        short = short_answer(wanted, what, best, candidates, reads)
    return Extract(
        tuple(candidates[i] for i in chosen),
        confidence(signals, "answer read" if reads else "answer") * (1.0 if given else NOT_GIVEN),
        (short,) if short else (),
    )


def _neighbours_that_give(
    what: Asked, candidates: Sequence[Candidate], chosen: Sequence[int]
) -> list[int]:
    """The sentence beside a chosen one that gives the number or the day that is asked for."""
    beside = [
        i
        for one in chosen
        for i in (one + 1, one - 1)
        if 0 <= i < len(candidates)
        and candidates[i].text in (candidates[one].before, candidates[one].after)
    ]
    return [i for i in dict.fromkeys(beside) if answers_in(what, candidates[i].text)][:1]


def _of_the_form(
    what: Asked, candidates: Sequence[Candidate], scored: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The scores; where a number or a day is asked for and the best sentence has none, those of
    all that have none are void.

    But only where a sentence that has one is hardly worse.
    """
    if not what.measures or answers_in(what, candidates[int(scored.argmax())].text):
        return scored
    near = np.flatnonzero(scored >= scored.max() - HARDLY_WORSE)
    gives = np.zeros(len(scored), dtype=bool)
    gives[near] = [bool(answers_in(what, candidates[int(i)].text)) for i in near]
    return np.where(gives, scored, -np.inf) if gives.any() else scored


def _among_known(
    wanted: str,
    what: Asked,
    candidates: Sequence[Candidate],
    scored: NDArray[np.float64],
    outlets: Sequence[str],
) -> tuple[NDArray[np.float64], bool]:
    """The scores, and whether the article of the best sentence lacks a name or a number asked of.

    Where it lacks a number alone, and an article with a sentence that is hardly worse lacks
    nothing, the others' scores are void: the same is told of several years, but not of several
    names.
    """
    if what.kind not in ("date", "year"):
        scored, is_strange = _of_the_year(wanted, candidates, scored)
        if is_strange:
            return scored, True
    best = candidates[int(scored.argmax())]
    if _strange_names(wanted, candidates, outlets, best) >= 1:
        return scored, True
    if not strange_numbers(wanted, own_texts(best, candidates)):
        return scored, False
    near = scored >= scored.max() - HARDLY_WORSE
    articles = {
        c.passage.article_id: c for c, is_near in zip(candidates, near, strict=True) if is_near
    }
    known = {
        article
        for article, some in articles.items()
        if not strange_numbers(wanted, own_texts(some, candidates))
        and _strange_names(wanted, candidates, outlets, some) < 1
    }
    if not known:
        return scored, True
    return np.where([c.passage.article_id in known for c in candidates], scored, -np.inf), False


def _of_the_year(
    wanted: str, candidates: Sequence[Candidate], scored: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """The scores, and whether the best sentence and its heading are of another year than asked of.

    The scores of the sentences that are so are void where one is not that is hardly worse. News
    tells of its own year, so that a heading with that year excuses any other: "18 years after the
    war of 2001". Of SQuAD's half, 378 questions name a year, and for 64 of them the best sentence
    is of another one: it answers none of these.
    """
    near = scored >= scored.max() - HARDLY_WORSE
    of_another = np.array([is_of_another_year(wanted, c.text) for c in candidates])
    if (near & ~of_another).any():
        return np.where(of_another, -np.inf, scored), False
    best = candidates[int(scored.argmax())]
    return scored, is_of_another_year(wanted, f"{best.heading} {best.text}")


def _strange_names(
    wanted: str, candidates: Sequence[Candidate], outlets: Sequence[str], candidate: Candidate
) -> float:
    texts = [*own_texts(candidate, candidates), *outlets]
    return strange_names(wanted, texts, candidate.passage.language)


def _is_held(wanted: str, sentence: Candidate) -> bool:
    words_asked, text = set(terms(wanted)), f"{sentence.heading} {sentence.passage.text}"
    return len(words_asked & set(terms(text))) >= HELD * len(words_asked)


def score_sentences(
    wanted: str, what: Asked, sentences: Sequence[Candidate]
) -> NDArray[np.float64]:
    """How well each sentence answers: the logarithm, but for a constant, of its share.

    None is embedded, which is what an answer would wait for: with the cosine of each in place of
    that of its chunk, no more answers are right.
    """
    return scores(sentence_signals(wanted, what, sentences))


def read_best(
    wanted: str, candidates: Sequence[Candidate], scored: NDArray[np.float64]
) -> tuple[NDArray[np.float64], dict[int, float]]:
    """The scores with what the reader says of the `READ` best, and that by itself.

    The scores of the others are void.
    """
    best = _best(scored)
    said = dict(zip(best, read(wanted, [candidates[i] for i in best]).tolist(), strict=True))
    weights = coefficients("read")
    whole = np.full(len(scored), -np.inf)
    for i, score in said.items():
        whole[i] = weights["signals"] * scored[i] + weights["reader"] * score
    return whole, said


def _best(scored: NDArray[np.float64]) -> list[int]:
    found: list[int] = np.argsort(-scored, kind="stable")[:READ].tolist()
    return found


def _within_words(chosen: Iterable[Candidate]) -> list[Candidate]:
    """As many as may be quoted; an only sentence that is too long will be cut."""
    kept, left = list[Candidate](), MAX_QUOTED_WORDS
    for candidate in chosen:
        left -= len(candidate.text.split())
        if left >= 0 or not kept:
            kept.append(candidate)
    return kept


def sentences_of(passages: Sequence[Passage]) -> list[Candidate]:
    """Every sentence of the passages without its dateline, each text once.

    Those that ask are left out: a question, of an interviewer or in a subhead, answers none. So are
    those that give the reader orders.
    """
    seen: set[str] = set()
    candidates = []
    for rank, passage in enumerate(passages):
        spans = [
            (start + _dateline_length(passage.text[start:end]), end)
            for start, end in sentence_spans(passage.text, passage.language)
        ]
        texts = ["", *(passage.text[start:end] for start, end in spans), ""]
        reported = without_orders(passage.text)
        for (start, end), before, text, after in zip(
            spans, texts, texts[1:], texts[2:], strict=False
        ):
            if len(text.split()) < SENTENCE_WORDS or _ASKS.search(text):
                continue
            if (folded := fold(text)) not in seen and reported[start:end].strip():
                seen.add(folded)
                offsets = passage.start + start, passage.start + end
                candidates.append(Candidate(passage, rank, *offsets, text, before, after))
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
