"""From passages to an answer: every sentence with a verdict, every claim with its quote.

Both answerers end here. What the extractive one chooses is quoted; what a language model writes
is cut into sentences, its marks become citations, and each sentence is held against its quotes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from rag.antecedents import with_antecedent
from rag.cross_encoder import CrossEncoder
from rag.embeddings import Embedder
from rag.extractive import ENOUGH_CONFIDENCE, ENOUGH_READ, MAX_QUOTED_WORDS, Extract, extract
from rag.language import fold, sentence_spans, terms
from rag.language_model import EXTRACTIVE, LanguageModel
from rag.overview import Overview, overview
from rag.phrases import day, describe_in, language_of, say
from rag.retrieval import Retrieved
from rag.signals import Candidate
from rag.types import (
    Answer,
    Citation,
    Event,
    History,
    Passage,
    Query,
    Sentence,
    SentenceDone,
    Token,
    Usage,
    VerdictOfSentence,
    describe,
)
from rag.verification import verify

MAX_QUOTE_WORDS = 40
"""Of one quote under a language model's sentence: three of them fit the 120 of an answer."""
HISTORY_TURNS = 3
NOT_IN_THE_ARTICLES = "NOT IN THE ARTICLES"
"""What the prompt asks a model to write where the passages do not answer."""

# [1], [1, 2], [1-3], [Passage 1], [^1], 【1】
_MARK = r"[\[【]\s*\^?(?:passages?\s+)?(\d+(?:\s*(?:[,;–-]|and)\s*\d+)*)\s*[\]】]"
_MARKS = re.compile(rf"\s*{_MARK}", re.IGNORECASE)
_MARKS_AFTER_STOP = re.compile(rf"([.!?][\"”’']?)((?:\s*{_MARK})+)", re.IGNORECASE)
_LIST_ITEM = re.compile(r"^(?:[-*•#>]+|\d{1,2}[.)])\s+|\*\*|__")


def answer(
    question: str,
    query: Query,
    history: History,
    retrieved: Retrieved,
    embedder: Embedder,
    model: LanguageModel | None,
    verifier: CrossEncoder | None = None,
    reads: bool = True,
) -> Iterator[Event]:
    """Write the answer, event by event; the last event is the whole `Answer`.

    What a model writes is held against the passages by the verifier, or by signals without one.
    Where it `reads`, our own reader helps to choose what is quoted.
    """
    started = time.perf_counter()
    chosen: Overview | Extract
    if query.kind == "overview":
        chosen = overview(question, query, retrieved.passages, embedder)
    else:
        chosen = extract(question, query, retrieved.passages, embedder, reads)
    name = model.name if model else EXTRACTIVE
    draft = _Draft(question, query, retrieved, chosen.confidence, name, verifier)
    if not retrieved.passages:
        yield from _nothing(draft)
    elif model:
        yield from _write(draft, history, model)
    elif isinstance(chosen, Overview):
        yield from _survey(draft, chosen)
    else:
        yield from _quote(draft, chosen, ENOUGH_READ if reads else ENOUGH_CONFIDENCE)
    yield draft.finish(time.perf_counter() - started)


def why_nothing(query: Query, retrieved: Retrieved) -> tuple[str, dict[str, object]]:
    """Why no passage was found: what is said, and what is put into it."""
    if retrieved.unknown:
        names = ", ".join(repr(name) for name in retrieved.unknown)
        reason = "the archive has no article of {names} (an outlet's whole name, or its domain)"
        return reason, {"names": names}
    if query.outlets or query.after or query.before or query.as_of or query.without:
        left_out = " ({count} undated left out)" if retrieved.undated else ""
        reason = f"no article is left by the outlets and dates asked for{left_out}"
        return reason, {"count": retrieved.undated}
    return "the archive holds no articles", {}


def _nothing(draft: _Draft) -> Iterator[Event]:
    """No passage was found: say why."""
    reason, given = why_nothing(draft.query, draft.retrieved)
    yield from draft.abstain(reason, **given)


