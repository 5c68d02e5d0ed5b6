"""Finding passages: dense and lexical candidates, fused, ranked, each text once."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, zip_longest

import numpy as np

from rag.archive import Archive
from rag.cross_encoder import CrossEncoder
from rag.embeddings import Embedder
from rag.errors import CrossEncoderError
from rag.filters import Choice
from rag.language import rarity, search_terms, sentence_spans, stem, terms, words
from rag.outlets import asked_outlets
from rag.search_index import SearchIndex
from rag.types import MAX_PASSAGE_CHARS, Passage, Query, Scores, Span

CANDIDATES = 30
"""Asked of each of the two searches; more where they do not give k passages."""
RANKED = 30
"""The best of them, which are read and ranked; the others stay as they were fused."""
RRF_K = 20
"""Damping of reciprocal rank fusion. Cormack, Clarke and Büttcher (SIGIR 2009) use 60 for runs of
a thousand; with thirty candidates a smaller one tells first from tenth."""

SHINGLE_WORDS, COPIED = 4, 0.8
"""Of two passages, one is a copy where the shorter shares so much of its runs of four words."""
UNREAD = 0.3
"""A passage is given a place where the passages before it leave so much of it unread."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a search found."""

    passages: tuple[Passage, ...]
    """Best first."""
    undated: int
    """Articles that its dates left out because they carry none."""
    unknown: tuple[str, ...]
    """Outlets that it asks for and the archive does not have."""


def retrieve(
    archive: Archive,
    embedder: Embedder,
    query: Query,
    k: int,
    reranker: CrossEncoder | None = None,
) -> Retrieved:
    """The k passages that best fit a query; fewer where the archive has no more.

    They are ordered by `rank`, or by a reranker if one is given.
    """
    index = archive.ledger.index
    choice = index.choose(query)
    searches = [(query, choice), *((part, index.choose(part)) for part in _parts(query, index))]
    depth = max(CANDIDATES, k)
    while True:
        ranked = [
            _candidates(archive, embedder, reranker, one, chosen, depth) for one, chosen in searches
        ]
        passages = _places(archive, in_turn(ranked), k)
        if len(passages) >= k or depth >= choice.chunks:
            break
        depth *= 4  # many are copies of each other
    return Retrieved(tuple(passages), choice.undated, choice.unknown)


def _parts(query: Query, index: SearchIndex) -> Iterator[Query]:
    """A query for each part of a question."""
    for part in query.parts:
        alone = replace(query, text=part, variants=(), parts=())
        if "outlets" in query.understood:  # "according to the Post, and according to the Echo"
            alone = replace(alone, outlets=asked_outlets(part, index.outlets()) or query.outlets)
        yield alone


def in_turn(ranked: Sequence[Sequence[Passage]]) -> Iterable[Passage]:
    """The first of each list, then the second of each, every passage once."""
    found: dict[tuple[str, int], Passage] = {}
    for passage in filter(None, chain.from_iterable(zip_longest(*ranked))):
        found.setdefault((passage.article_id, passage.start), passage)
    return found.values()


def _candidates(
    archive: Archive,
    embedder: Embedder,
    reranker: CrossEncoder | None,
    query: Query,
    choice: Choice,
    depth: int,
) -> list[Passage]:
    """What the two searches find, ranked, and as it was fused from the `RANKED`th on."""
    if not choice.chunks:
        return []
    texts, index = _searched(query), archive.ledger.index
    with ThreadPoolExecutor(1) as beside:  # neither of the two holds Python's lock for long
        looked_up = beside.map(lambda t: index.lexical(search_terms(t), choice, depth), texts)
        vectors = np.array([embedder.encode_query(text) for text in texts])
    rankings: list[list[int]] = []
    lexical: dict[int, float] = {}
    for vector, by_words in zip(vectors, looked_up, strict=True):
        by_meaning = archive.nearest(choice, vector, depth)
        rankings += [[number for number, _ in found] for found in (by_meaning, by_words)]
        lexical |= {n: max(score, lexical.get(n, score)) for n, score in by_words}
    fused = fuse(*rankings)
    found = index.passages(list(fused), MAX_PASSAGE_CHARS)
    cosines = index.cosines(list(fused), vectors)
    candidates = [
        replace(found[n], scores=Scores(cosines.get(n), lexical.get(n), score))
        for n, score in fused.items()
        if n in found
    ]
    best = candidates[:RANKED]
    ranked = rerank(reranker, query, best) if reranker else rank(query, best)
    return ranked + candidates[RANKED:]


def _searched(query: Query) -> tuple[str, ...]:
    return (query.text, *query.variants)


