"""What Gazette says in its own words: plain replies, and abstentions in the question's language."""

import json
import re
import tomllib
from importlib.resources import files

import pytest

from ingest import ingest
from rag import Gazette
from rag.phrases import language_of
from tests.conftest import ARTICLES


def counted(answer):
    assert not answer.abstained
    assert answer.citations == answer.sentences == ()
    return int(re.search(r": (\d+)", answer.text)[1])


def test_a_greeting_gets_a_plain_reply_and_no_model_is_asked(sample_archive, chat_server):
    model = {"llm": "mistralai:mistral-small-latest", "base_url": chat_server.base_url}
    with Gazette.open(sample_archive, **model) as gazette:
        answer = gazette.ask("Hello there!")
        counted(gazette.ask("How many articles are there?"))
    assert chat_server.requests == []
    assert answer.query.kind == "greeting"
    assert f"{ARTICLES}, from 14 May 2024 to 23 April 2026" in answer.text
    assert not answer.abstained
    assert answer.confidence == 1
    assert answer.citations == answer.sentences == ()
    assert len(answer.passages) == 5


def test_articles_are_counted_within_the_filters(gazette):
    assert counted(gazette.ask("How many articles are there?")) == ARTICLES
    days = {"after": "2025-10-01", "before": "2025-11-01"}
    within = len(list(gazette.articles(**days)))
    assert counted(gazette.ask("How many articles are there?", **days)) == within < ARTICLES
    kontor = len(list(gazette.articles("Kontor")))
    assert counted(gazette.ask("How many articles by Kontor?")) == kontor
    assert counted(gazette.ask("How many articles are there?", outlets=["kontor.est"])) == kontor
    assert counted(gazette.ask("How many articles from the Globe?")) == 0
    eels = [article for article in gazette.articles() if re.search(r"\beels?\b", article.text)]
    assert counted(gazette.ask("How many articles mention the eels?")) == len(eels)


def test_outlets_the_newest_the_oldest_and_a_list(gazette):
    articles = list(gazette.articles())
    outlets = gazette.ask("Which outlets do you have?").text
    assert all(article.outlet in outlets for article in articles)
    assert articles[0].title in gazette.ask("What is the newest article?").text
    assert articles[-1].title in gazette.ask("What is the oldest article?").text
    listed = gazette.ask("List the articles of Le Fanal.").text.splitlines()[1:]
    fanal = list(gazette.articles("Le Fanal"))
    assert len(listed) == len(fanal)
    assert all(article.title in line for article, line in zip(fanal, listed, strict=True))
    assert gazette.ask("List all articles").text.count("\n–") == 10


def test_a_day_in_a_question_about_the_archive_is_that_of_its_articles(gazette):
    named = {article.id for article in gazette.articles() if "Tordis" in article.text}
    assert counted(gazette.ask("How many articles mention the Tordis?")) == len(named)
    within = {article.id for article in gazette.articles(after="2026-01-01")} & named
    for question in ("mention the Tordis in 2026", "about the Tordis are from 2026"):
        assert counted(gazette.ask(f"How many articles {question}?")) == len(within) < len(named)


def test_an_outlet_is_counted_that_has_articles_and_the_one_that_has_most(gazette):
    packet = len(list(gazette.articles("The Ransey Packet")))
    assert counted(gazette.ask("How many articles does the Packet have?")) == packet
    assert gazette.ask("How many articles does the treaty have?").query.kind == "question"
    most = gazette.ask("Which outlet has the most articles that mention the Tordis?").text
    assert most.splitlines()[1] == "Outlets: The Ransey Packet (4)"


def test_a_topic_with_of_in_it_names_no_outlet(gazette):
    of_ransey = counted(gazette.ask("How many articles mention the island of Ransey?"))
    assert 0 < of_ransey < ARTICLES


def test_who_wrote_an_article(gazette):
    (article,) = [each for each in gazette.articles() if re.search(r"\beels\b", each.title)]
    line = gazette.ask("Who wrote the article on eels?").text.splitlines()[1]
    assert article.title in line
    assert line.endswith(f": {', '.join(article.authors)}")


