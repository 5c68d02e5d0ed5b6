"""An overview: dated quotes of different articles, each outlet named, or silence."""

import json
import re

import pytest

from ingest import ingest
from rag import Answer, Gazette, Passage, Query, SentenceDone, Token
from rag.embeddings import load_embedder
from rag.overview import overview

# Outlet, day, title, text: a strike over four articles, one of them copied, and what is not on it.
STORY = (
    ("The Globe", "2025-03-04", "Tram drivers of Kessel go on strike",
     "KESSEL, March 4 (GNA) – The tram drivers of Kessel went on strike on Tuesday for higher pay. "
     "They want nine percent. The city offers three."),
    ("The Herald", "2025-03-09", "Kessel trams: talks fail",
     "Talks between the tram drivers of Kessel and the city broke down on Sunday after six hours. "
     "The strike goes into its second week."),
    ("Kessel Post", "2025-03-09", "Kessel trams: talks fail",
     "Talks between the tram drivers of Kessel and the city broke down on Sunday after six hours. "
     "The strike goes into its second week."),
    ("Kessel Post", "2025-03-20", "Trams run again in Kessel",
     "After sixteen days the strike of the tram drivers of Kessel is over, with six percent more."),
    ("The Herald", "2025-03-12", "Eels return to the Orre",
     "Eels have been seen in the upper Orre for the first time in forty years, anglers say."),
    ("The Globe", "2025-03-15", "New roof for the museum",
     "The museum of Norden gets a new roof of copper, which the county pays for in full."),
)  # fmt: skip


@pytest.fixture(scope="module")
def kessel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kessel")
    names = ("outlet", "published", "title", "text")
    records = [json.dumps(dict(zip(names, article, strict=True))) for article in STORY]
    (folder / "a.jsonl").write_text("\n".join(records))
    ingest(folder / "a.jsonl", folder / "archive")
    with Gazette.open(folder / "archive") as opened:
        yield opened


def days(answer):
    return [citation.published.date().isoformat()[-2:] for citation in answer.citations]


def test_quotes_of_different_articles_from_the_oldest_to_the_newest(kessel):
    answer = kessel.ask("Give me an overview of the tram drivers' strike in Kessel")
    assert answer.query.kind == "overview"
    assert answer.query.text == "the tram drivers' strike in Kessel"
    assert days(answer) == ["04", "09", "20"]  # the copy is one with its original
    first = answer.text.splitlines()[0]
    sentence = "The tram drivers of Kessel went on strike on Tuesday for higher pay."
    assert first == f"[The Globe, 4 March 2025] {sentence} [1]"
    assert answer.sentences[0].text == sentence
    assert {s.verdict for s in answer.sentences} == {"quoted"}
    assert 0.5 < answer.confidence <= 1
    for citation in answer.citations:
        text = kessel.article(citation.article_id).text
        assert text[citation.start : citation.end] == citation.quote


def test_news_is_given_newest_first(kessel):
    assert days(kessel.ask("What is the latest on the tram strike in Kessel?"))[0] == "20"
    everything = kessel.ask("What's new?")
    assert days(everything) == sorted(days(everything), reverse=True)
    assert len(everything.citations) == 5
    within = kessel.ask("What's new?", before="2025-03-10")
    assert set(days(within)) == {"04", "09"}


def test_the_outlets_that_covered_it_are_named_first(kessel):
    answer = kessel.ask("Which outlets covered the tram strike in Kessel?")
    first, *lines = answer.text.splitlines()
    named = first.removeprefix("Outlets: ").split(", ")
    assert "The Globe" in named
    assert "Kessel Post" in named
    assert len(lines) == len({citation.outlet for citation in answer.citations}) == 2


def test_each_outlet_that_is_compared_is_quoted(kessel):
    question = "Compare what the Globe and the Kessel Post report on the tram strike in Kessel."
    answer = kessel.ask(question, outlets=["The Globe", "Kessel Post"])
    assert {citation.outlet for citation in answer.citations} == {"The Globe", "Kessel Post"}


@pytest.mark.parametrize(
    "question",
    (
        "What do the Globe and the Kessel Post say about the tram strike in Kessel?",
        "Do the Globe and the Kessel Post agree on the tram strike in Kessel?",
        "How does the Globe's account of the tram strike in Kessel differ from the Kessel Post's?",
    ),
)
def test_what_two_outlets_say_is_an_overview_of_both(kessel, question):
    answer = kessel.ask(question)
    assert answer.query.text == "the tram strike in Kessel"
    assert {citation.outlet for citation in answer.citations} == {"The Globe", "Kessel Post"}


