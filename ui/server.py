"""The archive over HTTP: /v1 for other programs, whose errors are as OpenAI's API has them.

`/v1/ask` and `/v1/retrieve` give what `--json` gives, `/v1/chat/completions` and `/v1/models` speak
OpenAI's protocol (`ui/openai_api.py`). /v1/docs describes them, and loads nothing from elsewhere.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any, TypeVar, Unpack

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag import Gazette
from rag.errors import GazetteError, LanguageModelError, UsageError
from rag.gazette import PASSAGES
from rag.question import Filters
from rag.types import Answer, History, Passage, to_json
from ui.desk import Desk
from ui.guard import refusal
from ui.mcp_server import MOST_PASSAGES

MOST_BYTES = 1_000_000
"""Of a request's body."""
LONGEST, LONGEST_HISTORY = 8_000, 20
"""Characters of a text, and turns before a question."""
AT_ONCE = 100
"""Answers that are written at a time, each in a thread; more of them wait their turn."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


def _speakable(text: str) -> str:
    """Text that can be written as UTF-8: JSON can name halves of characters that cannot."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("has half a character (a lone surrogate); send whole ones") from error
    return text


Text = Annotated[str, AfterValidator(_speakable), Field(max_length=LONGEST)]
Day = Annotated[Text | None, Field(description="A day, such as 2025-03-14.")]


class Question(BaseModel):
    """A question, the turns before it, and what narrows the search."""

    model_config = ConfigDict(extra="forbid")

    question: Text
    history: Annotated[
        list[tuple[Text, Text]],
        Field(max_length=LONGEST_HISTORY, description="Question and answer, oldest first."),
    ] = []
    outlets: Annotated[list[Text] | None, Field(description="Names or domains; null: all.")] = None
    after: Day = None
    before: Day = None
    as_of: Day = None

    def filters(self) -> Filters:
        """What narrows the search."""
        return Filters(
            outlets=self.outlets or None, after=self.after, before=self.before, as_of=self.as_of
        )


class Search(Question):
    """A question of which the passages are wanted."""

    k: Annotated[int, Field(ge=1, le=MOST_PASSAGES, description="How many.")] = PASSAGES


class Found(BaseModel):
    """Passages, best first."""

    passages: tuple[Passage, ...]


class Problem(BaseModel):
    """What was wrong, and what to do."""

    message: str
    type: str
    param: str | None
    code: str | None


class Failure(BaseModel):
    """An error, as OpenAI's API has it."""

    error: Problem


class Work:
    """What is asked of the archive, in threads of its own: none of those that Gradio's page takes.

    Searching computes: as many do at a time as there are cores, so that who came first is answered
    first. Writing mostly waits for a language model.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._searching: CapacityLimiter | None = None
        self._writing: CapacityLimiter | None = None

    async def search(self, work: Callable[[Gazette], T]) -> T:
        """Some work on the archive, which is opened if it is not open yet."""
        if self._searching is None:  # it belongs to the loop that runs
            self._searching = CapacityLimiter(os.cpu_count() or 1)
        return await to_thread.run_sync(lambda: work(self._desk.gazette()), limiter=self._searching)

    async def write(self, work: Callable[[], T]) -> T:
        """What goes on with an answer."""
        if self._writing is None:
            self._writing = CapacityLimiter(AT_ONCE)
        return await to_thread.run_sync(work, limiter=self._writing)

    async def ask(self, question: str, history: History, **filters: Unpack[Filters]) -> Answer:
        """The answer to a question."""
        asked = partial(Gazette.stream, question=question, history=history, **filters)
        events = await self.search(asked)
        return await self.write(lambda: next(each for each in events if isinstance(each, Answer)))


def api(desk: Desk) -> FastAPI:
    """What is served under /v1."""
    from ui.openai_api import add_openai

    says: dict[int | str, dict[str, Any]] = {
        400: {"model": Failure, "description": "What is asked makes no sense"},
        413: {"model": Failure, "description": "More than is read"},
        422: {"model": Failure, "description": "Not in the form that is wanted"},
        502: {"model": Failure, "description": "The language model failed"},
        503: {"model": Failure, "description": "The archive cannot be read"},
    }
    app = FastAPIOffline(
        title="Gazette",
        version=version("gazette"),
        description="Answers from news articles, each sentence with the quotes it rests on.",
        responses=says,
        redoc_url=None,
    )
    app.add_middleware(_BodyLimit)
    for kind in (GazetteError, OSError, sqlite3.Error, Exception):
        app.add_exception_handler(kind, _failed)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)
    work = Work(desk)

    @app.post("/ask", response_model=Answer)
    async def ask(given: Question) -> Response:
        """Answer a question, or say that the articles do not: the JSON of `gazette ask --json`."""
        return JSONResponse(
            to_json(await work.ask(given.question, given.history, **given.filters()))
        )

    @app.post("/retrieve", response_model=Found)
    async def retrieve(given: Search) -> Response:
        """Find the passages that best fit a question."""
        asked = partial(Gazette.retrieve, question=given.question, k=given.k)
        found = await work.search(partial(asked, history=given.history, **given.filters()))
        return JSONResponse({"passages": to_json(found)})

    add_openai(app, work)
    return app


async def health(request: Request, desk: Desk) -> Response:
    """Whether questions can be answered; tells nothing of the archive."""
    try:
        await to_thread.run_sync(lambda: desk.gazette().count())
    except (GazetteError, OSError, sqlite3.Error):
        return JSONResponse({"status": "no archive"}, 503)
    return JSONResponse({"status": "ok"})


def told(error: Exception) -> JSONResponse:
    """What Gazette refuses or fails to do, as a response."""
    if isinstance(error, UsageError):
        return refusal(400, str(error))
    if isinstance(error, LanguageModelError):
        return refusal(502, str(error))
    if isinstance(error, GazetteError | OSError | sqlite3.Error):
        return refusal(503, str(error))
    logger.error("a request failed", exc_info=error)
    return refusal(500, f"{type(error).__name__}; ask again")


async def _failed(_: Request, error: Exception) -> Response:
    return told(error)


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    said = f"{place or 'the body'}: {first['msg']}"
    return refusal(422, said.encode(errors="replace").decode())


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return refusal(error.status_code, f"{error.detail}; see /v1/docs", headers)


class _BodyLimit:
    """Reads the whole of a request, and refuses what is more than `MOST_BYTES`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                said = f"the body has more than {MOST_BYTES:,} bytes; send less"
                await refusal(413, said)(scope, receive, send)
                return
        held: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return held.pop() if held else await receive()

        await self._app(scope, replayed, send)
