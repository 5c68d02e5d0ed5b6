"""Overviews: what several articles say of a topic, one dated quote of each.

No language model. Which articles are about the topic is told by their words and by how near their
headline and sentences are to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from statistics import fmean

from rag.archive import Archive
from rag.cross_encoder import CrossEncoder
from rag.embeddings import Embedder
from rag.extractive import sentences_of
from rag.kinds import asks, topic
from rag.language import sentence_spans, terms, words
from rag.retrieval import Retrieved, retrieve
from rag.signals import Candidate
from rag.types import MAX_PASSAGE_CHARS, Article, Passage, Query

ARTICLES = 10
"""From which an overview is made."""
SEARCHED = 60
"""Passages that are searched for them."""
FEWEST, MOST = 3, 6
"""Quotes; the fewest also where they must come from fewer articles."""
MAX_WORDS = 120
"""Of all quotes together."""
SENTENCE_WORDS = 5, MAX_WORDS // FEWEST
"""Of a quote: a shorter sentence tells too little, of longer ones too few would fit in."""
SAME = 0.4
"""Two sentences say the same where they share so much of their content words (Jaccard)."""
FIRST_SENTENCE = 0.4
"""What a sentence gains by opening its article, which news articles begin with their news."""
LEANING = 0.3
"""What it loses by opening with a word that points back, which nobody reads before it."""
_POINTING = frozenset("he she it they his her its their this that these those but and so".split())
RELEVANCE_WEIGHT, RELEVANCE_BIAS = 6.9, -6.45
"""Of the share of the topic's words that an article holds plus the mean of its two cosines to the
topic. Logistic, fitted on passages found for 47 topics in the sample articles, 25 of them topics
that the articles have. Calibration error there 0.02, on other topics in 181 real pages 0.05."""
READ_SENTENCES = 3
"""Of an article that may be quoted."""
ON_TOPIC = 0.5
"""The least relevance of an article that is quoted."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The sentences to quote, in the order in which to read them."""

    sentences: tuple[Candidate, ...]
    outlets: tuple[str, ...]
    """To be named first; none where they are not asked for."""
    confidence: float
    """0 to 1: the mean probability that a quoted article is about the topic."""


@dataclass(frozen=True, slots=True)
class _Read:
    """An article's passage, read for a topic."""

    passage: Passage
    sentences: tuple[Candidate, ...]
    """The most telling first."""
    relevance: float
    """0 to 1: the probability that the article is about the topic."""


def gather(
    archive: Archive,
    embedder: Embedder,
    query: Query,
    k: int,
    reranker: CrossEncoder | None = None,
) -> Retrieved:
    """The k passages that an overview is made from: first one of each article that fits best.

    It is the article's beginning, which says what it is about, where that holds half as much of the
    topic as what was found. Outlets that are named get equal room; without a topic it is the
    newest articles.
    """
    queries = [replace(query, outlets=(outlet,)) for outlet in query.outlets] or [query]
    found = [retrieve(archive, embedder, each, SEARCHED, reranker) for each in queries]
    firsts: dict[str, Passage] = {}
    if topic(query.text):
        for passage in filter(None, chain.from_iterable(zip_longest(*(f.passages for f in found)))):
            if len(firsts) < k:
                firsts.setdefault(passage.article_id, _opening(archive, passage, query))
    else:
        newest = archive.ledger.articles(archive.ledger.index.choose(query))
        firsts = {article.id: _beginning(article) for article in islice(newest, k)}
    rest = (p for each in found for p in each.passages if not _overlaps(p, firsts))
    return Retrieved(
        passages=tuple(islice(chain(firsts.values(), rest), k)),
        undated=sum(each.undated for each in found),
        unknown=tuple(name for each in found for name in each.unknown),
        seconds=sum(each.seconds for each in found),
    )


def _opening(archive: Archive, passage: Passage, query: Query) -> Passage:
    """The beginning of a passage's article, if it holds half as much of the topic; else it."""
    article = archive.ledger.article(passage.article_id)
    if article is None:  # removed since it was found
        return passage
    wanted = set(terms(query.text))
    opening = replace(_beginning(article), scores=passage.scores)
    return opening if 2 * _holds(wanted, opening) >= _holds(wanted, passage) else passage


def _beginning(article: Article) -> Passage:
    """The first sentences of an article, as long as a passage may be."""
    ends = [end for _, end in sentence_spans(article.text) if end <= MAX_PASSAGE_CHARS]
    text = article.text[: ends[-1] if ends else MAX_PASSAGE_CHARS]
    about = (article.title, article.url, article.outlet, article.published)
    return Passage(article.id, 0, len(text), text, *about)


def _overlaps(passage: Passage, firsts: Mapping[str, Passage]) -> bool:
    first = firsts.get(passage.article_id)
    return first is not None and passage.start < first.end and first.start < passage.end


