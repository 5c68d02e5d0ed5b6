"""What is found and what is said, without a language model."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import date
from itertools import pairwise

import pytest

from ingest import ingest, remove
from ingest.chunking import chunk
from rag import Answer, Gazette, Passage, Query, SentenceDone, Token, ask
from rag.archive import Archive
from rag.errors import UsageError
from rag.question import understand
from rag.retrieval import RRF_K, fuse, rank
from rag.types import MAX_PASSAGE_CHARS, Scores


def test_every_quote_stands_in_its_article_and_carries_its_mark(gazette):
    answer = gazette.ask("How many people died in the Tordis disaster?")
    assert not answer.abstained
    assert answer.reason is None
    assert 0 < answer.confidence < 1
    for citation in answer.citations:
        article = gazette.article(citation.article_id)
        assert article.text[citation.start : citation.end] == citation.quote
        assert (citation.speaker, citation.also_in) == (None, ())
    assert [citation.number for citation in answer.citations] == [1, 2, 3][: len(answer.citations)]
    for sentence in answer.sentences:
        assert sentence.verdict == "quoted"
        assert f"{sentence.text} [{sentence.citations[0]}]" in answer.text
    assert sum(len(citation.quote.split()) for citation in answer.citations) <= 120
    assert "[1] The Lindholt Courier, 17 February 2026: Tordis sank" in str(answer)


def test_what_the_articles_do_not_say(gazette):
    answer = gazette.ask("Which pianist won the Chopin competition in Warsaw?")
    assert answer.abstained
    assert answer.text.startswith("The articles do not say")
    assert answer.citations == answer.sentences == ()
    assert len(answer.passages) == 5
    assert answer.passages[0].title in answer.text


@pytest.mark.parametrize(
    ("question", "own", "other"),
    [
        ("How many people died in the sinking of the {}?", "Tordis", "Helgoland"),
        ("What does the Audit Court say the bridge to {} will cost?", "Ransey", "Malmo"),
        ("What did {} take over at the Lindholt Opera?", "Ilka Rosendahl", "Pavel Novotny"),
        ("Who won the {} Estrand Cup final?", "2025", "1974"),
    ],
)
def test_the_same_of_another_name_or_year_is_not_answered(gazette, question, own, other):
    assert not gazette.ask(question.format(own)).abstained
    assert gazette.ask(question.format(other)).abstained


def test_an_article_of_the_year_asked_for_goes_before_one_that_is_hardly_nearer(gazette):
    question = "What did Mayor Rickmers say on the link road in {}?"
    for year in (2025, 2026):
        (first, *_) = gazette.ask(question.format(year)).citations
        assert first.published.year == year
    assert gazette.ask(question.format(2019)).abstained


def test_what_is_asked_of_some_days_is_read_in_the_articles_of_these_days(tmp_path):
    told = {
        "2025-03-04": "The flood in Kolk has killed nine people, the harbour police said.",
        "2025-06-01": "The flood in Kolk killed 14 people, the harbour police said at last.",
    }
    for day, text in told.items():
        (tmp_path / f"{day}.json").write_text(json.dumps({"text": text, "published": day}))
    ingest(tmp_path, tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        then = opened.ask("As of 5 March 2025, how many people had the flood in Kolk killed?")
        assert [c.quote for c in then.citations] == [told["2025-03-04"]]
        assert then.query.dayless == ("how many people had the flood in Kolk killed?",)
        later = opened.ask("In April 2025, how many people did the flood in Kolk kill?")
        assert later.query.widened  # of these days there is none: it says so


def test_what_is_not_read_is_in_the_order_of_its_ranking(sample_archive):
    with Gazette.open(sample_archive, reader="none") as unread:
        passages = unread.retrieve("How much will the bridge to Ransey cost?", k=12)
    ranked = [passage.scores.reranked for passage in passages]
    assert ranked == sorted(ranked, reverse=True)


def test_passages_are_article_text_within_bounds_each_text_once(gazette):
    passages = gazette.retrieve("How much will the bridge to Ransey cost?", k=12)
    for passage in passages:
        article = gazette.article(passage.article_id)
        assert article.text[passage.start : passage.end] == passage.text
        assert len(passage.text) <= MAX_PASSAGE_CHARS
        assert passage.scores.fused is not None
    assert len({passage.text for passage in passages}) == len(passages) == 12
    for one in passages:
        inside = [p for p in passages if p.article_id == one.article_id and p.text in one.text]
        assert inside == [one]


def test_a_misspelt_word_is_read_as_it_is_meant_and_searched_as_spelt_too(gazette):
    answer = gazette.ask("Which vessle brought up the old mine in Brakhaven harbour?")
    assert answer.query.text == "Which vessel brought up the old mine in Brakhaven harbour?"
    assert answer.query.variants == (answer.question,)
    assert not answer.abstained
    assert gazette.ask("Which vessel brought up the old mine?").query.variants == ()


def test_a_misspelling_is_a_few_edits_from_a_word_of_the_same_first_letter(tmp_path):
    text = "A vessel sailed along the coast of the Philippines to a match."
    (tmp_path / "a.txt").write_text(text)
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:

        def read(word):
            return opened.ask(f"What about the {word} then?").query.text.split()[3]

        assert read("Phillipines") == "Philippines"
        assert read("vessle") == "vessel"
        for meant in ("coast", "boast", "coact"):  # another first letter, too short to tell
            assert read(meant) == meant
        assert read("Philippinos") == "Philippinos"  # with another letter it is another name
        assert read("matched") == "matched"  # a word of the language is meant as it is


def test_of_passages_found_alike_the_one_that_covers_the_question_comes_first():
    def passage(article_id, text):
        return Passage(article_id, 0, len(text), text, "", scores=Scores(fused=0.05))

    poor, rich = passage("a", "The bridge is long."), passage("b", "The bridge cost a fortune.")
    assert rank(Query("What did the bridge cost?"), [poor, rich])[0].article_id == "b"


def test_a_chunk_is_found_with_its_neighbours(tmp_path):
    text = " ".join(f"Sentence number {n} says a little about the harbour." for n in range(40))
    (tmp_path / "a.txt").write_text(text)
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        chunks = chunk(next(archive.ledger.articles(archive.ledger.index.choose(Query("")))))
        assert len(chunks) > 4
        found = archive.ledger.index.passages([3], MAX_PASSAGE_CHARS)[3]
    assert (found.start, found.end) == (chunks[1].start, chunks[3].end)
    assert found.text == text[found.start : found.end]


def test_no_fragment_is_quoted(tmp_path):
    text = "Tall lighthouse, Dallum! The lighthouse of Dallum is 31 metres tall, say the pilots."
    (tmp_path / "a.txt").write_text(text)
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        quotes = [c.quote for c in opened.ask("How tall is the lighthouse of Dallum?").citations]
    assert quotes == ["The lighthouse of Dallum is 31 metres tall, say the pilots."]


def test_passages_of_one_article_do_not_overlap(gazette):
    passages = gazette.retrieve("How much will the bridge to Ransey cost?", k=12)
    spans = sorted((p.article_id, p.start, p.end) for p in passages)
    articles = [article for article, _, _ in spans]
    assert len(set(articles)) < len(articles)
    for (one, _, end), (other, start, _) in pairwise(spans):
        assert one != other or end <= start


def test_an_outlet_that_the_archive_lacks_is_named(gazette):
    answer = gazette.ask("Who won the Cup final?", outlets=["Courier"])
    assert answer.abstained
    assert "no article of 'Courier'" in answer.reason


def test_an_article_is_found_by_id_url_and_source(gazette):
    article = next(gazette.articles())
    assert gazette.article(article.id) == gazette.article(article.url) == article


def test_a_text_wrapped_by_hand_is_quoted_in_whole_sentences(tmp_path):
    text = (
        "The lido of Pellworth has been shut since\na pipe burst in March. The mayor, Ada\n"
        "Brown, said the repair would cost £310,000.\n\nThe council votes on Monday.\n"
    )
    (tmp_path / "lido.txt").write_text(text, encoding="utf-8")
    ingest(tmp_path / "lido.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        answer = opened.ask("What did the mayor say the repair of the lido would cost?")
    sentence = "The mayor, Ada Brown, said the repair would cost £310,000."
    assert sentence in [s.text for s in answer.sentences]
    assert "The mayor, Ada\nBrown, said the repair would cost £310,000." in [
        c.quote for c in answer.citations
    ]


def test_sentences_end_as_the_language_of_their_article_has_them(tmp_path):
    told = "Der Rat von Brunn stimmte am 16. Januar für den Bau der neuen Brücke."
    article = {"text": f"{told} Sie soll in zwei Jahren fertig sein.", "language": "de"}
    (tmp_path / "a.json").write_text(json.dumps(article))
    ingest(tmp_path / "a.json", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as opened:
        answer = opened.ask("Wann stimmte der Rat von Brunn für den Bau der Brücke?")
    assert answer.sentences[0].text == told


def test_equal_texts_take_one_place(tmp_path):
    for name in ("one", "two", "three"):
        record = {"title": name, "text": "The harbour of Brunn froze on Monday.", "outlet": name}
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    ingest(tmp_path, tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        assert gazette.count() == 3
        assert len(gazette.retrieve("When did the harbour freeze?")) == 1


def test_a_small_archive_gives_all_it_has(tmp_path):
    text = "\n\n".join(f"The harbour froze in week {n}. {'Ships waited. ' * 40}" for n in range(7))
    (tmp_path / "a.txt").write_text(text)
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        assert len(gazette.retrieve("When did the harbour freeze?")) == 5


def test_filters_compare_instants_and_leave_out_the_undated(tmp_path):
    stamps = {
        "late": "2025-03-14T23:30:00-02:00",  # the 15th in UTC
        "early": "2025-03-14T00:30:00+02:00",  # the 13th in UTC
        "undated": None,
    }
    for name, published in stamps.items():
        record = {"title": name, "text": f"Ice at {name} harbour.", "published": published}
        record |= {"outlet": "The Post", "url": f"https://www.post.example/{name}"}
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    ingest(tmp_path, tmp_path / "archive")

    def titles(**filters):
        return {passage.title for passage in gazette.retrieve("ice harbour", **filters)}

    with Gazette.open(tmp_path / "archive") as gazette:
        assert titles() == {"late", "early", "undated"}
        assert titles(after="2025-03-14") == {"late"}
        assert titles(before=date(2025, 3, 14)) == {"early"}
        assert titles(as_of="2025-03-14") == {"early"}
        assert titles(as_of="2025-03-15") == {"late", "early"}
        for name in (
            "the post",
            "Post",
            "post.example",
            "www.post.example",
            "https://post.example",
        ):
            assert len(titles(outlets=[name])) == 3
        assert titles(outlets=["Pos"]) == set()
        answer = gazette.ask("ice?", after="2026-01-01")
        assert "1 undated left out" in answer.reason
        printed = {article.title: article.published for article in gazette.articles()}
        assert printed["late"].date() == printed["early"].date() == date(2025, 3, 14)


def test_a_follow_up_leans_on_the_turn_before(gazette):
    history = [("Who scored the winner in the Cup final?", "Pelle Druve.")]
    assert "Cup final" in understand("And how many watched it?", history).text
    whole = "How much will the railway tunnel under Dallum cost?"
    assert understand(whole, history).text == whole
    found = gazette.retrieve("And how many people watched it?", history=history)
    assert any("21,480" in passage.text for passage in found)


def test_fuse_is_reciprocal_rank_fusion():
    assert fuse([1, 2], [2, 3]) == pytest.approx(
        {2: 1 / (RRF_K + 2) + 1 / (RRF_K + 1), 1: 1 / (RRF_K + 1), 3: 1 / (RRF_K + 2)}
    )


def test_events_add_up_to_the_answer(gazette):
    events = list(gazette.stream("Which judge put the Siefken yard under creditor protection?"))
    answer = events[-1]
    assert isinstance(answer, Answer)
    tokens = "".join(event.text for event in events if isinstance(event, Token))
    assert tokens.strip() == answer.text
    done = [event for event in events if isinstance(event, SentenceDone)]
    assert tuple(event.sentence for event in done) == answer.sentences
    assert tuple(c for event in done for c in event.citations) == answer.citations


def test_sync_async_and_one_shot_agree(gazette, sample_archive):
    question = "Who scored the winner in the 2025 Estrand Cup final?"
    text = gazette.ask(question).text
    assert asyncio.run(gazette.aask(question)).text == text
    assert ask(question, sample_archive).text == text


def test_several_threads_may_ask_at_once(gazette):
    questions = ["Why did the Tordis sink?", "Who buys Siefken Yard?", "What kills the eels?"] * 3
    expected = {question: gazette.ask(question).text for question in questions}
    got = []
    threads = [
        threading.Thread(target=lambda q=question: got.append((q, gazette.ask(q).text)))
        for question in questions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 9
    assert all(expected[question] == text for question, text in got)


def test_filters_take_what_people_give(gazette):
    def outlets(**filters):
        return {passage.outlet for passage in gazette.retrieve("Who buys the yard?", **filters)}

    assert outlets(outlets="Kontor") == {"Kontor"}
    assert len(outlets(outlets=None, as_of="9999-12-31")) > 1
    assert outlets(outlets=["[x", "http://[x"]) == set()


def test_articles_can_be_read_while_the_archive_changes(archive_copy):
    with Gazette.open(archive_copy) as gazette:
        reading = gazette.articles()
        first, count = next(reading), gazette.count()
        remove([article.id for article in list(gazette.articles())[-3:]], archive_copy)
        assert gazette.count() == count - 3
        assert len([first, *reading]) == count - 3


def test_copies_do_not_crowd_out_the_rest(tmp_path):
    record = {"text": "The harbour of Brunn froze over on Monday night, the harbour said."}
    lines = [json.dumps({**record, "url": f"https://x.example/{n}"}) for n in range(120)]
    for subject in ("pilots", "dockers", "skaters", "eels", "tugs"):
        text = f"In Brunn the {subject} spoke of nothing but that frozen harbour. {subject}!"
        lines.append(json.dumps({"text": text, "title": subject}))
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    ingest(tmp_path / "a.jsonl", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        assert len(gazette.retrieve("When did the harbour of Brunn freeze over?")) == 5


def test_an_only_sentence_that_is_too_long_is_cut(tmp_path):
    (tmp_path / "a.txt").write_text("The harbour froze " + "and ships waited outside " * 45 + ".")
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        answer = gazette.ask("Did ships wait outside when the harbour froze?")
        (citation,) = answer.citations
        assert len(citation.quote.split()) <= 120
        assert answer.sentences[0].text == citation.quote


def test_as_a_langchain_retriever(gazette):
    documents = gazette.as_retriever(k=3).invoke("Why did the Tordis sink?")
    assert len(documents) == 3
    article = gazette.article(documents[0].metadata["article_id"])
    metadata = documents[0].metadata
    assert article.text[metadata["start"] : metadata["end"]] == documents[0].page_content


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"question": " \n"}, "empty"),
        ({"question": "x" * 100_000}, "100,000 characters"),
        ({"question": "why?", "after": "14.3.2025"}, "year-month-day"),
        ({"question": "why?", "before": "2025-02-30"}, "before='2025-02-30'"),
        ({"question": "why?", "after": 5}, "after=5"),
        ({"question": "why?", "outlet": "Kontor"}, "no filter 'outlet'"),
    ],
)
def test_a_question_that_makes_no_sense(gazette, arguments, says):
    with pytest.raises(UsageError, match=says):
        gazette.ask(**arguments)


@pytest.mark.parametrize(
    "question",
    [
        "Who \ud800 won?",
        '"',
        "AND OR NOT NEAR(",
        "* - ^ : {}",
        "naïve 日本語 🦑",
        "'; DROP TABLE chunks; --",
    ],
)
def test_no_question_breaks_the_search(gazette, question):
    assert isinstance(gazette.ask(question), Answer)
