"""Language models: a LangChain chat model, named `provider:model` or given as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rag.errors import LanguageModelError
from rag.settings import Settings
from rag.types import Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

EXTRACTIVE = "extractive"
TIMEOUT_SECONDS = 60.0
_EXTRAS = {"mistralai": "mistral", "openai": "openai"}
_KEYS = {
    "mistralai": "MISTRAL_API_KEY",
    "openai": "OPENAI_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
}
# How providers name the reason why a stream ended; a stream without any was cut off.
_ENDINGS = ("finish_reason", "stop_reason", "done_reason")


class LanguageModel:
    """A chat model that streams text, and says what went wrong in plain words."""

    def __init__(self, model: BaseChatModel, name: str, secrets: Sequence[str] = ()) -> None:
        self.name = name
        self._model = model
        self._secrets = tuple(secrets)

    def reply(self, system: str, user: str) -> Reply:
        """What the model says to two messages, to be iterated over once."""
        return Reply(self, self._model.stream([("system", system), ("human", user)]))

    def explain(self, error: Exception) -> str:
        """A provider's error in one line, without keys."""
        said = _said(error, self._secrets)
        return (
            f"the language model {self.name!r} failed ({type(error).__name__}: {said}); check the "
            "model's name, its key and --base-url, or ask without --llm"
        )


class Reply:
    """A model's text, piece by piece; then the tokens it took."""

    def __init__(self, model: LanguageModel, chunks: Iterator[AIMessageChunk]) -> None:
        self.usage: Usage | None = None
        """Complete when the text is; None where the provider does not tell."""
        self._model = model
        self._chunks = chunks

    def __iter__(self) -> Iterator[str]:
        """Raises `LanguageModelError` where the model cannot be reached, refuses, or breaks off."""
        ended = False
        try:
            for chunk in self._chunks:
                self._count(chunk)
                ended = ended or any(key in chunk.response_metadata for key in _ENDINGS)
                if chunk.text:
                    yield str(chunk.text)
        except Exception as error:  # each provider has its own families of errors
            raise LanguageModelError(self._model.explain(error)) from error
        if not ended and ":" in self._model.name:  # a model that a caller made may give no reason
            raise LanguageModelError(
                f"the language model {self._model.name!r} broke off before its answer's end; "
                "ask again"
            )

    def _count(self, chunk: AIMessageChunk) -> None:
        if chunk.usage_metadata:
            before = self.usage or Usage(0, 0)
            self.usage = Usage(
                before.input_tokens + chunk.usage_metadata["input_tokens"],
                before.output_tokens + chunk.usage_metadata["output_tokens"],
            )


def load_language_model(settings: Settings) -> LanguageModel | None:
    """The model that the settings name; None for the extractive answerer.

    Raises `LanguageModelError` for an unknown provider, a missing package or a missing key.
    """
    if settings.llm == EXTRACTIVE:
        return None
    provider, colon, model = settings.llm.partition(":")
    if not (provider and colon and model):
        raise LanguageModelError(
            f"{settings.llm!r} names no language model; write provider:model, for example "
            f"mistralai:mistral-small-latest, or {EXTRACTIVE}"
        )
    from langchain.chat_models import init_chat_model  # costs 0.7 s

    key = _key(provider, settings)
    options: dict[str, Any] = {"temperature": 0, "timeout": TIMEOUT_SECONDS}
    options |= {"base_url": settings.base_url} if settings.base_url else {}
    options |= {"api_key": key} if key else {}
    try:
        made = init_chat_model(model, model_provider=provider, **options)
    except ImportError as error:
        raise LanguageModelError(
            f"the package for {provider!r} is not installed; run: "
            f"pip install {_package(provider, error)}"
        ) from error
    except ValueError as error:
        said = _said(error, [key] if key else [])
        raise LanguageModelError(
            f"the language model {settings.llm!r} cannot be made ({said}); check its name and key"
        ) from None  # the error itself may show the key
    return LanguageModel(made, settings.llm, [key] if key else [])


def _said(error: Exception, secrets: Sequence[str]) -> str:
    """What an error says, in one line, without keys."""
    text = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:300] or type(error).__name__


def _key(provider: str, settings: Settings) -> str | None:
    if settings.api_key:
        return settings.api_key.get_secret_value()
    variable = _KEYS.get(provider)
    if variable is None:
        return None
    key = os.environ.get(variable)
    if not key and not settings.base_url:
        raise LanguageModelError(
            f"no key for {provider!r}; set {variable}, or --base-url for a server of your own"
        )
    return key or "none-needed"


def _package(provider: str, error: ImportError) -> str:
    extra = _EXTRAS.get(provider)
    return f"'gazette[{extra}]'" if extra else (error.name or str(error).split()[-1].strip("`.'"))