def overview(
    question: str, query: Query, passages: Sequence[Passage], embedder: Embedder
) -> Overview:
    """Choose the quotes: of articles about the topic the most telling sentences.

    They go from the oldest to the newest, as a story does; where news is asked for, it comes first.
    """
    firsts: dict[str, Passage] = {}
    for passage in passages:
        firsts.setdefault(passage.article_id, passage)
    read = _read(query, tuple(firsts.values()), embedder)
    about = [each for each in read if each.relevance >= ON_TOPIC]
    newest_first, asks_outlets = asks(question, "newest"), asks(question, "outlets")
    about.sort(key=lambda each: _moment(each.passage) if newest_first else each.relevance)
    about.reverse()
    outlets = dict.fromkeys(each.passage.outlet for each in about)
    if asks_outlets or len(query.outlets) > 1:
        about = _outlet_by_outlet(about)
    if asks_outlets:
        about = about[: len(outlets)]
    chosen = _choose(about, fewest=1 if asks_outlets else FEWEST)
    relevance = {each.passage.article_id: each.relevance for each in read}
    found = [relevance[sentence.passage.article_id] for sentence in chosen]
    way = -1 if newest_first else 1
    chosen.sort(key=lambda sentence: (way * _moment(sentence.passage), sentence.start))
    return Overview(
        sentences=tuple(chosen),
        outlets=tuple(filter(None, outlets)) if asks_outlets else (),
        confidence=fmean(found) if found else max(relevance.values(), default=0.0),
    )


def _read(query: Query, passages: Sequence[Passage], embedder: Embedder) -> list[_Read]:
    """Each passage with its sentences, and how likely it is that its article is about the topic."""
    sentences = sentences_of(passages)
    wanted = set(terms(query.text)) if topic(query.text) else set()
    texts = [*(passage.title for passage in passages), *(each.text for each in sentences)]
    cosines = (embedder.encode(texts) @ embedder.encode_query(query.text)).tolist() if texts else []
    titles, nearness = cosines[: len(passages)], cosines[len(passages) :]
    read = []
    for rank, passage in enumerate(passages):
        own = [(s, c) for s, c in zip(sentences, nearness, strict=True) if s.rank == rank]
        if not own:  # a copy of what others hold
            continue
        telling = {
            sentence: (cosine + _share(wanted, sentence.text) if wanted else 0.0)
            + FIRST_SENTENCE * (passage.start == 0 and sentence is own[0][0])
            - LEANING * (next(iter(words(sentence.text)), "") in _POINTING)
            for sentence, cosine in own
        }
        near = (titles[rank] + max(cosine for _, cosine in own)) / 2
        fit = RELEVANCE_WEIGHT * (_holds(wanted, passage) + near) + RELEVANCE_BIAS
        relevance = 1 / (1 + math.exp(-fit)) if wanted else 1.0
        best_first = sorted(telling, key=lambda sentence: -telling[sentence])
        read.append(_Read(passage, tuple(best_first[:READ_SENTENCES]), relevance))
    return read


def _choose(read: Sequence[_Read], fewest: int) -> list[Candidate]:
    """One sentence of each article, no two that say the same; more of each if they are too few."""
    chosen, left = list[Candidate](), MAX_WORDS
    for turn, each in enumerate([*read] * fewest):
        if len(chosen) >= (MOST if turn < len(read) else fewest):
            break
        for sentence in each.sentences:
            length = len(sentence.text.split())
            fits = SENTENCE_WORDS[0] <= length <= min(SENTENCE_WORDS[1], left)
            if fits and not any(_same(sentence.text, other.text) for other in chosen):
                chosen.append(sentence)
                left -= length
                break
    return chosen or [each.sentences[0] for each in read[:1]]  # which is too long, and will be cut


def _outlet_by_outlet(read: Sequence[_Read]) -> list[_Read]:
    """The best article of each outlet, then the second of each, and so on."""
    outlets: dict[str | None, list[_Read]] = {}
    for each in read:
        outlets.setdefault(each.passage.outlet, []).append(each)
    return [each for turn in zip_longest(*outlets.values()) for each in turn if each]


def _moment(passage: Passage) -> float:
    """When it was published, to sort by; the undated come first."""
    return passage.published.timestamp() if passage.published else -math.inf


def _same(one: str, other: str) -> bool:
    first, second = set(terms(one)), set(terms(other))
    return len(first & second) >= SAME * len(first | second)


def _holds(wanted: set[str], passage: Passage) -> float:
    """The share of the topic's words that a passage, its title and its outlet hold."""
    return _share(wanted, f"{passage.title} {passage.outlet or ''} {passage.text}")


def _share(wanted: set[str], text: str) -> float:
    return len(wanted.intersection(terms(text))) / max(1, len(wanted))
