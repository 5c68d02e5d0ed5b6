"""The values that flow through Gazette, all frozen: from an article to a cited answer.

Nothing here reads a file or imports a library; every other module may import this one.
Offsets are in characters (Python `str` indices), half open: `text[start:end]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

VerdictOfSentence = Literal["quoted", "supported", "contradicted", "unsupported"]
VerdictLabel = Literal["supported", "contradicted", "unsupported"]
QueryKind = Literal["question", "overview", "greeting", "archive"]
SpeakerKind = Literal["person", "organisation", "anonymous", "document"]
Span = tuple[int, int]
History = Sequence[tuple[str, str]]
"""The turns before a question, oldest first: (question, answer)."""
Period = tuple[date | None, date | None]
"""The first day, and the day after the last; None where it is open."""

MAX_PASSAGE_CHARS = 1200


@dataclass(frozen=True, slots=True)
class Article:
    """One article as published: `text` is the body alone, without headline, byline or captions."""

    id: str
    source: str
    """The path or URL that was given, or walked to."""
    title: str
    text: str
    url: str | None = None
    outlet: str | None = None
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    """Aware; keeps the page's own offset, so that `published.date()` is the day printed."""
    modified: datetime | None = None
    language: str | None = None
    content_hash: str = ""
    """SHA-256 of what a reader sees (title, text, outlet, authors, dates)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences: `article.text[start:end] == text`, always."""

    article_id: str
    position: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """What was understood of a question; it can be shown to the user and overruled."""

    text: str
    """The question, standing on its own: what is searched."""
    outlets: tuple[str, ...] = ()
    after: date | None = None
    """Inclusive."""
    before: date | None = None
    """Exclusive."""
    as_of: date | None = None
    """To the end of that day."""
    without: tuple[str, ...] = ()
    """Ids of articles that are not searched."""
    understood: tuple[str, ...] = ()
    """Which of the filters above were read out of the question; the others are the caller's."""
    periods: tuple[Period, ...] = ()
    """The days whose reports the question asks for; `after` and `before` span them."""
    widened: bool = False
    """Whether what was understood left no answer, so that all was searched."""
    latest: bool = False
    """Whether the newest state is asked for, and no day: newer articles are preferred then."""
    parts: tuple[str, ...] = ()
    """The sub-questions, in order, each standing on its own; empty where there is but one."""
    variants: tuple[str, ...] = ()
    """Other wordings of the text that are searched too."""
    dayless: tuple[str, ...] = ()
    """The text, or each part, without the days that were understood: what the articles of these
    days are read for. Empty where no day was."""
    kind: QueryKind = "question"


@dataclass(frozen=True, slots=True)
class Scores:
    """Where a passage stood; None where that part did not see it. Larger is better in all."""

    dense: float | None = None
    """Cosine similarity, -1 to 1."""
    lexical: float | None = None
    """BM25, 0 and up."""
    fused: float | None = None
    reranked: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """Article text that was found, at most `MAX_PASSAGE_CHARS` long."""

    article_id: str
    start: int
    end: int
    text: str
    title: str
    url: str | None = None
    outlet: str | None = None
    published: datetime | None = None
    language: str | None = None
    """Of its article, as ISO 639-1: where its sentences end depends on it."""
    scores: Scores = field(default_factory=Scores)

    def cite(self, number: int, start: int, end: int) -> Citation:
        """A citation of a stretch of it, whose offsets are into the article."""
        return Citation(
            number=number,
            article_id=self.article_id,
            title=self.title,
            url=self.url,
            outlet=self.outlet,
            published=self.published,
            quote=self.text[start - self.start : end - self.start],
            start=start,
            end=end,
        )


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote that a sentence rests on: `article.text[start:end] == quote`, always."""

    number: int
    article_id: str
    title: str
    url: str | None
    outlet: str | None
    published: datetime | None
    quote: str
    start: int
    end: int
    speaker: str | None = None
    also_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, the numbers of its citations, and what they are worth."""

    text: str
    citations: tuple[int, ...]
    verdict: VerdictOfSentence


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a language model read and wrote."""

    input_tokens: int
    output_tokens: int
    cost: float | None = None
    """In the currency of the settings' prices; None where they give none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with all that is needed to check it, or an abstention with what came nearest."""

    question: str
    text: str
    """Carries the [n] marks."""
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    query: Query
    confidence: float
    """0 to 1: the probability that the answer is right, had it been given."""
    conflicts: tuple[tuple[int, int], ...] = ()
    abstained: bool = False
    reason: str | None = None
    """Why it abstained; None where it did not."""
    short: str | None = None
    """The words of its quotes that answer by themselves, bold in `text`."""
    model: str = "extractive"
    prompt: str | None = None
    """What the language model was told, by name and version; None where none was asked."""
    usage: Usage | None = None
    undated: int = 0
    """Articles that the question's dates left out because they carry none."""
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)
    """Seconds, by step."""
    id: str = field(default="", compare=False)
    """What its spans and log lines carry as the question's id."""

    def __str__(self) -> str:
        lines = [self.text]
        if self.citations:
            lines.append("")
            lines.extend(describe(citation) for citation in self.citations)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who said what: spans into the text."""

    source: Span | None
    cue: Span | None
    content: Span
    speaker: str | None
    role: str | None
    kind: SpeakerKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """What evidence says of a sentence; `score` is the probability that it supports it."""

    label: VerdictLabel
    score: float
    quote: tuple[int, int, int] | None = None
    """Index into the evidence, start, end; None where nothing bears on the sentence."""
    citations: tuple[Citation, ...] = ()
    """Of a claim against an archive: every quote that bears on it, those for it first."""
    against: tuple[int, ...] = ()
    """The numbers of those that contradict it."""
    reason: str | None = None
    """Why nothing was found that bears on it; None where something was."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an answer's text as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class SentenceDone:
    """A sentence of a streamed answer that is complete and checked."""

    sentence: Sentence
    citations: tuple[Citation, ...] = ()
    """The citations that this sentence was the first to use."""


Event = Token | SentenceDone | Answer


def describe(source: Citation | Passage | Article, day: str | None = None) -> str:
    """One line that names a source: `[1] The Outlet, 4 March 2025: Headline`.

    The day is given where it is not to be printed in English.
    """
    number = f"[{source.number}] " if isinstance(source, Citation) else ""
    day = day or (printed_day(source.published) if source.published else "undated")
    said = f"{source.outlet or 'unknown outlet'}, {day}: {source.title or 'untitled'}"
    return number + " ".join(said.split())


def scope(query: Query) -> str:
    """One line on how what was understood narrowed the search; empty where it did not.

    For example `Only: Kontor, 1 October 2025 to 31 October 2025`.
    """
    if not query.understood:
        return ""
    parts = [" or ".join(query.outlets)] if query.outlets else []
    if query.after and query.before:
        first, last = printed_day(query.after), printed_day(query.before - timedelta(1))
        parts.append(first if first == last else f"{first} to {last}")
    elif query.after:
        parts.append(f"from {printed_day(query.after)} on")
    elif query.before:
        parts.append(f"before {printed_day(query.before)}")
    if query.as_of:
        parts.append(f"as of {printed_day(query.as_of)}")
    narrowed = ", ".join(parts)
    return f"No answer in {narrowed}: all was searched" if query.widened else f"Only: {narrowed}"


def printed_day(moment: date) -> str:
    """The day as an article prints it: `4 March 2025`."""
    return f"{moment.day} {moment:%B %Y}"


def to_json(value: Any) -> Any:
    """A value as plain JSON, field by field under the same names; dates in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
