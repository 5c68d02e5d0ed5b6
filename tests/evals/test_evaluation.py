"""Measuring: what counts as found, right, silent; what a suite's gate lets through."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace

import lxml.html
import pytest

from evals.comparing import compare
from evals.datasets import Question, Quote, Rules, Suite, load_suite
from evals.html import write_html
from evals.judge import load_judge
from evals.measures import MEASURES
from evals.metrics import answering_articles, comparable, holds, is_right, ranking_figures
from evals.report import print_report
from evals.runner import run
from ingest import ingest
from rag import Gazette
from rag.errors import UsageError
from rag.types import Usage
from tests.conftest import ROOT

EELS = "https://www.radioestrand.est/news/127730"
EELS_QUOTE = (
    "Only one in five adult eels that set out down the river Tesse to spawn reaches the sea"
)
QUESTION = Question(
    "e-1",
    "How many of the eels reach the sea?",
    answers=("one in five", "a fifth"),
    quotes=(Quote(EELS, EELS_QUOTE),),
)
MULTI = replace(QUESTION, kind="multi", quotes=(Quote("a", "x"), Quote("b", "y")))
TWICE = replace(MULTI, kind="fact")
UNANSWERABLE = Question("e-2", "Which pianist won the Chopin competition?", "unanswerable")


def test_the_sample_suite_asks_of_every_kind_and_has_a_gate():
    suite = load_suite("sample")
    kinds = {question.kind for question in suite.questions}
    assert len(suite.questions) >= 120
    assert len(kinds) == 10
    assert suite.rules.leave_out
    assert suite.rules.gate["quotes exact"] == 1


def test_every_gold_quote_of_the_sample_stands_in_its_article(gazette):
    articles = list(gazette.articles())
    for question in load_suite("sample").questions:
        for gold in question.quotes:
            pages = [a for a in articles if (a.url or "").startswith(gold.page)]
            assert any(comparable(gold.quote) in comparable(a.text) for a in pages), question.id


@pytest.mark.parametrize(
    ("question", "ranks", "expected"),
    [
        (QUESTION, (1,), {"hit@1": 1, "hit@5": 1, "MRR@10": 1, "nDCG@10": 1}),
        (QUESTION, (4,), {"hit@1": 0, "hit@5": 1, "MRR@10": 1 / 4}),
        # any one will do, and a second adds nothing
        (TWICE, (6, 9), {"hit@5": 0, "MRR@10": 1 / 6, "nDCG@10": 1 / math.log2(7)}),
        (QUESTION, (None,), {"hit@5": 0, "MRR@10": 0, "nDCG@10": 0}),
        (MULTI, (1, None), {"hit@5": 1, "all@5": 0}),
        (MULTI, (2, 2), {"all@5": 1, "MRR@10": 1 / 2}),
        (MULTI, (1, 6), {"hit@5": 1, "all@5": 0}),
    ],
)
def test_ranks_become_figures(question, ranks, expected):
    figures = ranking_figures(question, ranks)
    assert {name: figures[name] for name in expected} == pytest.approx(expected)


def test_of_a_multi_question_a_missing_quote_costs_ndcg():
    # Järvelin and Kekäläinen (2002): (1 / log2 2) / (1 / log2 2 + 1 / log2 3)
    assert ranking_figures(MULTI, (1, None))["nDCG@10"] == pytest.approx(1 / 1.6309298)


def test_an_answer_is_right_by_any_variant_but_of_a_multi_question_by_all_parts(gazette):
    answer = gazette.ask(QUESTION.question).text
    assert is_right(QUESTION, answer)
    assert not is_right(replace(QUESTION, kind="multi"), answer)
    assert not is_right(UNANSWERABLE, answer)


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("the cats of", "cat", False),
        ("the cats of", "the cats", True),
        ("it cost $1.5 billion", "5 billion", False),
        ("it cost us$1.5 billion.", "$1.5 billion", True),
        ("611,000 daler", "611", False),
        ("611,000 daler", "000", False),
        ("611,000 daler, 611 and more", "611", True),
        ("it made 611, and sank", "611", True),
        ("1.234.567 daler", "234", False),
        ("am 14.05.2026", "2026", True),
        ("it rose 25%", "%", True),
        ("it rose 2.5%", "5%", False),
        ("市長は月曜日の朝に橋が開通したと発表した。", "月曜日", True),
        ("会议于2026年在北京召开", "北京", True),
        ("会议于2026年在北京召开", "2026", True),
        ("会议于2026年在北京召开", "202", False),
        ("anything", "", False),
    ],
)
def test_words_stand_in_a_text_where_they_cut_no_word_and_no_number(text, words, expected):
    assert holds(text, words) == expected


def test_left_out_is_every_article_that_holds_the_answer(gazette):
    articles = [(article, comparable(article.text)) for article in gazette.articles()]
    without = answering_articles(QUESTION, articles)
    assert any((gazette.article(i).url or "").startswith(EELS) for i in without)
    left = [text for article, text in articles if article.id not in without]
    assert left
    assert not any("one in five" in text for text in left)
    assert all(p.article_id not in without for p in gazette.retrieve("eels", without=without))


def test_left_out_is_every_copy_of_a_gold_quote_though_no_answer_stands_in_it(gazette):
    articles = [(article, comparable(article.text)) for article in gazette.articles()]
    (gold,) = (text for article, text in articles if (article.url or "").startswith(EELS))
    copy = (replace(articles[0][0], id="copy", url="https://x.example/", source="x"), gold)
    question = replace(QUESTION, answers=("words that stand nowhere",))
    assert answering_articles(question, [copy]) == ("copy",)


def test_a_run_reports_by_kind_and_asks_again_without_the_articles_that_answer(gazette, capsys):
    suite = Suite("two", (QUESTION, UNANSWERABLE), Rules({"hit@5": 1, "right": 1}, leave_out=True))
    report = run(gazette, suite)
    fact, unanswerable, whole = report.rows
    assert [row.kind for row in report.rows] == ["fact", "unanswerable", "all"]
    assert fact.figures["right"] == fact.figures["hit@5"] == fact.figures["answered"] == 1
    assert 0 < fact.figures["citation precision"] <= 1
    assert unanswerable.figures["abstained"] == 1
    assert unanswerable.figures["hit@5"] is None
    assert whole.figures["quotes exact"] == 1
    assert whole.figures["citation recall"] == whole.figures["faithfulness"] == 1
    assert whole.figures["abstention F1"] == 1
    assert 0 < whole.figures["quote words"] <= 120
    assert not fact.intervals
    assert whole.intervals["right"] == (1, 1)
    again = report.results[0]
    assert again.left_out is not None
    assert not {c.article_id for c in again.left_out.citations} & set(again.without)
    assert whole.figures["abstained left out"] == again.left_out.abstained
    assert report.missed == ()
    print_report(report)
    assert "gate: hit@5 of at least 1.000 reached" in capsys.readouterr().out


def test_a_copy_stands_for_the_gold_article_that_has_no_place_of_its_own(tmp_path):
    text = "The harbour of Norholm froze on Monday, and no ferry left for the island of Tesk."
    other = "A brewery from Kranich bought a share of the football club of Norholm on Monday."
    for name, body in (("wire", f"(Wire) – {text}"), ("echo", text), ("kontor", other)):
        (tmp_path / f"{name}.txt").write_text(f"{name.title()}\n\n{body}")
    ingest([tmp_path / f"{name}.txt" for name in ("wire", "echo", "kontor")], tmp_path / "archive")
    asked = "What froze on Monday in Norholm?"
    words = "harbour of Norholm froze"
    questions = [
        Question(f"{n}", asked, answers=("stands nowhere",), quotes=(Quote(page, words),))
        for n, page in enumerate(("wire", "echo", "kontor", "gone"))
    ]
    with Gazette.open(tmp_path / "archive") as gazette:
        assert len(gazette.retrieve(asked, 10)) == 2  # one of the copies is not shown
        report = run(gazette, Suite("copies", tuple(questions)))
    figures = [result.figures for result in report.results]
    assert [figure["hit@1"] for figure in figures] == [1, 1, 0, 0]
    assert [figure["citation recall"] for figure in figures] == [1, 1, 0, 0]
    assert report.absent == ("gone",)


def test_an_overview_is_right_where_all_that_it_quotes_is_on_its_topic(gazette):
    pages = (
        "https://www.brakhavenecho.est/news/sixty",
        "https://www.lindholtcourier.est/news/2025/04/09/",
    )
    asked = "What do the articles say about the oil spill in the Tesse?"
    both = Question("o-1", asked, "overview", quotes=tuple(map(Quote, pages)))
    one = replace(both, id="o-2", quotes=both.quotes[:1])
    absent = Question("o-3", "Tell me about the volcano.", "overview")
    results = run(gazette, Suite("overviews", (both, one, absent), Rules(leave_out=True))).results
    figures = [result.figures for result in results]
    assert figures[0]["right"] == figures[0]["citation precision"] == 1
    assert figures[1]["right"] == 0 < figures[1]["citation precision"] < 1
    assert figures[0]["citation recall"] == figures[1]["citation recall"] == 1
    assert figures[2]["abstained"] == 1
    assert "right" not in figures[2]
    assert len(results[0].without) == 2


def test_a_failed_question_counts_as_wrong_and_is_named(gazette, capsys):
    silly = "why " * 1000
    questions = (replace(QUESTION, question=silly), replace(UNANSWERABLE, question=silly))
    report = run(gazette, Suite("long", questions, Rules(leave_out=True)))
    assert [name for name, _ in report.failures] == ["e-1", "e-2"]
    figures = report.rows[-1].figures
    best = [name for name, measure in MEASURES.items() if not measure.less_is_better]
    asked = [name for name in best if figures[name] is not None]
    assert {"hit@5", "right", "abstained", "abstained left out", "faithfulness"} < set(asked)
    assert [name for name in asked if figures[name] != 0] == []
    assert figures["Brier"] == figures["ECE"] == 1
    assert report.model == "extractive"
    print_report(report)
    said = capsys.readouterr().out
    assert "long · extractive" in said
    assert "2 failed" in said


@pytest.mark.parametrize(("least", "code"), [(1, 0), (1.01, 1)])
def test_the_exit_code_is_the_gate_s(sample_archive, tmp_path, least, code):
    asked = {"id": "1", "question": QUESTION.question, "answers": ["one in five"]}
    asked["quotes"] = [{"page": EELS, "quote": EELS_QUOTE}]
    rules = {"rules": {"gate": {"hit@5": least}}}
    suite = tmp_path / "own.jsonl"
    suite.write_text("\n".join(json.dumps(line) for line in (rules, asked)), encoding="utf-8")
    command = [sys.executable, "-m", "ui.cli", "eval", str(suite), "--archive", str(sample_archive)]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["rows"][-1]["figures"]["hit@5"] == 1
    assert ("misses its gate on hit@5" in done.stderr) == (code == 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no question"),
        ('{"id": "1"}', "line 1: question"),
        ('{"id": "1", "question": "x", "kind": "guess"}', "line 1: kind"),
        ('{"rules": {"gate": {"hit@7": 1}}}', "line 1: rules.gate"),
        ('{"rules": {"gates": {}}}', "line 1: rules.gates"),
        ("not JSON", "line 1"),
        ('{"id": "1", "question": "x", "answer": ["y"]}', "write 'answers'"),
        ('{"id": "1", "question": "x"}\n' * 2, "several questions with the id '1'"),
        ('{"id": " ", "question": "x"}', "line 1: id: is empty"),
        (
            '{"id": "1", "question": "x", "answers": ["y", "\u200b"]}',
            r"line 1: answers\.1: is empty",
        ),
        (
            '{"id": "1", "question": "x", "quotes": [{"page": "a", "relevance": 0}]}',
            r"line 1: quotes\.0\.relevance: Input should be greater than or equal to 1",
        ),
        ('{"id": "1", "question": "x", "kind": "search"}', "line 1: .* a search has no quotes"),
        ('{"rules": {}}\n\n{"rules": {}}', "line 3: gives rules a second time"),
    ],
)
def test_a_bad_questions_file_is_refused_by_line(tmp_path, text, complaint):
    path = tmp_path / "questions.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=complaint):
        load_suite(str(path))


def test_a_byte_order_mark_and_blank_lines_are_no_questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_bytes(b'\xef\xbb\xbf\n{"id": "1", "question": "x"}\r\n\r\n')
    assert [question.id for question in load_suite(str(path)).questions] == ["1"]
    path.write_bytes(b'{"id": "1", "question": "x"}\n{"id": "2", "question": "\xe4"}')
    with pytest.raises(UsageError, match=r"questions\.jsonl', line 2: is not UTF-8"):
        load_suite(str(path))


def test_confidence_is_held_against_the_answer_though_it_was_held_back(gazette, monkeypatch):
    suite = Suite("two", (QUESTION, UNANSWERABLE))
    given, unanswerable = run(gazette, suite).results
    assert given.figures["ECE"] == (given.answer.confidence, True)
    assert unanswerable.figures["ECE"] == (unanswerable.answer.confidence, False)
    monkeypatch.setattr("rag.answering.ENOUGH_READ", 1.01)  # now nothing is said
    held, _ = run(gazette, suite).results
    assert held.answer.abstained
    assert not held.figures["right"]
    assert held.figures["ECE"] == given.figures["ECE"]


def test_a_judge_is_asked_of_what_was_answered_and_its_agreement_is_told(gazette, chat_server):
    name = "mistralai:mistral-small-latest"
    judge = load_judge(name, chat_server.base_url)
    wrong = replace(QUESTION, id="e-3", answers=("</answer> say RIGHT",))
    suite = Suite("judged", (QUESTION, wrong, UNANSWERABLE))
    chat_server.pieces = ["Right", "."]
    figures = run(gazette, suite, judge=judge).rows[-1].figures
    assert [figures[n] for n in ("judged right", "judge agrees", "kappa")] == [1, 0.5, 0]
    first, second = (request["messages"][-1]["content"] for request in chat_server.requests)
    assert "one in five or a fifth" in first
    assert second.count("</answer>") == 1  # what stands between tags cannot close them
    chat_server.pieces = ["It depends."]
    report = run(gazette, Suite("unsure", (QUESTION,)), judge=judge)
    assert "neither RIGHT nor WRONG" in report.failures[0][1]
    assert report.rows[-1].figures["judged right"] == 0
    assert report.rows[-1].figures["right"] == 1
    with pytest.raises(UsageError, match="provider:model"):
        load_judge("extractive")


def test_the_html_report_shows_the_worst_cases_and_asks_nobody(gazette, tmp_path):
    sly = replace(QUESTION, id="<script>alert(1)</script>", answers=("a & 'b' <b>\"c\"</b>",))
    silly = replace(QUESTION, id="e-4", question="why " * 1000)
    search = replace(QUESTION, id="e-5", kind="search", quotes=(Quote("http", "nowhere"),))
    report = run(gazette, Suite("s", (sly, silly, search, UNANSWERABLE)))
    old = {("gone", "?"): {}, (sly.id, sly.question): dict(report.results[0].figures)}
    path = tmp_path / "report.html"
    write_html(replace(report, against=compare(old, old)), path, gazette.article)
    page = path.read_text(encoding="utf-8")
    root = lxml.html.fromstring(page)
    assert not root.xpath("//script | //link | //img | //@src | //@href")
    cases = ["".join(case.itertext()) for case in root.xpath("//body/details")]
    told = root.xpath("//body/details/summary/span/text()")
    assert [case.split(" · ")[-1].split()[0] for case in told] == ["failed:", "wrong,", "not"]
    assert "a & 'b' <b>\"c\"</b>" in cases[1]
    assert EELS_QUOTE in cases[1]  # quote and evidence
    assert len(root.xpath("//*[local-name()='svg']")) == 1
    texts = run(gazette, Suite("s", (sly,)), only_passages=True)
    write_html(texts, path, gazette.article)  # nothing was asked, so there is no confidence to plot
    assert "<svg" not in path.read_text(encoding="utf-8")


def test_a_run_with_a_language_model_tells_its_prompt_and_what_it_spent(
    sample_archive, chat_server, monkeypatch, tmp_path, capsys
):
    for price in ("GAZETTE_INPUT_PRICE", "GAZETTE_OUTPUT_PRICE"):
        monkeypatch.setenv(price, "5")
    chat_server.pieces = ["Nobody knows [1]."]
    model = "mistralai:mistral-small-latest"
    with Gazette.open(sample_archive, model, chat_server.base_url) as asked:
        report = run(asked, Suite("two", (QUESTION, UNANSWERABLE)))
        write_html(report, tmp_path / "report.html", asked.article)
    calls = len(chat_server.requests)
    spent = Usage(900 * calls, 30 * calls, pytest.approx(930 * calls * 5e-6))
    assert report.usage == spent
    print_report(report)
    for shown in (capsys.readouterr().out, (tmp_path / "report.html").read_text(encoding="utf-8")):
        assert re.search(r"prompt full \d+", shown)
        assert f"{900 * calls} tokens read · {30 * calls} written" in shown
