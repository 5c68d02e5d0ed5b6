"""Taking the markup out of what a language model writes, while it is written.

An article may have ordered it: a picture in Markdown or HTML would be fetched wherever an answer is
rendered, and would take along what stands in its address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST_HELD = 2000
"""Characters of markup that are waited for; what is longer is let go, and broken."""
_WORDS = r"\[([^\]]{0,300})\]"
_TARGET = r"\((?:[^()]|\([^()]*\))*\)"
_WHOLE = re.compile(rf"!{_WORDS}(?:{_TARGET}|\[[^\]]*\])|{_WORDS}{_TARGET}|<[/!a-zA-Z][^<>]*>")
_BEGUN = re.compile(
    r"!$|!?\[[^\]]{0,300}$|!?\[[^\]]{0,300}\](?:\((?:[^()]|\([^()]*\))*(?:\([^()]*)?)?$|"
    r"!\[[^\]]{0,300}\]\[[^\]]*$|<(?:[/!a-zA-Z][^<>]*)?$"
)
_UNFINISHED = re.compile(r"!(?=\[)|\](?=\()|<(?=[/!a-zA-Z])")
_MARK = re.compile(r"\D{0,10}\d[\d\s,;–-]*")


def without_markup(pieces: Iterable[str]) -> Iterator[str]:
    """A text in pieces, without pictures, HTML and the targets of links; [1] stays [1]."""
    held = ""
    for piece in pieces:
        held = _WHOLE.sub(_words, held + piece)
        begun = _BEGUN.search(held)
        cut = begun.start() if begun and len(held) - begun.start() < MOST_HELD else len(held)
        if cut:
            yield defused(held[:cut])
        held = held[cut:]
    if held:
        yield defused(held)


def _words(found: re.Match[str]) -> str:
    """What stands for markup: nothing, or the words of a link, which may be a mark."""
    words = found[2] or ""
    return f"[{words}]" if _MARK.fullmatch(words) else words


def defused(text: str) -> str:
    """Text of which no picture, link or HTML can be made, whole or unfinished."""
    return _UNFINISHED.sub(lambda found: "‹" if found[0] == "<" else f"{found[0]} ", text)
