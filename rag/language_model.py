"""A language model as Gazette uses it: a prompt in, a stream of text out, or one plain error."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

from rag import tracing
from rag.errors import ContextTooSmallError, LanguageModelError
from rag.retries import is_too_long, name_of, persistently, retry_after, status
from rag.types import Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

EXTRACTIVE = "extractive"
TIMEOUT_SECONDS = 60
"""Without a sign of life."""
BUDGET_SECONDS = 180.0
"""For a reply in all, with what is tried again."""
MOST_TOKENS = 1024
"""That a reply may have: six long sentences have 300."""
SMALL = 4e9
"""Parameters. A model with fewer gets the short prompt."""
_SIZE = re.compile(r"(?<![\d.a-z])(\d+(?:\.\d+)?)([mb])(?![a-z\d])", re.IGNORECASE)
# How providers name the reason why a stream ended; a stream without any was cut off.
_ENDINGS = ("finish_reason", "stop_reason", "done_reason")
_PROVIDERS = {"mistralai": "mistral_ai"}
"""Where OpenTelemetry's conventions name a provider in another way than LangChain."""
_RAN_OUT = {"length", "max_tokens", "model_length"}
"""Reasons that say: it had more to say than `MOST_TOKENS`."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens that a model reads and writes; None where the user gave none."""

    read: float | None = None
    written: float | None = None

    def of(self, read: int, written: int) -> float | None:
        """What so many tokens cost, in the user's currency."""
        if self.read is None and self.written is None:
            return None
        return (read * (self.read or 0) + written * (self.written or 0)) / 1e6


class LanguageModel:
    """A chat model that streams text, and says what went wrong in plain words."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        secrets: Sequence[str] = (),
        prices: Prices | None = None,
    ) -> None:
        self.name = name
        self.prices = prices or Prices()
        self._model = model
        self._secrets = tuple(secrets)

    @property
    def is_small(self) -> bool:
        """Whether its name tells that it has fewer than `SMALL` parameters, as in "qwen3:1.7b"."""
        sizes = [
            float(number) * (1e6 if unit in "mM" else 1e9)
            for number, unit in _SIZE.findall(self.name)
        ]
        return bool(sizes) and max(sizes) < SMALL

    @property
    def provider_and_model(self) -> tuple[str, str]:
        """As telemetry names them; of a model that a caller made only the class is known."""
        provider, colon, model = self.name.partition(":")
        return (_PROVIDERS.get(provider, provider), model) if colon else ("langchain", self.name)

    def reply(self, system: str, user: str) -> Reply:
        """What the model says to two messages, to be iterated over once."""
        return Reply(self, system, user)

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[AIMessageChunk]:
        """The model's chunks, as its package gives them."""
        return self._model.stream(messages)

    def gives_way(self, error: Exception) -> bool:
        """Whether a model that refuses the temperature 0 is now asked without one."""
        refused = status(error) == 400 and "temperature" in str(error)
        if not refused or getattr(self._model, "temperature", None) is None:
            return False
        self._model = self._model.model_copy(update={"temperature": None})
        return True

    def failed(self, error: Exception) -> LanguageModelError:
        """A provider's error in one line, without keys."""
        said = without_secrets(error, self._secrets)
        wait = f"; it asks to wait {retry_after(error):.0f} s" if retry_after(error) else ""
        number = f" {status(error)}" if status(error) else ""
        kind = ContextTooSmallError if is_too_long(error) else LanguageModelError
        return kind(
            f"the language model {self.name!r} failed ({type(error).__name__}{number}: {said}"
            f"{wait}); check the model's name, its key and --base-url, or ask without --llm"
        )

    def shows_secret(self, error: Exception) -> bool:
        """Whether an error's traceback would show a key."""
        text = "".join(traceback.format_exception(error))
        return any(secret in text for secret in self._secrets)


class Reply:
    """A model's text, piece by piece; then the tokens it took."""

    def __init__(self, model: LanguageModel, system: str, user: str) -> None:
        self.usage: Usage | None = None
        """Complete when the text is; None where the provider does not tell."""
        self._model = model
        self._system = system
        self._user = user
        self._ending: str | None = None

    @property
    def ran_out(self) -> bool:
        """Whether it had more to say than it may, so that its last sentence may not be whole."""
        return self._ending in _RAN_OUT

    def __iter__(self) -> Iterator[str]:
        """Raises `LanguageModelError` where the model cannot be reached, refuses, or breaks off.

        `ContextTooSmallError`, one of these, where the messages are more than it can read.
        """
        provider, name = self._model.provider_and_model
        told = {"operation": "chat", "provider": provider, "model": name}
        # Not the current step: what is made of the text goes on beside it.
        kind, span = SpanKind.CLIENT, f"chat {name}"
        with tracing.step("chat", span, kind, told=told, is_current=False) as step:
            step.note(model=name)  # for the line
            step.show(system_instructions=tracing.parts(self._system))
            step.show(input__messages=tracing.message("user", self._user))
            said = ""
            try:
                for chunk in self._chunks(step):
                    said += chunk.text
                    if chunk.text:
                        yield str(chunk.text)
            except Exception as error:  # noqa: BLE001 - each provider has its own families
                step.note(error_type=name_of(error))
                cause = None if self._model.shows_secret(error) else error
                raise self._model.failed(error) from cause
            finally:
                self._tell(step, said)
            if not self._ending and ":" in self._model.name:  # a caller's own may give no reason
                raise LanguageModelError(
                    f"the language model {self._model.name!r} broke off before its answer's end; "
                    "ask again"
                )

    def _chunks(self, step: tracing.Step) -> Iterator[AIMessageChunk]:
        """What the model sends, counted, within the budget."""
        started = time.monotonic()
        with step.current():
            begun = persistently(self._begun, BUDGET_SECONDS)
        step.note(first_text=round(time.monotonic() - started, 4))
        for chunk in begun:
            self._count(chunk)
            reasons = [chunk.response_metadata.get(key) for key in _ENDINGS]
            self._ending = next(filter(None, reasons), self._ending)
            yield chunk
            if time.monotonic() - started > BUDGET_SECONDS:
                raise TimeoutError(f"no end after {BUDGET_SECONDS:.0f} s")

    def _tell(self, step: tracing.Step, said: str) -> None:
        """What it took, also where nobody wanted to hear the end."""
        if self.usage:
            read, written = self.usage.input_tokens, self.usage.output_tokens
            step.note(input_tokens=read, output_tokens=written, cost=self.usage.cost)
        if self._ending:
            step.note(finish_reasons=[self._ending])
        step.show(output__messages=tracing.message("assistant", said))

    def _begun(self) -> Iterator[AIMessageChunk]:
        """The stream, read up to its first text: up to there nothing is lost by another attempt."""
        read = []
        try:
            chunks = self._model.stream([("system", self._system), ("human", self._user)])
            for chunk in chunks:
                read.append(chunk)
                if chunk.text:
                    break
        except Exception as error:
            if not self._model.gives_way(error):
                raise
            return self._begun()
        return chain(read, chunks)

    def _count(self, chunk: AIMessageChunk) -> None:
        if chunk.usage_metadata:
            before = self.usage or Usage(0, 0)
            read = before.input_tokens + chunk.usage_metadata["input_tokens"]
            written = before.output_tokens + chunk.usage_metadata["output_tokens"]
            self.usage = Usage(read, written, self._model.prices.of(read, written))


def without_secrets(error: Exception, secrets: Sequence[str]) -> str:
    """What an error says, in one line, without keys."""
    from pydantic import ValidationError

    text = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:300] or type(error).__name__
