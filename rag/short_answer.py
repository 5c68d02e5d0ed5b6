"""The short answer: of a sentence that answers a question, the words that do.

By their form and by how near the question's words stand to them; given only where one stands out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer_type import Asked, answers_in
from rag.language import FUNCTION_WORDS
from rag.signals import Candidate, Wanted, nearness
from rag.types import Span

CLEAR, CLEAR_NAME = 0.15, 0.7
"""By how much the best must beat the next: of what is told by its form, and of names. On half of
SQuAD's development set, in the right sentence, 0.96 and 0.80 of those given are right."""

_RELATIVE = re.compile(
    r"(?:(?:last|next|this) \w+|yesterday|today|tomorrow|tonight|\w+day)", re.IGNORECASE
)
_NO_NAME = re.compile(
    r"(?:\w+day|January|February|March|April|May|June|July|August|September|October|November|"
    r"December)s?\b"
)
_AT = re.compile(r"\b(?:in|at|to|from|near|into|through|on|off|outside) (?:the )?$", re.IGNORECASE)
_BARE = re.compile(r"\d[\d.,]*(?: (?:thousand|million|billion|trillion))?")
_UNIT = re.compile(r" ([a-z]+)\b")


def short_answer(
    wanted: str, asked: Asked, sentence: Candidate, others: Sequence[Candidate]
) -> str | None:
    """The words of a sentence that answer, or None where none stand out.

    `others` are the sentences that it was chosen from, which tell how rare each word of the
    question is.
    """
    text = sentence.text
    found = [
        span for span in answers_in(asked, text) if not _says_nothing(asked, text[slice(*span)])
    ]
    if not found:
        return None
    near = nearness(Wanted.of(wanted, others), asked, text, found)
    worth = [
        closeness + noun / 2 + _likely(asked, text, span)
        for (closeness, noun), span in zip(near, found, strict=True)
    ]
    best, *rest = sorted(zip(worth, found, strict=True), reverse=True)
    if rest and best[0] - rest[0][0] < (CLEAR if asked.measures else CLEAR_NAME):
        return None
    start, end = best[1]
    unit = _UNIT.match(text, end)
    is_amount = asked.kind in ("number", "money") and not asked.counts
    if is_amount and _BARE.fullmatch(text[start:end]) and unit and unit[1] not in FUNCTION_WORDS:
        end = unit.end()  # 18 tonnes
    return text[start:end]


def _says_nothing(asked: Asked, text: str) -> bool:
    """Whether words are of the form asked for, but a reader learns nothing from them alone."""
    if asked.kind == "date":
        return bool(_RELATIVE.fullmatch(text))
    return not asked.measures and bool(_NO_NAME.match(text))


def _likely(asked: Asked, text: str, span: Span) -> float:
    """What of a name's form and place speaks for its being what is asked for.

    In units of nearness; from a logistic regression on half of SQuAD's development set, rounded.
    """
    start, end = span
    several = " " in text[start:end]
    stands_at = bool(_AT.search(text[:start]))
    if asked.kind == "person":
        return 0.5 * several - 0.4 * stands_at + 0.4 * text[:start].endswith("by ")
    if asked.kind == "place":
        return 0.35 * stands_at - 0.3 * (start == 0 and not several)
    return 0.3 * several if asked.kind == "name" else 0.0
