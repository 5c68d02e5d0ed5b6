"""How services send a model's text, as their documentation gives it, after the path that is asked.

Each format takes the pieces of text and the reason why they end, None for a stream that is cut off.
Tokens are told as 900 read and 30 written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator

Format = Callable[[Iterable[str], str | None], Iterator[str]]


def openai(pieces: Iterable[str], finish: str | None) -> Iterator[str]:
    """The chat completions of OpenAI and Mistral."""
    yield _completion({"role": "assistant", "content": ""})
    for piece in pieces:
        yield _completion({"content": piece})
    if finish:
        yield _completion({"content": ""}, finish)
        yield "data: [DONE]\n\n"


def _completion(delta: dict, finish: str | None = None) -> str:
    chunk = {
        "id": "cmpl-1",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": "mistral-small-latest",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    if finish:
        chunk["usage"] = {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}
    return f"data: {json.dumps(chunk)}\n\n"


def anthropic(pieces: Iterable[str], finish: str | None) -> Iterator[str]:
    """Anthropic's messages."""
    usage = {"input_tokens": 900, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    yield _named("message_start", message=message)
    yield _named("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for piece in pieces:
        yield _named("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    if finish:
        reason = {"stop": "end_turn", "length": "max_tokens"}[finish]
        yield _named("content_block_stop", index=0)
        delta = {"stop_reason": reason, "stop_sequence": None}
        yield _named("message_delta", delta=delta, usage={**usage, "output_tokens": 30})
        yield _named("message_stop")


def _named(kind: str, **data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"


def ollama(pieces: Iterable[str], finish: str | None) -> Iterator[str]:
    """Ollama's chat: JSON, a line for each piece."""
    head = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
    for piece in pieces:
        line = {"message": {"role": "assistant", "content": piece}, "done": False}
        yield json.dumps(head | line) + "\n"
    if finish:
        ending = {"message": {"role": "assistant", "content": ""}, "done": True}
        counted = {"done_reason": finish, "prompt_eval_count": 900, "eval_count": 30}
        yield json.dumps(head | ending | counted) + "\n"


FORMATS: dict[str, Format] = {
    "/v1/chat/completions": openai,
    "/v1/messages": anthropic,
    "/api/chat": ollama,
}
