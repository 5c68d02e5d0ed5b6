"""How a sentence holds its words: as said, denied, doubted, on a condition, or still to come.

"Police denied that Smith fell" does not say that Smith fell. What governs a clause is read from the
closed classes of English: words that deny or doubt, conjunctions, modals, and the infinitive, which
tells of nothing done but after a few verbs (Karttunen's implicatives, Language 47, 1971).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Held = Literal["said", "denied", "doubted", "conditional"]
Mood = Literal["done", "future", "aim", "open", "undone"]
"""Of a verb: whether it was done, will be, is to be (planned, agreed), may be (or is hoped, asked,
tried), or was not."""


class Clauses(NamedTuple):
    """What holds of the characters of a sentence."""

    marks: tuple[int, ...]
    """Where one stretch between commas, semicolons and the like ends."""
    scopes: tuple[tuple[int, int, Held], ...]
    moods: dict[int, Mood]
    """Of the verbs that begin there, unless done."""

    def held(self, place: int) -> Held:
        """How what stands at a place is held; what denies goes before what doubts."""
        if not self.scopes:
            return "said"
        found = {held for start, end, held in self.scopes if start <= place < end}
        order: tuple[Held, ...] = ("denied", "doubted", "conditional")
        return next((held for held in order if held in found), "said")

    def stretch(self, place: int) -> int:
        """The number of the stretch in which a place is."""
        return sum(mark <= place for mark in self.marks)


_REPORT = (
    r"(?:claim|report|allegation|accusation|suggestion|rumou?r|idea|notion|theory|statement|charge|"
    r"assertion|speculation|story|stories|myth|belief)s?"
)
_NOT = r"(?:\bnot|n't|\bnever|\bno[ -]?one|\bnobody|\bhardly)"
_DENIES = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|disprov\w+|debunk\w*|refut\w+|rul\w+ out|disavow\w*)\b|"
    rf"\b(?:reject|dismiss|disput|contradict|rebut|deni|quash)\w*(?: \w+){{0,4}}? {_REPORT}\b|"
    r"\b(?:no|little|any|without) (?:\w+ )?(?:evidence|proof|truth|basis|indication|sign)\b|"
    r"\b(?:false|wrong|mistaken|incorrect|erroneous|untruthful|baseless)ly\b|"
    rf"\b(?:false|untrue|baseless|unfounded|bogus|fake|fabricated|mistaken) {_REPORT}\b|"
    r"\b(?:false|untrue|wrong|incorrect|a lie|a myth|a hoax|impossible) that\b|"
    rf"{_NOT} (?:true|the case|correct|so) that\b|\blied\b"
)
_DOUBTS = re.compile(
    r"\b(?:whether|doubt\w*|unclear|uncertain|alleg(?:es?|ed|edly|ing|ations?)|supposedly|"
    r"suspect(?:s|ed)? (?:that|of)|speculat\w+|wonder(?:s|ed|ing)?|fear(?:s|ed)?|"
    r"imagin\w+|pretend\w*|as if|(?:ask|know|see|say|unclear|determine|check)(?:s|ed|ing)? if)\b|"
    r"\baccus\w+ (?:[^\s,;]+ ){,4}?of\b|"
    r"\b(?:claims?|allegations?|accusations?|suggestions?|rumou?rs?|notion|theory|theories|myth|"
    r"possibility|chance|risk|danger|speculation|likelihood|prospect|hop(?:es?|ed|ing)) that\b|"
    rf"{_NOT} (?:\w+ ){{0,2}}?(?:say|said|claim|claimed|believes?|thinks?|thought|finds?|found|"
    r"confirm|confirmed|prove|proved|proven|shown?|mean|suggest|convinced|deny|denied|certain|sure)\b|"
    r"\b(?:neither|nobody|no[ -]?one|none)\b[^,;]{,60}? that\b"
)
_CONDITIONS = re.compile(
    r"\b(?:if(?<!even if)(?<!as if)(?<!ask if)(?<!asked if)(?<!see if)(?<!know if)(?<!say if)"
    r"(?<!unclear if)|unless|provided that|assuming|in case|in the event|otherwise)\b"
)
_OPENS_ASIDE = re.compile(
    r"(?:who|whom|whose|which|where|when|after|before|because|since|as|while|although|though|"
    r"despite|having|once|until)\b"
)
_MARK = re.compile(r"[,;:()]| - |(?<!\w)\"|\"(?!\w)")
_PAST = r"(?:\w+ed|was|were|is|are|has|have|had|will|would|he|she|it|they|we|i)"
_JOINS = re.compile(
    r";|, (?:but|and|while|whereas|although|though|yet|so)\b|"
    r"\b(?:but|whereas|although|though|because|while|after)\b"
)
_AND = re.compile(rf"\b(?:and|then) (?:{_PAST})\b")

_ADVERBS = r"(?:(?:also|still|even|now|soon|only|yet|then|well|\w+ly|have|be|been|being) )*"
_MODALS = (
    (
        "open",
        r"\b(?:may|might|could|should|ought to|perhaps|[Pp]ossibly|[Mm]aybe|Perhaps|reportedly|"
        r"apparently|potentially|nearly|almost|narrowly|yet to|alleged|allegedly|"
        r"supposed to|(?:un)?likely to)",
    ),
    ("future", r"(?:\b(?:will|would|shall)|'ll)"),
    (
        "undone",
        r"\b(?:fail(?:s|ed|ing)? to|failures? to|refus(?:e|es|ed|ing|al) to|declin(?:e|es|ed|ing) "
        r"to|forg[eo]t(?:s|ten)? to|neglect(?:s|ed)? to|avoid(?:s|ed|ing)?|without|instead of|"
        r"rul(?:es?|ed|ing) out|stopped short of|den(?:y|ies|ied|ying)|"
        r"(?:prevent|stopp?|bann?|barr?|block|keep|kept)(?:s|ed)? (?:\S+ ){1,5}?from)",
    ),
    (
        "open",
        r"\b(?:consider(?:s|ed|ing)?|suggest(?:s|ed|ing)?|propos(?:es?|ed|ing)|discuss(?:es|ed|ing)?"
        r"|contemplat(?:es?|ed|ing)|oppos(?:es?|ed|ing)|plans? on|planned on|against|"
        r"threat(?:s|ened)? of|risks?|risked|favou?r(?:s|ed)?)(?= \w+ing\b)",
    ),
)
_MOODS = [
    (mood, re.compile(rf"{words} {_ADVERBS}(?:(?:not|to) )?{_ADVERBS}([a-z]\w+)"))
    for mood, words in _MODALS
]
_INFINITIVE = re.compile(r"([A-Za-z']+) to (?:\w+ly |be |have )*([a-z]\w*)")
_NO_VERB = re.compile(
    r"\w+(?:ed|ing|[^s]s)$|(?:the|an?|its?|his|her|their|our|my|your|this|that|these|those|him|"
    r"them|me|us|you|one|two|three|four|five|six|seven|eight|nine|ten|over|about|around|more|less|"
    r"some|any|all|both|each|police|people|what|which|whom|court|work|school|prison|jail|hospital)$"
)
_DONE = re.compile(
    r"(?:manag\w+|beg[aiu]n\w*|start\w*|continu\w+|forc\w+|compel\w*|oblig\w+|help\w*|have|has|had|"
    r"having|came|comes?|used|seem\w*|appear\w*|proceed\w*|dared?|got|said|found|happen\w*|known|"
    r"went|goes|according|due|led|left|return\w*|able|out|caus\w+|allow\w+|enabl\w+|thanks)$",
    re.IGNORECASE,
)
_TO_COME = re.compile(
    r"(?:is|are|was|were|set|going|about|bound|ready|(?:schedul|expect|agree|prepar|decid|promis|"
    r"pledg|intend|plann|plan|vot|vow)(?:e?s|e?d|ing)?)$",
    re.IGNORECASE,
)


def clauses(text: str) -> Clauses:
    """How a folded sentence holds its words."""
    return Clauses(
        tuple(mark.start() for mark in _MARK.finditer(text)),
        tuple(_scopes(text.lower())),
        dict(_moods(text)),
    )


def _scopes(text: str) -> Iterator[tuple[int, int, Held]]:
    """The stretches that are denied, doubted, or hang on a condition."""
    governing: tuple[tuple[re.Pattern[str], Held], ...] = (
        (_DENIES, "denied"),
        (_DOUBTS, "doubted"),
    )
    for words, held in governing:
        for match in words.finditer(text):
            yield match.end(), _end(text, match), held
    for match in _CONDITIONS.finditer(text):
        before = [join.end() for join in _JOINS.finditer(text, 0, match.start())]
        start = match.start() if _is_aside(text, match.start()) else max(before, default=0)
        yield start, _end(text, match), "conditional"


def _end(text: str, governor: re.Match[str]) -> int:
    """Where what a word governs ends: with its clause; in an aside, at the next comma."""
    start = governor.end()
    if _is_aside(text, governor.start()):
        mark = _MARK.search(text, start)
        return mark.start() if mark else len(text)
    ends = [join.start() for join in _JOINS.finditer(text, start)]
    joined = _AND.search(text, start)
    if joined and not re.search(r"\b(?:that|whether)\b", text[governor.start() : joined.start()]):
        ends.append(joined.start())  # he denied it and resigned
    return min(ends, default=len(text))


def _is_aside(text: str, place: int) -> bool:
    """Whether a place is in a stretch that is put into a sentence, or before it: ", who had"."""
    starts = [0, *(mark.end() for mark in _MARK.finditer(text, 0, place))]
    return bool(_OPENS_ASIDE.match(text[starts[-1] :].lstrip(' "')))


def _moods(text: str) -> Iterator[tuple[int, Mood]]:
    """The verbs that are not told as done, the more doubtful last, as it is what counts."""
    for match in _INFINITIVE.finditer(text):
        before, verb = match[1], match[2]
        if not _NO_VERB.match(verb) and not _DONE.match(before):
            yield match.start(2), "aim" if _TO_COME.match(before) else "open"
    order: tuple[Mood, ...] = ("future", "open", "undone")
    for mood in order:
        for of, words in _MOODS:
            if of == mood:
                for match in words.finditer(text):
                    yield match.start(1), mood
