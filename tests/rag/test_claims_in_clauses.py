"""What governs a claim's words in the evidence, who did it to whom, and how much of it."""

import pytest

from rag.facts import tokens
from rag.verification import verify


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        ("It is not true that France beat Germany, the ministry said.", "France beat Germany."),
        ("No evidence was found that Smith bribed Jones.", "Smith bribed Jones."),
        ("Police denied reports that 30 people died in Leeds.", "30 people died in Leeds."),
        ("The rumour that the king had died in Bath was denied.", "The king had died in Bath."),
        ("If the strike goes ahead, trains will stop on Monday.", "Trains will stop on Monday."),
        ("Trump falsely claimed: “The election was stolen.”", "The election was stolen."),
        ("Nobody believes that the dam will hold.", "The dam will hold."),
        ("She was accused of stealing $2 million.", "She stole $2 million."),
        ("Acme may cut 400 jobs.", "Acme will cut 400 jobs."),
        ("Acme may cut 400 jobs.", "Acme cut 400 jobs."),
        ("Acme plans to cut 400 jobs.", "Acme cut 400 jobs."),
        ("Acme ruled out cutting 400 jobs.", "Acme cut 400 jobs."),
        ("Acme failed to acquire Bolt in 2019.", "Acme acquired Bolt in 2019."),
        ("The plane nearly hit a tower in Porto.", "The plane hit a tower in Porto."),
        ("The museum did not lose 40 paintings.", "The museum lost 40 paintings."),
        # who did it to whom, and what of whom
        ("Alice sued Bob.", "Alice was sued by Bob."),
        ("Ana Ruiz succeeded Tom Reed.", "Ana Ruiz was succeeded by Tom Reed."),
        ("Rebels killed 12 soldiers.", "Soldiers killed 12 rebels."),
        ("The army said 30 people died; the Red Cross put the toll at 90.",
         "The Red Cross said 30 people died."),
        ("Sales rose 4% in Spain but 9% in Italy.", "Sales rose 9% in Spain."),
        ("Anna came from Oslo and Peter from Bergen.", "Peter came from Oslo."),
        # another verb
        ("Acme acquired Bolt in 2019.", "Acme sold Bolt in 2019."),
        ("The court rejected the appeal.", "The court upheld the appeal."),
        ("The blast killed 12 people in Kabul.", "The blast wounded 12 people in Kabul."),
        ("Jones visited the mosque in Kabul.", "Jones bombed the mosque in Kabul."),
        # how much
        ("More than 500 people marched.", "At most 500 people marched."),
        ("More than 500 people marched.", "Exactly 500 people marched."),
        ("Up to 20 houses were lost.", "At least 20 houses were lost."),
        ("Nearly half of the pupils failed.", "More than half of the pupils failed."),
        ("Half of the pupils failed.", "A quarter of the pupils failed."),
        ("Few people saw it.", "Many people saw it."),
        ("Some schools closed.", "All schools closed."),
        ("The new ship is faster than the old.", "The new ship is slower than the old."),
        ("It was -5C in Oslo on Monday.", "It was 5C in Oslo on Monday."),
        ("Unemployment fell to 6.3% in May.", "Unemployment fell below 6% in May."),
        ("The king was born on 4 June 1998.", "The king was born on June 5, 1998."),
        # other languages
        ("Der Kanzler hat das Gesetz nicht unterschrieben.",
         "Der Kanzler hat das Gesetz unterschrieben."),
        ("Le maire n’a pas fermé le pont.", "Le maire a fermé le pont."),
        ("El alcalde no cerró el puente.", "El alcalde cerró el puente."),
    ],
)  # fmt: skip
def test_what_the_evidence_does_not_say_is_not_supported(evidence, claim):
    verdict = verify(claim, [evidence])
    assert verdict.label != "supported"
    assert verdict.score < 0.5


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        ("The mayor said that the city had sold the port.", "The city had sold the port."),
        ("Hale, who had denied the charges, resigned on Monday.", "Hale resigned on Monday."),
        ("The bank, which may merge, cut 300 jobs.", "The bank cut 300 jobs."),
        ("After he failed to win, Norton left the club.", "Norton left the club."),
        ("The board decided to close the mine in June.",
         "The board decided in June to close the mine."),
        ("Norton failed to win the marathon.", "Norton did not win the marathon."),
        ("Police denied that 30 people died.", "Police denied that 30 people died."),
        ("Police denied that Smith fell. A court found otherwise. Smith fell.", "Smith fell."),
        ("Alice sued Bob.", "Bob was sued by Alice."),
        ("Police arrested Hall on Monday.", "Hall was arrested on Monday."),
        ("The Hawks beat the Lions on Sunday.", "The Lions lost to the Hawks on Sunday."),
        ("The train is faster than the bus.", "The bus is slower than the train."),
        ("The army said 30 people died; the Red Cross put the toll at 90.",
         "The army said 30 people died."),
        ("Acme acquired Bolt in 2019.", "Acme bought Bolt in 2019."),
        ("Unemployment fell to 5.9% in May.", "Unemployment fell below 6% in May."),
        ("More than 2,000 people marched.", "Over 2,000 people marched."),
        ("Around 300 people died.", "About 300 people died."),
        ("All of the villages lost power.", "Most of the villages lost power."),
        ("It was -12C in Warsaw.", "It was minus 12C in Warsaw."),
        ("The tunnel is 5 km long.", "The tunnel is 5 kilometres long."),
        ("He was born on 1 May 1998.", "He was born on May 1, 1998."),
        ("He was born on 1998-06-04.", "He was born on June 4, 1998."),
        ("The museum reopened on July 14, 2020.", "The museum reopened in July 2020."),
    ],
)  # fmt: skip
def test_what_it_says_in_other_words_is_supported(evidence, claim):
    verdict = verify(claim, [evidence])
    assert verdict.label == "supported"
    assert verdict.score >= 0.5


def test_a_sentence_in_full_is_supported_whatever_it_denies():
    for sentence in (
        "It is not true that France beat Germany.",
        "If the strike goes ahead, trains will stop.",
    ):
        text = f"It rained. {sentence} Nobody knew."
        verdict = verify(sentence, [text])
        assert (verdict.label, verdict.score) == ("supported", 1.0)
        assert text[slice(*verdict.quote[1:])] == sentence


def test_dates_units_and_bounds_are_read_as_one():
    def read(text):
        return [(token.value, token.bound) for token in tokens(text)]

    assert read("on 5 January 2012") == read("on Jan. 5, 2012") == read("on 2012-01-05")
    assert read("the 14th of July") == read("the July 14")
    assert read("12 kilometres") == read("12 km")
    assert read("more than $3 million") == read("over 3 million dollars")
    assert read("40 or more men")[0] == ("40", ">=")
    assert read("two thirds of it")[0] == ("0.667", "")
