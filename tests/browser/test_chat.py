"""The web chat as a reader meets it: the real server, the real archive, a real browser."""

import json
import re

import pytest

from ingest import ingest
from tests.browser.conftest import (
    FOUND,
    HOSTILE,
    NOTHING,
    WAX,
    WAX_QUOTE,
    ask,
    chat,
    cli,
    expect,
    question_box,
    using,
)
from tests.conftest import ARTICLES, SAMPLE
from ui.web import EXAMPLES

pytestmark = pytest.mark.browser


def test_an_example_is_answered_in_the_articles_own_words(page, sample_archive):
    with chat(sample_archive) as address:
        page.goto(address)
        expect(page.locator(".status")).to_contain_text(f"{ARTICLES} articles in ")
        page.get_by_role("button", name=EXAMPLES[0]).click()
        expect(page.locator("#current .question")).to_have_text(EXAMPLES[0])
        expect(page.locator("#current .answer")).to_contain_text("[1]")
        expect(page.locator("#examples")).to_be_hidden()
        expect(page.locator("#current .verdict")).to_have_count(0)
        texts = [json.loads(line)["text"] for line in SAMPLE.read_text("utf-8").splitlines()]
        quotes = page.locator("#sources mark").all_text_contents()
        assert quotes and all(any(quote in text for text in texts) for quote in quotes)


def test_the_short_answer_stands_in_front_in_bold(page, sample_archive):
    with chat(sample_archive) as address:
        page.goto(address)
        ask(page, "How many of the eels reach the sea?")
        expect(page.locator("#current .answer strong")).to_have_text("one in five.")
        expect(page.locator("#current .answer")).to_have_text(re.compile("^one in five. Only one"))
        expect(page.locator("#sources mark").filter(has_text="one in five")).to_have_count(1)


def test_an_answer_s_marks_lead_to_its_quotes_and_back(page, sample_chat):
    page.goto(sample_chat)
    expect(page.locator(".status")).to_contain_text("mistralai:stub")
    ask(page, WAX)
    answer = page.locator("#current .answer")
    cards = page.locator("#sources .source")
    source = cards.filter(has=page.locator("mark", has_text=WAX_QUOTE))
    expect(source).to_contain_text("The Lindholt Courier, 5 December 2024")
    expect(source.locator("blockquote")).to_contain_text("The roofer thought they were tins")
    link = source.get_by_role("link", name="Forty-three voices from a school attic")
    expect(link).to_have_attribute("href", re.compile("^https://www.lindholtcourier.est/culture/"))
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    number = source.locator(".mark").inner_text()
    answer.get_by_role("link", name=number, exact=True).click()
    expect(source).to_have_css("border-left-color", "rgb(138, 35, 39)")  # :target
    expect(answer).to_be_visible()  # the page was not loaded anew
    source.locator(".mark").click()
    assert page.evaluate("document.querySelector(':target').textContent") == number


def test_a_follow_up_knows_the_turn_before(page, sample_chat, model):
    page.goto(sample_chat)
    ask(page, WAX)
    ask(page, "And who found them?")
    prompt = model.requests[1]["messages"][-1]["content"]
    assert f"Earlier question: {WAX}" in prompt
    assert f"Earlier answer: {''.join(FOUND)}" in prompt


def test_an_earlier_answer_keeps_its_sources(page, sample_chat, model):
    page.goto(sample_chat)
    ask(page, WAX)
    model.pieces = NOTHING
    ask(page, "What was the name of the captain of the Tordis?")
    expect(page.locator("#sources mark")).to_have_count(0)
    earlier = page.locator("#past .turn")
    expect(earlier.locator(".question")).to_have_text(WAX)
    quote = earlier.locator("mark", has_text=WAX_QUOTE)
    expect(quote).to_be_hidden()
    earlier.locator(".answer .mark").first.click()
    expect(quote).to_be_visible()


def test_two_readers_do_not_see_each_other(page, browser, sample_chat):
    other = browser.new_page()
    other.goto(sample_chat)
    page.goto(sample_chat)
    ask(page, WAX)
    ask(other, "Where are the cylinders now?")
    ask(page, "What happened to the Tordis?")
    expect(page.locator("#past .question")).to_have_text(WAX)
    expect(other.locator("#past .question")).to_have_count(0)
    other.close()


def test_a_doubtful_sentence_says_so(page, sample_chat, model):
    model.pieces = ["The recor", "dings were found on the moon by astron", "auts [2", "]."]
    page.goto(sample_chat)
    ask(page, WAX)
    doubtful = page.locator("#current .doubtful")
    expect(doubtful).to_have_text("The recordings were found on the moon by astronauts.")
    expect(doubtful).to_have_css("text-decoration-style", "wavy")
    label = re.compile("^(not supported|contradicted) by the articles$")
    expect(page.locator("#current .verdict")).to_have_text(label)


