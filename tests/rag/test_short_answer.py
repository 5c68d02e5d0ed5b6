import pytest

from ingest import ingest
from rag import Gazette
from rag.answer_type import asked
from rag.short_answer import short_answer
from rag.signals import Candidate
from rag.types import Passage


def shortly(question, *texts, reads=False):
    """Of the first text, which is one sentence."""
    passage = Passage("a", 0, 0, " ".join(texts), "")
    sentences = [Candidate(passage, 0, 0, len(text), text, "", "") for text in texts]
    return short_answer(question, asked(question), sentences[0], sentences, reads)


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        (
            "For how much was the crane sold?",
            "The crane was sold for $3.2 million.",
            "$3.2 million",
        ),
        ("When did the board sign?", "The board signed on 4 May and paid at once.", "4 May"),
        ("When was the crane sold?", "The crane was sold at the end of August.", "August"),
        ("How many boats sank?", "In all 12 boats sank, said the harbour.", "12"),
        ("How many of the boats sank?", "Only one in five boats sank.", "one in five"),
        ("How high is the crane?", "The crane is 41 metres high.", "41 metres"),
        (
            "Who signed for the board?",
            "The contract was signed for the board by Hanne Brodersen.",
            "Hanne Brodersen",
        ),
        ("Where was the crane built?", "The crane was built in Skarholm.", "Skarholm"),
    ],
)
def test_the_words_that_answer_are_given(question, sentence, short):
    assert shortly(question, sentence, "The quay is old.") == short


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        (
            "How many people did the crane of Berta employ in 1961?",
            "The crane employed 12 people in 1961 and 30 in 1980, when 7 cranes stood there.",
            "12",
        ),
        (
            "Who bought the crane?",
            "Hanne Brodersen of the board said that the crane had been bought by Peer Brandt.",
            "Peer Brandt",
        ),
    ],
)
def test_the_reader_tells_which_of_several_answers(question, sentence, short):
    assert shortly(question, sentence, reads=True) == short


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Why was the crane sold?", "The crane was sold because it was old, in May."),
        ("How many boats sank?", "On the quay 9 people saw that 12 barges and 3 tugs sank."),
        ("When did the board sign?", "The board signed on Tuesday."),  # of which week?
        ("Who met whom?", "Hanne Brodersen met Peer Brandt in Skarholm."),
        ("How old is the crane?", "The crane is rusty."),
        (
            "When did the roof of the hall start leaking?",
            "Ida Holm, who took over a hall with a leaking roof and half of its seats sold, "
            "will not stay on as head of the house when her contract ends on 31 July 2027.",
        ),
        ("How large is the loss of the yard?", "The loss of the yard on two ships is large."),
        ("How many boats sank?", "One Skarholm pilot saw no rain."),
        ("Who called the dockers idlers?", "When Skarholm called the dockers idlers, they left."),
        ("Who called the dockers idlers?", "The pilots in Skarholm called the dockers idlers."),
        ("Who signed with Peer Brandt?", "Brandt signed it on the quay."),
        ("Where did the Danish crane go?", "The crane went to a Norwegian yard."),
    ],
)
def test_where_none_stands_out_none_is_given(question, sentence):
    assert shortly(question, sentence) is None


def test_an_answer_begins_with_its_short_answer(tmp_path):
    text = "The harbour board of Skarholm sold the crane Berta for 3.2 million guilders in May."
    (tmp_path / "a.txt").write_text(text)
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        answer = gazette.ask("For how much did the harbour board sell the crane Berta?")
        assert answer.short == "3.2 million guilders"
        assert answer.text == f"**3.2 million guilders.** {text} [1]"
        assert answer.short in answer.citations[0].quote
        silent = gazette.ask("How old is the captain of the ferry to Dallum?")
        assert silent.abstained
        assert silent.short is None


def test_the_year_of_a_model_is_no_day():
    said = "The 2020 Berta Deluxe was shown on 4 May."
    assert shortly("When was the Berta Deluxe shown?", said, "The quay is old.") == "4 May"
    undated = "The board showed the 2020 Berta Deluxe to the public."
    assert shortly("When was the Berta Deluxe shown?", undated, "The quay is old.") is None
