"""An answer in the making: its sentences, each with a verdict, and its citations, numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag import tracing
from rag.cross_encoder import CrossEncoder
from rag.extractive import MAX_QUOTED_WORDS
from rag.language import fold, terms
from rag.phrases import describe_in, language_of, say
from rag.retrieval import Retrieved
from rag.types import (
    Answer,
    Citation,
    Event,
    Passage,
    Query,
    Sentence,
    SentenceDone,
    Token,
    Usage,
    VerdictOfSentence,
)

MAX_QUOTE_WORDS = 40
"""Of one quote under a language model's sentence: three of them fit the 120 of an answer."""


@dataclass
class Draft:
    """An answer in the making: its sentences so far, and its citations, numbered."""

    question: str
    query: Query
    retrieved: Retrieved
    confidence: float
    model: str
    verifier: CrossEncoder | None
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    short: str | None = None
    text: str | None = None
    """What is said, where it is more than the sentences with their marks."""
    reason: str | None = None
    prompt: str | None = None
    usage: Usage | None = None
    shown: int = 0

    @property
    def lead(self) -> str:
        """The short answer, in front of the sentences."""
        return f"**{self.short.removesuffix('.')}.** " if self.short else ""

    @property
    def borne_out(self) -> list[Sentence]:
        """The sentences for which the articles stand."""
        return [s for s in self.sentences if s.verdict in ("quoted", "supported")]

    def cite(self, passage: Passage, start: int, end: int, claim: str) -> int | None:
        """The number of the citation of this stretch of an article, a new one if need be.

        A long quote is cut to the words that bear on the claim, unless it holds the claim word for
        word. None where the answer has quoted all it may.
        """
        used = sum(len(citation.quote.split()) for citation in self.citations)
        quote = passage.text[start - passage.start : end - passage.start]
        for citation in self.citations:
            if citation.article_id == passage.article_id and quote in citation.quote:
                return citation.number
        limit = MAX_QUOTED_WORDS - used
        if len(quote.split()) > MAX_QUOTE_WORDS and fold(claim) not in fold(quote):
            limit = min(limit, MAX_QUOTE_WORDS)
        offset, quote = _shortened(quote, claim, limit)
        if not quote:
            return None
        number, start = len(self.citations) + 1, start + offset
        self.citations.append(passage.cite(number, start, start + len(quote)))
        return number

    def quote(self, number: int) -> str:
        """The words of a citation."""
        return self.citations[number - 1].quote

    def add(self, text: str, numbers: Sequence[int], verdict: VerdictOfSentence) -> SentenceDone:
        """A sentence is complete."""
        sentence = Sentence(text, tuple(numbers), verdict)
        self.sentences.append(sentence)
        new = tuple(self.citations[self.shown :])
        self.shown = len(self.citations)
        return SentenceDone(sentence, new)

    def abstain(self, reason: str, **values: object) -> Iterator[Event]:
        """The articles do not say: told in the language of the question, the reason in English."""
        self.reason = reason.format(**values)
        tracing.note(reason=reason)  # without what was asked
        language = language_of(self.question)
        told = say(reason, language, **values)
        lines = [say("The articles do not say: {reason}.", language, reason=told)]
        nearest = [describe_in(passage, language) for passage in self.retrieved.passages]
        if nearest:
            lines += [say("What comes nearest:", language)]
            lines += [f"– {line}" for line in dict.fromkeys(nearest)]
        self.text = "\n".join(lines)
        yield Token(self.text)

    def finish(self) -> Answer:
        """The whole answer."""
        share = len(self.borne_out) / len(self.sentences) if self.sentences else 1.0
        return Answer(
            question=self.question,
            text=self.text or self.lead + marked_text(self.sentences),
            sentences=tuple(self.sentences),
            citations=tuple(self.citations),
            passages=self.retrieved.passages,
            query=self.query,
            confidence=self.confidence * share,
            abstained=self.reason is not None,
            reason=self.reason,
            short=self.short,
            model=self.model,
            prompt=self.prompt,
            usage=self.usage,
            undated=self.retrieved.undated,
        )


def marked_text(sentences: Sequence[Sentence]) -> str:
    """An answer's text: each sentence with its [n] marks."""
    return " ".join(s.text + "".join(f" [{number}]" for number in s.citations) for s in sentences)


def _shortened(quote: str, claim: str, limit: int) -> tuple[int, str]:
    """The `limit` words running of a quote that share most with the claim, and where they start."""
    spans = [match.span() for match in re.finditer(r"\S+", quote)]
    if len(spans) <= limit:
        return 0, quote
    if limit <= 0:
        return 0, ""
    wanted = set(terms(claim))
    hits = [bool(wanted.intersection(terms(quote[start:end]))) for start, end in spans]
    first = max(range(len(spans) - limit + 1), key=lambda i: (sum(hits[i : i + limit]), -i))
    start, end = spans[first][0], spans[first + limit - 1][1]
    return start, quote[start:end]
