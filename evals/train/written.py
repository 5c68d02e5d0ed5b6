"""Questions written for this project about PolNeAR's articles: `questions.jsonl`.

Of each article four that it answers and four that it does not, though the names and the matter are
its own: another thing is asked, or of another person, place or time. SQuAD's unanswerable questions
teach silence about an encyclopedia; these teach it about news. The file has no text of the
articles: a line names the article, and where in its text the answer stands and the sentence with
it, or the sentence from which a hasty reader would answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from evals.train.examples import Example
from evals.train.news import Asked, Report

QUESTIONS = Path(__file__).parent / "questions.jsonl"
HELD_EVERY = 6
"""Of the articles that are asked about, by their id, one in so many is only measured on."""


def written_examples(
    reports: Sequence[Report], held: bool = False, path: Path = QUESTIONS
) -> list[Example]:
    """The questions with the sentences of their articles nearest to them in words.

    If held, those on the articles that are measured on, each with its whole article. Questions on
    articles that are not among the reports are left out.
    """
    by_id = {report.id: report for report in reports}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    asked_about = sorted({line["article"] for line in lines})
    measured = set(asked_about[::HELD_EVERY])
    examples = []
    for line in lines:
        report = by_id.get(line["article"])
        if report is None or (line["article"] in measured) is not held:
            continue
        start, end = line["answer"] or line["quote"]
        for number, sentence in enumerate(report.sentences):
            if sentence.start <= start < sentence.end:
                if line["answer"] is None:
                    asked = Asked(line["question"], None, near=number)
                else:
                    span = start - sentence.start, min(end, sentence.end) - sentence.start
                    asked = Asked(line["question"], number, span)
                examples.append(report.example(asked, whole=held))
    return examples
