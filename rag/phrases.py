"""What Gazette says in words of its own, in the language of the question (`phrases.toml`).

The language is told by py3langid, among those that Gazette speaks; where that is unsure, and
for what is not translated, it is English.
"""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rag.language import words
from rag.types import Article, Citation, Passage, describe, printed_day

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

ENGLISH = "en"
SURE = 0.5
"""The least probability of a language that is not English. Of 220 short questions in ten other
languages, one is then answered in a wrong one, four in English; of 6,366 English ones, one is
not answered in English."""

_PLAINLY_ENGLISH = frozenset(
    "the what which who whom whose when where why how did does about tell any there hello".split()
)
_NAME = re.compile(r"(?<=\s)\W*[^\W\d_a-zß-öø-ÿ]\S*")


def language_of(question: str) -> str:
    """The language of a question, by its ISO 639-1 code: English unless it is plainly another."""
    question = _NAME.sub("", question)  # a name may be of another country
    if not _PLAINLY_ENGLISH.isdisjoint(words(question)):
        return ENGLISH
    language, probability = _identifier().classify(question)
    return str(language) if probability >= SURE else ENGLISH


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # with its model, 0.7 s

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([ENGLISH, *_phrases()])
    return identifier


@cache
def _phrases() -> dict[str, dict[str, str]]:
    """Language to English phrase to phrase."""
    return tomllib.loads((files("rag") / "phrases.toml").read_text(encoding="utf-8"))


def say(phrase: str, language: str, **values: object) -> str:
    """An English phrase in a language, with the values put in."""
    if language != ENGLISH:
        phrase = _phrases()[language].get(phrase, phrase)
    return phrase.format(**values)


def day(moment: datetime, language: str) -> str:
    """The day as an article in that language prints it: `4 March 2025`, `4. März 2025`."""
    if language == ENGLISH:
        return printed_day(moment)
    from babel.dates import format_date

    return format_date(moment, "long", locale=language)


def describe_in(source: Citation | Passage | Article, language: str) -> str:
    """One line that names a source, as `describe`, its day as that language prints it."""
    return describe(source, day(source.published, language) if source.published else None)
