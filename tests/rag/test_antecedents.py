import pytest

from rag.antecedents import with_antecedent

SPEECH = "Ida Holm, 44, heads the harbour board. "
CHIEF = "Union leader Peer Brandt said the dockers would go home. "


@pytest.mark.parametrize(
    ("before", "sentence", "becomes"),
    [
        (SPEECH, "She signed on 4 May.", "She [Ida Holm] signed on 4 May."),
        (SPEECH, "But she has 3 boats.", "But she [Ida Holm] has 3 boats."),
        (CHIEF, "“No crane will move,” he said.", "“No crane will move,” he [Peer Brandt] said."),
        (
            SPEECH + "“We waited for a year,” Holm said. ",
            "Her yard is in Skarholm.",
            "Her [Ida Holm] yard is in Skarholm.",
        ),
        (CHIEF + "He has led them since 1998. ", "He is 61.", "He [Peer Brandt] is 61."),
        ("Mrs Brodersen came late. ", "She had walked.", "She [Brodersen] had walked."),
        ("Mr Brandt came from a yard in Skarholm. ", "He had walked.", "He [Brandt] had walked."),
    ],
)
def test_who_is_meant_is_named_in_brackets(before, sentence, becomes):
    assert with_antecedent(sentence, before) == becomes


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("", "He is 61."),
        (SPEECH, "Peer Brandt says he is 61."),  # it names somebody itself
        (SPEECH, "The crane that she sold is old."),
        ("Ida Holm, 44, met Peer Brandt on the quay. ", "He is 61."),  # which of the two?
        ("Mrs Brodersen came late. ", "He had walked."),
        ("The crane Berta stood in Skarholm. ", "She was 61 years old."),  # no person
        (SPEECH + "The crane driver went home. ", "She was tired."),
        ("It was the funeral of Peer Brandt, 61. ", "He had not slept."),  # who does nothing in it
    ],
)
def test_where_it_is_not_plain_nobody_is_named(before, sentence):
    assert with_antecedent(sentence, before) == sentence
