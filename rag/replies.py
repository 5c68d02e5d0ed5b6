"""Plain replies to what is not asked of the news: a greeting, or a question about the archive.

They come from the ledger alone. Nothing in them is a claim of an article's, so nothing is cited.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from rag.filters import Choice, date_bounds
from rag.kinds import asks, named
from rag.language import search_terms, terms
from rag.ledger import Ledger
from rag.phrases import day, describe_in, language_of, say
from rag.retrieval import Retrieved
from rag.types import Answer, Article, Event, Query, Token

LISTED = 10
"""Articles that a reply lists at most."""
INTRODUCTION = (
    "Gazette answers questions from the articles of this archive, in their own words and with the "
    "place where they stand. What the articles do not say, it does not answer."
)


def reply(question: str, query: Query, retrieved: Retrieved, ledger: Ledger) -> Iterator[Event]:
    """What there is to say, then the whole `Answer`; no model is asked."""
    language = language_of(question)
    if query.kind == "greeting":
        everything = ledger.index.choose(Query(""))
        lines = [say(INTRODUCTION, language), *_counted(ledger, everything, language)]
    else:
        lines = _told(question, query, ledger, language)
    text = "\n".join(lines)
    yield Token(text)
    yield Answer(
        question=question,
        text=text,
        sentences=(),
        citations=(),
        passages=retrieved.passages,
        query=query,
        confidence=1.0,
        undated=retrieved.undated,
    )


def _told(question: str, query: Query, ledger: Ledger, language: str) -> list[str]:
    """What a question about the archive asks for: the oldest, the newest, a list, or the number."""
    choice = _meant(question, query, ledger)
    number, *outlets = _counted(ledger, choice, language, only_most=asks(question, "most"))
    lines: list[str] = []
    for what, phrase in (("first", "The oldest: {article}"), ("last", "The newest: {article}")):
        if asks(question, what):
            found = islice(ledger.articles(choice, oldest_first=what == "first"), 1)
            lines += [say(phrase, language, article=describe_in(each, language)) for each in found]
    if asks(question, "list"):
        listed = list(islice(ledger.articles(choice), LISTED + 1))
        lines += [f"– {describe_in(article, language)}" for article in listed[:LISTED]]
        lines += ["…"] * (len(listed) > LISTED)
    if asks(question, "author"):
        lines += _authors(question, list(ledger.articles(choice)), language)
    return [number, *(lines or outlets)]


def _authors(question: str, articles: list[Article], language: str) -> list[str]:
    """Who wrote them; only those whose headline names the topic, if there are any."""
    wanted = set(terms(named(question, "about") or ""))
    titled = [article for article in articles if wanted and wanted <= set(terms(article.title))]
    shown = (titled or articles)[:LISTED]
    return [f"– {describe_in(each, language)}: {', '.join(each.authors) or '?'}" for each in shown]


def _meant(question: str, query: Query, ledger: Ledger) -> Choice:
    """The articles that a question is about: by the query's filters, by author, by topic."""
    choice = ledger.index.choose(query)
    about = named(question, "about") or ""
    if not query.outlets and (author := named(question, "by")):
        choice = ledger.index.written_by(choice, author)
    elif (
        not query.outlets
        and not date_bounds(query)
        and (outlet := named(question, "from"))
        and outlet not in about  # "the wall of Kessel"
    ):
        choice = ledger.index.choose(replace(query, outlets=(outlet,)))
    wanted = search_terms(about)
    return ledger.index.about(choice, wanted) if wanted else choice


def _counted(ledger: Ledger, choice: Choice, language: str, only_most: bool = False) -> list[str]:
    """How many articles there are of a choice, of which days and outlets, or those with most."""
    outlets = ledger.index.per_outlet(choice)
    count = sum(outlets.values())
    everything = count == ledger.article_count()
    phrase = "Articles in the archive: {count}" if everything else "Articles that fit: {count}"
    lines = [say(phrase, language, count=f"{count:,}")]
    ends = [next(ledger.articles(choice, oldest_first), None) for oldest_first in (True, False)]
    days = [day(each.published, language) for each in ends if each and each.published]
    if len(set(days)) == 2:
        lines[0] += f", {say('from {first} to {last}', language, first=days[0], last=days[1])}"
    elif days:
        lines[0] += f", {days[0]}"
    named_outlets = {name: number for name, number in outlets.items() if name}
    least = max(named_outlets.values(), default=0) if only_most else 0
    names = [f"{name} ({number:,})" for name, number in named_outlets.items() if number >= least]
    if names:
        lines.append(say("Outlets: {names}", language, names=", ".join(names)))
    return lines
