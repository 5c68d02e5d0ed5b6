"""Questions made from news, with the sentences of their article: PolNeAR's, and cloze questions.

PolNeAR (Newell, Margolin and Ruths, LREC 2018) marks by hand who says what in an article. From that
come "Who said that ...?" and "What did ... say about ...?", and the same of somebody else, which
nothing answers. Cloze questions put "who", "how many", "how much" or "when" in the place of a name,
a number, a sum or a date.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evals.train.examples import Example
from rag.extractive import sentences_of
from rag.language import terms
from rag.signals import Candidate
from rag.types import Passage, Span

HELD_EVERY = 8
"""Of the articles by their id, one in so many is only measured on."""
SENTENCES = 6
"""Of an article are read with a question: the right one, and those with most of its words."""
STRANGE = 0.2
"""The share of the questions that are asked of another article, which does not answer."""
WORDS = 14
"""The most that a made question takes from a sentence."""
_NAME = r"(?:[A-Z][\w’'.-]+ ){1,3}[A-Z][\w’'-]+"
_PAST = {
    **{"said": "say", "told": "tell", "won": "win", "lost": "lose", "gave": "give", "met": "meet"},
    **{"made": "make", "took": "take", "held": "hold", "spoke": "speak", "wrote": "write"},
    **{"ran": "run", "led": "lead", "left": "leave", "began": "begin", "became": "become"},
    **{"raised": "raise", "spent": "spend", "paid": "pay", "received": "receive", "called": "call"},
    **{"donated": "donate", "announced": "announce", "endorsed": "endorse", "signed": "sign"},
    **{"visited": "visit", "launched": "launch", "released": "release", "voted": "vote"},
    **{"declared": "declare", "filed": "file", "joined": "join", "offered": "offer"},
}
_DID = "|".join(_PAST)
_VERB = rf"(?:{_DID}|was|is|has|had|will|[a-z]{{3,}}ed)"
_DAY = (
    r"(?:on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(?: (?:morning|afternoon|evening|night))?"
    r"|in (?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r"(?: \d{4})?|in \d{4}|on (?:Jan|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec)\.? \d{1,2}"
    r"|last (?:week|month|year|summer|fall|spring|winter))"
)
_MANY = re.compile(
    r"\b(?P<answer>\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens of)"
    r" (?P<rest>(?!percent|million|billion)(?:[a-z-]+ )?[a-z-]{3,}s\b[^,;:.()“”]*)"
)
_SHARE = re.compile(r"(?P<answer>\d[\d.]* percent) of (?P<rest>[^,;:.()“”]*)")
_SUM = re.compile(
    rf"(?P<whom>{_NAME}|[Tt]he [a-z]+) (?P<did>{_DID})"
    r" (?:about |more than |nearly )?(?P<answer>\$\d[\d.,]*(?: [mb]illion)?)(?P<rest>[^,;:.()“”]*)"
)
_NO_NAME = r"(?!(?:As|At|In|On|If|For|When|While|After|Before|With|But|And|Like) )"
_WHO = re.compile(rf"^{_NO_NAME}(?P<answer>{_NAME}) (?P<rest>{_VERB} [^,;:()“”]*)")
_WHEN = re.compile(
    rf"(?P<whom>{_NAME}|[Tt]he [a-z]+) (?P<did>{_DID}) (?P<rest>[^,;:()“”]*?) ?(?P<answer>{_DAY})\b"
)
_CLAUSE = re.compile(
    r"^(?!to |whether |how |if )(?=.*\b(?:is|are|was|were|has|had|will|would|can|\w+ed)\b)"
)
_BREAK = re.compile(
    r" (?:and|but|who|which|that|because|while|as) .*| (?:to|the|a|of|in|for|from|by)$"
)
"""What a question cut out of a sentence does without."""
_PRONOUN = re.compile(r"\b(?:I|we|my|our|us|me|you|your)\b", re.IGNORECASE)
_NAMED = re.compile(r"(?:[Tt]he )?[A-Z](?!n? )")
_NOBODY = re.compile(
    r"(?:I|we|he|she|it|they|this|that|his|her|their|who|some|many)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Asked:
    """A question made of a sentence of an article."""

    question: str
    sentence: int | None
    """The number of the one that answers; none does if it is missing."""
    span: Span = (0, 0)
    """Where the answer stands in it."""
    near: int | None = None
    """The number of one that only seems to answer."""


@dataclass(frozen=True)
class Attribution:
    """Who says what in a sentence."""

    sentence: int
    source: str
    cue: str
    content: str
    source_at: Span
    content_at: Span
    """Where in the sentence."""


@dataclass(frozen=True)
class Report:
    """An article with its sentences, and the attributions of those who are named."""

    id: str
    sentences: Sequence[Candidate]
    attributions: Sequence[Attribution]

    def example(self, asked: Asked, whole: bool = False) -> Example:
        """A question with the sentences nearest to it in words, or with all."""
        wanted = set(terms(asked.question))
        first = asked.near if asked.sentence is None else asked.sentence
        order = sorted(
            range(len(self.sentences)),
            key=lambda n: (n != first, -len(wanted & set(terms(self.sentences[n].text)))),
        )
        kept = sorted(order if whole else order[:SENTENCES])
        spans = {kept.index(asked.sentence): asked.span} if asked.sentence is not None else {}
        sentences = [self.sentences[n] for n in kept]
        answers = [sentences[n].text[start:end] for n, (start, end) in spans.items()]
        return Example(asked.question, self.id, sentences, answers, spans)


def read_reports(path: Path) -> tuple[list[Report], list[Report]]:
    """The articles of a PolNeAR file: those to train on, and those that are measured on."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = sorted((json.loads(line) for line in lines), key=lambda row: str(row["id"]))
    reports = [_report(row) for row in rows]
    held = reports[::HELD_EVERY]
    return [report for n, report in enumerate(reports) if n % HELD_EVERY], held


