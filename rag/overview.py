"""Overviews: what several articles say of a topic, one dated quote of each.

No language model. Which articles are about the topic is told by their words and by how near their
headline is to it; what to quote of them, by the headline and the topic.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, islice, zip_longest

import numpy as np
from numpy.typing import NDArray

from rag.embeddings import Embedder
from rag.extractive import MAX_QUOTED_WORDS, sentences_of
from rag.kinds import asks, topic
from rag.language import sentence_spans, terms, words
from rag.ledger import Ledger
from rag.retrieval import Retrieved
from rag.signals import Candidate, confidence
from rag.types import MAX_PASSAGE_CHARS, Article, Passage, Query

ARTICLES = 10
"""From which an overview is made."""
SEARCHED = 60
"""Passages that are searched for them."""
FEWEST, MOST = 3, 6
"""Quotes; the fewest also where they must come from fewer articles."""
SENTENCE_WORDS = 50
"""Of a quote at most, so that not one or two fill an answer. Of 45 the first sentences of some
articles are too long."""
TELLING = 3
"""Sentences of an article of which one is quoted, if it fits; with any that fits, it is a short one
that tells nothing."""
OPENERS = 4
"""Sentences of an article's passage that are looked at: the first that stand alone. With all of
them an overview takes longer and tells no more."""
OPENING = 0.2
"""What a sentence gains by opening its article, in units of a cosine: news articles begin with
their news. With 0.1 and with none, the answers hold less of what the articles on the topic begin
with and have in common; more changes nothing."""
_POINTING = frozenset("he she it they his her its their this that these those but and so".split())
_TELLS = re.compile(r"[^\"'“‘„«].*[.!…][\"'”’»)]*", re.DOTALL)
"""A sentence that neither quotes nor asks, and is no subhead."""
ON_TOPIC = 0.5
"""The least probability that the best of the articles is about the topic, or the articles do not
say. `evals/bench/fit_overviews.py` prints what this and the next let through."""
NEARLY = 0.3
"""The least such probability of another article that is quoted, as a share of that of the best."""

Search = Callable[[Query, int], Retrieved]
"""Finds so many passages for a query, best first."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The sentences to quote, in the order in which to read them."""

    sentences: tuple[Candidate, ...]
    outlets: tuple[str, ...]
    """To be named first; none where they are not asked for."""
    silent: tuple[str, ...]
    """Outlets that the question names and that say nothing of it."""
    confidence: float
    """0 to 1: the probability that the best of the articles is about the topic."""


@dataclass(frozen=True, slots=True)
class Fit:
    """An article, by one passage of it, and how well it fits a topic."""

    passage: Passage
    direction: NDArray[np.float32]
    """In which its most telling sentences lie: the vectors of its title and the topic together."""
    signals: Mapping[str, float]
    """`share` of the topic's words that it holds, and cosine of the topic to the `headline`; none
    where there is no topic."""
    sentences: tuple[Candidate, ...] = ()
    """The most telling first; none of a copy of another article."""

    @property
    def probability(self) -> float:
        """That it is about the topic."""
        return confidence(self.signals, "overview") if self.signals else 1.0

    @property
    def moment(self) -> float:
        """When it was published, to sort by; the undated come first."""
        return self.passage.published.timestamp() if self.passage.published else -math.inf


def gather(ledger: Ledger, query: Query, k: int, search: Search) -> Retrieved:
    """The k passages that an overview is made from: first one of each article that fits best.

    It is the article's beginning, which says what it is about, where that holds half as much of the
    topic as what was found. Without a topic it is the newest articles.
    """
    found = search(query, SEARCHED)
    if len(query.outlets) > 1:
        found = replace(found, passages=tuple(_by_turns(query, search)))
    firsts: dict[str, Passage] = {}
    if wanted := _wanted(query):
        for passage in found.passages:
            if len(firsts) < k and passage.article_id not in firsts:
                firsts[passage.article_id] = _opening(ledger, passage, wanted)
    else:
        newest = ledger.articles(ledger.index.choose(query))
        firsts = {article.id: _beginning(article) for article in islice(newest, k)}
    rest = (
        passage
        for passage in found.passages
        if passage.article_id in firsts and passage.start >= firsts[passage.article_id].end
    )
    return replace(found, passages=tuple(islice(chain(firsts.values(), rest), k)))


def _by_turns(query: Query, search: Search) -> list[Passage]:
    """The best passage of each outlet, then the next: also where one has only another's text."""
    found = [search(replace(query, outlets=(outlet,)), SEARCHED) for outlet in query.outlets]
    turns = zip_longest(*(each.passages for each in found))
    return list(filter(None, chain.from_iterable(turns)))


def _opening(ledger: Ledger, passage: Passage, wanted: set[str]) -> Passage:
    """The beginning of a passage's article, if it holds half as much of the topic; else it."""
    article = ledger.article(passage.article_id)
    if article is None:  # removed since it was found
        return passage
    opening = replace(_beginning(article), scores=passage.scores)
    return opening if 2 * _share(wanted, opening) >= _share(wanted, passage) else passage


