"""The services and servers whose language models can be named, as `provider:model`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from rag.errors import LanguageModelError
from rag.language_model import (
    EXTRACTIVE,
    MOST_TOKENS,
    TIMEOUT_SECONDS,
    LanguageModel,
    Prices,
    without_secrets,
)
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Provider:
    """Of whom models can be had, and what it takes."""

    name: str
    package: str
    """LangChain's, as it is imported."""
    extra: str
    """Of Gazette's, which installs it."""
    key: str | None
    """The variable that holds the key; None where none is needed."""
    example: str

    @property
    def is_installed(self) -> bool:
        """Whether its package can be imported."""
        return find_spec(self.package) is not None

    @property
    def has_key(self) -> bool:
        """Whether its key is set, or none is needed."""
        return self.key is None or bool(os.environ.get(self.key))


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider(
            "mistralai", "langchain_mistralai", "mistral", "MISTRAL_API_KEY", "mistral-small-latest"
        ),
        Provider("deepseek", "langchain_deepseek", "deepseek", "DEEPSEEK_API_KEY", "deepseek-chat"),
        Provider("openai", "langchain_openai", "openai", "OPENAI_API_KEY", "gpt-5-mini"),
        Provider(
            "anthropic", "langchain_anthropic", "anthropic", "ANTHROPIC_API_KEY", "claude-haiku-4-5"
        ),
        Provider("ollama", "langchain_ollama", "ollama", None, "llama3.2"),
    )
}
"""Those that Gazette has extras for; `init_chat_model` knows more."""
_CONTEXT_TOKENS = 8192
"""Asked of Ollama, which else cuts a long prompt's beginning off without a word."""


def load_language_model(settings: Settings) -> LanguageModel | None:
    """The model that the settings name; None for the extractive answerer.

    Raises `LanguageModelError` for an unknown provider, a missing package or a missing key.
    """
    if settings.llm == EXTRACTIVE:
        return None
    name, colon, model = settings.llm.partition(":")
    if not (name and colon and model):
        raise LanguageModelError(
            f"{settings.llm!r} names no language model; write provider:model, for example "
            f"mistralai:mistral-small-latest, or {EXTRACTIVE}"
        )
    from langchain.chat_models import init_chat_model  # costs 0.7 s

    key = _key(name, settings)
    secrets = [each for each in (key, _password(settings.base_url)) if each]
    options = _options(name) | ({"base_url": settings.base_url} if settings.base_url else {})
    options |= {"api_key": key} if key else {}
    try:
        made = init_chat_model(model, model_provider=name, **options)
    except ImportError as error:
        raise LanguageModelError(
            f"the package for {name!r} is not installed; run: pip install {_package(name, error)}"
        ) from error
    except (ValueError, TypeError) as error:
        said = without_secrets(error, secrets)
        raise LanguageModelError(
            f"the language model {settings.llm!r} cannot be made ({said}); check its name and key; "
            "`gazette models` tells what there is"
        ) from None  # the error itself may show the key
    prices = Prices(settings.input_price, settings.output_price)
    return LanguageModel(made, settings.llm, secrets, prices)


def _options(provider: str) -> dict[str, Any]:
    """What a model is made with. What is tried again is decided in `rag/retries.py` alone."""
    if provider == "ollama":
        return {
            "temperature": 0,
            "num_predict": MOST_TOKENS,
            "num_ctx": _CONTEXT_TOKENS,
            "client_kwargs": {"timeout": TIMEOUT_SECONDS},
        }
    common = {"temperature": 0, "max_tokens": MOST_TOKENS, "timeout": TIMEOUT_SECONDS}
    return common | ({"max_retries": 0} if provider in PROVIDERS else {})


def _key(name: str, settings: Settings) -> str | None:
    if settings.api_key:
        return settings.api_key.get_secret_value()
    variable = PROVIDERS[name].key if name in PROVIDERS else None
    if variable is None:
        return None
    key = os.environ.get(variable)
    if not key and not settings.base_url:
        raise LanguageModelError(
            f"no key for {name!r}; set {variable}, or --base-url for a server of your own"
        )
    return key or "none-needed"


def _password(url: str | None) -> str | None:
    from urllib.parse import urlsplit

    return urlsplit(url).password if url else None


def _package(name: str, error: ImportError) -> str:
    if name in PROVIDERS:
        return f"'gazette[{PROVIDERS[name].extra}]'"
    return error.name or str(error).split()[-1].strip("`.'")
