"""The command `gazette models`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

import typer

from rag.types import Usage
from ui.terminal import AsJson, BaseUrl, write


@dataclass(frozen=True, slots=True)
class Available:
    """What it takes to use a provider's models, and what of that there is."""

    provider: str
    installed: bool
    key: str | None
    """The variable it is read from; None where none is needed."""
    key_set: bool
    install: str
    example: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a model said when it was tried."""

    model: str
    said: str
    seconds: float
    usage: Usage | None


def models(
    try_model: Annotated[
        str | None,
        typer.Option("--try", help="Send one short message to this model (provider:model)."),
    ] = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the language models' providers, or try one model.

    Says which are installed and have a key. Whatever else LangChain's init_chat_model knows will
    do too. Nothing is sent but by --try.
    """
    if try_model:
        tried = _try(try_model, base_url)
        read = f"; {tried.usage.input_tokens} tokens read" if tried.usage else ""
        write(tried, as_json, f"{tried.model} said {tried.said!r} in {tried.seconds:.1f} s{read}")
        return
    from rag.providers import PROVIDERS

    found = tuple(
        Available(
            provider=each.name,
            installed=each.is_installed,
            key=each.key,
            key_set=each.has_key,
            install=f"pip install 'gazette[{each.extra}]'",
            example=f"--llm {each.name}:{each.example}",
        )
        for each in PROVIDERS.values()
    )
    write(found, as_json, "\n\n".join(map(_described, found)))


def _described(each: Available) -> str:
    installed = "installed" if each.installed else f"not installed: {each.install}"
    key = "no key needed"
    if each.key:
        key = f"{each.key} is set" if each.key_set else f"{each.key} is not set"
    return f"{each.provider:11}{installed}; {key}\n{'':11}{each.example}"


def _try(name: str, base_url: str | None) -> Tried:
    from rag.errors import LanguageModelError, UsageError
    from rag.providers import load_language_model
    from rag.settings import Settings

    model = load_language_model(Settings.given(llm=name, base_url=base_url))
    if model is None:
        raise UsageError(f"{name!r} is no language model; write provider:model")
    started = time.perf_counter()
    reply = model.reply("You answer in one word.", "Say yes.")
    said = "".join(reply).strip()
    if not said:
        raise LanguageModelError(f"the language model {name!r} was reached, but said nothing")
    return Tried(name, said[:80], time.perf_counter() - started, reply.usage)
