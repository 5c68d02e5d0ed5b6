"""Whether evidence supports a sentence, and sentences and terms themselves."""

import json

import pytest

from rag.cross_encoder import CrossEncoder
from rag.errors import CrossEncoderError
from rag.facts import tokens
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


ARTICLE = (
    "HALVERN – The council of Halvern voted on Tuesday to close the old ferry line. Mayor Ines "
    "Torv, 52, told reporters that the line had not made a profit since 2011.\n\n“We can’t go on "
    "like this,” she said. The operator, Blue Sound Lines, was bought by Kessel Group last March "
    "for $6.5bn, more than twice what Kessel paid for its rival Nordic Tide. Around 12 per cent "
    "of its 1,200 workers will lose their jobs, union leader Pavel Orlo said on Friday. "
    "Kessel Group sued Nordic Tide in 2019."
)


@pytest.mark.parametrize(
    "claim",
    [
        "The council of Halvern voted on Tuesday to close the old ferry line.",
        "On Tuesday, the council of Halvern voted to close the old ferry line.",
        "Ines Torv told reporters that the line hadn't made a profit since 2011.",
        "Torv said: 'We cannot go on like this'.",
        "Blue Sound Lines was bought by Kessel Group last March for 6.5 billion dollars.",
        "Around twelve percent of its 1200 workers will lose their jobs, Orlo said on Friday.",
        "Around 12% of its 1,200 workers will lose their jobs, Pavel Orlo said.",
        "The council of Halvern voted to close the old ferry line, which had not made a profit "
        "since 2011.",
        "Nordic Tide was sued by Kessel Group in 2019.",
        "had not made a profit since 2011",
    ],
)
def test_the_same_told_in_other_words_is_supported(claim):
    verdict = verify(claim, [ARTICLE])
    assert (verdict.label, verdict.score >= 0.5) == ("supported", True)


@pytest.mark.parametrize(
    ("claim", "label"),
    [
        # what is put in stands elsewhere in the article, or nowhere
        ("The council of Halvern voted on Friday to close the old ferry line.", "contradicted"),
        ("The council of Norby voted on Tuesday to close the old ferry line.", "contradicted"),
        ("The council of Halvern voted on Tuesday not to close the old ferry line.", None),
        ("Mayor Ines Torv, 52, told reporters that the line had made a profit since 2011.", None),
        ("Mayor Ines Torv, 12, told reporters that the line had not made a profit.", None),
        ("Mayor Pavel Torv, 52, told reporters that the line had not made a profit.", None),
        ("Mayor Pavel Orlo, 52, told reporters that the line had not made a profit.", None),
        ("Blue Sound Lines was bought by Kessel Group last March for $6.5m.", "contradicted"),
        ("Blue Sound Lines was bought by Kessel Group last March for €6.5bn.", "contradicted"),
        ("Blue Sound Lines was bought by Kessel Group last April for $6.5bn.", "contradicted"),
        ("Blue Sound Lines was bought by Kessel Group last March for $6.5bn, less than twice what "
         "Kessel paid for its rival Nordic Tide.", "contradicted"),
        ("Around 12 points of its 1,200 workers will lose their jobs, Orlo said on Friday.", None),
        ("Nordic Tide sued Kessel Group in 2019.", "contradicted"),
        ("Kessel Group was bought by Blue Sound Lines last March for $6.5bn.", "contradicted"),
        ("“We can go on like this,” she said.", "contradicted"),
    ],
)  # fmt: skip
def test_with_one_thing_changed_it_is_not_supported(claim, label):
    verdict = verify(claim, [ARTICLE])
    assert verdict.label != "supported"
    assert label in (None, verdict.label)
    assert verdict.score < 0.5


def test_a_name_is_one_without_its_capital_too():
    article = ARTICLE.lower()
    assert verify("the council of halvern voted on tuesday.", [article]).label == "supported"
    assert verify("the council of norby voted on tuesday.", [article]).label != "supported"
    assert verify("nordic tide sued kessel group in 2019.", [article]).label != "supported"


def test_a_number_stays_with_what_it_is_told_of():
    two = "The road bridge to Ransey opened in 1932. It cost 4 million pounds."
    joined = "The road bridge to Ransey, which opened in 1932, cost 4 million pounds."
    assert verify(joined, [two]).label == "supported"
    assert verify("The road bridge to Ransey cost 1932 pounds.", [two]).label != "supported"


