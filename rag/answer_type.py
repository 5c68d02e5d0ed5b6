"""What kind of thing a question asks for, and where a sentence gives one.

By form alone: a date looks like a date, a sum like a sum, a name is capitalised. What is found is
not known to answer; it is what an answer would look like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.language import FUNCTION_WORDS, numbers, stem, terms, words
from rag.types import Span

AnswerKind = Literal[
    "number",
    "money",
    "percent",
    "age",
    "duration",
    "score",
    "year",
    "date",
    "person",
    "place",
    "name",
    "other",
]

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DAYS = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE = re.compile(
    rf"\b(?:{_DAYS}(?:,? (?={_MONTHS}))?)?(?:(?:{_MONTHS})\b\.?(?: \d{{1,2}}(?:st|nd|rd|th)?\b)?"
    r"(?:,? \d{4})?|(?<![\d.,$£€])(?:1[0-9]|20)\d\d(?:s\b|(?![\d.,%]\d|%)\b))"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})\b\.?(?:,? \d{{4}})?"
    rf"|\b{_DAYS}\b|\b(?:yesterday|today|tomorrow|tonight)\b"
    r"|\b(?:last|next|this) (?:week|month|year|spring|summer|autumn|fall|winter|weekend)\b"
    r"|\b\d{1,2}(?::\d\d)? ?[ap]\.?m\b\.?|\b\d{1,2}th century\b",
    re.IGNORECASE,
)
_MAGNITUDE = r"(?:[ -]?(?:thousand|million|billion|trillion|lakh|crore|bn|tn|m|k)\b)?"
_DIGITS = r"\d+(?:[.,]\d+)*"
_MONEY = re.compile(
    rf"(?:[A-Z]{{0,3}}[$£€¥₹]|\b(?:USD|EUR|GBP|Rs\.?|INR|CHF) ?) ?{_DIGITS}{_MAGNITUDE}"
    rf"|\b{_DIGITS}{_MAGNITUDE}[ -](?:dollars?|euros?|pounds?|cents?|pence|yen|yuan|rupees|rubles|"
    r"roubles|lira|francs|kron(?:er|or|a)|crowns?|marks?|naira|pesos?|won|shillings?)\b",
    re.IGNORECASE,
)
# A currency that is not listed: a sum is large, or counts something in the plural.
_SUM = re.compile(
    rf"(?<![\w.,])(?:\d{{1,3}}(?:,\d{{3}})+|{_DIGITS}[ -]?"
    r"(?:thousand|million|billion|trillion|bn|tn|m|k))\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\ds?\b")
_SINCE = re.compile(
    rf"\b(?:since|until|till|from) (?:the |about |early |late )?(?:{_DAYS}|{_MONTHS}|\d{{4}}s?)\b",
    re.I,
)
_PERCENT = re.compile(rf"\b{_DIGITS} ?(?:%|per ?cent\b|percentage points?\b)", re.IGNORECASE)
_OF_COUNT = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred)"
_NUMBER = re.compile(
    rf"\b{_OF_COUNT} (?:in|out of)(?: every)? {_OF_COUNT}\b"
    rf"|(?<![\w.,$£€]){_DIGITS}(?:st|nd|rd|th)?{_MAGNITUDE}(?![\w])"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    r"sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    r"several|few|none|single|"
    r"hundreds?|thousands?|dozens?|half|a third|a quarter|twice|once|first|second|third|one)\b"
    r"(?:-\w+)?",
    re.IGNORECASE,
)
_COUNT = (
    rf"(?:{_DIGITS}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|"
    "thirty|forty|fifty|sixty|several|an?|half an?|few|dozens? of|hundreds of|thousands of)"
)
_AGE = re.compile(
    rf"\b{_COUNT}[ -](?:years?|months?|weeks?|days?)[ -]old\b|\baged? (?:of )?\d+"
    r"|(?<=, )\d{1,3}(?=[,.;])"
    r"|(?:(?<=\bwho is )|(?<=\bwho was )|(?<=e is )|(?<=e was )|(?<=e[’']s ))\d{1,3}"
    r"(?= and\b|[,.;]|$)"
    r"|\b(?:his|her|their) (?:early |mid-|late )?\d0s\b|\bturn(?:s|ed|ing)? \d+|\b\d+th birthday\b"
    r"|(?<=\()\d{1,3}(?=\))",
    re.IGNORECASE,
)
_DURATION = re.compile(
    rf"\b{_COUNT}(?:[ -](?:and a half|more|full|consecutive|straight|calendar))?[ -]"
    r"(?:second|minute|hour|day|night|week|fortnight|month|year|decade|century|centurie"
    r"|season|metre|meter|mile|"
    r"kilomet(?:re|er)|km|feet|foot|inche|inch|page|yard|centimet(?:re|er)|cm|ft)s?\b",
    re.IGNORECASE,
)
_SCORE = re.compile(r"\b\d{1,3}(?:-|–| to )\d{1,3}\b(?![-–]\d)")
_NAME_WORD = r"(?:[A-ZÀ-ÖØ-Þ][\w'’-]*|[A-Z]\.)"
_NAME = re.compile(
    rf"\b{_NAME_WORD}(?: (?:(?:of|the|de|van|von|der|la|le|and|for|du|al|bin|&)(?: the)? )?"
    rf"{_NAME_WORD})*"
)
_AUX = (
    "(?:did|does|do|is|are|was|were|will|would|has|have|had|can|could|shall|should|may|might|must"
    "|'s|’s)"
)
_WHAT = rf"\b(?:what|which) (?:{_AUX} the )?(?:(?!of\b|in\b|d(?:id|oes|o)\b)\w+ ){{0,2}}?"
_FORMS: tuple[tuple[AnswerKind, str], ...] = (
    (
        "money",
        rf"(?<!by )\bhow much (?!time\b|longer\b)(?:money|cash|debt|{_AUX}\b|in\b)"
        rf"|\bhow expensive\b|\bwhat d(?:id|oes|o)\b.*\bcost\b"
        rf"|{_WHAT}(?:price|sum|fee|fine|cost|salary|budget|bail|bond|ransom"
        rf"|fortune)\b",
    ),
    ("age", r"\bhow old\b|\b(?:what|which) age\b"),
    ("score", rf"{_WHAT}(?:score|scoreline|result of the (?:game|match|final))\b"),
    (
        "duration",
        rf"\bhow long {_AUX}\b|\bhow much (?:time|longer)\b|\bhow long\?|\bfor how long\b",
    ),
    (
        "percent",
        rf"{_WHAT}(?:percentage|per cent|percent|proportion|share"
        r"|(?:interest|key|base|policy|mortgage|unemployment|jobless|inflation|tax|growth) rate)\b",
    ),
    ("year", r"\b(?:what|which) year\b"),
    (
        "date",
        # "when the ball is thrown" asks for nothing
        rf"\bwhen ?{_AUX}\b|\bsince when\b|\bwhen\?|{_WHAT}(?:day|date|month|century|"
        r"decade|season|week|weekday|time)\b|\bhow (?:soon|recently)\b",
    ),
    (
        "number",
        r"\bhow (?!do\b|does|did|is|are|was|were|has|have|had|can|could|will|would|should|may"
        r"|might|must|to\b|come\b|about\b|exactly\b|an?\b|the|it|he|she|we|you|i\b)\w+"
        r"|\bwhat (?:number|amount|size|speed|height|length|weight|distance|temperature|margin"
        r"|figure|total|ratio|average|diameter|depth|width|population|capacity|turnout)\b",
    ),
    (
        "person",
        r"\bwho(?:m|se|'s|’s)?\b(?! (?:was|were|is|are|had|have|has)\b.*\b(?:what|which)\b)",
    ),
    (
        "place",
        rf"\bwhere ?{_AUX}\b|\bwhere\?|{_WHAT}(?:country|city|town|state|county|place|region|"
        r"village|continent|river|island|street|province|district|area|location|venue|nation"
        r"|capital|port|airport|station)\b",
    ),
    (
        "name",
        rf"\bwhich\b|{_WHAT}(?:company|name|title|firm|team|club|book|film|movie|song|newspaper|"
        r"paper|party|organi[sz]ation|agency|brand|school|university|college|bank|hotel|church"
        r"|law|act|treaty|award|prize)\b",
    ),
)
_ASKS = tuple((kind, re.compile(form, re.IGNORECASE)) for kind, form in _FORMS)
# Whoever is counted may be called otherwise: a crowd, 300 guests, nine were hurt.
_ANYONE = frozenset(map(stem, ("people", "person", "others", "times")))
_COUNTS = re.compile(r"\bhow many\b", re.IGNORECASE)
_NOUN = re.compile(
    r"\b(?:how many|how much|what|which)\s+((?:[\w'’-]+\s+){0,3}?[\w'’-]+?)s?\s+(?:did|does|do|is|"
    r"are|was|were|will|would|has|have|had|can|could|should|may|might|must|of|in|on|at|for|from|to"
    r"|by|with|that|who)\b",
    re.IGNORECASE,
)
# "Trams 2 and 7": which ones, not how many.
_LABELS = re.compile(r"\b([^\W\d_]+) (\d+(?:(?:,|,? and|,? or) \d+)*)\b")
_LATEST = re.compile(
    r"\b(?:latest|newest|most recent|(?:right )?now|current(?:ly)?|still|so far|to date|these days|"
    r"nowadays|as it stands)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:(?P<now>is|are|will|does|do|has|have|can|must|may)|was|were|did|had|would|could)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for."""

    kind: AnswerKind
    noun: frozenset[str]
    """The stems of what is counted or chosen: of "how many cable ships", cabl and ship."""
    known: frozenset[str]
    """The words of the question: they are no answer to it."""

    counts: bool
    """Whether it asks how many of the noun there are."""
    latest: bool
    """Whether it asks for the state of now, by its words or its tense."""

    @property
    def measures(self) -> bool:
        """Whether a number or a date is asked for, which are told by their form."""
        return self.kind not in ("person", "place", "name", "other")


