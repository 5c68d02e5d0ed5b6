"""Training the reader's adapter, a few steps of it, on questions of our own."""

from __future__ import annotations

import json
import logging

import pytest
import torch

from evals.train.adapter import adaptable_reader, load_adapter
from evals.train.examples import BATCH, HELD, parted, squad_examples
from evals.train.measuring import measure, token_f1
from evals.train.training import Plan, train
from rag.pairs import padded, pairs_of
from rag.reader_model import ReaderModel, merged

TEXT = (
    "The harbour board sold the crane Berta to a yard in Kolk. It was paid 3.2 million guilders. "
    "The crane had stood on the quay since 1961."
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

    paragraph = {"context": TEXT, "qas": [qa(i, *each) for i, each in enumerate(QUESTIONS * 4)]}
    articles = [{"title": title, "paragraphs": [paragraph]} for title in ("Crane", HELD[0])]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


def read(reader: ReaderModel, squad) -> torch.Tensor:
    inputs = padded(parted(squad_examples(squad))[0][0].pairs)
    with torch.inference_mode():
        return reader(*map(torch.from_numpy, inputs))[0]


def test_an_adapter_is_trained_goes_on_and_reads_as_merged(squad, tmp_path, caplog):
    out = tmp_path / "reader.safetensors"
    with caplog.at_level(logging.INFO):
        train(Plan(squad, out, epochs=1, seed=1, bf16=False))
        first = load_adapter(out)
        train(Plan(squad, out, epochs=2, seed=1, bf16=False))
    steps = len(QUESTIONS) * 4 // BATCH
    assert f"{2 * steps} steps, {steps} done" in caplog.text
    second = load_adapter(out)
    assert first.keys() == second.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert out.stat().st_size <= 2_000_000
    live = adaptable_reader()
    live.load_state_dict({name: value.float() for name, value in second.items()}, strict=False)
    assert torch.allclose(read(live.eval(), squad), read(merged(second), squad), atol=1e-3)
    assert not torch.allclose(read(live, squad), read(adaptable_reader().eval(), squad), atol=1e-3)
    figures = measure(merged(second), parted(squad_examples(squad))[1])
    assert 0 <= figures.first <= figures.second <= 1


def test_no_held_article_is_trained_on(squad):
    fit, held = parted(squad_examples(squad))
    assert {example.article for example in fit} == {"Crane"}
    assert {example.article for example in held} == {HELD[0]}


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
