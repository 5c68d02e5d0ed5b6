"""Measures that are no mean, intervals, and whether two runs differ."""

import json

import pytest

from evals.comparing import compare, load_figures
from evals.measures import MEASURES
from evals.report import print_report
from evals.runner import Report, Row
from rag.errors import UsageError


@pytest.mark.parametrize(
    ("name", "figures", "expected"),
    [
        ("right", [True, False, True, True], 0.75),
        ("answer words", [10, 40, 12], 12),
        # one of two rightly silent, one silent for nothing: precision and recall 1/2
        ("abstention F1", [(1, 1), (0, 1), (1, 0), (0, 0)], 0.5),
        ("abstention F1", [(1, 0), (0, 0)], None),  # there was nothing to be silent on
        # bins of 0.8 to 1 and 0.2 to 0.4: (2 * |0.9 - 0.5| + |0.3 - 0|) / 3
        ("ECE", [(0.9, 1), (0.9, 0), (0.3, 0)], 1.1 / 3),
        ("ECE", [(1.0, 1), (0.0, 0)], 0),
        # the example of Cohen's kappa in Wikipedia: 20, 5, 10, 15 of fifty
        ("kappa", [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15, 0.4),
        ("kappa", [(1, 1), (1, 1)], None),
        ("right", [], None),
    ],
)
def test_figures_of_questions_become_one(name, figures, expected):
    figure = MEASURES[name].figure(figures)
    assert figure == (None if expected is None else pytest.approx(expected))


def test_an_interval_narrows_with_the_questions_and_holds_the_figure():
    few, many = (MEASURES["right"].interval([1, 0, 1, 1, 0] * n) for n in (4, 100))
    assert few[0] < many[0] < 0.6 < many[1] < few[1]
    # the normal approximation for 0.6 of 500
    assert many == pytest.approx((0.6 - 1.96 * 0.0219, 0.6 + 1.96 * 0.0219), abs=0.005)
    assert MEASURES["right"].interval([]) is None


def test_a_gate_is_the_most_where_less_is_better():
    assert MEASURES["ECE"].misses(0.2, 0.1)
    assert not MEASURES["ECE"].misses(0.1, 0.2)
    assert MEASURES["right"].misses(0.1, 0.2)
    assert MEASURES["right"].misses(None, 0.0)


def asked(name, figures):
    return {(f"q{i}", "?"): {name: figure} for i, figure in enumerate(figures)}


@pytest.mark.parametrize(
    ("name", "old", "new", "verdict"),
    [
        ("right", [0] * 20 + [1] * 20, [1] * 40, "better"),
        ("right", [0, 1] * 20, [1, 0] * 20, "not clear"),
        ("right", [0] * 3, [1] * 3, "not clear"),  # by chance one time in four
        ("Brier", [0.1] * 20, [0.3] * 20, "worse"),
        ("ECE", [(0.9, 0)] * 20, [(0.9, 1)] * 20, "better"),
    ],
)
def test_a_difference_is_real_where_chance_seldom_makes_it(name, old, new, verdict):
    (found,) = compare(asked(name, old), asked(name, new)).differences
    assert found.verdict == verdict
    assert found.questions == len(old)
    assert found.difference == pytest.approx(found.new - found.old)
    assert found.interval[0] <= found.difference <= found.interval[1]


def test_questions_of_one_report_alone_are_named_and_not_compared():
    old = {("same", "?"): {"right": 1}, ("gone", "?"): {"right": 0}, ("reworded", "a?"): {}}
    new = {("same", "?"): {"right": 1, "ECE": (1, 1)}, ("reworded", "b?"): {}, ("new", "?"): {}}
    found = compare(old, new)
    assert (found.paired, found.only_old) == (1, ("gone", "reworded"))
    assert found.only_new == ("reworded", "new")
    assert [(each.measure, each.questions) for each in found.differences] == [("right", 1)]


def test_a_bound_below_zero_is_printed_whole(capsys):
    found = compare(asked("right", [1] * 20), asked("right", [0] * 15 + [1] * 5))
    none = dict.fromkeys(MEASURES)
    report = Report(
        suite="s",
        model="m",
        prompt=None,
        rows=(Row("fact", 20, none, {}), Row("all", 20, none, none)),
        missed=(),
        gate={},
        quotes=0,
        passage_chars=0,
        seconds=0,
        usage=None,
        failures=(),
        absent=(),
        against=found,
        results=(),
    )
    print_report(report)
    (difference,) = found.differences
    assert difference.interval[0] < difference.difference == -0.75
    row = next(line for line in capsys.readouterr().out.splitlines() if "right" in line)
    bounds = [f"{bound:.3f}" for bound in difference.interval]
    assert row.split() == ["right", "20", "1.000", "0.250", "-0.750", *bounds, "real,", "worse"]


def test_what_is_no_report_is_refused(tmp_path):
    path = tmp_path / "old.json"
    question = {"id": "1", "question": "?"}
    for figures in ({"right": [0, 1]}, {"ECE": 0.5}, {"right": None}, {"ECE": [0, 1, 1]}):
        path.write_text(json.dumps({"results": [{"question": question, "figures": figures}]}))
        with pytest.raises(UsageError, match=r"no report to compare with .* --json > "):
            load_figures(str(path))
    figures = {"right": 1, "ECE": [0.5, 1], "of another version": [1, 2]}
    path.write_text(json.dumps({"results": [{"question": question, "figures": figures}]}))
    assert load_figures(str(path))[("1", "?")]["ECE"] == (0.5, 1)
    for text in ("", "[]", json.dumps({"results": [{"id": "1"}]})):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"no report to compare with .* --json > "):
            load_figures(str(path))
