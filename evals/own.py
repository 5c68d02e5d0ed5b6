"""Questions made from the user's own archive, without labels: is a sentence found by its words?

Known-item search (Azzopardi, de Rijke and Balog, SIGIR 2007) by cloze: of a sentence one fact is
dropped, and the longer part beside it is the question. That needs no label and no grammar.
"""

from __future__ import annotations

import heapq
import math
import random
import re
from collections.abc import Iterator
from itertools import islice

from evals.datasets import Question, Quote, Suite
from evals.metrics import UNSPACED
from rag.errors import UsageError
from rag.gazette import Gazette
from rag.language import FUNCTION_WORDS, fold, sentence_spans
from rag.types import MAX_PASSAGE_CHARS, Article

OWN = "own"
QUESTIONS = 200
MIN_CHARS = 40
"""A shorter sentence tells too little to be known by."""
MIN_WORDS = 3
"""So many words that carry content must be left to ask by."""
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+")
_WORD = re.compile(rf"[{UNSPACED}]{{2}}|(?:(?![{UNSPACED}])[^\W\d_])+")
_FACT = re.compile(r"\w*\d[\w.,:]*\b|(?<=[^.!?] )[^\W\d_a-zß-öø-ÿ]\w+(?: [^\W\d_a-zß-öø-ÿ]\w+)*")
"""What has a digit, or a capital letter within the sentence."""


def own_suite(gazette: Gazette) -> Suite:
    """`QUESTIONS` of kind `search` on articles drawn by a fixed seed, fewer of a small archive.

    Raises `UsageError` where the archive has no sentence to ask about.
    """
    rng = random.Random(1)
    drawn = heapq.nlargest(QUESTIONS, gazette.articles(), key=lambda _: rng.random())
    each = math.ceil(QUESTIONS / max(1, len(drawn)))
    asked = [pair for article in drawn for pair in islice(_pairs(article, rng), each)]
    if not asked:
        raise UsageError(
            f"the archive {str(gazette.settings.archive)!r} holds no sentence of {MIN_CHARS} "
            "characters with words enough to ask by; bring articles in with: gazette ingest"
        )
    questions = (
        Question(f"own-{number}", cloze, "search", quotes=(Quote("", sentence),))
        for number, (cloze, sentence) in enumerate(asked[:QUESTIONS], 1)
    )
    return Suite(OWN, tuple(questions))


def _pairs(article: Article, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Questions and the sentences that they are made from, in no order."""
    spans = sentence_spans(article.text, article.language)
    long = [s for s in spans if MIN_CHARS <= s[1] - s[0] <= MAX_PASSAGE_CHARS]
    for start, end in rng.sample(long, len(long)):
        sentence = article.text[start:end]
        if cloze := _cloze(sentence, rng):
            yield cloze, sentence


def _cloze(sentence: str, rng: random.Random) -> str:
    """What stands before or after a fact of the sentence; after a word of it, where it has none.

    Empty where that leaves too few words, whichever fact is dropped.
    """
    told = _ADDRESS.sub(lambda address: " " * len(address[0]), sentence)  # its parts are no words
    facts = list(_FACT.finditer(told)) or list(re.finditer(r"\w+", told))
    for fact in rng.sample(facts, len(facts)):
        start, end = max((0, fact.start()), (fact.end(), len(told)), key=lambda s: s[1] - s[0])
        words = _WORD.findall(fold(told[start:end]).casefold())
        if sum(word not in FUNCTION_WORDS for word in words) >= MIN_WORDS:
            return re.sub(r"^\W+|\s+$", "", sentence[start:end])
    return ""