def test_an_abstention_shows_what_comes_nearest(page, sample_chat, model):
    model.pieces = NOTHING
    page.goto(sample_chat)
    ask(page, "What was the name of the captain of the Tordis?")
    expect(page.locator("#current .answer")).to_have_text(re.compile("^The articles do not say"))
    expect(page.locator("#sources h3")).to_have_text("What comes nearest")
    nearest = page.locator("#sources .source")
    assert nearest.count() >= 5
    expect(nearest.first).to_contain_text(re.compile(r", \d+ \w+ 202\d"))
    expect(page.locator("mark")).to_have_count(0)


def test_a_model_that_fails_is_told_in_words(page, sample_chat, model):
    model.status = 401
    page.goto(sample_chat)
    ask(page, WAX)
    expect(page.locator("#current .error")).to_contain_text("the language model 'mistralai:stub'")
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize(
    ("question", "told"),
    [(" ", "the question is empty"), ("why " * 600, "at most 2,000 can be searched")],
)
def test_a_question_that_cannot_be_asked_is_refused_in_words(page, sample_chat, question, told):
    page.goto(sample_chat)
    question_box(page).fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#current .error")).to_contain_text(told)
    ask(page, WAX)
    expect(page.locator("#current .answer")).to_contain_text(WAX_QUOTE)


def test_ingests_and_removals_of_other_processes_are_seen(page, tmp_path, model):
    archive = tmp_path / "an archive"
    with chat(archive, *using(model)) as address:
        page.goto(address)
        expect(page.locator("#notice")).to_contain_text("There is no archive here yet.")
        command = f"gazette ingest SOURCE --archive '{archive}'"
        expect(page.locator("#notice pre")).to_have_text(command)
        ask(page, WAX)
        expect(page.locator("#current .error")).to_contain_text("there is no archive in")

        cli("ingest", SAMPLE, "--archive", archive)
        ask(page, WAX)
        expect(page.locator("#current .answer")).to_contain_text(WAX_QUOTE)
        expect(page.locator(".status")).to_contain_text(f"{ARTICLES} articles in ")

        day = "https://www.lindholtcourier.est/culture/2024/12/05"
        name = f"{day}/forty-three-voices-from-a-school-attic"
        cli("articles", "remove", name, "--archive", archive)
        ask(page, WAX)
        expect(page.locator(".status")).to_contain_text(f"{ARTICLES - 1} articles in ")
        expect(page.locator("#sources")).not_to_contain_text(WAX_QUOTE)
        expect(page.locator("#current .answer")).to_contain_text("The articles do not say")


def test_nothing_that_articles_readers_or_models_write_is_run(page, tmp_path, model):
    article = {
        "title": f"Zebras {HOSTILE}",
        "text": f"Zebras were counted on Monday by {HOSTILE} in the park. There were forty zebras.",
        "url": "javascript:window.ran=3",
        "outlet": f"Outlet {HOSTILE}",
        "published": "2025-03-04",
    }
    source = tmp_path / "hostile.jsonl"
    source.write_text(json.dumps(article), "utf-8")
    ingest(source, tmp_path / "archive")
    model.pieces = [f"Zebras were counted on Monday by {HOSTILE} in the park."]
    with chat(tmp_path / "archive", *using(model)) as address:
        page.goto(address)
        question = f"When were the zebras counted by {HOSTILE}?"
        ask(page, question)
        expect(page.locator("#sources .source h4").first).to_have_text(f"Zebras {HOSTILE}")
        expect(page.locator("#sources .where").first).to_contain_text(f"Outlet {HOSTILE}")
        expect(page.locator("#sources mark").first).to_be_visible()
        ask(page, "How many zebras?")  # the first turn is now among the earlier ones
        expect(page.locator("#past .question")).to_have_text(question)
        assert page.locator("#sources h4 a").count() == 0
        assert page.locator("#desk :is(script, img)").count() == 0
        page.locator("#sources .read").first.click()
        expect(page.locator("#reader h1")).to_have_text(f"Zebras {HOSTILE}")
        expect(page.locator("#reader .where")).to_contain_text(f"Outlet {HOSTILE}")
        expect(page.locator("#reader mark")).to_be_visible()
        assert page.locator("#reader :is(script, img, a)").count() == 0
        assert page.evaluate("window.ran") is None
