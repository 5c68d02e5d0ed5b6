"""The reader: what the adapter makes of the embedded model, and what hangs on it."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import torch
from safetensors.torch import load

from rag import Gazette, Passage
from rag.errors import UsageError
from rag.extractive import READ, sentences_of
from rag.pairs import padded, pairs_of
from rag.reader import read
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
        ("How much was paid for the crane?", 1),
        ("Since when had the crane stood on the quay?", 2),
        ("Who said that he would miss her?", 3),
    ],
)
def test_the_sentence_that_answers_scores_best(question, number):
    assert read(question, SENTENCES).argmax() == number


def test_a_question_that_nothing_answers_scores_lower():
    def best(question):
        return read(question, SENTENCES).max()

    assert best("How much was paid for the crane?") > best("How much was paid for the ferry Hilke?")


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


def test_so_many_sentences_are_read_and_no_more(gazette, monkeypatch):
    asked = []

    def counting(question, sentences):
        asked.append(len(sentences))
        return read(question, sentences)

    monkeypatch.setattr("rag.extractive.read", counting)
    gazette.ask("Why did the Tordis sink?")
    assert asked == [READ]
