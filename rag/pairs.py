"""What the reader reads: a question and a sentence in its context, as one row of tokens.

[CLS] question [SEP] heading [SEP] sentence before, sentence [SEP], where the sentence's own tokens
alone have the type 1: so it is told from its context, which may only help to understand it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.minilm import open_tokenizer
from rag.signals import Candidate
from rag.types import Span

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

CLS, SEP, PAD = 101, 102, 0
"""By the model's vocab.txt."""
QUESTION_TOKENS, HEADING_TOKENS, SENTENCE_TOKENS, PAIR_TOKENS = 40, 16, 100, 160
"""The most of each. What a sentence and its heading leave is for the sentence before."""
BEFORE_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a sentence as tokens."""

    ids: list[int]
    first: int
    """Where the sentence's tokens begin; they end before the last token."""
    offsets: list[Span]
    """Of each token of the sentence, into its text."""


@cache
def tokenizer() -> Tokenizer:
    """The embedded model's tokenizer, which neither cuts nor pads."""
    found = open_tokenizer()
    found.no_truncation()
    found.no_padding()
    return found


def pairs_of(question: str, candidates: Sequence[Candidate]) -> list[Pair]:
    """A question with each of some sentences."""
    asked = _encoded(question).ids[:QUESTION_TOKENS]
    return [_pair(asked, candidate) for candidate in candidates]


def _pair(asked: Sequence[int], candidate: Candidate) -> Pair:
    sentence = _encoded(candidate.text)
    own = sentence.ids[:SENTENCE_TOKENS]
    heading = _encoded(" ".join(candidate.heading.split())).ids[:HEADING_TOKENS]
    context = [CLS, *asked, SEP, *heading, SEP]
    left = min(BEFORE_TOKENS, PAIR_TOKENS - len(context) - len(own) - 1)
    before = _encoded(candidate.before).ids[-left:] if left > 0 else []
    ids = [*context, *before, *own, SEP]
    return Pair(ids, len(ids) - 1 - len(own), sentence.offsets[: len(own)])


def _encoded(text: str) -> Encoding:
    return tokenizer().encode(text, add_special_tokens=False)


def padded(pairs: Sequence[Pair]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Ids, mask and types of some pairs, each (pairs, the longest's length)."""
    length = max(len(pair.ids) for pair in pairs)
    ids = np.full((len(pairs), length), PAD)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, pair in enumerate(pairs):
        ids[row, : len(pair.ids)] = pair.ids
        mask[row, : len(pair.ids)] = 1
        types[row, pair.first : len(pair.ids) - 1] = 1
    return ids, mask, types