def test_a_named_outlet_that_says_nothing_of_the_topic_is_told(kessel):
    answer = kessel.ask("What do the Globe and the Herald say about the eels in the Orre?")
    assert {citation.outlet for citation in answer.citations} == {"The Herald"}
    assert answer.text.splitlines()[-1] == "Nothing on this: The Globe"


def test_an_outlet_that_has_only_a_copy_is_not_said_to_be_silent(kessel):
    question = (
        "What do the Herald and the Kessel Post say about the talks over the trams of Kessel?"
    )
    answer = kessel.ask(question, before="2025-03-10")
    assert {citation.published.day for citation in answer.citations} == {9}
    assert "Nothing on this" not in answer.text


def test_what_two_people_say_is_a_plain_question(kessel):
    answer = kessel.ask("What do the drivers and the city say about the tram strike in Kessel?")
    assert answer.query.kind == "question"


def test_news_of_a_month_is_of_its_articles_only(gazette):
    answer = gazette.ask("What is new on the Ransey bridge in April 2026?")
    assert answer.query.text == "the Ransey bridge"
    assert {f"{citation.published:%Y-%m}" for citation in answer.citations} == {"2026-04"}


def test_of_an_article_that_only_touches_the_topic_only_what_names_it_is_quoted(gazette):
    answer = gazette.ask("What is new on the Ransey bridge?")
    for citation in answer.citations:
        named = f"{gazette.article(citation.article_id).title} {citation.quote}"
        assert re.search("Ransey|bridge", named)


def test_of_a_longer_copy_nothing_is_quoted():
    told = "Talks between the tram drivers of Kessel and the city broke down after six hours."
    texts = {"one": told, "copy": f"{told} Buses run in place of the trams."}
    passages = [
        Passage(name, 0, len(text), text, "Kessel trams: talks fail")
        for name, text in texts.items()
    ]
    query = Query("the trams of Kessel", kind="overview")
    found = overview("What is new on the trams of Kessel?", query, passages, load_embedder())
    assert {sentence.passage.article_id for sentence in found.sentences} == {"one"}


@pytest.mark.parametrize(
    "topic", ["the Norden harbour fire", "Mira Holt", "the volcano", "the strike of the pilots"]
)
def test_what_no_article_is_about_has_no_overview(kessel, topic):
    answer = kessel.ask(f"Summarise the reports on {topic}.")
    assert answer.abstained
    assert answer.citations == ()
    assert answer.confidence < 0.5


def test_what_is_quoted_tells_what_the_headline_tells_and_stands_alone(tmp_path):
    told = "The ferry to Odde has made its last crossing after forty years, the county says."
    text = (
        "THE LAST DAY\nIt was a grey and quiet morning at the landing in Odde. Who would have "
        f"thought so? {told} “We are sorry to see the ferry go,” said the captain at noon. "
        "Tickets stay valid for the bus, which runs every hour from Monday on."
    )
    article = {"title": "Ferry to Odde stops after forty years", "text": text}
    (tmp_path / "a.json").write_text(json.dumps(article))
    ingest(tmp_path / "a.json", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        answer = opened.ask("What is new on the ferry to Odde?")
    quotes = [citation.quote for citation in answer.citations]
    assert quotes == [told, "Tickets stay valid for the bus, which runs every hour from Monday on."]


def test_an_overview_of_many_articles_keeps_within_its_bounds(gazette):
    events = list(gazette.stream("What do the articles say about the bridge to Ransey?"))
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert 3 <= len(answer.citations) <= 6
    assert len({citation.article_id for citation in answer.citations}) == len(answer.citations)
    assert sum(len(citation.quote.split()) for citation in answer.citations) <= 120
    assert len({passage.article_id for passage in answer.passages}) == len(answer.passages) == 10
    published = [citation.published for citation in answer.citations]
    assert published == sorted(published)
    assert "".join(e.text for e in events if isinstance(e, Token)).strip() == answer.text
    done = [event.sentence for event in events if isinstance(event, SentenceDone)]
    assert tuple(done) == answer.sentences


def test_days_are_printed_as_the_language_of_the_question_has_them(kessel):
    text = kessel.ask("Gib mir einen Überblick über Kessel").text
    assert re.match(r"\[The Globe, 4\. März 2025\] The tram drivers", text)


def test_a_named_model_writes_the_overview_from_different_articles(sample_archive, chat_server):
    chat_server.pieces = ["The bridge will have ", "a toll [1]."]
    model = {"llm": "mistralai:mistral-small-latest", "base_url": chat_server.base_url}
    with Gazette.open(sample_archive, **model) as opened:
        answer = opened.ask("Summarise the reports on the bridge to Ransey")
    assert answer.sentences[0].text == "The bridge will have a toll."
    prompt = chat_server.requests[0]["messages"][-1]["content"]
    assert prompt.count("<passage number=") == 10
