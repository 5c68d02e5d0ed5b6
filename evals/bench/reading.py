"""What the reader is worth in each of its uses, and with how many sentences read, in one table.

    python evals/bench/reading.py [--pages PAGES QUESTIONS]

On the sample suite, and on the questions of a file on a folder of articles; answers are extractive,
and answerable questions are asked again without the articles that answer them. The first row gives
figures, the others differences to it; a star marks those that a paired permutation test calls real.
Of the short answers is told how many are right of those that are given, where there is one. The
time is that of reading the sentences of a question, the median where none was read before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from evals.comparing import Asked
from evals.datasets import Rules, Suite, load_suite, sample_archive
from evals.metrics import comparable, holds
from evals.runner import Report, run
from ingest import ingest
from rag import Gazette, Passage, Query, answering, extractive, gazette, reader
from rag.answer_type import Asked as Kind
from rag.short_answer import short_answer
from rag.signals import Candidate, answer_signals, confidence

MEASURES = ("hit@1", "right", "answered", "abstained", "abstained left out", "ECE")
TIMED = 20
"""Questions."""
Patch = tuple[Any, str, Any]
"""Where, the name there, what takes its place."""


@dataclass(frozen=True)
class Change:
    """The reader used otherwise."""

    name: str
    patches: tuple[Patch, ...] = ()
    reader: Literal["own", "none"] = "own"


_read_best, _scores = extractive.read_best, reader.scores


def _as_found(_question: str, _query: Query, passages: Sequence[Passage]) -> Sequence[Passage]:
    return passages


def _chosen_by_signals(
    wanted: str, candidates: Sequence[Candidate], scored: NDArray[np.float64]
) -> tuple[NDArray[np.float64], dict[int, float]]:
    return scored, _read_best(wanted, candidates, scored)[1]


def _by_form(
    wanted: str, kind: Kind, sentence: Candidate, others: Sequence[Candidate], _reads: bool
) -> str | None:
    return short_answer(wanted, kind, sentence, others)


class _Unread:
    """The confidence of what the reader chose, by signals alone."""

    def read_best(
        self, wanted: str, candidates: Sequence[Candidate], scored: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], dict[int, float]]:
        self._scored = scored
        return _read_best(wanted, candidates, scored)

    def answer_signals(
        self,
        wanted: str,
        candidates: Sequence[Candidate],
        scored: NDArray[np.float64],
        cosine: float,
        outlets: Sequence[str],
        _: float | None,
    ) -> dict[str, float]:
        chosen = np.arange(len(scored)) == scored.argmax()
        return answer_signals(
            wanted, candidates, np.where(chosen, self._scored, -np.inf), cosine, outlets
        )

    def confidence(self, signals: Mapping[str, float], _group: str) -> float:
        return confidence(signals, "answer")


_unread = _Unread()
CHANGES = (
    Change("as it is"),
    Change("passages as they were found", ((gazette, "rank_by_reading", _as_found),)),
    Change("sentences chosen by signals", ((extractive, "read_best", _chosen_by_signals),)),
    Change(
        "confidence by signals",
        (
            (extractive, "read_best", _unread.read_best),
            (extractive, "answer_signals", _unread.answer_signals),
            (extractive, "confidence", _unread.confidence),
            (answering, "ENOUGH_READ", extractive.ENOUGH_CONFIDENCE),
        ),
    ),
    Change("short answers by their form", ((extractive, "short_answer", _by_form),)),
    Change("no reader", reader="none"),
    *(Change(f"{n} sentences read", ((extractive, "READ", n),)) for n in (3, 6, 9, 12, 24)),
)


def main() -> None:
    """Ask everything under every change, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pages", nargs=2, metavar=("PAGES", "QUESTIONS"))
    given = parser.parse_args()
    with sample_archive() as sample, TemporaryDirectory() as folder:
        material = [(sample, load_suite("sample"))]
        if given.pages:
            ingest(given.pages[0], Path(folder) / "pages")
            material.append((Path(folder) / "pages", load_suite(given.pages[1])))
        names = (*MEASURES, "short answers")
        print("| | ms |", " | ".join(f"{s.name} {m}" for _, s in material for m in names), "|")
        print("|---|" + "---:|" * (len(material) * len(names) + 1))
        first: list[Asked | None] = [None] * len(material)
        remembered = _Remembered()
        for change in CHANGES:
            with ExitStack() as stack:
                for patched in change.patches:
                    stack.enter_context(patch.object(*patched))
                took = 0.0 if change.reader == "none" else _time_of_reading(sample)
                stack.enter_context(patch.object(reader, "scores", remembered))
                reports = [
                    _report(archive, suite, change.reader, old)
                    for (archive, suite), old in zip(material, first, strict=True)
                ]
            cells = [cell for report in reports for cell in (*_cells(report), _shorts(report))]
            print(f"| {change.name} | {took * 1000:.0f} |", " | ".join(cells), "|", flush=True)
            if change is CHANGES[0]:
                first = [
                    {(r.question.id, r.question.question): r.figures for r in report.results}
                    for report in reports
                ]


def _report(
    archive: Path, suite: Suite, named: Literal["own", "none"], old: Asked | None
) -> Report:
    with Gazette.open(archive, llm="extractive", reader=named) as opened:
        return run(opened, replace(suite, rules=Rules(leave_out=True)), against=old)


def _cells(report: Report) -> Iterator[str]:
    """Figures, or where there are others to compare with, the differences to them."""
    if not report.against:
        yield from (f"{report.rows[-1].figures[name] or 0:.3f}" for name in MEASURES)
        return
    found = {each.measure: each for each in report.against.differences}
    for name in MEASURES:
        real = "" if found[name].verdict == "not clear" else "*"
        yield f"{found[name].difference:+.3f}{real}"


def _shorts(report: Report) -> str:
    """How many are right of the short answers to questions that can be answered."""
    given = [
        (comparable(result.answer.short), [comparable(each) for each in result.question.answers])
        for result in report.results
        if result.answer and result.answer.short and result.question.answers
    ]
    right = [any(holds(own, one) or holds(one, own) for one in all_) for own, all_ in given]
    return f"{sum(right)} of {len(given)}"


def _time_of_reading(archive: Path) -> float:
    """Seconds; the median of `TIMED` questions."""
    times = []
    with Gazette.open(archive, llm="extractive") as opened:
        for question in load_suite("sample").questions[: TIMED + 1]:
            reader.known_of.cache_clear()
            before = _Clock(reader.scores)
            with patch.object(reader, "scores", before):
                opened.ask(question.question, question.history)
            times.append(before.seconds)
    return float(np.median(times[1:]))  # the first one opens the model


class _Clock:
    """What is called, and how long it took in all."""

    def __init__(self, called: Callable[..., NDArray[np.float64]]) -> None:
        self._called, self.seconds = called, 0.0

    def __call__(self, question: str, sentences: Sequence[Candidate]) -> NDArray[np.float64]:
        started = time.perf_counter()
        found = self._called(question, sentences)
        self.seconds += time.perf_counter() - started
        return found


class _Remembered(dict[tuple[str, str, str, str], float]):
    """`reader.scores`, each pair once in the whole run."""

    def __call__(self, question: str, sentences: Sequence[Candidate]) -> NDArray[np.float64]:
        keys = [(question, s.heading, s.before, s.text) for s in sentences]
        new = [i for i, key in enumerate(keys) if key not in self]
        found = _scores(question, [sentences[i] for i in new]).tolist()
        self.update({keys[i]: score for i, score in zip(new, found, strict=True)})
        return np.array([self[key] for key in keys])


if __name__ == "__main__":
    main()
