"""What a question points back to: the words that point, and the names of the turns before.

By form alone: a person is told by a title, a role, an age or a verb of saying, a place by the
preposition before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.answer_type import asked
from rag.language import FUNCTION_WORDS, NEGATIONS, fold, sentence_spans
from rag.types import History

_NAME = re.compile(
    r"(?<!\w)[^\W\d_a-zß-öø-ÿ][\w'&.-]*"
    r"(?:\s+(?:(?:of|for|the|de|van|von|am)\s+){0,2}[^\Wa-zß-öø-ÿ_][\w'&.-]*)*"
)
# What points back: a pronoun before any name; "in that game", "the second one", "do they each".
_PERSON = r"(?:he|she|him|her|his|hers)"
_PRONOUN = re.compile(
    rf"\b(?:{_PERSON}|its?(?! (?:true|possible|likely|known)\b)|they|them|theirs?)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"(?:(?<=\b\w\w )|(?<=\b(?:for|was|did|had) )|(?<=\b(?:that|with|from|does) )|(?<=\babout ))"
    r"(?:this|that|these|those)\b(?! (?:week|month|year))|"
    r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!be )\bthere\b(?! (?:is|are|was|were|has|have))|"
    r"\b(?:the|that|this|which) (?:\w+ )?ones?\b|\bthe (?:former|latter|same)\b(?! \w)|"
    r"\beach\b(?= (?:of them|has|have|had)\b)",
    re.IGNORECASE,
)
_ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_ORDINALS |= {"other": 1, "latter": -1}
ORDINAL = re.compile(rf"\bthe ({'|'.join(_ORDINALS)})(?: ones?\b|(?=\W*$))", re.IGNORECASE)
# "How cold was it in Brunn?", "How long does it take to build one?": it stands for nothing.
_EMPTY = re.compile(
    r"\bhow (?:cold|hot|warm|wet|windy|late|far|likely) (?:is|was|will) it\b"
    r"(?= (?:be )?(?:in|on|at|from|to|that)\b)|"
    r"\bit (?:takes?|took|costs?)\b(?=.* to )",
    re.IGNORECASE,
)
_LIST = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+")
_MARKS = re.compile(r"\s*\[\d+\]|\*\*")
_SHORT = re.compile(r"\*\*(.+?)\*\*")
_NOT_ANSWERED = re.compile(r"^– ", re.MULTILINE)  # a list of what comes nearest

# What may open an answer with a capital.
_NO_NAMES = FUNCTION_WORDS | NEGATIONS | {"since", "nearly", "almost", "around", "yes"}
_NO_NAMES |= set("warum wieso wann wo wer pourquoi quand où qui combien dónde cuándo quién".split())
TIME = re.compile(
    r"\b(?:(?:January|February|March|April|May|June|July|August|September|October|November|"
    r"December)(?: (?:19|20)\d\d)?|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:19|20)\d\d)\b"
)
"""A month, a day of the week or a year, as a follow-up names one."""

_TITLE = (
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Dame|Lord|Lady|Rep|Sen|Gov|President|Judge|Mayor|Minister|"
    r"King|Queen|Prince|Princess)"
)
_ROLE = (
    r"\b(?:attorney|judge|mayor|chief|head|chairman|chairwoman|chair|president|king|queen|spokesman|"
    r"spokeswoman|minister|governor|senator|director|general)"
)
_PERSON_BEFORE = re.compile(
    rf"(?:{_TITLE}\.?|{_ROLE},?|\b(?!(?:other|over|under|after|never|former|for|or)\b)"
    r"[a-z]+(?:er|or|ist|ian|woman|man),?|\b(?:said|says|told|added)) $"
)
_PERSON_AFTER = re.compile(r",? (?:\(?\d\d\)?(?=[,;.)]|$)|who\b|(?:said|says|told|added|wrote)\b)")
_PERSONS_NAME = re.compile(
    r"[^\W\d_a-z][\w'-]+(?: (?:[^\W\d_]\.?|[^\W\d_a-z][\w'-]+|de|van|von)){1,3}"
)
_NO_PERSON = re.compile(
    r"(?:New|North|South|East|West|San|Santa|Los|Las|Port|Lake|Mount|Cape|United|Great) .*|.*"
    r" (?:Group|Party|Union|Council|Club|Bank|Company|Corp|Inc|Ltd|University|Ministry|Works|Fund|"
    r"Association|Capital|Lines?|Court|Cup|Yard|Police|Agency|Department|Committee|Society|House|"
    r"Office|Board|League|Post|News|Times|City|County|Island|River|Street|Bridge|Airport|Commission)"
)
_IN = re.compile(r"\b(?:in|at|from|near|off|outside|across|around|through)(?: the)? $", re.I)
_TOWARDS = re.compile(r"\b(?:to|into|on)(?: the)? $", re.IGNORECASE)
# "Which firm …", "What ship …": it is the answer that is talked about from then on.
_IDENTITY = re.compile(
    r"\bwhich\b|\bwhat (?!(?:happen|did|do|does|is|are|was|were|has|have|had|will|would|can|could|"
    r"should|about)\w*)\w+|\b(?:called|(?:re)?named?)\b",
    re.IGNORECASE,
)

_WITHIN = frozenset("of in on over at for from against with between the".split())
_NO_NOUN = "|".join(sorted(FUNCTION_WORDS - _WITHIN))
_PHRASE = re.compile(
    r"(?:\b(?P<verb>do|does|did|will|would|can|could|should)\s+)?"
    rf"\b(?P<noun>the(?:\s+(?!(?:{'|'.join(FUNCTION_WORDS)})\b)[\w'-]+){{1,4}})(?P<of>\s+of\b)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name with what stands around it."""

    name: str
    before: str
    after: str

    @property
    def is_person(self) -> bool:
        if re.match(rf"{_TITLE}\.? ", self.name):
            return True
        around = _PERSON_BEFORE.search(self.before) or _PERSON_AFTER.match(self.after)
        return bool(around and not self._is_other)

    @property
    def may_be_person(self) -> bool:
        """Whether it looks like a first and a last name, and not like a place or a company."""
        is_formed = _PERSONS_NAME.fullmatch(self.name) is not None
        return is_formed and not self._is_other and not self.is_place

    @property
    def _is_other(self) -> bool:
        """Whether it is called like a place or a company, or says whose mayor somebody is."""
        is_whose = re.match(_ROLE, self.after.strip(), re.IGNORECASE)
        return bool(is_whose or _NO_PERSON.fullmatch(self.name))

    @property
    def is_within(self) -> bool:
        """Whether it says where, of what or whereto."""
        return bool(self.is_place or re.search(r"\b(?:of|to|for)(?: the)? $", self.before))

    @property
    def is_place(self) -> bool:
        return bool(_IN.search(self.before))


