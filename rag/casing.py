"""Questions typed all in small letters: the names in them get their capitals back.

All that goes by names (whether the articles have them, what is short for an answer) then reads such
a question as any other. Called truecasing (Lita et al., ACL 2003).
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any

from rag.language import search_terms
from rag.phrases import ENGLISH, language_of
from rag.search_index import SearchIndex

NAME_CHARS = 3
"""A shorter word tells too little by how it is written."""


def cased(question: str, index: SearchIndex) -> str:
    """A question as it is; one without any capital with those of its names.

    Names are the words that the archive writes with a capital. Of a question in English they are
    also those that neither the archive nor a dictionary has, and that are no misspelling.
    """
    if question != question.lower():
        return question
    for word in {term.removesuffix("'s"): None for term in search_terms(question)}:
        if len(word) >= NAME_CHARS and word.isalpha():
            written = index.written(word)
            if written is None and language_of(question).startswith(ENGLISH):
                known = index.spelling(word) or _dictionary().lookup(word)
                written = word if known else word.capitalize()
            if written and written[0].isupper():
                question = re.sub(rf"\b{word}\b", written, question)
    return question


def is_plain_word(word: str, question: str) -> bool:
    """Whether a word of a question in English stands in a dictionary, in small letters."""
    return language_of(question).startswith(ENGLISH) and bool(_dictionary().lookup(word))


@functools.cache
def _dictionary() -> Any:
    """English with its inflections, names under their capitals (Hunspell's, by SCOWL).

    Read when it is first needed, which takes most of a second.
    """
    from spylls.hunspell import Dictionary

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files to be closed
        return Dictionary.from_files("en_US")
