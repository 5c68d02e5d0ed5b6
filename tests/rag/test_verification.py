"""Whether evidence supports a sentence, and sentences and terms themselves."""

import pytest

from rag.language import fold, numbers, sentence_spans, terms
from rag.verification import verify

EVIDENCE = (
    "The Assembly approved the bridge on Tuesday by 58 votes to 41. Finance minister Lennart "
    "Cordsen said he would not ask for more money. The bridge will cost D2.4bn."
)


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("The bridge will cost D2.4bn.", "supported"),
        ("The Assembly approved the bridge by 58 votes to 41.", "supported"),
        ("On Tuesday the bridge was approved by the Assembly, 58 to 41.", "supported"),
        ("Lennart Cordsen said he would not ask for more money.", "supported"),
        ("The Assembly approved the bridge on Tuesday by 59 votes to 41.", "contradicted"),
        ("Finance minister Lennart Cordsen said he would ask for more money.", "contradicted"),
        ("The Assembly approved the tunnel in Brunn.", "unsupported"),
        ("Prime minister Ada Brook said she would not ask for more money.", "unsupported"),
        ("Jugglers from Paris love the ferry.", "unsupported"),
        ("The bridge will cost D2.4m.", "contradicted"),
        ("8 votes", "unsupported"),
        ("", "unsupported"),
    ],
)
def test_labels(sentence, label):
    verdict = verify(sentence, ["Nothing of that here.", EVIDENCE])
    assert verdict.label == label
    if label == "supported":
        index, start, end = verdict.quote
        assert index == 1
        assert set(terms(sentence)) & set(terms(EVIDENCE[start:end]))
        assert verdict.score > 0.5
    else:
        assert verdict.score < 0.5


def test_word_for_word_scores_one_whatever_its_quotes_and_dashes():
    verdict = verify('He said: "No - never."', ["First this. He said: “No – never.” Then that."])
    assert (verdict.label, verdict.score) == ("supported", 1.0)
    assert verify("anything", []).label == "unsupported"
    assert verify("5 million", ["It cost 65 million crowns."]).label != "supported"
    assert verify("No.", ["Norrgard left."]).label == "unsupported"


def test_sentences_end_where_they_end():
    text = (
        "The U.S. and Mr. Smith met on Jan. 5. “We will not go,” he said. It cost "
        "$6.5bn. in all.\n\nArms race\n\nProf. A. B. Jones left. Did it work? Yes!"
    )
    assert [text[start:end] for start, end in sentence_spans(text)] == [
        "The U.S. and Mr. Smith met on Jan. 5.",
        "“We will not go,” he said.",
        "It cost $6.5bn. in all.",
        "Arms race",
        "Prof. A. B. Jones left.",
        "Did it work?",
        "Yes!",
    ]


def test_terms_numbers_and_negations():
    assert terms("The bridges of the minister's islands") == terms("bridge minister island")
    assert numbers("1,200 men, 3.5% and 12:30") == {"1200", "3.5", "12", "30"}
    assert numbers("$6.5bn") == numbers("6.5 billion dollars") == {"6500000000"}
    assert numbers("fourteen of the four dead") == {"14", "4"}
    assert numbers("on 3.10.2025") == {"3", "10", "2025"}
    assert fold("“It’s”—so\u00a0what") == '"It\'s"-so what'
