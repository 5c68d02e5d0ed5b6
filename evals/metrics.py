"""What is right: does a passage hold the gold quote, does an answer hold the right words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from evals.datasets import Question, Quote
from rag.language import fold
from rag.types import Answer, Article, Passage

FindArticle = Callable[[str], Article]
"""Article id to article."""

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


def is_hit(ranks: Sequence[int | None], k: int) -> bool:
    """hit@k: a gold quote stands in the first k passages."""
    return any(rank is not None and rank <= k for rank in ranks)


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


def exact_quotes(answer: Answer, article: FindArticle) -> int:
    """How many citations quote their article to the letter."""
    return sum(
        article(citation.article_id).text[citation.start : citation.end] == citation.quote
        for citation in answer.citations
    )


def comparable(text: str) -> str:
    """Text folded for matching words: quotes, dashes, case, white space."""
    return fold(text).casefold()