def pointer(question: str) -> re.Match[str] | None:
    """The words of a question that point back to something."""
    question = _EMPTY.sub(lambda match: "-" * len(match.group()), question)
    pronoun = _PRONOUN.search(question)
    if pronoun and named(question[: pronoun.start()]):
        pronoun = None
    return pronoun or ORDINAL.search(question) or _POINTING.search(question)


def is_of_person(pointing: re.Match[str]) -> bool:
    """Whether what points back is "he" or "she" in one of their forms."""
    return bool(re.fullmatch(_PERSON, pointing[0], re.IGNORECASE))


def named(text: str) -> list[str]:
    """The names in a text, in order: runs of capitalised words, the sentence's first apart."""
    return list(dict.fromkeys(mention.name for mention in _mentions(text)))


def _mentions(text: str) -> Iterator[_Mention]:
    text = fold(text)
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        for match in _NAME.finditer(sentence):
            run = match.group().split()
            opens = match.start() == 0 and len(run) == 1 and len(sentence.split()) > 4
            while run and run[0].casefold() in _NO_NAMES:
                del run[0]
            if run and not run[0][0].isdigit() and not opens:
                name = " ".join(run).rstrip(".,").removesuffix("'s")
                first = match.end() - len(" ".join(run))
                yield _Mention(name, sentence[:first], sentence[first + len(name) :])


