"""The person that "he" or "she" stands for, where a sentence does not say.

By form alone, and only where there is little doubt: of the sentences just before, the nearest that
names somebody must name one person, as who does something or says something. A wrong name is worse
than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.language import FUNCTION_WORDS, sentence_spans

LOOKED_BACK = 3
"""Sentences before, of which the nearest that names somebody counts. Those after it must be
quotations, or go on about the same person."""

_CAPITAL = r"(?:[A-ZÀ-ÖØ-Þ](?:[\w’'-]*\w)?|[A-Z]\.)"
_RUN = re.compile(rf"(?<![\w’'-]){_CAPITAL}(?: (?:(?:de|van|von|der|al|bin) )*{_CAPITAL})*")
_SAYS = (
    r"(?:said|says|told|added|warned|wrote|argued|claimed|called|asked|insisted|explained|thinks)\b"
)
_HE_OR_SHE = r"(?:(?P<he>[Hh]e)|(?P<she>[Ss]he))\b(?![’'])"
_HIS_OR_HER = r"(?:(?P<he>His)|(?P<she>Her))\b"
# Who opens the sentence, or says what it quotes.
_PRONOUNS = tuple(
    map(
        re.compile,
        (
            rf"(?:(?:But|And|So|Yet|Then|Later|Still|Now),? )?{_HE_OR_SHE}",
            _HIS_OR_HER,
            rf"(?:.*[,?!][”\"’'] )(?:{_HE_OR_SHE})(?= {_SAYS})",
        ),
    )
)
_QUOTED = re.compile(r"[“\"][^”\"]*(?:[”\"]|\Z)|(?<!\w)[‘'](?:[^’']|[’'](?=\w))*(?:[’'](?!\w)|\Z)")
_TITLE = re.compile(r"(?:(?P<he>Mr|Sir|Lord)|(?P<she>Mrs|Ms|Miss|Lady|Dame)|Dr|Prof)\.? ")
_GENDERED = re.compile(r"\b\w*[a-z](?:(?P<she>woman)|(?P<he>man)) $")
_ROLE = rf"(?!(?:{'|'.join(FUNCTION_WORDS)})\b)[a-z]+(?:er|or|ist|ian|ent|ant|man)"
_ROLE_BEFORE = re.compile(rf"\b(?:{_ROLE}|{_SAYS}) $")
_OF_A_ROLE = re.compile(rf" {_ROLE} (?={_CAPITAL})")  # the Union of "Union leader Ada Brown"
_IN_A_PLACE = re.compile(r"\b(?:in|at|near|outside|across) (?:the )?$")  # nobody stands there
_SPEAKS = re.compile(rf" {_SAYS}")
_PERSON_AFTER = re.compile(rf", (?:\d\d\b|who\b)| \(\d\d\)| (?:{_SAYS}|who\b)")
_OPENER = re.compile(
    r"(?:The|This|That|These|Those|In|On|At|For|From|By|To|Of|But|And|So|It|He|She|They|We|I|You|"
    r"His|Her|Their|Its|Our|My|If|When|While|As|After|Before|Since|Because|Although|A|An)\b[ ,]*"
)


def with_antecedent(text: str, before: str) -> str:
    """A sentence with, in brackets, the name that its "he" or "she" stands for.

    `before` is what stands before it in its article. As it is where who is meant is not plain.
    """
    pronoun = next(filter(None, (pattern.match(text) for pattern in _PRONOUNS)), None)
    if pronoun is None:
        return text
    name = _antecedent("he" if pronoun["he"] else "she", before)
    return f"{text[: pronoun.end()]} [{name}]{text[pronoun.end() :]}" if name else text


def _antecedent(gender: str, before: str) -> str | None:
    plain = _QUOTED.sub(lambda match: " " * len(match.group()), before)
    for start, end in reversed(sentence_spans(plain)[-LOOKED_BACK:]):
        sentence = plain[start:end]
        found = [each for each in _names(sentence) if not _IN_A_PLACE.search(sentence[: each[1]])]
        if not found:
            if re.search(r"\w", plain[start:end]) and not re.search(
                rf"\b{gender}\b", plain[start:end], re.IGNORECASE
            ):
                return None
            continue
        if len({name.split()[-1] for name, _, _ in found}) > 1:
            return None
        name, first, last = found[0]
        head, tail = plain[start : start + first], plain[start + last : end]
        acts = not head.strip() or _ROLE_BEFORE.search(head) or _SPEAKS.match(tail)
        whole = _whole(name, plain)
        return whole if acts and _person(whole, plain) in (gender, "either") else None
    return None


def _names(text: str) -> Iterator[tuple[str, int, int]]:
    """The names that may be persons', and where they stand."""
    for match in _RUN.finditer(text):
        name, start = match.group(), match.start()
        while skipped := _OPENER.match(name):
            name, start = name[skipped.end() :], start + skipped.end()
        stripped = re.sub(r"[’']s$", "", _TITLE.sub("", name))
        if stripped and not stripped.isupper() and not _OF_A_ROLE.match(text, match.end()):
            yield stripped, start, match.end()


def _whole(name: str, text: str) -> str:
    """The whole of a name where a person is called by it: of Brown, Ada Brown."""
    longer = [other for other, _, _ in _names(text) if other.endswith(f" {name}")]
    return max(filter(lambda other: _person(other, text), longer), key=len, default=name)


def _person(name: str, text: str) -> str | None:
    """`he`, `she` or `either` where a name is told to be a person's; else None."""
    is_person = False
    for match in re.finditer(rf"\b{re.escape(name)}\b", text):
        head = text[: match.start()]
        title = re.search(rf"{_TITLE.pattern}$", head) or _GENDERED.search(head)
        if title and title.lastgroup:
            return title.lastgroup
        is_person |= bool(title or _ROLE_BEFORE.search(head))
        is_person |= bool(_PERSON_AFTER.match(text, match.end()))
    return "either" if is_person else None
