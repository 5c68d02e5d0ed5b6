"""What a language model is told. The prompts are files, each with its version in its first line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from rag.language import words
from rag.types import History, Passage, describe

HISTORY_TURNS = 3
TOLD_WORDS = 6
"""So many words running of the orders are no chance: a model tells what it was told."""
NOT_IN_THE_ARTICLES = "NOT IN THE ARTICLES"
"""What a model is asked to write where the passages do not answer."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Orders to a model, and how many passages it gets at most."""

    name: str
    """As reports show it, with the version: `full 2`."""
    orders: str
    passages: int

    def messages(
        self, question: str, history: History, passages: Sequence[Passage]
    ) -> tuple[str, str]:
        """The system's and the user's message. Passages are fenced, and cannot close it."""
        fenced = "\n".join(
            f"<passage number={number} from={_harmless(describe(passage))!r}>\n"
            f"{_harmless(passage.text)}\n</passage>"
            for number, passage in enumerate(passages, 1)
        )
        turns = "".join(
            f"Earlier question: {asked}\nEarlier answer: {answered}\n"
            for asked, answered in history[-HISTORY_TURNS:]
        )
        return self.orders, f"{fenced}\n\n{turns}Question: {question}"

    def is_told_by(self, text: str) -> bool:
        """Whether a text repeats `TOLD_WORDS` running words of the orders, or is four of them."""
        orders = f" {' '.join(words(self.orders))} "
        said = words(text)
        length = max(4, min(TOLD_WORDS, len(said)))
        runs = (said[n : n + length] for n in range(len(said) - length + 1))
        return any(f" {' '.join(run)} " in orders for run in runs)


def load_prompt(name: Literal["full", "short"]) -> Prompt:
    """The prompt of that name; small models do better with the short one."""
    text = (files("rag") / "prompts" / f"{name}.txt").read_text(encoding="utf-8")
    first, _, orders = text.partition("\n")
    version, _, passages = first.removeprefix("version ").partition(", passages ")
    orders = orders.strip().format(refusal=NOT_IN_THE_ARTICLES)
    return Prompt(f"{name} {version}", orders, int(passages))


def _harmless(text: str) -> str:
    return text.replace("<", "‹").replace(">", "›")
