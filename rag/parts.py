"""The questions that one question asks, each made to stand on its own."""

from __future__ import annotations

import re

from rag.referents import named, pointer, topic_of

_WORD = r"(?:who|whom|whose|what|which|when|where|why|how)\b"
_BEFORE = r"(?:(?:in|on|at|by|from|to|for|of|with|under|until|since)\s+)?"
ASKS = rf"{_BEFORE}{_WORD}"
INVERTED = r"(?:will|did|do|does|is|are|was|were|has|have|had|can|could|would|should)\b"

# Where a second question begins, whatever the first is.
_SECOND = re.compile(
    rf"(?<=\?)\s+|\s*[;,]\s+(?:and|or|but)\s+(?={ASKS})|;\s+(?={ASKS})|"
    rf"\s+and\s+(?=which\s|how (?:many|much)\s|{ASKS} {INVERTED})",
    re.IGNORECASE,
)
# Where one may begin, if a whole question went before: "and who …" may also go on with "the man
# who did the first".
_PERHAPS = re.compile(
    rf"\s+and\s+(?=(?:who|what)\s|{_BEFORE}(?:when|where|why|how much|how many|whom)\s*(?:\?|,|$))",
    re.IGNORECASE,
)
# One of three or more; "Brunn, where it sank" and "Ada Brown, who is" go on with a name.
_LISTED = re.compile(
    rf",\s+(?={_BEFORE}(?:what|why|how)\b|{_BEFORE}(?:when|where) (?:do|did|does|will)\b|"
    rf"{_BEFORE}(?:when|where|how much|how many)\s*(?:,|\s+and\b|$)|"
    r"who \w+ (?:it|them|him|her)\b)",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(rf"{_BEFORE}(?:when|where|why|how much|how many|whom)\W*", re.IGNORECASE)
_PER_SOURCE = re.compile(
    r"(.+?),? (according to .+?),? and (?:\S+ ){0,3}?(according to .+)", re.IGNORECASE
)


def parts(question: str) -> tuple[str, ...]:
    """The questions that a question asks, in order, each standing on its own; none if it is one."""
    if match := _PER_SOURCE.fullmatch(question):
        return f"{match[1]} {match[2]}?", f"{match[1]} {match[3]}"
    found = [part for part in _SECOND.split(question) if re.search(r"\w", part)]
    if not found:
        return ()
    pieces = [piece for part in found for piece in _pieces(part, goes_on=part is not found[-1])]
    first, *rest = pieces
    is_asked = re.search(rf"\b{ASKS}|^{INVERTED}", first, re.IGNORECASE)
    # "Who owns the firm, which … and which …"
    goes_on_with = re.search(rf"\b{ASKS}.*, (?:who|which)\b", first, re.IGNORECASE)
    if not rest or not is_asked or goes_on_with:
        return ()
    if _FRAGMENT.fullmatch(first) and (asked := re.match(rf"{ASKS}\s+", rest[0], re.IGNORECASE)):
        first = f"{first.strip()} {rest[0][asked.end() :]}"  # "When and where did it sink?"
    topic = topic_of(first)
    return tuple(_asked_of(_whole(piece, first), topic) for piece in (first, *rest))


def _pieces(part: str, goes_on: bool) -> list[str]:
    """A part cut where other questions may begin, if its first is whole; at commas if it goes on.

    A list of questions has an "and" at its end, in the part or after it.
    """
    cuts = [match.span() for match in _PERHAPS.finditer(part)]
    if goes_on or cuts:
        cuts = sorted([*cuts, *(m.span() for m in _LISTED.finditer(part) if _may_list(m))])
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(part)]
    pieces = [part[start:end] for start, end in zip(starts, ends, strict=True)]
    return pieces if cuts and _is_whole(pieces[0]) else [part]


def _may_list(comma: re.Match[str]) -> bool:
    """Whether a comma stands between questions: "Ada Brown, who owns it" goes on with her name."""
    before, after = comma.string[: comma.start()].split(), comma.string[comma.end() :]
    return not after.casefold().startswith("who") or bool(before and before[-1].islower())


def _is_whole(piece: str) -> bool:
    """Whether a piece is one question with what it asks of, and no clause that "who" may go on."""
    opening = re.match(rf"(?:{ASKS}|{INVERTED})", piece, re.IGNORECASE)
    if not opening or re.search(rf"\b{_WORD}", piece[opening.end() :], re.IGNORECASE):
        return False
    return len(piece.split()) > 2


def _whole(piece: str, first: str) -> str:
    """A piece that is but a question word, with what the first question asks: "and when?"."""
    asked = re.match(rf"{ASKS}\s+", first, re.IGNORECASE)
    if piece is first or not asked or not _FRAGMENT.fullmatch(piece):
        return piece
    word, rest = piece.rstrip(" ?,;"), first[asked.end() :].rstrip(" ?,;")
    if re.match(rf"{INVERTED} (?:the|an?|it|he|she|they|[A-Z])", rest):
        return f"{word} {rest}"
    return f"{word} was it ({rest})"


def _asked_of(piece: str, topic: str | None) -> str:
    """A part with what the question is about, where it has no name or points to one."""
    piece = piece.rstrip(" ?,;")
    if topic and topic not in piece and (pointer(piece) or not _names(piece)):
        piece += f" ({topic})"
    return f"{piece[0].upper()}{piece[1:]}?"


def _names(piece: str) -> list[str]:
    return named(re.sub("according to .*", "", piece))
