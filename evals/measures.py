"""What a suite is measured by: what the figures of its questions come to, and how sure that is.

A question's figure is a number, or a pair of numbers where the whole is no mean over questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Figure = float | tuple[float, float]
"""Of one question."""
Values = NDArray[np.float64]
"""The figures of n questions, in one column or in two: (n, columns)."""

RESAMPLES = 1000
"""Of the bootstrap, and of the permutation test: enough for the second digit of a probability."""
BINS = 5
"""Of the calibration error."""


def mean(values: Values) -> float:
    """Of one column."""
    return float(values.mean())


def median(values: Values) -> float:
    """Of one column."""
    return float(np.median(values))


def f1(values: Values) -> float:
    """The harmonic mean of precision and recall; columns: whether it was done, whether it should.

    Not a number where it should never have been done.
    """
    done, due = values.T
    return float(2 * (done * due).sum() / (done.sum() + due.sum())) if due.any() else np.nan


def bins(confidence: Values) -> NDArray[np.int64]:
    """The equal-width bin, from 0, of each confidence."""
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def calibration_error(values: Values) -> float:
    """How far confidence is from the share that is right, bin by bin, weighed by size.

    The expected calibration error of Naeini, Cooper and Hauskrecht (AAAI 2015); columns:
    confidence, whether it is right.
    """
    confidence, right = values.T
    gaps = np.bincount(bins(confidence), confidence - right)
    return float(np.abs(gaps).sum() / len(values))


def kappa(values: Values) -> float:
    """Agreement of two judges beyond chance (Cohen 1960); columns: what each of them said.

    Not a number where both always say the same one thing.
    """
    one, other = values.T
    chance = one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean())
    return float(((one == other).mean() - chance) / (1 - chance)) if chance < 1 else np.nan


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure by name; from 0 to 1 unless it counts words."""

    name: str
    table: str
    said: str
    """What it is, in a sentence."""
    total: Callable[[Values], float] = mean
    less_is_better: bool = False

    @property
    def columns(self) -> int:
        """How many numbers the figure of a question is."""
        return 2 if self.total in (f1, calibration_error, kappa) else 1

    def figure(self, figures: Sequence[Figure]) -> float | None:
        """What the figures of some questions come to; None where they do not bear on it."""
        total = self.total(column(figures)) if figures else np.nan
        return None if np.isnan(total) else total

    def interval(self, figures: Sequence[Figure]) -> tuple[float, float] | None:
        """The 95 % interval; None where they do not bear on the measure."""
        if self.figure(figures) is None:
            return None
        values = column(figures)
        return interval(lambda rows: self.total(values[rows]), len(values))

    def misses(self, figure: float | None, gate: float) -> bool:
        """Whether a figure is under the gate, or over it where less is better."""
        if figure is None:
            return True
        return figure > gate if self.less_is_better else figure < gate


def interval(statistic: Callable[[NDArray[np.int64]], float], size: int) -> tuple[float, float]:
    """95 % by the percentile bootstrap over questions (Efron and Tibshirani 1993, chapter 13).

    `statistic` is given the rows that were drawn, `size` of them, with repeats.
    """
    draw = np.random.default_rng(0)
    drawn = [statistic(draw.integers(size, size=size)) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def column(figures: Sequence[Figure]) -> Values:
    """Figures as rows: (n, 1) or (n, 2)."""
    return np.array(figures, np.float64).reshape(len(figures), -1)


FOUND, ANSWERED, CITED = "Passages found", "Answers", "Citations"
WEIGHED, JUDGED = "Confidence and length", "Judge"
TABLES = (FOUND, ANSWERED, CITED, WEIGHED, JUDGED)
_ALL = (
    Measure("hit@1", FOUND, "Share of questions with a gold quote in the first passage"),
    Measure("hit@5", FOUND, "The same, in the first five (Success@5)"),
    Measure("MRR@10", FOUND, "Mean of 1 / rank of the first passage with a gold quote"),
    Measure("nDCG@10", FOUND, "Normalised discounted cumulative gain of the first ten"),
    Measure("all@5", FOUND, "Of `multi` questions: share with every quote in the first five"),
    Measure("right", ANSWERED, "Share of answerable questions whose answer says what is right"),
    Measure("answered", ANSWERED, "Share of answerable questions that got an answer"),
    Measure("abstained", ANSWERED, "Share of unanswerable questions that got none"),
    Measure(
        "abstained left out", ANSWERED, "The same of answerable ones, asked without their articles"
    ),
    Measure("abstention F1", ANSWERED, "F1 of abstaining, due on unanswerable questions", f1),
    Measure("citation precision", CITED, "Mean share of an answer's citations that bear it out"),
    Measure("citation recall", CITED, "Mean share of what is right that a citation holds"),
    Measure("quotes exact", CITED, "Mean share of quotes that their article has to the letter"),
    Measure("faithfulness", CITED, "Mean share of an answer's sentences quoted or supported"),
    Measure(
        "ECE",
        WEIGHED,
        f"Calibration error of the confidence, {BINS} bins",
        calibration_error,
        less_is_better=True,
    ),
    Measure("Brier", WEIGHED, "Mean squared error of the confidence", less_is_better=True),
    Measure("answer words", WEIGHED, "Median words of an answer", median, less_is_better=True),
    Measure(
        "quote words", WEIGHED, "Median words quoted in an answer", median, less_is_better=True
    ),
    Measure("judged right", JUDGED, "Share of answerable questions that the judge finds right"),
    Measure("judge agrees", JUDGED, "Share of judged answers that `right` says the same of"),
    Measure("kappa", JUDGED, "The same beyond chance: Cohen's kappa", kappa),
)
MEASURES = {measure.name: measure for measure in _ALL}
"""By name, in the order in which they are shown."""