def test_words_that_break_off_are_not_a_sentence_that_stands_there():
    assert verify("Mayor Ines Torv, 52, told reporters", [ARTICLE]).score < 1
    assert verify("“We can't go on like this,” she said", [ARTICLE]).score == 1
    two = (
        "The council of Halvern voted on Tuesday to close the old ferry line. Mayor Ines Torv, 52,"
    )
    start, end = verify(two, [ARTICLE]).quote[1:]
    assert ARTICLE[start:end].startswith("HALVERN")
    assert ARTICLE[start:end].endswith("2011.")


HARBOUR = "The harbour opened in May. It has two piers."


def test_a_model_of_entailment_judges_in_place_of_the_signals(train_cross_encoder):
    claims = {"Ships may use it.": "supported", "It is closed.": "contradicted"}
    claims["Cats sleep."] = "unsupported"
    examples = [((HARBOUR, claim), number) for number, claim in enumerate(claims)]
    labels = ["entailment", "contradiction", "neutral"]
    verifier = CrossEncoder(train_cross_encoder(labels, examples))
    for claim, label in claims.items():
        claim_in_evidence = verify(claim, [HARBOUR], verifier)
        assert claim_in_evidence.label == label
    assert verify("It has two piers.", [HARBOUR], verifier).score == 1.0


def test_a_model_of_one_score_or_of_other_labels(train_cross_encoder):
    examples = [((HARBOUR, "Its ships may use it."), 1), ((HARBOUR, "It is closed."), 0)]
    scorer = CrossEncoder(train_cross_encoder(["score"], examples))
    assert verify("Its ships may use it.", [HARBOUR], scorer).label == "supported"
    assert verify("It is closed.", [HARBOUR], scorer).label == "unsupported"
    other = CrossEncoder(train_cross_encoder(["cat", "dog"], examples))
    with pytest.raises(CrossEncoderError, match="gives cat, dog, and no entailment"):
        verify("It is closed.", [HARBOUR], other)


def test_a_claim_against_the_archive(gazette):
    found = gazette.verify("The Ransey Link Act passed by 58 votes to 41.")
    assert (found.label, found.score, found.against) == ("supported", 1.0, ())
    other = gazette.verify("The Ransey Link Act passed by 58 votes to 43.")
    assert (other.label, other.against) == ("contradicted", (1,))
    assert [c.number for c in found.citations] == list(range(1, len(found.citations) + 1))
    for citation in (*found.citations, *other.citations):
        article = gazette.article(citation.article_id)
        assert article.text[citation.start : citation.end] == citation.quote
        assert "58 votes to 41" in citation.quote
    assert len({citation.quote for citation in found.citations}) == len(found.citations)
    nothing = gazette.verify("Penguins nest on the moon.")
    assert (nothing.label, nothing.citations) == ("unsupported", ())
    assert "no article says so" in nothing.reason
    assert "no article of 'Nobody'" in gazette.verify("It rained.", outlets=["Nobody"]).reason


def test_articles_that_disagree_are_all_cited(tmp_path):
    from ingest import ingest
    from rag import Gazette

    day = {"outlet": "The Wharf", "title": "Crane"}
    said = "The crane on the north quay of Norby fell, and %s dockers were hurt. %s"
    records = [
        {**day, "published": "2025-05-01", "text": said % (3, "It was raining.")},
        {**day, "published": "2025-05-02", "text": said % (3, "It was raining hard.")},
        {**day, "published": "2025-05-03", "text": said % (5, "The wind was strong.")},
    ]
    source = tmp_path / "articles.jsonl"
    source.write_text("\n".join(map(json.dumps, records)))
    ingest(source, tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        verdict = gazette.verify(
            "The crane on the north quay of Norby fell, and 3 dockers were hurt."
        )
    assert (verdict.label, verdict.against) == ("supported", (2,))
    copy, other = verdict.citations  # the two that are the same count once
    assert ("3 dockers" in copy.quote, other.published.day) == (True, 3)


def test_tokens_are_values():
    def values(text):
        return [token.value for token in tokens(text)]

    assert values("$6.5bn") == values("6.5 billion dollars")
    assert values("12 per cent") == values("twelve percent") == values("12%")
    assert values("on Jan. 5th") == values("on January 5")
    assert values("twenty-five men didn't") == values("25 men did not")
    assert values("the third of 13, 000") == values("the 3rd of 13,000")
    denied = [
        token.value for token in tokens("She did not resign, but it was reported") if token.denied
    ]
    assert denied == terms("resign")


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
