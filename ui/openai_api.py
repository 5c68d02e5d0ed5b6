"""OpenAI's chat completions over the archive, for clients that speak nothing else.

The last message is the question, the turns before it its history; what is meant for a model that
writes freely (system messages, tools, temperature) is not heeded. The citations come three times:
as footnotes in the text, as OpenAI's `url_citation` annotations, and, whole, as `gazette`.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from rag import Gazette
from rag.errors import UsageError
from rag.markup import defused
from rag.types import Answer, Citation, Event, SentenceDone, Token, Usage, describe, to_json
from ui.guard import refusal
from ui.server import LONGEST, LONGEST_HISTORY, Failure, Text, Work, told

MODEL = "gazette"
_FOOT = "\n\n[1] "
"""Where the footnotes of an answer begin."""
_SINCE = int(time.time())
Chunk = dict[str, Any]


class Part(BaseModel):
    """A part of a message; only text can be read."""

    type: str
    text: Text | None = None


class Message(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def said(self) -> str:
        """Its text, without the footnotes of an answer, as far as it is read."""
        whole = self.content or ""
        if not isinstance(whole, str):
            whole = "\n".join(part.text or "" for part in whole)
        return whole.partition(_FOOT)[0].encode(errors="replace").decode()


class StreamOptions(BaseModel):
    """What a stream brings beside the text."""

    include_usage: bool = False


class Completion(BaseModel):
    """What is heeded of a request for a chat completion."""

    model: Text
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None

    def question(self) -> tuple[str, list[tuple[str, str]]]:
        """The question, and the turns before it. `UsageError` where the last is none."""
        *before, last = self.messages
        if last.role != "user" or not last.said().strip():
            raise UsageError("the last message is no question; send one of the role user, as text")
        if len(last.said()) > LONGEST:
            raise UsageError(f"the question has more than {LONGEST:,} characters; ask a shorter")
        turns: list[tuple[str, str]] = []
        asked = None
        for message in before:
            if message.role == "user":
                asked = message.said()[:LONGEST]
            elif message.role == "assistant" and asked is not None:
                turns.append((asked, message.said()[:LONGEST]))
                asked = None
        return last.said(), turns[-LONGEST_HISTORY:]


def add_openai(app: FastAPI, work: Work) -> None:
    """Let an app under /v1 speak OpenAI's protocol."""

    @app.get("/models")
    async def models() -> dict[str, Any]:
        """The one model that answers from the articles."""
        return {"object": "list", "data": [_model()]}

    @app.get("/models/{model}", responses={404: {"model": Failure}})
    async def model(model: str) -> Response:
        """The same, by its name."""
        return JSONResponse(_model()) if model == MODEL else _unknown(model)

    @app.post("/chat/completions", responses={404: {"model": Failure}})
    async def complete(given: Completion, request: Request) -> Response:
        """Answer the last message from the articles."""
        if given.model != MODEL:
            return _unknown(given.model)
        question, history = given.question()
        answering = OnItsWay(str(request.base_url).removesuffix("/").removesuffix("/v1"))
        if given.stream:
            events = await work.search(partial(Gazette.stream, question=question, history=history))
            usage = bool(given.stream_options and given.stream_options.include_usage)
            lines = _lines(answering, events, work, usage)
            return StreamingResponse(lines, media_type="text/event-stream", headers=_UNBUFFERED)
        return JSONResponse(answering.whole(await work.ask(question, history)))


_UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""To proxies between."""


async def _lines(
    answering: OnItsWay, events: Iterator[Event], work: Work, usage: bool
) -> AsyncIterator[str]:
    """The events of a stream as server-sent ones. What fails under way ends it, told."""
    yield _line(answering.chunk({"role": "assistant", "content": ""}))
    try:
        async with aclosing(_waited(events, work)) as waited:
            async for event in waited:
                for chunk in answering.chunks(event):
                    yield _line(chunk)
                if isinstance(event, Answer) and usage:
                    yield _line({**answering.chunk(None), "usage": _usage(event.usage)})
    except Exception as error:  # noqa: BLE001 - the head is sent: no other way is left to tell it
        yield f"data: {bytes(told(error).body).decode()}\n\n"
    else:
        yield "data: [DONE]\n\n"


async def _waited(events: Iterator[Event], work: Work) -> AsyncGenerator[Event]:
    """The events as they come; nobody who reads no more lets the model write on."""
    try:
        while event := await work.write(partial(next, events, None)):
            yield event
    finally:
        close: Callable[[], None] | None = getattr(events, "close", None)
        if close:
            close()


def _line(chunk: Chunk) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


class OnItsWay:
    """One answer on its way out, in OpenAI's forms."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._head = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": MODEL}

    def whole(self, answer: Answer) -> Chunk:
        """A completion that does not stream."""
        content = defused(answer.text + _footnotes(answer))
        notes = self._annotations(answer, content)
        message = {"role": "assistant", "content": content, "refusal": None, "annotations": notes}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        head = {**self._head, "object": "chat.completion", "choices": [choice]}
        return {**head, "usage": _usage(answer.usage), "gazette": to_json(answer)}

    def chunks(self, event: Event) -> Iterator[Chunk]:
        """What an event of an answer brings."""
        if isinstance(event, Token):
            yield self.chunk({"content": defused(event.text)})
        elif isinstance(event, SentenceDone):
            yield {**self.chunk({}), "gazette": to_json(event)}
        else:
            content = defused(event.text + _footnotes(event))
            if event.citations:
                yield self.chunk({"content": defused(_footnotes(event))})
            notes = {"annotations": self._annotations(event, content)}
            yield {**self.chunk(notes, "stop"), "gazette": to_json(event)}

    def chunk(self, delta: Chunk | None, finish: str | None = None) -> Chunk:
        """A piece of a stream; without a delta it has no choice."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        choices = [] if delta is None else [choice]
        return {**self._head, "object": "chat.completion.chunk", "choices": choices}

    def _annotations(self, answer: Answer, content: str) -> list[Chunk]:
        """For each mark the sentence that it follows, and what it leads to."""
        notes, place = [], 0
        for sentence in answer.sentences:
            text = defused(sentence.text)
            start = content.find(text, place)
            if start < 0:
                continue
            place = start + len(text)
            for number in sentence.citations:
                cited = answer.citations[number - 1]
                to = {"url": self._url(cited), "title": cited.title}
                span = {"start_index": start, "end_index": place}
                notes.append({"type": "url_citation", "url_citation": {**span, **to}})
        return notes

    def _url(self, cited: Citation) -> str:
        """Of the article; where it has none, of the page that this server makes of it."""
        here = f"{self._site}/article/{quote(cited.article_id)}?start={cited.start}&end={cited.end}"
        return cited.url or here


def _footnotes(answer: Answer) -> str:
    """Each citation with its quote, as text."""
    notes = [
        f"\n\n{describe(cited)} – “{' '.join(cited.quote.split())}” {cited.url or ''}".rstrip()
        for cited in answer.citations
    ]
    return "".join(notes)


def _usage(used: Usage | None) -> dict[str, int]:
    read, written = (used.input_tokens, used.output_tokens) if used else (0, 0)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": _SINCE, "owned_by": MODEL}


def _unknown(name: str) -> Response:
    return refusal(
        404, f"there is no model {name!r} here; ask for {MODEL!r}", code="model_not_found"
    )
