"""Names and numbers of a question that an article has not."""

import pytest

from rag.strangers import is_of_another_year, strange_names, strange_numbers

TEXT = (
    "The harbour board of Brunn sold the crane Berta to the shipyard Kolk on 4 May 2021 for 3,200 "
    "guilders.\nThe Norwegian Maritime Office, led by Hanne Brodersen, had advised Iran against it."
)


@pytest.mark.parametrize(
    ("question", "names", "numbers"),
    [
        ("Who bought the crane Berta from the board of Brunn?", 0, 0),
        ("Who bought the crane Agnes from the board of Brunn?", 1, 0),
        ("Who bought the crane Agnes from the board of Tromso?", 2, 0),
        ("What did Hanne Brodersen advise?", 0, 0),
        ("What did Petra Brodersen advise?", 0.5, 0),
        ("Which crane was sold in 2021?", 0, 0),
        ("Which crane was sold in 1987?", 0, 1),
        ("What was sold for 3200 guilders?", 0, 0),
        ("What was sold for 4100 guilders?", 0, 1),
        ("Which crane was sold in June?", 0, 0),
        ("Which are the 7 cranes?", 0, 0),  # a list may have as many
        ("Who advised the Iranians?", 0, 0),
        ("Who advised the Iraqis?", 1, 0),
        ("Who advised the Dutch, and who Spain?", 2, 0),
        ("What did Hanne Broderson advise?", 0, 0),  # misspelt
        ("What did the NMO advise?", 0, 0),
        ("Which crane did the Kolkers buy?", 0, 0),
        ("Who Bought The Crane From The Board Of Tromso?", 0, 0),
        ("WHO BOUGHT THE CRANE OF TROMSO?", 0, 0),
    ],
)
def test_what_an_article_has_not(question, names, numbers):
    assert strange_names(question, [TEXT]) == names
    assert strange_numbers(question, [TEXT]) == numbers


def test_every_text_of_an_article_counts():
    question = "Did Hanne Brodersen sell Berta?"
    assert strange_names(question, TEXT.splitlines()[:1]) == 1
    assert strange_names(question, TEXT.splitlines()) == 0


def test_countries_and_peoples_are_one():
    text = "The Netherlands and the Spanish team met in France; a Briton won."
    for name in ("Dutch", "Holland", "Spain", "French", "Britain"):
        assert strange_names(f"Who met the {name} there?", [text]) == 0
    assert strange_names("Who met the Swiss there?", [text]) == 1


def test_names_are_compared_within_a_language_where_capitals_tell_them():
    question, text = "Wer kaufte bei der Versteigerung den Kran?", "Der Hafen verkaufte den Kran."
    assert strange_names(question, [text], "de-AT") == 0
    text = "Le port de Bruxelles a vendu la grue au chantier Kolk."
    assert strange_names("Qui a vendu la grue de Marseille au chantier ?", [text], "fr") == 1
    assert strange_names("Who sold the crane of Brussels?", [text], "fr") == 0


@pytest.mark.parametrize(
    ("question", "sentence", "another"),
    [
        ("How cold was it in 2026?", "The record of 1987 was -31.", True),
        ("How cold was it in 2026?", "It was -24 on Tuesday.", False),
        ("How cold was it in 2026?", "It was the coldest January since 1987.", False),
        ("How cold was it in 2026?", "The record of 1987 fell in 2026.", False),
        ("Who led the port in 1995?", "From 1990 to 2001 it was led by Brodersen.", False),
        ("What was built from 1990 to 2001?", "In 1995 the crane was built.", False),
        ("What was built from 1990 to 2001?", "In 2004 the crane was built.", True),
        ("How cold was it?", "The record of 1987 was -31.", False),
    ],
)
def test_a_sentence_of_another_year(question, sentence, another):
    assert is_of_another_year(question, sentence) is another