def _report(row: dict[str, Any]) -> Report:
    text = row["text"]
    sentences = sentences_of([Passage("", 0, len(text), text, row["title"], language="en")])
    found = []
    for marked in row["attributions"]:
        parts = [marked[name] for name in ("source", "cue", "content")]
        if [len(part) for part in parts] != [1, 1, 1]:
            continue
        source, cue, content = ((part[0][0], part[0][1]) for part in parts)
        said, by, what = (text[start:end] for start, end in (content, cue, source))
        if not _NAMED.match(what) or _NOBODY.match(what):
            continue
        for n, sentence in enumerate(sentences):
            own = [
                (start - sentence.start, end - sentence.start) for start, end in (source, content)
            ]
            if all(start >= 0 and end <= len(sentence.text) for start, end in own):
                found.append(Attribution(n, what, by, said, own[0], own[1]))
                break
    return Report(row["id"], sentences, found)


def news_examples(reports: Sequence[Report], seed: int) -> list[Example]:
    """Of each article a question of each kind, where it gives one; some asked of another."""
    examples = []
    for number, report in enumerate(reports):
        chance = random.Random(f"{seed} {report.id}")
        for kind in (_who_said, _what_said, _what_others_said, *_CLOZES):
            made = list(kind(report, chance))
            if not made:
                continue
            asked = chance.choice(made)
            if chance.random() < STRANGE:
                other = reports[(number + chance.randrange(1, len(reports))) % len(reports)]
                examples.append(other.example(replace(asked, sentence=None)))
            else:
                examples.append(report.example(asked))
    return [example for example in examples if example.sentences]


def attributed(reports: Sequence[Report]) -> list[Example]:
    """Every question after a source that the articles give, each with its whole article."""
    return [
        report.example(asked, whole=True)
        for report in reports
        for asked in _who_said(report, random.Random(report.id))
    ]


def _who_said(report: Report, chance: random.Random) -> Iterator[Asked]:
    """Questions after the source of what is said."""
    for said in report.attributions:
        words = _opening(said.content)
        if len(words.split()) > 3 and _CLAUSE.match(words) and not _PRONOUN.search(words):
            cue = said.cue if re.fullmatch(r"[a-z]+ed|said|says|told", said.cue) else "said"
            asks = ("Who said that", "Who said", "Who says", "According to whom", f"Who {cue}")
            yield Asked(f"{chance.choice(asks)} {words}?", said.sentence, said.source_at)