def _beginning(article: Article) -> Passage:
    """The first sentences of an article, as long as a passage may be."""
    spans = sentence_spans(article.text, article.language)
    ends = [end for _, end in spans if end <= MAX_PASSAGE_CHARS]
    text = article.text[: ends[-1] if ends else MAX_PASSAGE_CHARS]
    about = (article.title, article.url, article.outlet, article.published, article.language)
    return Passage(article.id, 0, len(text), text, *about)


def _wanted(query: Query) -> set[str]:
    """The words of a query's topic; none where it has no topic."""
    return set(terms(topic(query.text))).difference(*map(terms, query.outlets))


def _share(wanted: set[str], passage: Passage) -> float:
    """The share of the topic's words that a passage and its title hold."""
    held = wanted.intersection(terms(f"{passage.title} {passage.text}"))
    return len(held) / max(1, len(wanted))


def overview(
    question: str, query: Query, passages: Sequence[Passage], embedder: Embedder
) -> Overview:
    """Choose the quotes: of articles about the topic the most telling sentences.

    They go from the oldest to the newest, as a story does; where news is asked for, it comes first.
    """
    fitting = fits(query, passages, embedder)
    best = max((fit.probability for fit in fitting), default=0.0)
    least = NEARLY * best if best >= ON_TOPIC else math.inf
    likely = [fit for fit in fitting if fit.probability >= least]
    about = _read(likely, _wanted(query), embedder)
    about = [fit for fit in about if fit.sentences] or about
    newest_first, asks_outlets = asks(question, "newest"), asks(question, "outlets")
    about.sort(key=lambda fit: -(fit.moment if newest_first else fit.probability))
    outlets = dict.fromkeys(fit.passage.outlet for fit in about)
    if asks_outlets or len(query.outlets) > 1:  # the best of each, then the second of each
        turns: dict[str | None, count[int]] = defaultdict(count)
        about.sort(key=lambda fit: next(turns[fit.passage.outlet]))
    if asks_outlets:
        about = about[: len(outlets)]
    chosen = _choose(about, fewest=1 if asks_outlets else FEWEST)
    way = -1 if newest_first else 1
    heard = {fit.passage.outlet for fit in likely}  # it may be quoted no more, or a copy
    named = query.outlets if "outlets" in query.understood and not query.widened else ()
    return Overview(
        sentences=tuple(sorted(chosen, key=lambda each: (way * chosen[each].moment, each.start))),
        outlets=tuple(filter(None, outlets)) if asks_outlets else (),
        silent=tuple(outlet for outlet in named if outlet not in heard),
        confidence=best,
    )


def fits(query: Query, passages: Sequence[Passage], embedder: Embedder) -> list[Fit]:
    """How well each article of the passages fits a query's topic, by its first passage."""
    firsts: dict[str, Passage] = {}
    for passage in passages:
        firsts.setdefault(passage.article_id, passage)
    wanted, asked = _wanted(query), embedder.encode_query(query.text)
    headlines = embedder.encode([passage.title or passage.text for passage in firsts.values()])
    found = []
    for passage, headline in zip(firsts.values(), headlines, strict=True):
        signals = {"share": _share(wanted, passage), "headline": float(headline @ asked)}
        found.append(
            Fit(passage, headline + asked, signals) if wanted else Fit(passage, headline, {})
        )
    return found


def _read(fitting: Sequence[Fit], wanted: set[str], embedder: Embedder) -> list[Fit]:
    """Articles with their most telling sentences; none of a copy of those before it.

    Of an article that is hardly about the topic, the headline or the sentences must name it.
    """
    sentences = sentences_of([fit.passage for fit in fitting])
    read = []
    for rank, fit in enumerate(fitting):
        own = [sentence for sentence in sentences if sentence.rank == rank]
        if 2 * sum(len(sentence.text) for sentence in own) < len(fit.passage.text):
            own = []
        if fit.probability < ON_TOPIC and wanted.isdisjoint(terms(fit.passage.title)):
            own = [sentence for sentence in own if not wanted.isdisjoint(terms(sentence.text))]
        alone = [sentence for sentence in own if _stands_alone(sentence.text)] or own
        if not alone:
            read.append(fit)
            continue
        telling = embedder.encode([sentence.text for sentence in alone[:OPENERS]]) @ fit.direction
        telling[:1] += OPENING * (fit.passage.start == 0)
        best_first = [alone[i] for i in (-telling).argsort(kind="stable").tolist()]
        read.append(replace(fit, sentences=tuple(best_first[:TELLING])))
    return read


def _stands_alone(sentence: str) -> bool:
    """Whether a sentence tells something without those before it."""
    return bool(_TELLS.fullmatch(sentence)) and _POINTING.isdisjoint(words(sentence)[:1])


def _choose(read: Sequence[Fit], fewest: int) -> dict[Candidate, Fit]:
    """The best sentence of each article that fits; more of each if they are too few."""
    chosen: dict[Candidate, Fit] = {}
    left = MAX_QUOTED_WORDS
    for turn, each in enumerate([*read] * fewest):
        if len(chosen) >= (MOST if turn < len(read) else fewest):
            break
        for sentence in each.sentences:
            length = len(sentence.text.split())
            if length <= min(SENTENCE_WORDS, left) and sentence not in chosen:
                chosen[sentence] = each
                left -= length
                break
    # If there is none, the only ones are too long: one will be cut.
    return chosen or {each.sentences[0]: each for each in read[:1] if each.sentences}
