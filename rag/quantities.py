"""How much is said: the bounds that are put to a number, and words such as few, most and all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Fit = Literal["same", "differs", "lacks"]

_BOUNDS: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): bound
    for bound, phrases in {
        ">": "more than|over|above|greater than|higher than|in excess of|exceeding|upwards of",
        ">=": "at least|no fewer than|no less than|not less than|not fewer than|a minimum of",
        "<": "fewer than|less than|under|below|lower than",
        "<=": "at most|up to|no more than|not more than|as many as|as much as|a maximum of",
        "~<": "nearly|almost|just under|just below|close to|not quite",
        "~": "about|around|approximately|roughly|some|circa|an estimated|an average of",
        "=": "exactly|precisely|just|only",
    }.items()
    for phrase in phrases.split("|")
}
_FIRST = {phrase[0] for phrase in _BOUNDS}
_AFTER: dict[tuple[str, ...], str] = {
    ("or", "more"): ">=",
    ("or", "over"): ">=",
    ("or", "less"): "<=",
    ("or", "fewer"): "<=",
}
_ABOUT, _NEARLY = 0.1, 0.2
"""How far from it what is about a number may be, and how far below what nearly is."""

AMOUNTS = {
    "all": "all", "every": "all", "each": "all", "most": "most", "many": "many", "some": "some",
    "several": "some", "few": "few",
}  # fmt: skip
_IMPLIED = {
    "all": ("all", "most", "many", "some"),
    "most": ("most", "many", "some"),
    "many": ("many", "some"),
    "some": ("some",),
    "few": ("few", "some"),
    "": (),
}
_CONTRARY = ({"few", "many"}, {"few", "most"}, {"few", "all"}, {"few", ""})


def bound_before(words: Sequence[str]) -> tuple[str, int] | None:
    """The bound that words begin with, and how many of them it takes."""
    for length in (3, 2, 1) if words[0] in _FIRST else ():
        if bound := _BOUNDS.get(tuple(words[:length])):
            return bound, length
    return None


def bound_after(words: Sequence[str]) -> str | None:
    """The bound that words behind a number put to it: "40 or more"."""
    return _AFTER.get(tuple(words[:2]))


def fits(claimed: str, claimed_bound: str, told: str, told_bound: str) -> Fit:
    """Whether one number with its bound follows from another: at least 40 from 50."""
    if (claimed, claimed_bound) == (told, told_bound):
        return "same"
    try:
        low, high, is_open = _range(float(claimed), claimed_bound)
        least, most, _ = _range(float(told), told_bound)
    except ValueError:  # 3rd, 12.5.1998
        return "same" if claimed == told else "differs"
    if claimed == told and not claimed_bound:  # "some 500" may be retold as 500, "up to 500" not
        return "lacks" if told_bound in ("<", "<=") else "same"
    edges = (least == low and told_bound != ">", most == high and told_bound not in ("<", "~<"))
    if low <= least and most <= high and not (is_open and any(edges)):
        return "same"
    return "differs" if most < low or least > high or (is_open and any(edges)) else "lacks"


def _range(number: float, bound: str) -> tuple[float, float, bool]:
    """From what to what a number with its bound goes, and whether it is not that number itself."""
    about, nearly = abs(number) * _ABOUT, abs(number) * _NEARLY
    return {
        ">": (number, math.inf, True),
        ">=": (number, math.inf, False),
        "<": (-math.inf, number, True),
        "<=": (-math.inf, number, False),
        "~<": (number - nearly, number, False),
        "~": (number - about, number + about, False),
    }.get(bound, (number, number, False))


def amount_fits(claimed: str, told: str) -> Fit:
    """Whether one of few, some, many, most and all follows from another, or from none of them."""
    if claimed == told or claimed in _IMPLIED[told] or (not claimed and told != "few"):
        return "same"
    if {claimed, told} in _CONTRARY:
        return "differs"
    return "same" if not told and claimed in ("some", "many") else "lacks"
