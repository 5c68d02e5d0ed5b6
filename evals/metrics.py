"""The figures of one question: is the gold quote found, is the answer right, is it borne out?

A question that failed has no answer, and that counts as a wrong one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from statistics import fmean

import ir_measures
from ir_measures import RR, Success, nDCG

from evals.comparing import Figures
from evals.datasets import Question, Quote, document_at
from evals.measures import Figure
from rag.language import fold
from rag.overview import MOST
from rag.retrieval import is_copy
from rag.types import Answer, Article, Citation, Passage

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u31f0-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters, for a class of a regular expression: they
are written without spaces between words."""
FindArticle = Callable[[str], Article]
"""Article id to article."""
FindGolds = Callable[[str], Sequence[Article]]
"""The page of a gold quote to the articles of the archive that it names."""
RANKED = 10
"""Passages that the measures of ranking look at."""

_RANKING = {
    "hit@1": Success @ 1,
    "hit@5": Success @ 5,
    "MRR@10": RR @ 10,
    "nDCG@10": nDCG @ 10,
}

_MARK = re.compile(r"\[\d+\]")
# Between two letters or digits of a script that has spaces; before or after the point or comma in a
# number, but for the year of 14.05.2026.
_SPACED = rf"[^\W{UNSPACED}]"
_WITHIN = re.compile(
    rf"(?<={_SPACED})(?={_SPACED})|(?<=\d)(?=[.,]\d)"
    r"|(?<=\d[.,])(?<!\.\d\.)(?<!\.\d\d\.)(?=\d)"
)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one question."""

    question: Question
    passages: tuple[tuple[str, int, int], ...] = ()
    """Where the first that were found stand, up to `RANKED`: article id, start, end."""
    ranks: tuple[int | None, ...] = ()
    """Of each gold quote among them; None where it is not there."""
    documents: tuple[str, ...] = ()
    """Where whole articles are to be found, the name of each one that the passages stand for."""
    is_asked: bool = True
    """Whether an answer was wanted, or only passages."""
    answer: Answer | None = None
    """None where none was wanted, or where asking failed: that counts as wrong."""
    is_right: bool = False
    """Whether the answer says what is right, had it been given: also where it was held back."""
    without: tuple[str, ...] | None = None
    """The articles that answer it, if they were left out when it was asked again."""
    left_out: Answer | None = None
    """What was said then."""
    judged: bool | None = None
    """What the judge says of the answer; None where there was no judge, or nothing to judge."""
    error: str | None = None
    figures: Figures = field(default_factory=dict)
    """By measure; one that the question does not bear on is not there."""


def figures(result: Result, article: FindArticle, golds: FindGolds) -> Figures:
    """All that can be told of one question, by measure."""
    question = result.question
    found: dict[str, Figure] = dict(ranking_figures(question, result.ranks))
    if result.is_asked:
        found |= _answer_figures(result)
        found |= _citation_figures(question, result.answer, article, golds)
    return found


def quote_ranks(
    question: Question,
    passages: Sequence[Passage],
    article: FindArticle,
    golds: FindGolds = lambda page: (),
) -> tuple[int | None, ...]:
    """For each gold quote, the rank (from 1) of the first passage that holds it, or None."""
    texts = [comparable(passage.text) for passage in passages]
    sources = [article(passage.article_id) for passage in passages]
    return tuple(
        next(
            (
                rank
                for rank, (text, source) in enumerate(zip(texts, sources, strict=True), 1)
                if comparable(quote.quote) in text and is_of(quote, source, text, golds)
            ),
            None,
        )
        for quote in question.quotes
    )


def ranked_documents(
    question: Question, passages: Sequence[Passage], article: FindArticle, golds: FindGolds
) -> dict[str, Passage]:
    """The articles that passages stand for, each once, in order, with its first passage.

    As a text has one place whatever number of articles carry it, its passage stands for every gold
    article that it is of or a copy of; if there is none, for its own.
    """
    sources = [article(passage.article_id) for passage in passages]
    meant = [[is_of(quote, each, "", golds) for each in sources] for quote in question.quotes]
    named: dict[str, Passage] = {}
    for passage, source, is_gold in zip(passages, sources, zip(*meant, strict=True), strict=True):
        pages = [
            quote.page for quote, is_its in zip(question.quotes, is_gold, strict=True) if is_its
        ]
        for page in pages or [source.url or source.id]:
            named.setdefault(document_at(page), passage)
    return named


def is_page(quote: Quote, article: Article) -> bool:
    """Whether a quote is of this article: its file name or its URL starts with the page."""
    return any(name.startswith(quote.page) for name in _names(article))


def is_of(quote: Quote, article: Article, text: str, golds: FindGolds) -> bool:
    """Whether a text of an article is of a quote's page, or copied there.

    Where a quote has no words, the article must be a copy as a whole.
    """
    part = text if quote.quote else article.text
    return is_page(quote, article) or any(is_copy(part, gold.text) for gold in golds(quote.page))


def find_pages(
    questions: Iterable[Question], articles: Iterable[Article]
) -> dict[str, tuple[str, ...]]:
    """Each page that gold quotes name, with the ids of the articles that `is_page` finds there."""
    found: dict[str, tuple[str, ...]] = {
        quote.page: () for question in questions for quote in question.quotes if quote.page
    }
    lengths = {len(page) for page in found}
    for article in articles:
        for start in {name[:length] for name in _names(article) for length in lengths}:
            if start in found:
                found[start] = (*found[start], article.id)
    return found


def _names(article: Article) -> tuple[str, str]:
    return PurePath(article.source).name, article.url or ""


def relevance(question: Question, ranks: Sequence[int | None]) -> dict[str, int]:
    """The judgements of a question: the relevance of each rank, and of each quote not found.

    A passage's relevance is that of the gold quotes that it is the first to hold: of a multi
    question, a search or an overview all of them count, of another the first that is found.
    """
    golds = list(zip(ranks, (quote.relevance for quote in question.quotes), strict=True))
    if question.kind not in ("multi", "search", "overview"):
        golds = [min(golds, key=lambda gold: gold[0] or math.inf)] if golds else []
    judged: Counter[str] = Counter()
    for number, (rank, grade) in enumerate(golds):
        judged[str(rank) if rank else f"missed-{number}"] += grade
    return dict(judged)


def ranking_figures(question: Question, ranks: Sequence[int | None]) -> Figures:
    """How well passages are ranked, by ir_measures; `ranks` are those of `quote_ranks`."""
    if not question.quotes:
        return {}
    run = {str(rank): -float(rank) for rank in range(1, RANKED + 1)}
    qrels = {"q": relevance(question, ranks or (None,) * len(question.quotes))}
    figures = ir_measures.calc_aggregate(_RANKING.values(), qrels, {"q": run})
    named: dict[str, Figure] = {name: figures[is_] for name, is_ in _RANKING.items()}
    if question.kind == "multi":
        named["all@5"] = all(rank is not None and rank <= 5 for rank in ranks)
    return named


def _answer_figures(result: Result) -> dict[str, Figure]:
    """Whether it was answered, whether that is right, and how well the confidence says so."""
    answer, is_answerable = result.answer, result.question.is_answerable
    if answer:
        is_silent, confidence = answer.abstained, answer.confidence
    else:
        is_silent, confidence = is_answerable, 1.0
    found: dict[str, Figure] = {
        "abstention F1": (is_silent, not is_answerable),
        "ECE": (confidence, result.is_right),
        "Brier": (confidence - result.is_right) ** 2,
    }
    if not is_answerable:
        return found | {"abstained": is_silent}
    found["right"] = result.is_right and not is_silent
    found["answered"] = not is_silent
    if result.without is not None:
        found["abstained left out"] = bool(result.left_out and result.left_out.abstained)
    if result.judged is not None:
        found["judged right"] = result.judged
        if not is_silent:
            both = (float(result.judged), float(result.is_right))
            found |= {"judge agrees": both[0] == both[1], "kappa": both}
    return found


def _citation_figures(
    question: Question, answer: Answer | None, article: FindArticle, golds: FindGolds
) -> dict[str, Figure]:
    """How well an answer is borne out, and how long it is; an abstention is neither."""
    found: dict[str, Figure] = {}
    citations = answer.citations if answer else ()
    if question.is_answerable:
        found["citation recall"] = citation_recall(question, citations, article, golds)
    if answer and answer.abstained:
        return found
    if question.is_answerable:
        found["citation precision"] = citation_precision(question, citations, article, golds)
    sentences = answer.sentences if answer else ()
    held = [sentence.verdict in ("quoted", "supported") for sentence in sentences]
    found["faithfulness"] = fmean(held or [0])
    if answer:
        found["answer words"] = float(len(_MARK.sub("", answer.text).split()))
    if citations:
        found["quote words"] = float(sum(len(citation.quote.split()) for citation in citations))
        found["quotes exact"] = exact_quotes(citations, article)
    return found


def is_right(question: Question, text: str) -> bool:
    """Whether a text says what is right; nothing does where the articles do not say."""
    said = comparable(_MARK.sub("", text))
    found = [holds(said, comparable(variant)) for variant in question.answers]
    return any(found) and (question.kind != "multi" or all(found))


def holds(text: str, words: str) -> bool:
    """Whether words stand in a text, and neither begin nor end within a word or a number of it."""
    start = text.find(words) if words else -1
    while start >= 0:
        ends = (start, start + len(words))
        if not any(_WITHIN.match(text, end) for end in ends):
            return True
        start = text.find(words, start + 1)
    return False


def citation_precision(
    question: Question, citations: Sequence[Citation], article: FindArticle, golds: FindGolds
) -> float:
    """The share of citations that bear out what is right; 0 if there is none."""
    return fmean([_bears_out(question, c, article(c.article_id), golds) for c in citations] or [0])


def citation_recall(
    question: Question, citations: Sequence[Citation], article: FindArticle, golds: FindGolds
) -> float:
    """The share of what is right that a citation bears out: of a multi question, of its answers.

    Of an overview it is the share of the articles on its topic, as far as it may quote so many.
    """
    if question.kind == "overview":
        cited = [article(c.article_id) for c in citations]
        quoted = {
            gold.page for gold in question.quotes if any(is_of(gold, a, "", golds) for a in cited)
        }
        return min(1.0, len(quoted) / min(MOST, len(question.quotes)))
    if question.kind == "multi":
        said = comparable("\n".join(citation.quote for citation in citations))
        return fmean(holds(said, comparable(part)) for part in question.answers)
    return float(any(_bears_out(question, c, article(c.article_id), golds) for c in citations))


def _bears_out(question: Question, citation: Citation, article: Article, golds: FindGolds) -> bool:
    """Whether a citation holds an answer or a gold quote; in an overview, is of a gold article."""
    quotes = [quote for quote in question.quotes if is_of(quote, article, citation.quote, golds)]
    if question.kind == "overview":
        return bool(quotes)
    said = comparable(citation.quote)
    meant = [comparable(quote.quote) for quote in quotes]
    return any(holds(said, comparable(variant)) for variant in question.answers) or any(
        gold in said or said in gold for gold in meant if gold
    )


def exact_quotes(citations: Sequence[Citation], article: FindArticle) -> float:
    """The share of citations that quote their article to the letter."""
    return fmean(
        article(citation.article_id).text[citation.start : citation.end] == citation.quote
        for citation in citations
    )


def answering_articles(
    question: Question, articles: Sequence[tuple[Article, str]]
) -> tuple[str, ...]:
    """The ids of the articles that hold a gold quote or an answer, by chance or not.

    Each article comes with its comparable text. Copies are among them: without all of these, an
    archive surely does not say.
    """
    answers = [comparable(variant) for variant in question.answers]
    quotes = [comparable(gold.quote) for gold in question.quotes if gold.quote]
    return tuple(
        article.id
        for article, text in articles
        if any(is_page(gold, article) for gold in question.quotes)
        or any(quote in text for quote in quotes)
        or any(holds(text, variant) for variant in answers)
    )


def comparable(text: str) -> str:
    """Text folded for matching words: quotes, dashes, case, white space."""
    return fold(text).casefold()
