"""Reading text: sentences with their offsets, terms for matching, numbers and names.

Sentences come from sentencex (Wikimedia; abbreviations of many languages), stems from Snowball.
What is here is only what those leave open. Nothing here understands a sentence.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import sentencex
import Stemmer

from rag.types import Span

_stemmer = Stemmer.Stemmer("english")
_stemming = threading.Lock()  # a Snowball stemmer keeps state while it works

_LINE = re.compile(r"[^\n]+")
# What stands between blank lines; the items of a list stand alone.
_BLOCK = re.compile(r"(?:[^\n]|\n(?![ \t]*(?:\n|\Z|[-*•] |\d+[.)] )))+")
_WRAPPED_CHARS = 100
_TRIMMED = re.compile(r"\S(?:.*\S)?", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,:]\d+)*")
# A number, also "3rd"; an abbreviation with its dots; a word; a sign that gives a number its unit.
PIECE = re.compile(
    r"\d+(?:[.,]\d+)*(?:st|nd|rd|th)?|(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:'[^\W\d_]+)*|[$€£¥%]"
)
_SPACED = re.compile(r"(?<=\d), (?=000\b)")  # 13, 000: of a text that was cut into tokens
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "tn": 1e12}
_COUNTS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2
    )
}
_ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth".split()
_NAME = re.compile(r"\b[^\W\d_a-zß-öø-ÿ][\w’'-]*")
_FOLDED = (
    dict.fromkeys("‘’‚‛′‹›", "'")
    | dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff", "")
)

# Words that carry grammar rather than content: left out of matching, so that they neither cost
# time in the lexical index nor count as evidence. Negations are kept out of this list on purpose.
FUNCTION_WORDS = frozenset(
    """a about above after again against all also am an and any are as at be became because been
    before being below between both but by can could did do does doing done during each either else
    ever every few for from further had has have having he her here hers herself him himself his how
    i if in into is it its itself just let me more most much must my myself of off on once one only
    or other our ours ourselves out over own same shall she should so some such than that the their
    theirs them themselves then there these they this those through to too under until up upon us
    very was we were what when where which while who whom whose why will with would you your yours
    yourself yourselves according tell say says said give many""".split()
)
NEGATIONS = frozenset(
    "not no never none nobody nothing neither nor without cannot can't won't don't doesn't didn't "
    "isn't aren't wasn't weren't hasn't haven't hadn't wouldn't shouldn't couldn't".split()
)


def sentence_spans(text: str, language: str | None = None) -> list[Span]:
    """The sentences of a text, in order, as (start, end) without the white space around them.

    A line break ends a sentence, as paragraphs and subheads do, unless the text was wrapped by
    hand: then it takes a blank line.
    """
    spans: list[Span] = []
    for line in (_BLOCK if _is_wrapped(text) else _LINE).finditer(text):
        start = line.start()
        first_of_line = len(spans)
        for piece in sentencex.segment(language or "en", line.group()):
            trimmed = _TRIMMED.search(text, start, start + len(piece))
            start += len(piece)
            # "$6.5bn. for it": a sentence does not begin with a small letter
            if trimmed and len(spans) > first_of_line and trimmed[0][0].islower():
                spans[-1] = (spans[-1][0], trimmed.end())
            elif trimmed:
                spans.append(trimmed.span())
    return spans


def _is_wrapped(text: str) -> bool:
    """Whether lines were broken to fit a width: none is long, and sentences go on in the next."""
    lines = text.split("\n")
    return max(map(len, lines)) <= _WRAPPED_CHARS and any(
        one and (one[-1].isalnum() or one[-1] in ",;–-") and other[:1].islower()
        for one, other in pairwise(lines)
    )


def fold(text: str) -> str:
    """Text for comparing word for word: quotes and dashes made plain, white space single."""
    text = unicodedata.normalize("NFKC", text).replace("`", "'")
    if not text.isascii():
        for written, plain in _FOLDED.items():  # translate() would take fifty times as long
            text = text.replace(written, plain)
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """The words and numbers of a text, case-folded."""
    return _WORD.findall(fold(text).casefold())


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The English Snowball stem; a possessive 's goes first."""
    with _stemming:
        return str(_stemmer.stemWord(word.removesuffix("'s")))


def terms(text: str) -> list[str]:
    """The content words of a text as stems, in order, with repeats."""
    return [stem(word) for word in words(text) if word not in FUNCTION_WORDS]


def search_terms(question: str) -> list[str]:
    """The words of a question for the lexical index (which stems them itself), each once."""
    return list(dict.fromkeys(word for word in words(question) if word not in FUNCTION_WORDS))


def rarity(wanted: set[str], found: Sequence[set[str]]) -> dict[str, float]:
    """Each wanted term's share of importance in the texts in which it was found.

    Inverse document frequency, summing to 1.
    """
    frequency = Counter(term for some in found for term in some)
    weights = {t: math.log((1 + len(found)) / (0.5 + frequency[t])) for t in wanted}
    total = math.fsum(weights.values())
    return {term: weight / total for term, weight in weights.items()}


def pieces(folded: str) -> list[str]:
    """What a folded text is made of: its words, numbers, and signs of currency and per cent."""
    return PIECE.findall(_SPACED.sub(",", folded))


def read_number(following: Sequence[str]) -> tuple[str, int] | None:
    """The number that case-folded pieces begin with, and how many of them it takes.

    `6.5 bn` is `6500000000`, `twenty five` is `25`, `third` and `3rd` are `#3`. "one" counts
    only before a word that says of what; "second" mostly counts nothing.
    """
    first, after = following[0], following[1] if len(following) > 1 else ""
    if first in _ORDINALS:
        return f"#{_ORDINALS.index(first) + 3}", 1
    if first in _COUNTS or first in _TENS or first == "dozen":
        if first == "one" and (not after.isalpha() or after in FUNCTION_WORDS):
            return None
        value, used = float(_COUNTS.get(first, _TENS.get(first, 12))), 1
        if first in _TENS and 0 < _COUNTS.get(after, 0) < 10:
            value, used = value + _COUNTS[after], 2
    elif not first[0].isdigit():
        return None
    elif first[-1].isalpha():
        return f"#{first[:-2]}", 1
    else:
        try:
            value, used = float(re.sub(r",(?=\d{3}\b)", "", first)), 1
        except ValueError:  # 3.10.2025, 12,5
            return first, 1
        if after in _SHORT_SCALES:
            value, used = value * _SHORT_SCALES[after], 2
    while used < len(following) and following[used] in SCALES:
        value, used = value * SCALES[following[used]], used + 1
    return f"{value:.15g}", used


def numbers(text: str) -> set[str]:
    """The numbers in a text: `1,200` is `1200`, `6.5bn` is `6500000000`, `three` is `3`."""
    read = pieces(fold(text).casefold())
    found: set[str] = set()
    position = 0
    while position < len(read):
        value, used = read_number(read[position : position + 5]) or ("", 1)
        position += used
        if value:
            is_plain = value.count(".") < 2 and "," not in value
            found.update([value] if is_plain else re.findall(r"\d+", value))
    return found


def names(text: str) -> set[str]:
    """Capitalised words, case-folded, the function words among them left out."""
    found = (match.casefold().removesuffix("'s") for match in _NAME.findall(fold(text)))
    return {name for name in found if name not in FUNCTION_WORDS}
