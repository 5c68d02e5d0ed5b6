"""Finding passages: dense and lexical candidates, fused, ranked, each text once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.archive import Archive
from rag.embeddings import Embedder
from rag.filters import Choice
from rag.language import FUNCTION_WORDS, sentence_spans, words
from rag.types import MAX_PASSAGE_CHARS, Passage, Query, Scores

CANDIDATES = 50
"""Asked of each of the two searches; more where they do not give k passages."""
RRF_K = 20
"""Damping of reciprocal rank fusion. Cormack, Clarke and Büttcher (SIGIR 2009) use 60 for runs of
a thousand; with fifty candidates a smaller one tells first from tenth."""

SHINGLE_WORDS, COPIED = 4, 0.8
"""Of two passages, one is a copy where the shorter shares so much of its runs of four words."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a search found."""

    passages: tuple[Passage, ...]
    """Best first."""
    searched: int
    """Chunks that the query's filters left."""
    undated: int
    """Articles that its dates left out because they carry none."""
    seconds: float = 0.0


def retrieve(archive: Archive, embedder: Embedder, query: Query, k: int) -> Retrieved:
    """The k passages that best fit a query; fewer where the archive has no more."""
    started = time.perf_counter()
    choice = archive.ledger.choose(query)
    depth = max(CANDIDATES, k)
    passages = _places(archive, _candidates(archive, embedder, query, choice, depth), k)
    while len(passages) < k and depth < choice.chunks:  # where many are copies of each other
        depth *= 4
        passages = _places(archive, _candidates(archive, embedder, query, choice, depth), k)
    seconds = time.perf_counter() - started
    return Retrieved(tuple(passages), choice.chunks, choice.undated, seconds)


def _candidates(
    archive: Archive, embedder: Embedder, query: Query, choice: Choice, depth: int
) -> list[Passage]:
    if not choice.chunks:
        return []
    rankings: list[list[int]] = []
    dense: dict[int, float] = {}
    lexical: dict[int, float] = {}
    for text in query.parts or (query.text,):
        for search, scores in (
            (archive.nearest(choice, embedder.encode_query(text), depth), dense),
            (archive.ledger.lexical(search_terms(text), choice, depth), lexical),
        ):
            rankings.append([number for number, _ in search])
            scores |= {n: max(score, scores.get(n, score)) for n, score in search}
    fused = fuse(*rankings)
    found = archive.ledger.passages(list(fused))
    candidates = [
        replace(found[n], scores=Scores(dense.get(n), lexical.get(n), score))
        for n, score in fused.items()
        if n in found
    ]
    return rank(query, candidates)


def _read_around(archive: Archive, passage: Passage) -> Passage:
    """The passage with the sentences after and before it, as long as a passage may be.

    What a chunk is about often begins or ends in its neighbour. On the real news pages the gold
    quote stood in the first passage for 0.71 of the questions instead of 0.61, in the first five
    for 0.97 instead of 0.95; after it alone 0.68 and 0.97.
    """
    article = archive.ledger.article(passage.article_id)
    if article is None:  # removed since it was found
        return passage
    start, end = passage.start, passage.end
    spans = sentence_spans(article.text, article.language)
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


def search_terms(question: str) -> list[str]:
    """The words of a question for the lexical index (which stems them itself), each once."""
    return list(dict.fromkeys(word for word in words(question) if word not in FUNCTION_WORDS))


def fuse(*rankings: Sequence[int]) -> dict[int, float]:
    """Reciprocal rank fusion: item to the sum of 1 / (k + rank) over rankings, best first."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for position, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (RRF_K + position)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def rank(query: Query, passages: Sequence[Passage]) -> list[Passage]:
    """Passages in the order in which they should be read: for now, as they were fused."""
    return sorted(passages, key=lambda passage: -(passage.scores.fused or 0.0))


def _places(archive: Archive, ranked: Iterable[Passage], k: int) -> list[Passage]:
    """The first k passages, each text in one place.

    Syndicated text is one, also where its dateline or its end was changed. What stands within the
    neighbourhood of a passage before it comes only where an archive is too small for k others.
    """
    given: list[Passage] = []
    spare: list[Passage] = []
    seen: list[set[tuple[str, ...]]] = []
    for passage in ranked:
        if len(given) == k:
            break
        shingles = _shingles(passage.text)
        if any(_is_copy(shingles, other) for other in seen):
            continue
        seen.append(shingles)
        if any(_within(passage, other) for other in given):
            spare.append(passage)
        else:
            given.append(_read_around(archive, passage))
    return [*given, *spare][:k]


def _within(passage: Passage, other: Passage) -> bool:
    return (
        passage.article_id == other.article_id
        and other.start <= passage.start
        and passage.end <= other.end
    )


def _shingles(text: str) -> set[tuple[str, ...]]:
    """Runs of `SHINGLE_WORDS` words; of a shorter text, the text."""
    all_words = list(words(text))
    count = max(1, len(all_words) - SHINGLE_WORDS + 1)
    return {tuple(all_words[i : i + SHINGLE_WORDS]) for i in range(count)}


def _is_copy(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> bool:
    return len(one & other) >= COPIED * min(len(one), len(other))