def pointed_at(pointing: re.Match[str], turns: History) -> str | None:
    """What a follow-up most likely points to, of the turns before, the newest first."""
    if ordinal := ORDINAL.fullmatch(pointing[0]):
        items = listed(turns)
        place = _ORDINALS[ordinal[1].casefold()]
        return items[place] if len(items) > max(place, 1) else None
    for asked_before, answered in turns:
        topic = _timeless(_without_source(asked_before))
        known = {mention.name for mention in topic}
        new = [one for one in _timeless(_said(answered)) if one.name not in known]
        if found := _in_order(pointing[0].casefold(), asked_before, topic, new):
            return found[0].name
    return None


def _timeless(text: str) -> list[_Mention]:
    return [mention for mention in _mentions(text) if not TIME.fullmatch(mention.name)]


def _in_order(
    word: str, asked_before: str, topic: Sequence[_Mention], new: Sequence[_Mention]
) -> list[_Mention]:
    """The names of a turn that a word may stand for, the likeliest first."""
    asks_who = bool(re.match(r"(?:and |but )?who(?:m|se)?\b", asked_before, re.IGNORECASE))
    # Of "Who won the Cup?" and "Ada Brown", it is the Cup that "it" is.
    is_who = [asks_who and one is new[0] and not one.before.strip(" ") for one in new]
    persons = [one for one, is_first in zip(new, is_who, strict=True) if one.is_person or is_first]
    persons = [one for one in persons if not one.is_place]
    likely = [*new, *topic]
    if re.fullmatch(_PERSON, word):
        persons += [one for one in new[:1] if one.may_be_person and not one.before]
        persons += [one for one in topic if one.is_person]
        persons += [one for one in likely if one.may_be_person]
        last = [one for one in likely if " " not in one.name and not one.is_within]
        return persons or last
    if word == "there":
        places = [one for one in likely if one.is_place]
        places += [one for one in likely if _TOWARDS.search(one.before)]
        return places or [one for one in topic if not one.may_be_person]
    is_answer = _IDENTITY.search(asked_before) and not asked(asked_before).measures
    if not is_answer and not word.startswith("the"):
        likely = [*topic, *new]
    # A person is no "it", and one does not often go on about the place of something.
    return sorted(likely, key=lambda one: (one in persons and word[:3] != "the", one.is_place))


def listed(turns: History) -> list[str]:
    """The items of the newest answer that lists some; ages and what else is said of them left out.

    Where items begin with a capital, or with "the", what does not is said of the one before it.
    """
    for _, answered in turns:
        items = [item.strip(" .") for item in _LIST.split(_said(answered)) if item.strip(" .")]
        items = [item for item in items if not item[0].isdigit()]
        titled = [item for item in items if item[0].isupper() or item.startswith("the ")]
        items = titled if len(titled) > 1 else items
        if len(items) > 1:
            return [
                (named(item) or [item])[-1 if place == 0 else 0] for place, item in enumerate(items)
            ]
    return []


def _said(answered: str) -> str:
    """An answer's short form, or else its words without marks; nothing where it gave none."""
    if _NOT_ANSWERED.search(answered):
        return ""
    short = _SHORT.match(answered)
    if short and re.search(r"[^\W\d_a-z]", short[1]):
        return short[1]
    return _MARKS.sub("", answered)


def _without_source(question: str) -> str:
    return re.sub(r",? *\baccording to [^,?]*", "", question)


def topic_of(question: str) -> str | None:
    """What a question is about: its first name that is no mere place, with what leads up to it.

    One without a name is about the first thing that it calls "the".
    """
    question = _without_source(question)
    mentions = sorted(_timeless(question), key=lambda mention: mention.is_place)
    if mentions:
        name = mentions[0].name
        led = rf"\bthe (?:(?!(?:{_NO_NOUN})\b)[^\W_A-Z][\w'-]* )+{re.escape(name)}"
        found = re.search(led, question)
        return found[0] if found else name
    phrase = _PHRASE.search(question)
    if not phrase:
        return None
    noun = phrase["noun"].split()
    if phrase["verb"] and not phrase["of"] and len(noun) > 2:
        del noun[-1]  # "When does the fair open?"
    return " ".join(noun)
