"""Training the reader's adapter, a few steps of it, on questions of our own."""

from __future__ import annotations

import gzip
import json
import logging
import random

import pytest
import torch

from evals.train.adapter import DEVICE, adaptable_reader, load_adapter
from evals.train.curve import draw
from evals.train.examples import BATCH, HELD, parted, squad_examples
from evals.train.measuring import measure, token_f1
from evals.train.news import (
    _CLOZES,
    HELD_EVERY,
    _what_others_said,
    _what_said,
    attributed,
    news_examples,
    read_reports,
)
from evals.train.searched import SENTENCES, searched_examples
from evals.train.training import LEARNING_RATES, Plan, rate, train
from evals.train.written import written_examples
from rag.pairs import padded, pairs_of
from rag.reader_model import ReaderModel, merged

TEXT = (
    "The harbour board sold the crane Berta to a yard in Kolk. It was paid 3.2 million guilders. "
    "The crane had stood on the quay since 1961."
)
REPORT = (
    "Mayor Ilse Stolt said the new crane was paid for by the harbour company. "
    "Harbour master Jon Brekke replied that nobody had asked the fishermen at all. "
    "Ilse Stolt visited the northern lock in Kolk on Tuesday. "
    "The port had lost 420 workers since the strike began."
)
QUESTIONS = (
    ("Who sold the crane?", "The harbour board"),
    ("What was paid for the crane?", "3.2 million guilders"),
    ("Since when had the crane stood there?", "1961"),
    ("Who painted the crane?", None),
)


@pytest.fixture
def squad(tmp_path):
    """A file in SQuAD's format, a fourth of its questions unanswerable, and one article held."""

    def qa(number: int, question: str, answer: str | None) -> dict:
        found = [] if answer is None else [{"text": answer, "answer_start": TEXT.index(answer)}]
        return {"id": str(number), "question": question, "answers": found}

    paragraph = {"context": TEXT, "qas": [qa(i, *each) for i, each in enumerate(QUESTIONS * 2)]}
    articles = [{"title": title, "paragraphs": [paragraph]} for title in ("Crane", HELD[0])]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


@pytest.fixture
def news(tmp_path):
    """A file in PolNeAR's format: `HELD_EVERY` articles, of which one is held."""

    def marked(*parts: str) -> dict:
        spans = [[[REPORT.index(part), REPORT.index(part) + len(part)]] for part in parts]
        return dict(zip(("source", "cue", "content"), spans, strict=True))

    attributions = [
        marked("Mayor Ilse Stolt", "said", "the new crane was paid for by the harbour company"),
        marked(
            "Harbour master Jon Brekke", "replied", "that nobody had asked the fishermen at all"
        ),
    ]
    rows = [
        {"id": f"{number:02}", "title": "Crane", "text": REPORT, "attributions": attributions}
        for number in range(HELD_EVERY)
    ]
    path = tmp_path / "news.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps(row)}\n" for row in rows)
    return path


@pytest.fixture
def written(tmp_path):
    """Questions written about two of its articles, one of which is held, and about no article."""

    def line(article: str, question: str, answer: str | None = None) -> str:
        seems = "The port had lost 420 workers since the strike began."
        start = REPORT.index(answer or seems)
        place = [start, start + len(answer or seems)]
        own = {"answer": place if answer else None, "quote": place}
        return json.dumps({"article": article, "kind": "number", "question": question, **own})

    lines = [line("01", "port jobs lost", "420"), line("01", "How many ships did the port lose?")]
    lines += [line("02", "Who went to the lock?", "Ilse Stolt"), line("nowhere", "Why?")]
    lines += [line("02", f"Who left the lock in {year}?") for year in (1961, 1971, 1981)]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(reader: ReaderModel, squad) -> torch.Tensor:
    inputs = padded(parted(squad_examples(squad))[0][0].pairs)
    with torch.inference_mode():
        return reader.cpu()(*map(torch.from_numpy, inputs))[0]


def test_an_adapter_is_trained_goes_on_and_reads_as_merged(squad, news, written, tmp_path, caplog):
    out = tmp_path / "reader.safetensors"
    with caplog.at_level(logging.INFO):
        train(Plan(squad, news, out, epochs=1, seed=1, bf16=False, questions=written))
        first = load_adapter(out)
        train(Plan(squad, news, out, epochs=2, seed=1, bf16=False, questions=written))
    fit, reports = parted(squad_examples(squad))[0], read_reports(news)[0]
    second = [*fit, *news_examples(reports, 2)]
    steps, again = (
        len(examples) // BATCH
        for examples in ([*fit, *news_examples(reports, 1)], searched_examples(second, second, 1))
    )
    near = 2 * 2 * len(written_examples(reports, path=written)) // BATCH
    assert again
    assert near
    assert f"steps of each stage: ({steps}, {again}, {near}); 0 done" in caplog.text
    assert f"({2 * steps}, {again}, {near}); {steps + again + near} done" in caplog.text
    second = load_adapter(out)
    assert first.keys() == second.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert out.stat().st_size <= 2_000_000
    live = adaptable_reader()
    live.load_state_dict({name: value.float() for name, value in second.items()}, strict=False)
    assert torch.allclose(read(live.eval(), squad), read(merged(second), squad), atol=1e-3)
    assert not torch.allclose(read(live, squad), read(adaptable_reader().eval(), squad), atol=1e-3)
    figures = measure(merged(second).to(DEVICE), parted(squad_examples(squad))[1])
    assert 0 <= figures.first <= figures.second <= 1
    assert draw(out.with_suffix(".curve.jsonl")).count("<polyline") == 5


