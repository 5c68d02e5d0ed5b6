"""Making questions stand on their own: what one takes from the turns before, and its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.language import FUNCTION_WORDS, NEGATIONS, fold, sentence_spans, terms
from rag.types import History

_NAME = re.compile(
    r"[^\W\d_a-zß-öø-ÿ][\w'&.-]*"
    r"(?:\s+(?:(?:of|for|the|de|von|van)\s+){0,2}[^\Wa-zß-öø-ÿ_][\w'&.-]*)*"
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
_GOING_ON = re.compile(r"(?:and|but|so|or|what about|how about|what else|who else)\b", re.I)
_ELLIPSIS = re.compile(
    r"(?i:and|but|(?:and )?(?:what|how) about) (?:(?P<preposition>in|on|at|for|from|of|with|by) )?"
    r"(?P<other>(?:the )?[^\W\d_a-z][^?]{0,40}?)\s*\??"
)
_ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "last": -1, "latter": -1}
_ORDINAL = re.compile(rf"\bthe ({'|'.join(_ORDINALS)})\b(?= ones?\b|\W*$)", re.IGNORECASE)
_LIST = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+")

_ASKS = (
    r"(?:(?:in|on|at|by|from|to|for|of|with|under|until|since)\s+)?"
    r"(?:who|whom|whose|what|which|when|where|why|how)\b"
)
_INVERTED = r"(?:will|did|do|does|is|are|was|were|has|have|had|can|could|would|should)\b"
# Where a second question begins: not "and who …", which may go on with who did the first.
_SECOND = re.compile(
    rf"(?<=\?)\s+|\s*[;,]\s+(?:and|or|but)\s+(?={_ASKS})|;\s+(?={_ASKS})|"
    rf"\s+and\s+(?=which\s|how (?:many|much)\s|{_ASKS} {_INVERTED})",
    re.IGNORECASE,
)
_PER_SOURCE = re.compile(
    r"(.+?),? (according to .+?),? and (?:\S+ ){0,3}?(according to .+)", re.IGNORECASE
)
# What may open an answer with a capital.
_NO_NAMES = FUNCTION_WORDS | NEGATIONS | {"since", "nearly", "almost", "around", "yes"}
_SHORT_WORDS = 5


def standalone(question: str, history: History) -> str:
    """The question with what it takes from the turns before; as it is where it takes nothing."""
    if not history or not leans_back(question):
        return question
    frame = standalone(history[-1][0], history[:-1])
    ellipsis = _ELLIPSIS.fullmatch(question)
    if ellipsis and (swapped := _swapped(frame, ellipsis)):
        return swapped
    pointer = _pointer(question)
    name = _pointed_at(pointer, question, history) if pointer else None
    if not pointer or (len(terms(question)) < 2 and not re.match(_PERSON, pointer[0], re.I)):
        return f"{frame} {question}"  # "How many of them?"
    goes_on_from = f"{frame} " if _GOING_ON.match(question) else ""
    if name and name.casefold() not in question.casefold():
        question = f"{question[: pointer.end()]} ({name}){question[pointer.end() :]}"
    return goes_on_from + question


def leans_back(question: str) -> bool:
    """Whether a question may lean on the turn before it."""
    return goes_on(question) or _pointer(question) is not None


def _pointer(question: str) -> re.Match[str] | None:
    pronoun = _PRONOUN.search(question)
    if pronoun and named(question[: pronoun.start()]):
        pronoun = None
    return pronoun or _POINTING.search(question)


def goes_on(question: str) -> bool:
    """Whether a question makes no sense without the turn before it."""
    is_short = len(question.split()) <= _SHORT_WORDS and _pointer(question) is not None
    is_bare = is_short or len(terms(question)) < 2
    return bool(_GOING_ON.match(question)) or (is_bare and not named(question))


def _swapped(frame: str, ellipsis: re.Match[str]) -> str | None:
    """The question before with another name in the place of its own: "And in Germany?"."""
    before = rf"\b{ellipsis['preposition'] or ''} (?:the )?"
    fitting = [name for name in named(frame) if re.search(before + re.escape(name), frame)]
    if not fitting or not named(f"x {ellipsis['other']}"):
        return None
    return frame.replace(fitting[-1], ellipsis["other"].removeprefix("the "), 1)


def _pointed_at(pointer: re.Match[str], question: str, history: History) -> str | None:
    """What a follow-up most likely points to: an item of the last answer, or its newest name."""
    if ordinal := _ORDINAL.search(question):
        items = _LIST.split(history[-1][1].rstrip("."))
        place = _ORDINALS[ordinal[1].casefold()]
        return items[place] if len(items) > max(place, 1) else None
    for asked, answered in reversed(history):
        topic = named(asked)
        new = [name for name in named(answered) if name not in topic]
        # Of "Who won the Cup?" and "Ada Brown", it is the Cup that "it" is.
        is_person = asked.casefold().startswith("who") and new and answered.startswith(new[0])
        is_thing = re.match(r"it|th[ai]|each", pointer[0], re.IGNORECASE) and is_person
        found = [*topic, *new] if is_thing else [*new, *topic]
        if found:
            return found[0]
    return None


def named(text: str) -> list[str]:
    """The names in a text, in order: runs of capitalised words, the sentence's first apart."""
    found: dict[str, None] = {}
    text = fold(text)
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        for match in _NAME.finditer(sentence):
            run = match.group().split()
            opens = match.start() == 0 and len(run) == 1 and len(sentence.split()) > 4
            while run and run[0].casefold() in _NO_NAMES:
                del run[0]
            if run and not run[0][0].isdigit() and not opens:
                found[" ".join(run).rstrip(".,").removesuffix("'s")] = None
    return list(found)


def parts(question: str) -> tuple[str, ...]:
    """The questions that a question asks, in order, each standing on its own; none if it is one."""
    if match := _PER_SOURCE.fullmatch(question):
        return f"{match[1]} {match[2]}?", f"{match[1]} {match[3]}"
    first, *rest = _SECOND.split(question)
    is_asked = re.search(rf"\b{_ASKS}|^{_INVERTED}", first, re.IGNORECASE)
    # "Who owns the firm, which … and which …"
    goes_on_with = re.search(rf"\b{_ASKS}.*, (?:who|which)\b", first, re.IGNORECASE)
    if not rest or not is_asked or goes_on_with:
        return ()
    return tuple(_asked_of(piece, _topic(first)) for piece in (first, *rest))


def _topic(question: str) -> list[str]:
    return named(re.sub("according to .*", "", question))


def _asked_of(piece: str, topic: Sequence[str]) -> str:
    """A part with the name that the question is about, where it has none or points to one."""
    piece = piece.rstrip(" ?,;")
    if topic and topic[0] not in piece and (_pointer(piece) or not _topic(piece)):
        piece += f" ({topic[0]})"
    return f"{piece[0].upper()}{piece[1:]}?"
