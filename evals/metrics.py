"""What is right: does a passage hold the gold quote, does an answer hold the right words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePath
from statistics import fmean

import ir_measures
from ir_measures import RR, Success, nDCG

from evals.datasets import Measure, Question, Quote
from rag.language import fold
from rag.types import Answer, Article, Citation, Passage

FindArticle = Callable[[str], Article]
"""Article id to article."""
RANKED = 10
"""Passages that the measures of ranking look at."""

_RANKING: dict[Measure, ir_measures.Measure] = {
    "hit@1": Success @ 1,
    "hit@5": Success @ 5,
    "MRR@10": RR @ 10,
    "nDCG@10": nDCG @ 10,
}

_MARK = re.compile(r"\[\d+\]")


def quote_ranks(
    question: Question, passages: Sequence[Passage], article: FindArticle
) -> tuple[int | None, ...]:
    """For each gold quote, the rank (from 1) of the first passage that holds it, or None."""
    texts = [comparable(passage.text) for passage in passages]
    sources = [article(passage.article_id) for passage in passages]
    return tuple(
        next(
            (
                rank
                for rank, (text, source) in enumerate(zip(texts, sources, strict=True), 1)
                if comparable(quote.quote) in text and is_page(quote, source)
            ),
            None,
        )
        for quote in question.quotes
    )


def is_page(quote: Quote, article: Article) -> bool:
    """Whether a quote is of this article: its file name or its URL starts with the page."""
    return PurePath(article.source).name.startswith(quote.page) or (article.url or "").startswith(
        quote.page
    )


def ranking_figures(question: Question, ranks: Sequence[int | None]) -> dict[Measure, float]:
    """How well passages are ranked, by ir_measures; `ranks` are those of `quote_ranks`.

    A passage's relevance is the number of gold quotes that it is the first to hold: of a multi
    question all of them count, of another the first that is found.
    """
    if question.kind != "multi":
        ranks = [min((rank for rank in ranks if rank), default=None)]
    found = Counter(rank for rank in ranks if rank)
    relevant = {str(rank): count for rank, count in found.items()}
    relevant |= {f"missed {i}": 1 for i in range(sum(rank is None for rank in ranks))}
    run = {str(rank): -float(rank) for rank in range(1, RANKED + 1)}
    figures = ir_measures.calc_aggregate(_RANKING.values(), {"q": relevant}, {"q": run})
    named: dict[Measure, float] = {name: figures[is_] for name, is_ in _RANKING.items()}
    if question.kind == "multi":
        named["all@5"] = all(rank is not None and rank <= 5 for rank in ranks)
    return named


def is_right(question: Question, answer: Answer) -> bool:
    """Whether an answer says what is right; an abstention is right where nothing is."""
    if answer.abstained or not question.answers:
        return answer.abstained and not question.answers
    text = comparable(_MARK.sub("", answer.text))
    found = (holds(text, comparable(variant)) for variant in question.answers)
    return all(found) if question.kind == "multi" else any(found)


def holds(text: str, words: str) -> bool:
    """Whether words stand in a text, on word boundaries."""
    return bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text))


def citation_precision(question: Question, answer: Answer, article: FindArticle) -> float:
    """The share of an answer's citations that bear it out: that hold an answer or a gold quote."""
    right = [_bears_out(question, c, article(c.article_id)) for c in answer.citations]
    return fmean(right)


def _bears_out(question: Question, citation: Citation, article: Article) -> bool:
    said = comparable(citation.quote)
    golds = [comparable(gold.quote) for gold in question.quotes if is_page(gold, article)]
    return any(holds(said, comparable(variant)) for variant in question.answers) or any(
        gold in said or said in gold for gold in golds
    )


def exact_quotes(answer: Answer, article: FindArticle) -> float:
    """The share of an answer's citations that quote their article to the letter."""
    return fmean(
        article(citation.article_id).text[citation.start : citation.end] == citation.quote
        for citation in answer.citations
    )


def answering_articles(
    question: Question, articles: Sequence[tuple[Article, str]]
) -> tuple[str, ...]:
    """The ids of the articles that hold a gold quote or an answer, by chance or not.

    Each article comes with its comparable text. Copies are among them: without all of these, an
    archive surely does not say.
    """
    answers = [comparable(variant) for variant in question.answers]
    quotes = [comparable(gold.quote) for gold in question.quotes]
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