@pytest.mark.parametrize(
    ("greeting", "begins", "counts"),
    [
        ("Buongiorno", "Gazette risponde", f"Articoli nell’archivio: {ARTICLES}, dal 14 maggio"),
        (
            "Hallo, wie geht's?",
            "Gazette beantwortet",
            f"Artikel im Archiv: {ARTICLES}, vom 14. Mai",
        ),
    ],
)
def test_a_reply_is_in_one_language(gazette, greeting, begins, counts):
    first, second, *_ = gazette.ask(greeting).text.splitlines()
    assert first.startswith(begins)
    assert second.startswith(counts)


def test_articles_of_an_author(tmp_path):
    record = {"text": "Ice in the harbour.", "authors": ["Elin Marsh", "Ada Brown"]}
    (tmp_path / "a.json").write_text(json.dumps(record))
    (tmp_path / "b.txt").write_text("Elin Marsh was there.")
    ingest(tmp_path, tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        assert counted(opened.ask("How many articles by Elin Marsh do you have?")) == 1
        assert counted(opened.ask("How many articles are there by Ole Lund?")) == 0
        assert counted(opened.ask("How many articles mention Elin Marsh?")) == 1


@pytest.mark.parametrize(
    ("question", "begins", "lists"),
    [
        ("Which pianist won in Warsaw?", "The articles do not say: no pass", "What comes nearest:"),
        ("Welcher Pianist gewann den Wettbewerb?", "Die Artikel sagen es nicht: keine", "Am nä"),
        ("Quel pianiste a remporté le concours ?", "Les articles ne le disent pas : aucun", "Ce q"),
        ("Qué pianista ganó el concurso", "Los artículos no lo dicen: ningún", "Lo que"),
        ("Quale pianista ha vinto il concorso?", "Gli articoli non lo dicono: nessun", "Ciò"),
        ("Welke pianist won het concours?", "De artikelen zeggen het niet: geen", "Wat het"),
        ("Qual pianista venceu o concurso?", "Os artigos não o dizem: nenhuma", "O que mais"),
        ("Który pianista wygrał konkurs?", "Artykuły tego nie mówią: żaden", "Najbliższe"),
        ("Vilken pianist vann tävlingen?", "Artiklarna säger det inte: inget", "Det som"),
        ("Hvilken pianist vandt konkurrencen?", "Artiklerne siger det ikke: ingen", "Det, der"),
        ("Yarışmayı hangi piyanist kazandı?", "Makaleler bunu söylemiyor: hiçbir", "En yak"),
    ],
)
def test_an_abstention_speaks_the_language_of_the_question(gazette, question, begins, lists):
    answer = gazette.ask(question)
    assert answer.abstained
    assert answer.text.startswith(begins)
    assert answer.text.splitlines()[1].startswith(lists)
    assert answer.reason == "no passage answers the question"


def test_why_there_is_no_passage_is_told_in_the_language_too(gazette):
    answer = gazette.ask("Wer gewann den Pokal?", outlets=["Globe"])
    assert "das Archiv hat keinen Artikel von 'Globe'" in answer.text
    assert "no article of 'Globe'" in answer.reason
    nearest = gazette.ask("Welcher Pianist gewann den Wettbewerb?", as_of="2025-03-04").text
    assert re.search(
        r", \d+\. (Januar|Februar|Mai|September|Oktober|November|Dezember) 20", nearest
    )


@pytest.mark.parametrize(
    "question",
    [
        "Did Jürgen Müller visit Łódź?",
        "Who is Anna Bergström?",
        "Ransey bridge toll",
        "???",
        "Ålesund",
    ],
)
def test_where_the_language_is_not_sure_it_is_english(question):
    assert language_of(question) == "en"


def test_every_translation_has_the_places_of_its_phrase():
    phrases = tomllib.loads((files("rag") / "phrases.toml").read_text(encoding="utf-8"))
    assert len(phrases) == 10
    for language, translated in phrases.items():
        for phrase, translation in translated.items():
            places = [sorted(re.findall(r"\{\w*\}", text)) for text in (phrase, translation)]
            assert places[0] == places[1], (language, phrase)
