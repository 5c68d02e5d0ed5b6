"""Questions to train and measure on: SQuAD's, each with the sentences of its paragraph."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from evals.metrics import comparable, holds
from rag.extractive import sentences_of
from rag.language import terms
from rag.pairs import Pair, pairs_of
from rag.signals import Candidate
from rag.types import Passage, Span

HELD = ("1973_oil_crisis", "French_and_Indian_War", "Imperialism", "Scottish_Parliament")
"""Articles that are only measured on."""
BATCH = 8
MORE, MORE_SENTENCES, WITHOUT = 0.3, 3, 0.1
"""To this share of the questions so many sentences of other paragraphs of the article are added,
those with most of the question's words; of this share the sentences that answer are taken away."""


@dataclass(frozen=True)
class Example:
    """A question with the sentences that may answer it."""

    question: str
    article: str
    sentences: Sequence[Candidate]
    answers: Sequence[str]
    """All variants; none if nothing here answers."""
    spans: dict[int, Span]
    """By sentence, where in its text the answer stands; empty if none is to be chosen."""

    @cached_property
    def pairs(self) -> list[Pair]:
        """The question with each sentence, as tokens."""
        return pairs_of(self.question, self.sentences)

    @property
    def holds(self) -> list[bool]:
        """By sentence, whether an answer stands in it, as it is measured in `evals.metrics`."""
        variants = [comparable(answer) for answer in self.answers]
        return [
            any(holds(text, each) for each in variants)
            for text in (comparable(sentence.text) for sentence in self.sentences)
        ]

    def without(self, more: Sequence[Candidate]) -> Example:
        """It with the sentences that answer taken away, so that none of the rest or `more` does."""
        kept = [s for s, right in zip(self.sentences, self.holds, strict=True) if not right]
        return Example(self.question, self.article, [*kept, *more], (), {})

    def among(self, more: Sequence[Candidate]) -> Example:
        """It with further sentences, none of which answers."""
        return Example(
            self.question, self.article, [*self.sentences, *more], self.answers, self.spans
        )


def squad_examples(path: Path) -> list[Example]:
    """Every question of a file in SQuAD's format, with its paragraph's sentences."""
    examples = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            text, title = paragraph["context"], article["title"].replace("_", " ")
            sentences = sentences_of([Passage("", 0, len(text), text, title, language="en")])
            for qa in paragraph["qas"]:
                answers = [answer["text"] for answer in qa["answers"]]
                spans = _spans(qa["answers"], sentences)
                examples.append(
                    Example(qa["question"], article["title"], sentences, answers, spans)
                )
    return examples


def _spans(answers: Sequence[dict[str, Any]], sentences: Sequence[Candidate]) -> dict[int, Span]:
    """By sentence, the first of the annotators' answers that stands in it."""
    spans: dict[int, Span] = {}
    for answer in answers:
        start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
        for number, sentence in enumerate(sentences):
            if sentence.start <= start and end <= sentence.end:
                spans.setdefault(number, (start - sentence.start, end - sentence.start))
    return spans


def parted(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Those to train on, and those of the held articles."""
    fit = [e for e in examples if e.article not in HELD and bool(e.answers) == bool(e.spans)]
    return fit, [e for e in examples if e.article in HELD]


class Epochs:
    """Batches of examples: any epoch's can be made again from the seed, for going on in it."""

    def __init__(self, examples: Sequence[Example], seed: int) -> None:
        self._examples, self._seed = examples, seed
        self._sentences: dict[str, dict[str, Candidate]] = defaultdict(dict)
        for example in examples:
            for sentence in example.sentences:
                self._sentences[example.article][sentence.text] = sentence

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return len(self._examples) // BATCH

    def batches(self, epoch: int) -> Iterator[list[Example]]:
        """An epoch's batches; what fills no batch waits for another epoch."""
        chance = random.Random(f"{self._seed} {epoch}")
        drawn = chance.sample(self._examples, len(self) * BATCH)
        for start in range(0, len(drawn), BATCH):
            yield [self._varied(example, chance) for example in drawn[start : start + BATCH]]

    def _varied(self, example: Example, chance: random.Random) -> Example:
        drawn = chance.random()
        if drawn >= MORE:
            return example
        more = self._near(example)
        return example.without(more) if drawn < WITHOUT else example.among(more)

    def _near(self, example: Example) -> list[Candidate]:
        """Sentences of other paragraphs with most of the question's words, but no answer."""
        wanted, own = set(terms(example.question)), {s.text for s in example.sentences}
        variants = [comparable(answer) for answer in example.answers]
        others = [
            (len(wanted & _terms(text)), sentence)
            for text, sentence in self._sentences[example.article].items()
            if text not in own and not any(holds(comparable(text), each) for each in variants)
        ]
        others.sort(key=lambda other: -other[0])
        return [sentence for _, sentence in others[:MORE_SENTENCES]]


@cache
def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))
