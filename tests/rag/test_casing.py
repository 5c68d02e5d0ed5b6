"""Questions typed all in small letters, with the names of the sample archive."""

from __future__ import annotations

import pytest

from ingest import ingest
from rag import Gazette
from rag.casing import cased
from rag.question import understand


@pytest.mark.parametrize(
    ("question", "written"),
    [
        # What the archive writes with a capital, or in capitals, also with an s or a second word
        ("why did the tordis sink?", "why did the Tordis sink?"),
        ("what was grevenau's pfas reading?", "what was Grevenau's PFAS reading?"),
        ("who steers the ransey packet?", "who steers the Ransey Packet?"),
        # What neither the archive nor a dictionary has, but no misspelling and no plain word
        ("when did the berlin airport close?", "when did the Berlin airport close?"),
        ("how did angela merkel see the bridge?", "how did Angela Merkel see the bridge?"),
        ("what did the tordsi hit?", "what did the tordsi hit?"),
        ("who tweeted a photo of the gazebo?", "who tweeted a photo of the gazebo?"),
        ("is vasseur-lemaire out by mid-december?", "is Vasseur-Lemaire out by mid-December?"),
        # Of another language no dictionary is asked
        ("quand le ministre a-t-il inauguré le tunnel ?",) * 2,
        # Whoever writes one capital means the others
        ("When did the berlin airport close?",) * 2,
        ("渡轮什么时候沉没？",) * 2,
    ],
)
def test_names_get_their_capitals_back(gazette, question, written):
    assert cased(question, gazette._archive.ledger.index) == written


def test_a_word_is_written_as_inside_sentences_if_it_stands_there(tmp_path):
    text = "Ferries are late. " * 20 + "Nobody counts ferries. Haven sleeps, as does Upper Kolk. "
    text += "He met the Fact Checkers, two fact-checkers of Kolk."
    (tmp_path / "a.txt").write_text(text)
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        index = opened._archive.ledger.index
        assert index.written("ferries") == "ferries"
        assert index.written("checkers") == "checkers"
        assert index.written("haven") == "Haven"
        assert index.written("kolk") == "Kolk"
        assert index.written("lido") is None


def test_the_turns_before_are_read_so_too(gazette):
    history = [("why did the tordis sink?", "Its bow door was open.")]
    query = understand(
        "which crane raised it from the sea?", history, gazette._archive.ledger.index
    )
    assert query.text == "Which crane raised it (Tordis) from the sea?"


def test_a_strange_name_in_small_letters_is_not_answered(gazette):
    question = "What does the final report say of the cause of the Tordis disaster?"
    assert not gazette.ask(question.lower()).abstained
    for other in ("reykjavik", "lusitania"):
        assert gazette.ask(question.lower().replace("tordis", other)).abstained
    assert gazette.ask("when did the berlin airport close?").abstained