def _quote(draft: _Draft, extracted: Extract, enough: float) -> Iterator[Event]:
    """The extractive answer: the chosen sentences, word for word."""
    if extracted.confidence < enough:
        yield from draft.abstain("no passage answers the question")
        return
    quoted = list(filter(None, (_quoted(draft, each) for each in extracted.sentences)))
    quotes = "\n".join(citation.quote for citation in draft.citations)
    if extracted.shorts and all(short in quotes for short in extracted.shorts):
        draft.short = " ".join("; ".join(extracted.shorts).split())
        yield Token(draft.lead)
    for done in quoted:
        yield Token(f"{marked_text([done.sentence])} ")
        yield done


def _quoted(draft: _Draft, candidate: Candidate) -> SentenceDone | None:
    """A sentence as it stands, and who its "he" or "she" is; None where no more may be quoted."""
    passage = candidate.passage
    number = draft.cite(passage, candidate.start, candidate.end, candidate.text)
    if number is None:
        return None
    quote = draft.quote(number)
    text = candidate.text if candidate.text in quote else quote  # it may have been cut
    before = passage.text[: candidate.start - passage.start]
    return draft.add(with_antecedent(" ".join(text.split()), before), (number,), "quoted")


def _survey(draft: _Draft, chosen: Overview) -> Iterator[Event]:
    """An overview: a line for each sentence, led by its outlet and day, which are not quoted."""
    if not chosen.sentences:
        yield from draft.abstain("no passage answers the question")
        return
    language = language_of(draft.question)
    lines: list[str] = []
    if chosen.outlets:
        lines.append(say("Outlets: {names}", language, names=", ".join(chosen.outlets)))
        yield Token(f"{lines[0]}\n")
    for candidate in chosen.sentences:
        done = _quoted(draft, candidate)
        if done is None:
            continue
        published = candidate.passage.published
        when = [day(published, language)] if published else []
        lead = ", ".join([*filter(None, [candidate.passage.outlet]), *when])
        lines.append(f"{f'[{lead}] ' if lead else ''}{marked_text([done.sentence])}")
        yield Token(f"{lines[-1]}\n")
        yield done
    draft.text = "\n".join(lines)


def _write(draft: _Draft, history: History, model: LanguageModel) -> Iterator[Event]:
    """A language model's answer, checked sentence by sentence while it is written."""
    system, user = _prompt(draft.question, history, draft.retrieved.passages)
    unread = unshown = ""
    reply = model.reply(system, user)
    for piece in reply:
        unread += piece
        unshown += piece
        if not draft.sentences and _refuses(unread):
            continue
        yield Token(unshown)
        unshown = ""
        *done, unread = _marked_sentences(unread)
        for sentence in done:
            yield from _check(draft, sentence)
    draft.usage = reply.usage
    if draft.sentences or not unread.strip().upper().startswith(NOT_IN_THE_ARTICLES):
        yield from _check(draft, unread)
    if not draft.sentences:
        yield from draft.abstain("the language model found no answer in the passages")


def _refuses(text: str) -> bool:
    """Whether a text says, or may yet come to say, that the articles do not answer."""
    start = text.strip(" \n\"'*").upper()[: len(NOT_IN_THE_ARTICLES)]
    return bool(start) and NOT_IN_THE_ARTICLES.startswith(start)


def _marked_sentences(text: str) -> list[str]:
    """The sentences with their [n] marks inside; the last may be incomplete."""
    text = _MARKS_AFTER_STOP.sub(r"\2\1", text)
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    if len(sentences) > 1 and sentences[-1].startswith(("[", "【")):  # a mark still arriving
        last = sentences.pop()
        sentences[-1] += f" {last}"
    if sentences and text[-1:].isspace():
        sentences[-1] += " "
    return sentences or [text]


