"""Whether two runs of a suite differ: question against the same question, measure by measure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from evals.measures import MEASURES, RESAMPLES, Figure, column, interval
from rag.errors import UsageError

SIGNIFICANT = 0.05
"""A difference is real where chance makes one as large less often."""

Figures = Mapping[str, Figure]
"""Measure to figure, of one question."""
Asked = Mapping[tuple[str, str], Figures]
"""(question id, its text) to its figures."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure over the questions that have it in both runs."""

    measure: str
    questions: int
    old: float
    new: float
    difference: float
    interval: tuple[float, float]
    """Of the difference, 95 %."""
    p: float
    """How often a difference as large comes when each question's two figures are swapped at will:
    the paired permutation test, two-sided."""
    verdict: Literal["better", "worse", "not clear"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against an earlier one."""

    paired: int
    """Questions in both."""
    only_old: tuple[str, ...]
    """Ids of questions that are only there, or that ask something else there."""
    only_new: tuple[str, ...]
    differences: tuple[Difference, ...]


_FIGURES = TypeAdapter(dict[str, Figure])


def load_figures(path: str) -> Asked:
    """The figures of each question in a report that `gazette eval --json` wrote.

    Raises `UsageError` for a file that is none.
    """
    try:
        return {
            (each["question"]["id"], each["question"]["question"]): _checked(each["figures"])
            for each in json.loads(Path(path).read_bytes())["results"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path!r} is no report to compare with ({type(error).__name__}: {error}); write one "
            f"with: gazette eval SUITE --json > {path}"
        ) from error


def _checked(figures: Any) -> Figures:
    try:
        found = _FIGURES.validate_python(figures)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "figures"
        raise ValueError(f"a question's {place}: {error.errors()[0]['msg']}") from error
    for name, figure in found.items():
        columns = len(figure) if isinstance(figure, tuple) else 1
        if name in MEASURES and columns != MEASURES[name].columns:
            wanted = "a number" if MEASURES[name].columns == 1 else "two numbers"
            raise ValueError(f"a question's {name!r} is {figure}, and not {wanted}")
    return found


def compare(old: Asked, new: Asked) -> Comparison:
    """What changed from the old figures to the new; measures that either lacks are left away."""
    both = [key for key in new if key in old]
    differences = []
    for name in MEASURES:
        pairs = [(old[k][name], new[k][name]) for k in both if name in old[k] and name in new[k]]
        if difference := _difference(name, pairs):
            differences.append(difference)
    return Comparison(
        paired=len(both),
        only_old=tuple(key[0] for key in old if key not in new),
        only_new=tuple(key[0] for key in new if key not in old),
        differences=tuple(differences),
    )


def _difference(name: str, pairs: list[tuple[Figure, Figure]]) -> Difference | None:
    from scipy.stats import permutation_test  # costs a second

    measure, size = MEASURES[name], len(pairs)
    old, new = (measure.figure([pair[i] for pair in pairs]) for i in (0, 1))
    if old is None or new is None:
        return None
    values = np.concatenate([column([pair[i] for pair in pairs]) for i in (0, 1)])

    def difference(olds: NDArray[np.int64], news: NDArray[np.int64]) -> float:
        return measure.total(values[news]) - measure.total(values[olds])

    rows = np.arange(size)
    p = 1.0
    if size > 1:
        test = permutation_test(
            (rows, rows + size),
            difference,
            permutation_type="samples",
            n_resamples=RESAMPLES,
            rng=0,
        )
        p = float(test.pvalue)
    is_better = (new < old) if measure.less_is_better else (new > old)
    return Difference(
        measure=name,
        questions=size,
        old=old,
        new=new,
        difference=new - old,
        interval=interval(lambda drawn: difference(drawn, drawn + size), size),
        p=p,
        verdict="not clear" if p >= SIGNIFICANT else "better" if is_better else "worse",
    )
