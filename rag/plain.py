"""A sentence with dates, fractions, units and minus, which can be written in many ways, in one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from rag.language import fold

MONTHS = (
    "january february march april may june july august september october november december".split()
)
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_COUNTS |= {str(count): count for count in range(1, 10)}


def _iso(match: re.Match[str]) -> str:
    return f"{MONTHS[int(match[2]) - 1].capitalize()} {int(match[3])}, {match[1]}"


def _fraction(match: re.Match[str]) -> str:
    share = _COUNTS[(match[1] or "one").casefold()] / _PARTS[match[2].casefold()]
    return f"{share:.3g}"


_REWRITTEN: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"(?<=\d), (?=000\b)"), ","),  # 13, 000: of a text that was cut into tokens
    (re.compile(r"\b((?:19|20)\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b"), _iso),
    (
        re.compile(rf"\b([1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b\.?(?! \d\d?\b)"),
        r"\2 \1",
    ),
    (
        re.compile(
            r"\b(?:(an?|one|two|three|four|five|[1-9])[ -](?=[htqfse])|"
            r"(?<!first )(?<!second )(?=half))"
            r"(half|third|quarter|fifth|sixth|eighth|tenth)s?"
            r"(?= (?:of|the|its|his|her|their|all)\b)",
            re.IGNORECASE,
        ),
        _fraction,
    ),
    (re.compile(r"(?<![\w).,-])-(?=\d)"), "minus "),
    (re.compile(r"(?<=\d) ?m (?=(?:high|long|wide|tall|deep|above|below|away)\b)"), " metres "),
    (re.compile(r"\bmiles (?:per|an) hour\b"), "mph"),
    (re.compile(r"\b(?:kilomet(?:re|er)s|km) (?:per|an) hour\b|\bkm/h\b"), "kph"),
]


@lru_cache(maxsize=4096)
def plain(sentence: str) -> str:
    """A sentence folded, and its dates as `May 3, 2011`, a third of as `0.333 of`."""
    text = fold(sentence)
    for pattern, written in _REWRITTEN:
        text = pattern.sub(written, text)
    return text
