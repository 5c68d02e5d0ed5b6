"""The reader: what the adapter makes of the embedded model, and what hangs on it."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
import torch
from safetensors.torch import load

from ingest import ingest
from rag import Gazette, Passage
from rag.errors import UsageError
from rag.extractive import READ, rank_by_reading, sentences_of
from rag.gazette import PASSAGES
from rag.pairs import padded, pairs_of
from rag.question import understand
from rag.reader import known_of, read, scores
from rag.reader_model import merged

TEXT = (
    "The harbour board of Kolk has sold its oldest crane, which nobody had asked for in years. "
    "Berta, as the crane is called, goes to a yard in Sund for 3.2 million guilders. "
    "It had stood on the quay since 1961, and it rained when she was led away. "
    "Jurre Altena, who chairs the board, said that he would miss her."
)
SENTENCES = sentences_of([Passage("a", 0, len(TEXT), TEXT, "Kolk sells crane", language="en")])
ADAPTER = files("rag") / "adapter" / "reader.safetensors"


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("How many guilders did the yard pay for the crane?", 1),
        ("Since when had the crane stood on the quay?", 2),
        ("Who said that he would miss her?", 3),
    ],
)
def test_the_sentence_that_answers_scores_best(question, number):
    assert read(question, SENTENCES).argmax() == number


def test_a_question_that_nothing_answers_scores_lower():
    def best(question):
        return read(question, SENTENCES).max()

    question = "How many guilders did the yard pay for the {}?"
    assert best(question.format("crane")) > best(question.format("ferry Hilke"))


def test_what_is_run_equals_the_merged_model_in_whatever_order_it_reads():
    question = "Who sold the crane?"
    many = [*SENTENCES, *SENTENCES[::-1]] * 3
    inputs = padded(pairs_of(question, many))
    with torch.inference_mode():
        expected, _ = merged(load(ADAPTER.read_bytes()))(*map(torch.from_numpy, inputs))
    np.testing.assert_allclose(read(question, many), expected, atol=1e-4)


def test_the_adapter_is_small():
    assert len(ADAPTER.read_bytes()) <= 2_000_000


def test_it_can_be_left_out(gazette, sample_archive, monkeypatch):
    question = "Why did the Tordis sink?"
    assert gazette.reads
    with Gazette.open(sample_archive, reader="none") as without:
        monkeypatch.setattr("rag.extractive.read", None)  # whoever calls it now fails
        assert without.ask(question).citations
        with pytest.raises(TypeError):
            gazette.ask(question)
    with pytest.raises(UsageError, match="reader"):
        Gazette.open(sample_archive, reader="theirs")


def test_nothing_is_read_twice(sample_archive, monkeypatch):
    read_now = []

    def counting(question, sentences):
        read_now.extend(sentence.text for sentence in sentences)
        return scores(question, sentences)

    monkeypatch.setattr("rag.reader.scores", counting)
    with Gazette.open(sample_archive, llm="extractive") as gazette:
        known_of.cache_clear()
        gazette.retrieve("Why did the Tordis sink?")
        assert len(read_now) == READ
        gazette.ask("Why did the Tordis sink?")
    assert len(set(read_now)) == len(read_now) < 2 * READ


def passage(number: int, text: str) -> Passage:
    return Passage(str(number), 0, len(text), text, "The crane", language="en")


def order(question: str, passages) -> list[str]:
    query = understand(question)
    return [each.article_id for each in rank_by_reading(question, query, passages)]


def test_the_passage_of_the_sentence_that_answers_comes_first():
    passages = [
        passage(0, "The crane Berta was painted at night, and the quay of Kolk was closed for it."),
        passage(1, "Too short."),
        passage(2, "The crane Berta was painted red in May by Jurre Altena, a baker from Kolk."),
    ]
    assert order("Who painted the crane Berta?", passages) == ["2", "0", "1"]
    assert order("Who painted the crane Berta?", passages[1:2]) == ["1"]


def test_of_two_parts_each_has_its_passage_first():
    passages = [
        passage(0, "The crane Berta was sold for 3.2 million guilders. It was painted red again."),
        passage(1, "The crane Berta was sold for a price of 3.2 million guilders, said the board."),
        passage(2, "The ferry Hilke was built by the yard of Sund in 1961, as a list shows."),
    ]
    question = "How much was the crane Berta sold for, and when was the ferry Hilke built?"
    assert len(understand(question).parts) == 2
    assert order(question, passages)[1] == "2"


def test_those_that_are_retrieved_beyond_the_first_stay_as_they_were_found(sample_archive):
    question = "Why did the Tordis sink?"
    with (
        Gazette.open(sample_archive, reader="none") as without,
        Gazette.open(sample_archive) as gazette,
    ):
        found, read_first = without.retrieve(question, 10), gazette.retrieve(question, 10)
    assert found[PASSAGES:] == read_first[PASSAGES:]
    assert found != read_first
    assert set(found) == set(read_first)


def test_what_is_asked_for_stays_before_what_is_not(tmp_path):
    texts = {
        "Kolk Echo": "The crane Berta was painted at night, and the quay was closed for it.",
        "Sund Post": "The crane Berta was painted red in May by Jurre Altena, a baker from Kolk.",
    }
    with (tmp_path / "a.jsonl").open("w", encoding="utf-8") as lines:
        for outlet, text in texts.items():
            article = {"title": "The crane", "outlet": outlet, "text": text}
            print(json.dumps(article | {"url": f"https://{outlet[:4]}.test/"}), file=lines)
    ingest(tmp_path / "a.jsonl", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        for asked, first in (("", "Sund Post"), ("According to the Kolk Echo, ", "Kolk Echo")):
            found = gazette.retrieve(f"{asked}who painted the crane Berta?")
            assert found[0].outlet == first
            assert len(found) == 2
