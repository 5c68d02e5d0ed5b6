"""Running a suite: every question asked, what was found and answered, counted by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from evals.comparing import Asked, Comparison, compare
from evals.datasets import Question, Suite, document_at
from evals.measures import FOUND, MEASURES
from evals.metrics import (
    RANKED,
    Result,
    answering_articles,
    citation_precision,
    comparable,
    figures,
    find_pages,
    is_right,
    quote_ranks,
    ranked_documents,
)
from rag.errors import GazetteError, UsageError
from rag.extractive import extract
from rag.gazette import Gazette
from rag.language_model import EXTRACTIVE
from rag.question import Filters
from rag.types import Answer, Article, Usage

Progress = Callable[[int, int], None]
"""Called with (questions asked, questions in all)."""
Judge = Callable[[Question, Answer], bool]
"""Says whether an answer says what is expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of some questions."""

    kind: str
    questions: int
    figures: Mapping[str, float | None]
    """By measure; None where no question bears on it."""
    intervals: Mapping[str, tuple[float, float] | None]
    """Of 95 %; of the last row alone."""


@dataclass(frozen=True, slots=True)
class Report:
    """A suite's figures."""

    suite: str
    model: str
    prompt: str | None
    """What a language model was told, by name and version."""
    rows: tuple[Row, ...]
    """By kind; the last is of all."""
    missed: tuple[str, ...]
    """Of the suite's gate."""
    gate: Mapping[str, float]
    quotes: int
    """How many citations there are in all answers."""
    passage_chars: float
    """Mean length of a passage."""
    seconds: float
    """Mean time of a question."""
    usage: Usage | None
    """Of all answers that a language model wrote."""
    failures: tuple[tuple[str, str], ...]
    """(question id, what went wrong)."""
    absent: tuple[str, ...]
    """Pages of gold quotes that no article of the archive has."""
    against: Comparison | None
    results: tuple[Result, ...]