def _what_said(report: Report, chance: random.Random) -> Iterator[Asked]:
    """Questions after what a source says."""
    for said in report.attributions:
        if about := _theme(said, chance):
            yield Asked(_asked_about(said.source, about, chance), said.sentence, said.content_at)


def _what_others_said(report: Report, chance: random.Random) -> Iterator[Asked]:
    """Questions after what a source says on that of which only others of the article speak."""
    for said in report.attributions:
        about = _theme(said, chance)
        others = {
            other.source for other in report.attributions if not _alike(other.source, said.source)
        }
        if about and others:
            asked = chance.choice(sorted(others))
            own = " ".join(s.text for s in report.sentences if _alike(asked, s.text))
            if not set(terms(about)) & set(terms(own)):
                yield Asked(_asked_about(asked, about, chance), None)


def _asked_about(source: str, about: str, chance: random.Random) -> str:
    who = " ".join(re.split(r"[,(]", source)[0].split()[:5])
    ways = "What did {} say about {}?", "What does {} think of {}?", "What has {} said on {}?"
    return chance.choice(ways).format(who, about)


def _theme(said: Attribution, chance: random.Random) -> str:
    """Some words in a row of what is said, which begin and end with one that tells something."""
    words = re.findall(r"[\w’'$%.-]*\w%?", said.content)
    telling = [n for n, word in enumerate(words) if len(word) > 3 and terms(word)]
    runs = [(a, b) for a in telling for b in telling if 1 <= b - a <= 3]
    if not runs or len(words) < 6:
        return ""
    start, end = chance.choice(runs)
    return (
        ""
        if _PRONOUN.search(" ".join(words[start : end + 1]))
        else " ".join(words[start : end + 1])
    )


def _alike(source: str, text: str) -> bool:
    """Whether a name of the source stands in a text."""
    return any(name in text for name in re.findall(r"[A-Z][\w’-]{2,}", source))


def _opening(text: str) -> str:
    """What is said as it stands after "who said": without marks, and not whole if it is long."""
    text = re.sub(r"^that ", "", re.sub(r"[“”\"()]", "", text).strip(" ,.?!"))
    words = _BREAK.sub("", " ".join(text.split()[:WORDS])).split()
    if words and re.fullmatch(r"The|A|An|It|This|There|They|He|She|In|If|But|And|That", words[0]):
        words[0] = words[0].lower()
    return " ".join(words).rstrip(",.;:")


def _cloze(
    pattern: re.Pattern[str], ask: Callable[[re.Match[str]], str]
) -> Callable[[Report, random.Random], Iterator[Asked]]:
    """What asks for a pattern's `answer`, where one sentence alone has the question's words."""

    def asked(report: Report, _: random.Random) -> Iterator[Asked]:
        has = [set(terms(sentence.text)) for sentence in report.sentences]
        for n, sentence in enumerate(report.sentences):
            if match := pattern.search(sentence.text):
                words = " ".join(ask(match).split()[: WORDS + 2])
                question = words[:9] + _BREAK.sub("", words[9:]).rstrip(" ?,.") + "?"
                wanted = set(terms(question))
                if len(wanted) > 2 and sum(len(wanted & own) > len(wanted) / 2 for own in has) == 1:
                    yield Asked(question, n, match.span("answer"))

    return asked


_CLOZES = (
    _cloze(_WHO, lambda found: f"Who {found['rest']}"),
    _cloze(_MANY, lambda found: f"How many {found['rest']}"),
    _cloze(_SHARE, lambda found: f"What percentage of {found['rest']}"),
    _cloze(
        _SUM, lambda found: f"How much did {found['whom']} {_PAST[found['did']]}{found['rest']}"
    ),
    _cloze(_WHEN, lambda found: f"When did {found['whom']} {_PAST[found['did']]} {found['rest']}"),
)
