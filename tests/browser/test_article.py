"""An article opened at what was cited of it, in the page and on a page of its own."""

import json
import re

import pytest

from ingest import ingest, remove
from tests.browser.conftest import NOTHING, WAX, WAX_QUOTE, ask, chat, expect, using
from tests.conftest import SAMPLE

pytestmark = pytest.mark.browser


def sample(title):
    articles = map(json.loads, SAMPLE.read_text("utf-8").splitlines())
    return next(article for article in articles if article["title"] == title)


def test_a_source_opens_its_whole_article_at_the_quote(page, sample_chat):
    page.goto(sample_chat)
    ask(page, WAX)
    source = page.locator("#sources .source", has_text=WAX_QUOTE)
    link = source.get_by_role("link", name="Read the article")
    quotes = source.locator("mark").all_text_contents()
    link.focus()
    page.set_viewport_size({"width": 390, "height": 180})  # the quote is further down
    page.keyboard.press("Enter")
    reader = page.get_by_role("dialog")
    article = sample("Forty-three voices from a school attic")
    expect(reader.get_by_role("heading")).to_have_text(article["title"])
    expect(reader.locator(".where")).to_have_text(
        f"The Lindholt Courier, 5 December 2024 · {' · '.join(article['authors'])}"
    )
    text = "\n".join(reader.locator("p:not([class])").all_text_contents())
    assert text == re.sub(r"\n+", "\n", article["text"])
    assert reader.locator("mark").all_text_contents() == quotes
    expect(reader.locator("mark")).to_be_in_viewport()
    original = reader.get_by_role("link", name="The original at www.lindholtcourier.est")
    expect(original).to_have_attribute("href", article["url"])
    page.keyboard.press("Escape")
    expect(reader).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    reader.get_by_role("button", name="Close").click()
    expect(reader).to_be_hidden()
    expect(link).to_be_focused()


def test_what_comes_nearest_opens_at_its_passage(page, sample_chat, model):
    model.pieces = NOTHING
    page.goto(sample_chat)
    ask(page, "What was the name of the captain of the Tordis?")
    source = page.locator("#sources .source").nth(2)
    begins = source.locator("blockquote").inner_text().removesuffix(" …")[:80]
    source.get_by_role("link", name="Read the article").click()
    marks = page.get_by_role("dialog").locator("mark")
    expect(marks.first).to_be_in_viewport()
    assert " ".join(" ".join(marks.all_text_contents()).split()).startswith(begins)


def test_an_article_has_a_page_of_its_own_without_scripts(page, browser, sample_chat):
    page.goto(sample_chat)
    ask(page, WAX)
    source = page.locator("#sources .source", has_text=WAX_QUOTE)
    address = source.get_by_role("link", name="Read the article").evaluate("link => link.href")
    plain = browser.new_context(java_script_enabled=False, color_scheme="dark").new_page()
    plain.set_viewport_size({"width": 390, "height": 140})
    plain.goto(address)
    expect(plain.get_by_role("heading")).to_have_text("Forty-three voices from a school attic")
    expect(plain.locator("mark")).to_contain_text(WAX_QUOTE)
    expect(plain.locator("mark")).to_be_in_viewport()
    expect(plain.locator("body")).to_have_css("background-color", "rgb(25, 24, 22)")
    plain.context.close()


def test_other_words_than_those_cited_are_never_highlighted(page, tmp_path, model):
    story = "The Tordis was raised on Monday. The harbour of Kirkwick was full of people."
    source = tmp_path / "tordis.txt"
    source.write_text(f"The Tordis\n\n{story}", "utf-8")
    archive = tmp_path / "archive"
    ingest(source, archive)
    model.pieces = ["The Tordis was raised on Monday."]
    with chat(archive, *using(model)) as address:
        page.goto(address)
        ask(page, "When was the Tordis raised?")
        link = page.locator("#sources .read").first
        reader = page.get_by_role("dialog")
        cited = page.locator("#sources mark").first.inner_text()

        source.write_text(f"The Tordis\n\nUpdated at noon.\n\n{story}", "utf-8")
        ingest(source, archive)
        link.click()
        expect(reader.locator("mark")).to_have_text(cited)  # where it stands now
        expect(reader.locator(".error")).to_have_count(0)
        page.keyboard.press("Escape")

        source.write_text(
            "The Tordis\n\nThe ship could not be raised on Monday, after all.", "utf-8"
        )
        ingest(source, archive)
        link.click()
        expect(reader.locator(".error")).to_contain_text("has changed since it was cited")
        expect(reader.locator("article")).to_contain_text("could not be raised")
        expect(reader.locator("mark")).to_have_count(0)
        page.keyboard.press("Escape")

        remove([str(source)], archive)
        link.click()
        expect(reader.locator("h1")).to_have_text("This article can no longer be opened")
        expect(reader.locator(".error")).to_contain_text("there is no article")
