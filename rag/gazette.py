"""The one class that ties the parts together: an open archive that can be asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from opentelemetry.trace import SpanKind

from rag import tracing
from rag.answering import answer
from rag.archive import Archive
from rag.claims import check
from rag.cross_encoder import CrossEncoder
from rag.embeddings import load_embedder
from rag.errors import ArchiveError, UsageError
from rag.extractive import rank_by_reading
from rag.language_model import LanguageModel
from rag.minilm import DEFAULT_MODEL
from rag.overview import ARTICLES, gather
from rag.providers import load_language_model
from rag.question import Filters, understand
from rag.replies import reply
from rag.retrieval import Retrieved, load_reranker, retrieve
from rag.settings import Settings
from rag.types import (
    Answer,
    Article,
    Event,
    History,
    Passage,
    Query,
    SentenceDone,
    Verdict,
    to_json,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.retriever import GazetteRetriever

PASSAGES = 5
"""How many an answer is made from."""
EVIDENCE = 10
"""How many passages a claim is held against."""


class Gazette:
    """An archive and the models that read it. Ask from any thread; close when done."""

    def __init__(self, archive: Archive, settings: Settings, model: LanguageModel | None) -> None:
        self.settings = settings
        self._archive = archive
        self._model = model
        self.reads = settings.reader == "own"
        """Whether our own reader has its say on the sentences."""
        self.embedder = load_embedder(
            settings.embedding_model or archive.embedding_model or DEFAULT_MODEL
        )
        """What made the archive's vectors, also for LangChain."""
        self._verifier = CrossEncoder(settings.verifier) if settings.verifier else None
        archive.check_model(self.embedder.name)
        self._reranker = load_reranker(settings.reranker) if settings.reranker else None

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        llm: str | BaseChatModel | None = None,
        base_url: str | None = None,
        embedding_model: str | None = None,
        api_key: str | None = None,
        verifier: str | None = None,
        reranker: str | None = None,
        reader: Literal["own", "none"] | None = None,
    ) -> Gazette:
        """Open an archive; what is not given comes from the settings.

        `llm` is `extractive`, `provider:model`, or a LangChain chat model; with `base_url` no key
        is demanded. `verifier` is a cross-encoder that was trained on natural language inference,
        by name or path; it is loaded when it is first needed;
        `reranker` is one that was trained to rank; `reader="none"` leaves the sentences to signals.
        Raises `ArchiveError` where there is
        no archive, `EmbeddingError` where another model made it, `LanguageModelError` where the
        language model cannot be made, `CrossEncoderError` where a cross-encoder cannot be had.
        """
        named = llm if isinstance(llm, str) else None
        settings = Settings.given(
            archive=path,
            llm=named,
            base_url=base_url,
            embedding_model=embedding_model,
            api_key=api_key,
            verifier=verifier,
            reranker=reranker,
            reader=reader,
        )
        if llm is None or isinstance(llm, str):
            model = load_language_model(settings)
        else:
            model = LanguageModel(llm, type(llm).__name__)
        archive = Archive(settings.archive)
        try:
            return cls(archive, settings, model)
        except BaseException:  # whatever it was, nobody else holds the archive to close it
            archive.close()
            raise

    def close(self) -> None:
        """Release every file; a second call does nothing."""
        self._archive.close()

    def __enter__(self) -> Gazette:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def ask(self, question: str, history: History = (), **filters: Unpack[Filters]) -> Answer:
        """Answer a question, or say that the articles do not.

        `history` is the turns before, oldest first; for `outlets`, `after`, `before` and `as_of`
        see `Filters`. Raises `UsageError` for a question or a date that makes no sense,
        `LanguageModelError` where the model fails.
        """
        for event in self.stream(question, history, **filters):
            if isinstance(event, Answer):
                return event
        raise AssertionError("a stream of events ends with an answer")

    async def aask(
        self, question: str, history: History = (), **filters: Unpack[Filters]
    ) -> Answer:
        """As `ask`, without blocking the event loop: the work goes on in a thread."""
        return await asyncio.to_thread(self.ask, question, history, **filters)

    def stream(
        self, question: str, history: History = (), **filters: Unpack[Filters]
    ) -> Iterator[Event]:
        """As `ask`, event by event: `Token`s, a `SentenceDone` for each, last the `Answer`."""
        return tracing.Stream(self._events(question, history, filters))

    def _events(self, question: str, history: History, filters: Filters) -> Generator[Event | None]:
        """None when the question is understood and something found; then the events."""
        with self._asking("ask") as asking:
            asking.show(input__messages=tracing.message("user", question))
            query = understand(question, history, self._archive.ledger.index, **filters)
            k = ARTICLES if query.kind == "overview" else PASSAGES
            query, found = self._find(query, k, question)
            yield None
            for event in self._answers(question, query, history, found):
                if isinstance(event, Answer):
                    answer = event
                else:
                    yield event
            seconds = asking.asked.seconds
            timings = {name: seconds[name] for name in ("retrieve", "answer")}
            answer = replace(answer, id=asking.asked.id, timings=timings)
            asking.note(**_facts(answer))
            asking.show(output__messages=tracing.message("assistant", answer.text))
        yield answer  # when all is told, for whoever has it may stop listening

    def _asking(self, what: str) -> AbstractContextManager[tracing.Step]:
        """The first step of whatever is asked."""
        name = f"gazette.{what}"
        told = {"operation": "invoke_workflow", "agent": name}
        shows = self.settings.trace_content
        return tracing.step(name, f"invoke_workflow {name}", told=told, shows=shows)

    def _answers(
        self, question: str, query: Query, history: History, found: Retrieved
    ) -> Iterator[Event]:
        """A plain reply, or an answer from what was found, or from more if that gives none."""
        if query.kind in ("greeting", "archive"):
            query = replace(query, widened=False)
            return _in_a_step(reply(question, query, found, self._archive.ledger))
        events = self._answer(question, query, history, found)
        if query.understood and not query.widened:
            return self._or_widened(events, question, query, history)
        return events

    def _or_widened(
        self, events: Iterator[Event], question: str, query: Query, history: History
    ) -> Iterator[Event]:
        """An answer; where there is none, that of a search which the question does not narrow."""
        held: list[Event] = []
        for event in events:
            held.append(event)
            is_answer = isinstance(event, Answer) and not event.abstained
            if is_answer or isinstance(event, SentenceDone):
                yield from held
                yield from events
                return
        tracing.happened("widened")
        k = ARTICLES if query.kind == "overview" else PASSAGES
        query, found = self._find(replace(query, widened=True), k, question)
        yield from self._answer(question, query, history, found)

    def _answer(
        self, question: str, query: Query, history: History, found: Retrieved
    ) -> Iterator[Event]:
        models = self.embedder, self._model, self._verifier
        return _in_a_step(answer(question, query, history, found, *models, self.reads))

    def verify(self, claim: str, **filters: Unpack[Filters]) -> Verdict:
        """What the articles say of a claim: supported, contradicted, or neither.

        `citations` are the quotes that bear on it, newest first, those for it before those
        `against`. If there are both, the label is `supported`: a quote that says so is a surer find
        than one that differs, which may speak of another day or another matter. The dates tell
        what the newest says. Raises `UsageError` as `ask` does, `CrossEncoderError` where the
        verifier cannot be loaded.
        """
        filters["read_filters"] = False  # what a claim names, it does not ask for
        with self._asking("verify") as asking:
            asking.show(input__messages=tracing.message("user", claim))
            query = understand(claim, (), self._archive.ledger.index, **filters)
            query, found = self._find(query, EVIDENCE)
            with tracing.step("verify"):
                verdict = check(claim, query, found, self._verifier)
            against = len(verdict.against)
            asking.note(
                label=verdict.label, for_it=len(verdict.citations) - against, against_it=against
            )
        return verdict

    def retrieve(
        self, question: str, k: int = PASSAGES, history: History = (), **filters: Unpack[Filters]
    ) -> tuple[Passage, ...]:
        """The k passages that best fit a question, best first."""
        with self._asking("retrieve"):
            query = understand(question, history, self._archive.ledger.index, **filters)
            return self._find(query, k, question)[1].passages

    def _find(self, query: Query, k: int, question: str = "") -> tuple[Query, Retrieved]:
        """What is found, and the query, widened where what was understood leaves nothing."""
        if k < 1:
            raise UsageError(f"{k} passages cannot be retrieved; ask for 1 or more")
        archive = str(self.settings.archive)
        span, told = f"retrieval {archive}", {"operation": "retrieval", "archive": archive}
        with tracing.step("retrieve", span, SpanKind.CLIENT, told=told) as step:
            step.show(retrieval__query__text=query.text)
            query, found = self._found(query, k, question)
            given = [{"id": p.article_id, "score": p.scores.reranked} for p in found.passages]
            step.show(retrieval__documents=given)
            step.note(k=k, passages=len(given), kind=query.kind, widened=query.widened)
            return query, found

    def _found(self, query: Query, k: int, question: str) -> tuple[Query, Retrieved]:
        """Where what was understood leaves too few, the best of all others follow.

        But not for an overview. The reader orders the first passages where there is a question
        that they may answer.
        """
        self._archive.check_model(self.embedder.name)  # it may have been reindexed meanwhile
        found = self._search(query, k, question)
        if not query.understood or len(found.passages) == k:
            return query, found
        if query.kind == "overview" and found.passages:
            return query, found
        widened = replace(query, widened=True)
        others = self._search(widened, k, question)
        if not found.passages:
            return widened, others
        seen = {passage.article_id for passage in found.passages}
        more = [passage for passage in others.passages if passage.article_id not in seen]
        return query, replace(found, passages=(*found.passages, *more)[:k])

    def _search(self, query: Query, k: int, question: str) -> Retrieved:
        search = partial(retrieve, self._archive, self.embedder, reranker=self._reranker)
        if query.kind == "overview":
            return gather(self._archive.ledger, query, k, search)
        found = search(query, k)
        if not question or not self.reads or self._reranker or query.kind != "question":
            return found
        first, others = found.passages[:PASSAGES], found.passages[PASSAGES:]
        return replace(found, passages=rank_by_reading(question, query, first) + others)

    def article(self, name: str) -> Article:
        """The article that a citation or a passage points into: by its id, or its URL or source.

        Raises `ArchiveError` where it is not, or no longer, in the archive.
        """
        ledger = self._archive.ledger
        article = ledger.article(name) or next(map(ledger.article, ledger.find(name, name)), None)
        if article is None:
            raise ArchiveError(
                f"there is no article {name!r} in {str(self.settings.archive)!r}; "
                "see: gazette articles list"
            )
        return article

    def articles(self, outlet: str | None = None, **filters: Unpack[Filters]) -> Iterator[Article]:
        """Whole articles, newest first, the undated last."""
        if outlet:
            filters["outlets"] = (outlet,)
        query = understand("all articles", **filters)
        return self._archive.ledger.articles(self._archive.ledger.index.choose(query))

    def count(self) -> int:
        """How many articles the archive holds."""
        return self._archive.ledger.article_count()

    def as_retriever(self, k: int = PASSAGES) -> GazetteRetriever:
        """A LangChain retriever over this archive, for anyone's own chain."""
        from rag.retriever import GazetteRetriever  # its base class costs 0.8 s

        return GazetteRetriever(gazette=self, k=k)


def _facts(answer: Answer) -> dict[str, object]:
    """What is told of an answer to those who run Gazette: nothing that was asked or said."""
    usage = to_json(answer.usage) or {}
    return {
        "kind": answer.query.kind,
        "widened": answer.query.widened,
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 3),
        "verdicts": dict(Counter(sentence.verdict for sentence in answer.sentences)),
        "citations": len(answer.citations),
        "llm": answer.model,
        "prompt": answer.prompt,
        "usage": {name: value for name, value in usage.items() if value is not None} or None,
    }


def _in_a_step(events: Iterator[Event]) -> Iterator[Event]:
    """The events of an answer; the step is over when the answer is whole."""
    with tracing.step("answer"):
        for event in events:
            if isinstance(event, Answer):
                break
            yield event
    yield event


def ask(question: str, archive: str | Path | None = None, llm: str | None = None) -> Answer:
    """Answer one question from an archive, by default the one that the settings name."""
    with Gazette.open(archive, llm) as gazette:
        return gazette.ask(question)