def asked(question: str) -> Asked:
    """What a question asks for, by its first question word that tells."""
    kind: AnswerKind = "other"
    first = len(question) + 1
    for each, pattern in _ASKS:
        match = pattern.search(question)
        if match and match.start() < first:
            kind, first = each, match.start()
    noun = _NOUN.search(question)
    return Asked(
        kind,
        frozenset(terms(noun[1])[-2:]) if noun else frozenset(),
        frozenset(words(question)) | frozenset(numbers(question)),
        kind == "number" and bool(_COUNTS.search(question)),
        bool(_LATEST.search(question) or ((verb := _VERB.search(question)) and verb["now"])),
    )


def answers_in(asked: Asked, sentence: str) -> list[Span]:
    """Where a sentence gives a thing of the kind that is asked for, and new to the question."""
    patterns = {
        "money": (_MONEY, _SUM),
        "percent": (_PERCENT,),
        "age": (_AGE,),
        "duration": (_DURATION, _SINCE),
        "score": (_SCORE,),
        "number": (_MONEY, _PERCENT, _NUMBER),
        "year": (_YEAR,),
        "date": (_DATE,),
        "person": (_NAME,),
        "place": (_NAME,),
        "name": (_NAME,),
        "other": (),
    }[asked.kind]
    spans: list[Span] = []
    labels = [m.span(2) for m in _LABELS.finditer(sentence) if stem(m[1].casefold()) in asked.noun]
    for pattern in patterns:
        for match in pattern.finditer(sentence):
            span = match.span()
            if any(span[0] < end and start < span[1] for start, end in (*spans, *labels)):
                continue
            if asked.counts and _YEAR.fullmatch(match.group()):
                continue
            if _is_new(asked, match.group(), at_start=span[0] == 0):
                spans.append(span)
    return sorted(spans)


def _is_new(asked: Asked, text: str, at_start: bool) -> bool:
    left = [
        w for w in words(text) if w not in asked.known and w.removesuffix("'s") not in asked.known
    ]
    content = [word for word in left if word not in FUNCTION_WORDS]
    if asked.kind in ("person", "place", "name"):
        # any word may open a sentence with a capital
        return bool(content) and not (at_start and len(text.split()) == 1 and len(content[0]) < 3)
    return bool(left) and not numbers(text) & asked.known


def is_given(asked: Asked, text: str, passage: str) -> bool:
    """Whether a text gives what is asked for by its form, and its passage what is counted.

    A sum of money, an age or a year that is asked for and of which there is none is not answered
    by what stands near. Names are not told by their form, so for them this always holds.
    """
    told = asked.noun.intersection((*terms(passage), *_ANYONE))
    if asked.counts and asked.noun and not told:
        return False
    return not asked.measures or bool(answers_in(asked, text))