def run(
    gazette: Gazette,
    suite: Suite,
    use_filters: bool = False,
    only_passages: bool = False,
    judge: Judge | None = None,
    against: Asked | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask every question.

    `use_filters` passes on the outlet and dates that it is labelled with; with `only_passages`
    nothing is answered, and nothing is asked that has no passage to find; `against` are the
    figures of an earlier run.
    """
    questions = [q for q in suite.questions if q.quotes or not only_passages]
    if not questions:
        raise UsageError(f"{suite.name!r} has no question with a passage to find; add quotes")
    texts: list[tuple[Article, str]] = []
    if suite.rules.leave_out and not only_passages:
        texts = [(article, comparable(article.text)) for article in gazette.articles()]
    articles = (article for article, _ in texts) if texts else gazette.articles()
    pages = find_pages(questions, articles)
    asker = _Asker(gazette, texts, pages, use_filters, only_passages, judge)
    results = []
    for number, question in enumerate(questions, 1):
        results.append(asker.result(question))
        if progress:
            progress(number, len(questions))
    gate = suite.rules.gate
    if only_passages:
        gate = {name: gate[name] for name in gate if MEASURES[name].table == FOUND}
    absent = tuple(page for page, ids in pages.items() if not ids)
    return _report(suite.name, gazette.settings.llm, gate, results, absent, against)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks questions, one by one."""

    gazette: Gazette
    texts: Sequence[tuple[Article, str]]
    """All articles, each with its comparable text, where those that answer are to be left out."""
    pages: Mapping[str, Sequence[str]]
    """Of the gold quotes, each with the ids of its articles."""
    use_filters: bool
    only_passages: bool
    judge: Judge | None

    def result(self, question: Question) -> Result:
        """What becomes of a question."""
        is_asked = not self.only_passages and question.kind != "search"
        result = Result(question, is_asked=is_asked)
        if self.texts and question.is_answerable:
            result = replace(result, without=answering_articles(question, self.texts))
        if self.judge and is_asked and question.answers:
            result = replace(result, judged=False)
        steps = (self._ask, self._ask_without, self._let_judge, self._find)
        for step in steps if is_asked else steps[-1:]:
            try:
                result = step(result, self._filters(question))
            except GazetteError as error:
                result = replace(result, error=result.error or str(error))
        return replace(result, figures=figures(result, self.gazette.article, self._golds))

    def _golds(self, page: str) -> list[Article]:
        return [self.gazette.article(name) for name in self.pages.get(page, ())]

    def _filters(self, question: Question) -> Filters:
        if not self.use_filters:
            return Filters()
        outlets = [question.outlet] if question.outlet else None
        return Filters(outlets=outlets, after=question.after, before=question.before)

    def _ask(self, result: Result, filters: Filters) -> Result:
        question = result.question
        answer = self.gazette.ask(question.question, question.history, **filters)
        if question.kind == "overview":
            find = self.gazette.article, self._golds
            right = citation_precision(question, answer.citations, *find) == 1
        else:
            right = is_right(question, self._had_it_been_given(question, answer))
        return replace(result, answer=answer, is_right=right)

    def _ask_without(self, result: Result, filters: Filters) -> Result:
        if result.without is None or result.answer is None:
            return result
        question, filters = result.question, Filters(**filters, without=result.without)
        answer = self.gazette.ask(question.question, question.history, **filters)
        return replace(result, left_out=answer)

    def _let_judge(self, result: Result, _: Filters) -> Result:
        if not self.judge or result.judged is None or not result.answer or result.answer.abstained:
            return result
        return replace(result, judged=self.judge(result.question, result.answer))

    def _find(self, result: Result, filters: Filters) -> Result:
        """What was found; if the answer's own passages hold all that is to be found, these."""
        question, article = result.question, self.gazette.article
        if question.is_of_articles:
            return self._find_documents(result, filters)
        passages = result.answer.passages if result.answer else ()
        ranks = quote_ranks(question, passages, article, self._golds)
        if None in ranks or not passages:
            passages = self.gazette.retrieve(question.question, RANKED, question.history, **filters)
            ranks = quote_ranks(question, passages, article, self._golds)
        places = tuple((p.article_id, p.start, p.end) for p in passages)
        return replace(result, passages=places, ranks=ranks)

    def _find_documents(self, result: Result, filters: Filters) -> Result:
        """The first articles that were found, from as many passages as that takes."""
        question, k = result.question, RANKED
        while True:
            found = self.gazette.retrieve(question.question, k, question.history, **filters)
            named = ranked_documents(question, found, self.gazette.article, self._golds)
            if len(named) >= RANKED or len(found) < k:
                break
            k *= 4
        documents = tuple(named)[:RANKED]
        golds = [document_at(quote.page) for quote in question.quotes]
        return replace(
            result,
            documents=documents,
            passages=tuple((p.article_id, p.start, p.end) for p in list(named.values())[:RANKED]),
            ranks=tuple(documents.index(n) + 1 if n in documents else None for n in golds),
        )

    def _had_it_been_given(self, question: Question, answer: Answer) -> str:
        """An answer's text, also where it was held back.

        A language model that declines has none to hold back.
        """
        if not answer.abstained:
            return answer.text
        nearest = "\n".join(passage.text for passage in answer.passages)
        if answer.model != EXTRACTIVE or not is_right(question, nearest):
            return ""
        models = self.gazette.embedder, self.gazette.reads
        held = extract(question.question, answer.query, answer.passages, *models)
        return "\n".join(sentence.text for sentence in held.sentences)


def _report(
    suite: str,
    model: str,
    gate: Mapping[str, float],
    results: Sequence[Result],
    absent: tuple[str, ...],
    against: Asked | None,
) -> Report:
    kinds = list(dict.fromkeys(result.question.kind for result in results))
    rows = [_row(kind, [r for r in results if r.question.kind == kind]) for kind in kinds]
    whole = _row("all", results, intervals=True)
    answers = [result.answer for result in results if result.answer]
    if not any(result.is_asked for result in results):
        model = "no answers"
    asked = {(r.question.id, r.question.question): r.figures for r in results}
    return Report(
        suite=suite,
        model=answers[0].model if answers else model,
        prompt=next((answer.prompt for answer in answers if answer.prompt), None),
        rows=(*rows, whole),
        gate=gate,
        missed=tuple(
            name for name in gate if MEASURES[name].misses(whole.figures[name], gate[name])
        ),
        quotes=sum(len(answer.citations) for answer in answers),
        passage_chars=_mean([len(p.text) for answer in answers for p in answer.passages]),
        seconds=_mean([sum(answer.timings.values()) for answer in answers]),
        usage=_usage(results),
        failures=tuple((r.question.id, r.error) for r in results if r.error),
        absent=absent,
        against=compare(against, asked) if against is not None else None,
        results=tuple(results),
    )


def _usage(results: Sequence[Result]) -> Usage | None:
    answers = [each for result in results for each in (result.answer, result.left_out) if each]
    used = [answer.usage for answer in answers if answer.usage]
    costs = [usage.cost for usage in used if usage.cost is not None]
    if not used:
        return None
    read = sum(usage.input_tokens for usage in used)
    written = sum(usage.output_tokens for usage in used)
    return Usage(read, written, sum(costs) if costs else None)


def _row(kind: str, results: Sequence[Result], intervals: bool = False) -> Row:
    by_measure = {
        name: [r.figures[name] for r in results if name in r.figures] for name in MEASURES
    }
    return Row(
        kind,
        len(results),
        {name: MEASURES[name].figure(some) for name, some in by_measure.items()},
        {name: MEASURES[name].interval(some) for name, some in by_measure.items() if intervals},
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0