def _prompt(question: str, history: History, passages: Sequence[Passage]) -> tuple[str, str]:
    """The system's and the user's message. Passages are fenced, and cannot close their fence."""
    prompts = files("rag") / "prompts"
    system = (prompts / "answer.txt").read_text(encoding="utf-8")
    fenced = "\n".join(
        f"<passage number={number} from={_harmless(describe(passage))!r}>\n"
        f"{_harmless(passage.text)}\n</passage>"
        for number, passage in enumerate(passages, 1)
    )
    turns = "".join(
        f"Earlier question: {asked}\nEarlier answer: {answered}\n"
        for asked, answered in history[-HISTORY_TURNS:]
    )
    return system.format(refusal=NOT_IN_THE_ARTICLES), f"{fenced}\n\n{turns}Question: {question}"


def _harmless(text: str) -> str:
    return text.replace("<", "‹").replace(">", "›")


def _check(draft: _Draft, marked: str) -> Iterator[Event]:
    """Hold a model's sentence against the passages it marks, or against all if it marks none."""
    text = _LIST_ITEM.sub("", " ".join(_MARKS.sub("", marked).split()))
    if not re.search(r"[^\W\d_]", text):
        return
    passages = draft.retrieved.passages
    cited = [passages[n - 1] for n in _marks(marked) if 1 <= n <= len(passages)]
    pool = cited or list(passages)
    best = verify(text, [passage.text for passage in pool], draft.verifier)
    if len(cited) > 1 and best.label != "supported":  # perhaps it joins what each of them says
        found = [(p, verify(text, [p.text], draft.verifier).quote) for p in cited]
    else:
        shown = best.quote if cited or best.label != "unsupported" else None
        found = [(pool[shown[0]], shown)] if shown else []
    numbers = [
        draft.cite(passage, passage.start + quote[1], passage.start + quote[2], text)
        for passage, quote in found
        if quote
    ]
    kept = [number for number in dict.fromkeys(numbers) if number]
    # A claim without a quote to open is not shown as checked: its label comes from the quotes.
    yield draft.add(text, kept, _label(draft, text, [draft.quote(number) for number in kept]))


def _marks(marked: str) -> list[int]:
    """The passage numbers that a sentence marks, each once; [1-3] is three of them."""
    found: dict[int, None] = {}
    for group in _MARKS.findall(marked):
        for first, last in re.findall(r"(\d+)(?:\s*[–-]\s*(\d+))?", group):
            ending = int(last or first)
            found |= dict.fromkeys(range(int(first), min(ending, int(first) + 20) + 1))
    return list(found)


def _label(draft: _Draft, text: str, quotes: Sequence[str]) -> VerdictOfSentence:
    """What a sentence is worth by the quotes that are shown under it, alone or together."""
    verdict = verify(text, quotes, draft.verifier)
    if verdict.label != "supported" and len(quotes) > 1:
        return verify(text, ["\n".join(quotes)], draft.verifier).label
    return "quoted" if verdict.score == 1.0 else verdict.label


@dataclass
class _Draft:
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
    usage: Usage | None = None
    shown: int = 0

    @property
    def lead(self) -> str:
        """The short answer, in front of the sentences."""
        return f"**{self.short.removesuffix('.')}.** " if self.short else ""

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
        language = language_of(self.question)
        told = say(reason, language, **values)
        lines = [say("The articles do not say: {reason}.", language, reason=told)]
        nearest = [describe_in(passage, language) for passage in self.retrieved.passages]
        if nearest:
            lines += [say("What comes nearest:", language)]
            lines += [f"– {line}" for line in dict.fromkeys(nearest)]
        self.text = "\n".join(lines)
        yield Token(self.text)

    def finish(self, seconds: float) -> Answer:
        """The whole answer."""
        checked = [s for s in self.sentences if s.verdict in ("quoted", "supported")]
        share = len(checked) / len(self.sentences) if self.sentences else 1.0
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
            usage=self.usage,
            undated=self.retrieved.undated,
            timings={"retrieve": self.retrieved.seconds, "answer": seconds},
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
