"""Questions made from the user's own archive, without labels: is a sentence found by its words?

Known-item search (Azzopardi, de Rijke and Balog, SIGIR 2007) by cloze: of a sentence one fact is
dropped, and the longer part beside it is the question. That needs no label and no grammar.
"""

from __future__ import annotations

import heapq
import math
import random
import re

from evals.datasets import Question, Quote, Suite
from rag.errors import UsageError
from rag.gazette import Gazette
from rag.language import sentence_spans
from rag.types import MAX_PASSAGE_CHARS, Article

OWN = "own"
QUESTIONS = 200
MIN_CHARS = 40
"""A shorter sentence tells too little to be known by."""
_FACT = re.compile(r"\w*\d[\w.,:]*\b|(?<=[^.!?] )[^\W\d_a-zß-öø-ÿ]\w+(?: [^\W\d_a-zß-öø-ÿ]\w+)*")
"""What has a digit, or a capital letter within the sentence."""


def own_suite(gazette: Gazette) -> Suite:
    """`QUESTIONS` of kind `search` on articles drawn by a fixed seed, fewer of a small archive.

    Raises `UsageError` where the archive has no sentence to ask about.
    """
    rng = random.Random(1)
    drawn = heapq.nlargest(QUESTIONS, gazette.articles(), key=lambda _: rng.random())
    each = math.ceil(QUESTIONS / max(1, len(drawn)))
    sentences = [sentence for article in drawn for sentence in _sentences(article, each, rng)]
    if not sentences:
        raise UsageError(
            f"the archive {str(gazette.settings.archive)!r} holds no sentence of {MIN_CHARS} "
            "characters to ask about; bring articles in with: gazette ingest"
        )
    questions = (
        Question(f"own-{number}", _cloze(sentence, rng), "search", quotes=(Quote("", sentence),))
        for number, sentence in enumerate(sentences[:QUESTIONS], 1)
    )
    return Suite(OWN, tuple(questions))


def _sentences(article: Article, count: int, rng: random.Random) -> list[str]:
    spans = sentence_spans(article.text, article.language)
    long = [s for s in spans if MIN_CHARS <= s[1] - s[0] <= MAX_PASSAGE_CHARS]
    return [article.text[start:end] for start, end in rng.sample(long, min(count, len(long)))]


def _cloze(sentence: str, rng: random.Random) -> str:
    """What stands before or after a fact of the sentence; after a word of it, where it has none."""
    facts = list(_FACT.finditer(sentence)) or list(re.finditer(r"\w+", sentence))
    start, end = rng.choice(facts).span() if facts else (0, 0)
    part = max(sentence[:start], sentence[end:], key=len)
    return re.sub(r"^\W+|\s+$", "", part)