def fuse(*rankings: Sequence[int]) -> dict[int, float]:
    """Reciprocal rank fusion: item to the sum of 1 / (k + rank) over rankings, best first."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for position, item in enumerate(ranking):
            scores[item] = scores.get(item, 0.0) + _rrf(position)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def rank(query: Query, passages: Sequence[Passage]) -> list[Passage]:
    """Passages in the order in which they should be read.

    To the two searches comes a third signal: the share of the query's terms that a passage and its
    title hold, each weighed by how rare it is among the passages. What a chunk lacks of an answer
    often stands next to it, so it is the chunk with its neighbours that is looked at. Each signal
    counts twice, by the rank that it gives and by its value (cosine, BM25 as a share of the best,
    coverage): ranks hide how far the first is ahead, and values alone let one signal decide
    (Bruch, Gai and Ingber, TOIS 2023, compare the two).
    """
    wanted = set(chain.from_iterable(map(terms, _searched(query))))
    found = [wanted.intersection(map(stem, set(words(f"{p.title} {p.text}")))) for p in passages]
    weights = rarity(wanted, found)
    # summed exactly, for a set has no order of its own
    coverage = [math.fsum(weights[term] for term in some) for some in found]
    order = sorted(coverage, reverse=True)
    best = max((p.scores.lexical or 0.0 for p in passages), default=0.0) or 1.0
    searches = len(_searched(query))  # the fused score is the sum over them
    scored = []
    for passage, share in zip(passages, coverage, strict=True):
        scores = passage.scores
        by_rank = (scores.fused or 0.0) / searches + _rrf(order.index(share))
        by_value = (scores.dense or 0.0) + (scores.lexical or 0.0) / best + share
        reranked = (RRF_K + 1) * by_rank + by_value
        scores = Scores(scores.dense, scores.lexical, scores.fused, reranked)
        scored.append(replace(passage, scores=scores))
    return _by_score(scored)


def load_reranker(name: str) -> CrossEncoder:
    """The cross-encoder of that name or path.

    Raises `CrossEncoderError` where it cannot be loaded, or has more outputs than one that ranks.
    """
    reranker = CrossEncoder(name)
    if len(reranker.labels) != 1:
        raise CrossEncoderError(
            f"the cross-encoder {name!r} cannot rank passages, for it has "
            f"{len(reranker.labels)} outputs and not one; name one that was trained to rank"
        )
    return reranker


def rerank(reranker: CrossEncoder, query: Query, passages: Sequence[Passage]) -> list[Passage]:
    """Passages in the order of a cross-encoder that reads each, with its title, and the query."""
    texts = _searched(query)
    pairs = [(text, f"{p.title}\n{p.text}".strip()) for text in texts for p in passages]
    logits = reranker.scores(pairs).reshape(len(texts), -1).max(axis=0)
    scored = zip(passages, logits.tolist(), strict=True)
    return _by_score([replace(p, scores=replace(p.scores, reranked=score)) for p, score in scored])


def _by_score(passages: Sequence[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda passage: -(passage.scores.reranked or 0.0))


def _rrf(position: int) -> float:
    """What a place in a ranking, counted from 0, is worth."""
    return 1 / (RRF_K + position + 1)


def _places(archive: Archive, ranked: Iterable[Passage], k: int) -> list[Passage]:
    """The first k passages, each text in one place, as long as a passage may be.

    Syndicated text is one, also where its dateline or its end was changed. What the passages
    before it give already is left away; if that is most of a passage, it comes only where an
    archive is too small for k others.
    """
    given: list[Passage] = []
    spare: list[Passage] = []
    seen: list[set[tuple[str, ...]]] = []
    for passage in ranked:
        if len(given) == k:
            break
        floor, ceiling = _unread(passage, given)
        start, end = max(floor, passage.start), min(ceiling, passage.end)
        if end - start < UNREAD * (passage.end - passage.start):
            spare.append(passage)
            continue
        shingles = _shingles(passage.text[start - passage.start : end - passage.start])
        if any(_is_copy(shingles, other) for other in seen):
            continue
        seen.append(shingles)
        given.append(_read_around(archive, passage, (floor, ceiling)))
    return [*given, *spare][:k]


def _unread(passage: Passage, given: Sequence[Passage]) -> Span:
    """Between which offsets of its article a passage may lie, beside those that are given."""
    floor, ceiling = 0, sys.maxsize
    for other in given:
        if other.article_id == passage.article_id:
            if other.start <= passage.start:
                floor = max(floor, other.end)
            else:
                ceiling = min(ceiling, other.start)
    return floor, ceiling


def _read_around(archive: Archive, passage: Passage, limits: Span) -> Passage:
    """What of a passage lies within limits, and the sentences around it that fit in.

    What a chunk is about often begins or ends in its neighbour.
    """
    article = archive.ledger.article(passage.article_id)
    if article is None:  # removed since it was found
        return passage
    floor, ceiling = limits
    start, end = max(passage.start, floor), min(passage.end, ceiling)
    spans = [
        span
        for span in sentence_spans(article.text, article.language)
        if floor <= span[0] and span[1] <= ceiling
    ]
    if (start, end) != (passage.start, passage.end):  # cut: not within a sentence
        whole = [span for span in spans if start <= span[0] and span[1] <= end]
        start, end = (whole[0][0], whole[-1][1]) if whole else (start, end)
    before = [span[0] for span in spans if span[0] < start]
    after = [span[1] for span in reversed(spans) if span[1] > end]
    grew = True
    while grew:
        grew = False
        if after and after[-1] - start <= MAX_PASSAGE_CHARS:
            end, grew = after.pop(), True
        if before and end - before[-1] <= MAX_PASSAGE_CHARS:
            start, grew = before.pop(), True
    return replace(passage, start=start, end=end, text=article.text[start:end])


def is_copy(one: str, other: str) -> bool:
    """Whether one of two texts is a copy of the other, as it is told of passages."""
    return _is_copy(_shingles(one), _shingles(other))


@lru_cache(maxsize=64)  # in an evaluation one text is held against many
def _shingles(text: str) -> set[tuple[str, ...]]:
    """Runs of `SHINGLE_WORDS` words; of a shorter text, the text."""
    all_words = words(text)
    count = max(1, len(all_words) - SHINGLE_WORDS + 1)
    return {tuple(all_words[i : i + SHINGLE_WORDS]) for i in range(count)}


def _is_copy(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> bool:
    return len(one & other) >= COPIED * min(len(one), len(other))
