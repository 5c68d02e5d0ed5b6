"""The short answer: of a sentence that answers a question, the words that do.

By their form and by how near the question's words stand to them; given only where one stands out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer_type import Asked, answers_in
from rag.language import FUNCTION_WORDS, words
from rag.reader import read_spans
from rag.signals import Candidate, Wanted, nearness
from rag.types import Span

CLEAR, CLEAR_NAME = 0.15, 0.5
"""By how much the best must beat the next: of what is told by its form, and of names. On half of
SQuAD's development set, in the right sentence, 0.97 and 0.93 of those given are right."""

NEAR = 0.2
"""The least nearness: a date at the other end of a long sentence is of something else."""
LIKELY = -1.5
"""The least logarithm of the probability, by the reader."""

_RELATIVE = re.compile(
    r"(?:(?:last|next|this) \w+|yesterday|today|tomorrow|tonight|\w+day)", re.IGNORECASE
)
_VAGUE = re.compile(
    r"(?:one|once|twice|first|second|third|single|none|few|several|half|hundreds?|thousands?|dozens?"
    r"|a \w+)(?:-\w+)?",
    re.IGNORECASE,
)
# Of the calendar, or an adjective: Australian, Chinese.
_NO_NAME = re.compile(
    r"(?:\w+day|January|February|March|April|May|June|July|August|September|October|November|"
    r"December)s?\b|\w+(?:ian|ean|ese|ish|can)s?$"
)
_OPENS = re.compile(r"[\s\"“”‘'(–-]*")
_IN = re.compile(r"\b(?:in|at|near|into|outside|on) (?:the )?$", re.IGNORECASE)
_AT = re.compile(r"\b(?:in|at|to|from|near|of|into|outside|on|off) (?:the )?$", re.IGNORECASE)
_BARE = re.compile(r"\d[\d.,]*(?: (?:thousand|million|billion|trillion))?")
_CAPITAL = re.compile(r" [^\W\d_a-zß-öø-ÿ]")
_UNIT = re.compile(r" ([a-z]+)\b")


def short_answer(
    wanted: str,
    asked: Asked,
    sentence: Candidate,
    others: Sequence[Candidate],
    reads: bool = False,
) -> str | None:
    """The words of a sentence that answer, or None where none stand out.

    `others` are the sentences that it was chosen from, which tell how rare each word of the
    question is. Where it `reads`, the reader tells which of the words that may answer do.
    """
    text = sentence.text
    spans = answers_in(asked, text)
    near = nearness(Wanted.of(wanted, others), asked, text, spans)
    found = [(span, *each) for span, each in zip(spans, near, strict=True)]
    best = _read(wanted, asked, sentence, found) if reads else _nearest(asked, text, found)
    if best is None:
        return None
    start, end = best
    unit = _UNIT.match(text, end)
    is_amount = asked.kind in ("number", "money") and not asked.counts
    if is_amount and _BARE.fullmatch(text[start:end]) and unit and unit[1] not in FUNCTION_WORDS:
        end = unit.end()  # 18 tonnes
    return text[start:end].removesuffix(".")


def _read(
    wanted: str, asked: Asked, sentence: Candidate, found: Sequence[tuple[Span, float, float]]
) -> Span | None:
    """The likeliest by the reader."""
    spans = [span for span, _, noun in found if _may_answer(asked, sentence.text, span, noun)]
    if not spans:
        return None
    likely = read_spans(wanted, sentence, spans)
    best = int(likely.argmax())
    return spans[best] if likely[best] >= LIKELY else None


def _nearest(asked: Asked, text: str, found: Sequence[tuple[Span, float, float]]) -> Span | None:
    """The one to which the question's words stand nearest, if it is clearly so."""
    ranked = sorted(
        (
            (closeness + noun / 2 + _likely(asked, text, span), closeness, noun, span)
            for span, closeness, noun in found
            if not asked.measures or _may_answer(asked, text, span, noun)
        ),
        reverse=True,
    )
    if not ranked:
        return None
    (worth, closeness, noun, span), *rest = ranked
    lead = worth - rest[0][0] if rest else worth
    if lead < (CLEAR if asked.measures else CLEAR_NAME) and (rest or not asked.measures):
        return None
    return span if closeness >= NEAR and _may_answer(asked, text, span, noun) else None


def _may_answer(asked: Asked, text: str, span: Span, noun: float) -> bool:
    """Whether words of the form that is asked for tell a reader something by themselves."""
    start, end = span
    before, some = text[:start], text[start:end]
    if asked.kind == "date":  # not the 2020 Corolla
        is_of_a_name = some.isdigit() and _CAPITAL.match(text, end)
        return not is_of_a_name and not _RELATIVE.fullmatch(some)
    if asked.kind == "number":  # "two" is how many, but not how large
        is_plain = noun > 0 if asked.counts else any(map(str.isdigit, some))
        return is_plain and not _VAGUE.fullmatch(some)
    if asked.measures:
        return not _VAGUE.fullmatch(some)
    first = some.split()[0]
    opens = _OPENS.fullmatch(before) and (first == some or first.casefold() in FUNCTION_WORDS)
    if opens or _NO_NAME.match(some) or asked.known.intersection(words(some)):
        return False
    if asked.kind == "person":
        return not _IN.search(before)
    return bool(_AT.search(before)) if asked.kind == "place" else noun == 1


def _likely(asked: Asked, text: str, span: Span) -> float:
    """What of a name speaks for its being the person or the place that is asked for.

    In units of nearness; from a logistic regression on half of SQuAD's development set, rounded.
    """
    start, end = span
    at = bool(_AT.search(text[:start]))
    if asked.kind == "person":
        return 0.5 * (" " in text[start:end]) + 0.4 * text[:start].endswith("by ") - 0.4 * at
    return 0.35 * at if asked.kind == "place" else 0.0