def test_written_questions_find_their_sentences_and_some_articles_are_held(news, written):
    (reports, _) = read_reports(news)
    answered, not_answered = written_examples(reports, held=True, path=written)
    assert len(answered.sentences) == 4  # the whole article
    ((number, span),) = answered.spans.items()
    assert answered.sentences[number].text[slice(*span)] == "420"
    assert not_answered.question == "How many ships did the port lose?"
    assert (not_answered.spans, not_answered.answers) == ({}, [])
    fit = written_examples(reports, path=written)
    assert [each.article for each in fit] == ["02"] * 4


def test_no_held_article_is_trained_on(squad):
    fit, held = parted(squad_examples(squad))
    assert {example.article for example in fit} == {"Crane"}
    assert {example.article for example in held} == {HELD[0]}


def asked_of(news, *kinds) -> dict[str, tuple[str, str] | None]:
    """By question, the sentence that answers and its words that do, of one article."""
    (report,) = read_reports(news)[1]
    made = [asked for kind in kinds for n in range(20) for asked in kind(report, random.Random(n))]
    return {
        asked.question: None
        if asked.sentence is None
        else (
            report.sentences[asked.sentence].text[:10],
            report.sentences[asked.sentence].text[slice(*asked.span)],
        )
        for asked in made
    }


def test_questions_are_made_of_who_says_what(news):
    who = {e.question: e for e in attributed(read_reports(news)[1])}
    said = "the new crane was paid for by the harbour company?"
    (question,) = (q for q in who if q.endswith(said))
    assert question.startswith(("Who", "According to whom"))
    assert who[question].answers == ["Mayor Ilse Stolt"]
    assert len(who[question].sentences) == 4
    what = asked_of(news, _what_said)
    assert what["What did Mayor Ilse Stolt say about crane was paid?"] == (
        "Mayor Ilse",
        "the new crane was paid for by the harbour company",
    )
    others = asked_of(news, _what_others_said)
    assert others["What did Harbour master Jon Brekke say about crane was paid?"] is None
    assert set(others.values()) == {None}


def test_cloze_questions_are_made_of_names_numbers_and_days(news):
    assert asked_of(news, *_CLOZES) == {
        "Who said the new crane was paid for by the harbour company?": (
            "Mayor Ilse",
            "Mayor Ilse Stolt",
        ),
        "Who visited the northern lock in Kolk on Tuesday?": ("Ilse Stolt", "Ilse Stolt"),
        "How many workers since the strike began?": ("The port h", "420"),
        "When did Ilse Stolt visit the northern lock in Kolk?": ("Ilse Stolt", "on Tuesday"),
    }


def test_a_question_is_read_with_the_nearest_sentences_or_with_another_article(news):
    fit, held = read_reports(news)
    assert [len(fit), len(held)] == [HELD_EVERY - 1, 1]
    examples = news_examples(fit, 1)
    assert {e.article for e in examples} <= {report.id for report in fit}
    assert any(e.spans for e in examples)
    assert any(not e.spans for e in examples)
    for example in examples:
        for number, (start, end) in example.spans.items():
            assert example.answers == [example.sentences[number].text[start:end]]


def test_a_question_is_read_with_what_a_search_finds(squad, news):
    fit = [*parted(squad_examples(squad))[0], *news_examples(read_reports(news)[0], 1)]
    examples = searched_examples(fit, fit, 1)
    paid = [e for e in examples if e.question == "What was paid for the crane?"]
    assert any(e.spans for e in paid)
    for example in paid:
        assert len(example.sentences) <= SENTENCES
        assert [n for n, right in enumerate(example.holds) if right] == list(example.spans)
    assert any("the new crane was paid for" in s.text for e in paid for s in e.sentences)


def test_some_questions_lose_what_answers_them(squad):
    fit = parted(squad_examples(squad))[0] * 10
    examples = searched_examples([e for e in fit if e.answers], fit, 1)
    lost = [e for e in examples if not e.spans]
    assert 0 < len(lost) < len(examples) / 2
    assert not any(e.answers for e in lost)
    assert not any("guilders" in s.text for e in lost for s in e.sentences if "paid" in e.question)


def test_each_stage_warms_up_and_ends_at_nothing():
    steps = (100, 50, 50)
    rates = [rate(step, steps) for step in range(1, sum(steps) + 1)]
    highest = max(rates[:100]), max(rates[100:150]), max(rates[150:])
    assert highest == LEARNING_RATES
    assert rates[99] == rates[149] == rates[199] == 0
    assert rates[0] < rates[3] > rates[50]


def test_a_pair_marks_the_sentence_alone(squad):
    example = parted(squad_examples(squad))[0][1]
    (_, second, _) = pairs_of(example.question, example.sentences)
    ids, mask, types = padded([second])
    assert mask.all()
    assert types.sum() == len(second.offsets)
    assert types[0, second.first] == 1
    assert types[0, second.first - 1] == types[0, -1] == 0
    assert [example.answers, list(example.spans)] == [["3.2 million guilders"], [1]]
    start, end = example.spans[1]
    assert example.sentences[1].text[start:end] == "3.2 million guilders"
    assert ids.shape == (1, len(second.ids))


def test_words_in_common_are_counted_as_squad_counts_them():
    assert token_f1("the harbour board", "Harbour board.") == 1
    assert token_f1("a board", "harbour board") == pytest.approx(2 / 3)
    assert token_f1("quay", "harbour board") == 0
