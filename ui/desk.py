"""What the web chat does with the archive: opens it, answers from it, shows an article of it."""

from __future__ import annotations

import logging
import shlex
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from rag import Gazette
from rag.errors import GazetteError
from rag.language_model import EXTRACTIVE
from rag.settings import Settings
from rag.types import Answer, Article, Event, SentenceDone, scope
from ui.adding import add
from ui.page import Turn, article_page, bare_page, folded

SAMPLE_OUTLET = "lindholtcourier.est"  # `.est` does not exist: only the sample archive has it
# The page needs its own style and nothing else; no script of an article's could run.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
}

logger = logging.getLogger(__name__)


class Desk:
    """The archive as it is now: opened when it is first there, and anew when it was replaced."""

    def __init__(
        self,
        archive: str | None,
        llm: str | None,
        base_url: str | None,
        reranker: str | None = None,
        allow_private: bool = False,
    ) -> None:
        models = {"llm": llm, "base_url": base_url, "reranker": reranker}
        self.settings = Settings.given(archive=archive, **models)
        self._given: dict[str, Any] = {"path": archive, **models}
        self._allow_private = allow_private
        self._opening = threading.Lock()
        self._open: Gazette | None = None
        self._seen: int | None = None

    def gazette(self) -> Gazette:
        """The open archive, shared by all sessions. Raises `GazetteError` where it cannot be."""
        with self._opening:
            there = self._identity()
            if self._open and there != self._seen:
                self._open.close()
                self._open = None
            if self._open is None:
                self._open = Gazette.open(**self._given)
                self._seen = there
            return self._open

    def _identity(self) -> int | None:
        """Which file the ledger is: a folder that was deleted and made anew has another."""
        ledger = self.settings.archive / "ledger.sqlite"
        return ledger.stat().st_ino if ledger.exists() else None

    def welcome(self) -> tuple[str, bool]:
        """The line about the archive, or what to do where there is none; and if it's the sample."""
        try:
            gazette = self.gazette()
            count = gazette.count()
            sample = next(gazette.articles(SAMPLE_OUTLET), None) is not None
        except (GazetteError, OSError, sqlite3.Error) as error:
            if self._identity() is None:
                return self._invitation("There is no archive here yet."), False
            return f'<p class="error" role="alert">{escape(str(error))}</p>', False
        if not count:
            return self._invitation("The archive is empty."), False
        model = self.settings.llm
        how = "answers in the articles’ own words" if model == EXTRACTIVE else model
        line = f"{count:,} article{'s' * (count > 1)} in {self.settings.archive} · {how}"
        return f'<p class="status">{escape(line)}</p>', sample

    def _invitation(self, what: str) -> str:
        command = f"gazette ingest SOURCE --archive {shlex.quote(str(self.settings.archive))}"
        return (
            f'<div class="invitation"><h2>{what}</h2><p>Bring articles in, then ask: '
            '<button type="button" popovertarget="add">add web pages or files here</button>, or in '
            f"a terminal a folder of them.</p><pre>{escape(command)}</pre></div>"
        )

    def answer(self, question: str, before: Sequence[Turn]) -> Iterator[Turn]:
        """The turn as it grows; what goes wrong is told in its place."""
        turn = Turn(question)
        yield turn
        try:
            history = [(old.question, old.said) for old in before if old.said is not None]
            yield from _grow(turn, self.gazette().stream(question, history))
        except GazetteError as error:
            yield replace(turn, failure=str(error))
        except Exception as error:
            logger.exception("a question in the web chat failed")
            yield replace(turn, failure=f"{type(error).__name__}: {error}; ask again")

    def add(self, addresses: str, uploaded: Sequence[str]) -> Iterator[str]:
        """Bring web pages and uploaded files in; tells as HTML how far it is."""
        return add(self.settings.archive, addresses, uploaded, self._allow_private)

    def find(self, article_id: str) -> Article:
        """The article of an id, as it is now. Raises `GazetteError` where there is none."""
        return self.gazette().article(article_id)

    def folded(self, turns: Sequence[Turn]) -> str:
        """The earlier turns of a conversation."""
        return "".join(folded(turn, number, self.find) for number, turn in enumerate(turns, 1))

    def read(self, request: Request) -> HTMLResponse:
        """The page of one article, opened at what was cited of it."""
        start, end = (request.query_params.get(name, "") for name in ("start", "end"))
        try:
            place = int(start), int(end)
        except ValueError:
            place = 0, 0
        try:
            article = self.find(request.path_params["article_id"])
        except GazetteError as error:
            told = f'<p class="error" role="alert">{escape(str(error))}</p>'
            gone = "This article can no longer be opened"
            return HTMLResponse(bare_page(gone, "", told), 404, _HEADERS)
        page = article_page(article, *place, request.query_params.get("of", ""))
        return HTMLResponse(page, headers=_HEADERS)


def _grow(turn: Turn, events: Iterator[Event]) -> Iterator[Turn]:
    """The answer as it is written: the checked sentences, then what is not yet checked."""
    written = ""
    for event in events:
        if isinstance(event, Answer):
            yield _finished(turn, event)
            return
        if isinstance(event, SentenceDone):
            written = ""
            turn = replace(
                turn,
                sentences=(*turn.sentences, event.sentence),
                citations=turn.citations + event.citations,
            )
        else:
            written += event.text
        turn = replace(turn, unchecked=written)
        yield turn


def _finished(turn: Turn, answer: Answer) -> Turn:
    """The whole answer, with its sources or with what comes nearest."""
    narrowed = scope(answer.query)
    if answer.abstained:
        # The other lines of its text list the passages, which stand beside it.
        first = answer.text.splitlines()[0]
        return Turn(
            turn.question, text=first, nearest=answer.passages, abstained=True, scope=narrowed
        )
    return Turn(turn.question, answer.sentences, answer.citations, answer.text, scope=narrowed)
