"""The second stage of training: questions with the sentences that a search would find for them.

In use the reader is given the best sentences of several articles, not a paragraph that was written
about the question. So here the sentences come from everything that is trained on, the nearest in
words first; and of some questions those that answer are taken away, so that the nearest of the rest
are no answer, though the names are right (hard negatives: Karpukhin et al., EMNLP 2020).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence

from evals.metrics import comparable, holds
from evals.train.examples import Example
from rag.language import terms
from rag.signals import Candidate

SENTENCES = 6
"""With each question."""
WITHOUT = 0.5
"""The share that is taken of the questions without an answer, if no other is wanted."""
TAKEN_AWAY = 0.15
"""The share of the questions with an answer that lose it."""


def searched_examples(
    examples: Sequence[Example],
    among: Sequence[Example],
    seed: int,
    share_without: float = WITHOUT,
) -> list[Example]:
    """The questions, each with its right sentences and the nearest others of those it is among."""
    chance = random.Random(seed)
    search = _Search(among)
    found = []
    for example in examples:
        if chance.random() >= (1.0 if example.answers else share_without):
            continue
        right = [example.sentences[number] for number in example.spans]
        spans = dict(enumerate(example.spans.values()))
        if right and chance.random() < TAKEN_AWAY:
            right, spans = [], {}
        near = search.nearest(example, SENTENCES - len(right))
        answers = example.answers if right else ()
        found.append(Example(example.question, example.article, [*right, *near], answers, spans))
    return [example for example in found if example.sentences]


class _Search:
    """Every sentence of some examples, to be found by the rare words of a question."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._sentences = list(
            {
                sentence.text: sentence for example in examples for sentence in example.sentences
            }.values()
        )
        self._having: dict[str, list[int]] = defaultdict(list)
        for number, sentence in enumerate(self._sentences):
            for term in set(terms(sentence.text)):
                self._having[term].append(number)

    def nearest(self, example: Example, count: int) -> list[Candidate]:
        """The sentences that are nearest to a question, and neither answer it nor follow what does.

        Where a question has no answer, its own sentences come before all others: it was written
        to be answered wrongly from one of them.
        """
        shared: dict[int, float] = defaultdict(float)
        for term in sorted(set(terms(example.question))):
            for number in self._having[term]:
                shared[number] += math.log(1 + len(self._sentences) / len(self._having[term]))
        variants = [comparable(answer) for answer in example.answers]
        order = [
            self._sentences[number]
            for number in sorted(shared, key=shared.__getitem__, reverse=True)
        ]
        if not variants:
            own = {sentence.text for sentence in example.sentences}
            order.sort(key=lambda sentence: sentence.text not in own)
        near: list[Candidate] = []
        for sentence in order:
            around = comparable(f"{sentence.before} {sentence.text}")
            if len(near) < count and not any(holds(around, each) for each in variants):
                near.append(sentence)
        return near
