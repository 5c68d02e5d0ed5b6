"""The page itself: layout, keyboard, what it says while something is under way or gone."""

import threading

import pytest

from tests.browser.conftest import FOUND, WAX, ask, chat, expect, question_box, using

pytestmark = pytest.mark.browser


class Held(list):
    """What a model says once it is let go."""

    def __init__(self, pieces):
        super().__init__(pieces)
        self.go = threading.Event()

    def __iter__(self):
        self.go.wait(30)
        return super().__iter__()


def test_sources_stand_beside_the_answer_or_below_it(page, sample_chat):
    page.goto(sample_chat)
    ask(page, WAX)
    answer, sources = page.locator("#current .answer"), page.locator("#sources .source").first
    beside, text = sources.bounding_box(), answer.bounding_box()
    assert beside["x"] > text["x"] + text["width"] and beside["y"] < text["y"] + text["height"]
    for width in (800, 390):
        page.set_viewport_size({"width": width, "height": 844})
        below, text = sources.bounding_box(), answer.bounding_box()
        assert below["y"] > text["y"] + text["height"]
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_everything_is_reached_by_tab_and_seen(page, sample_chat):
    page.goto(sample_chat)
    ask(page, WAX)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reached = {}
    for _ in range(40):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(
            """() => {
                const at = document.activeElement;
                const ring = (part) => {
                    const style = getComputedStyle(part);
                    return style.outlineStyle !== "none" || style.boxShadow !== "none";
                };
                const box = at.closest(".input-container");
                return [at.textContent.trim() || at.tagName, ring(at) || (box && ring(box))];
            }"""
        )
        reached[name] = seen
    wanted = ["New conversation", "Conversations", "Add articles", "[1]", "Read the article"]
    assert {*wanted, "Forty-three voices from a school attic", "TEXTAREA", "Ask"} <= set(reached)
    assert all(seen for name, seen in reached.items() if name in wanted or name == "TEXTAREA")


def test_a_slash_goes_to_the_question_box(page, sample_chat):
    page.goto(sample_chat)
    ask(page, WAX)
    box = page.locator("#ask textarea")
    page.locator("#sources .read").first.focus()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.keyboard.type("and/or")
    expect(box).to_have_value("and/or")


def test_the_page_says_what_it_is_waiting_for(page, sample_chat, model):
    page.add_init_script(
        """window.said = new Set();
        new MutationObserver(() => document.querySelectorAll(".status").forEach(
            (line) => window.said.add(line.textContent)
        )).observe(document, {childList: true, subtree: true, characterData: true});"""
    )
    page.goto(sample_chat)
    expect(page.locator(".status")).to_contain_text(" articles in ")
    assert "Opening the archive …" in page.evaluate("[...window.said]")
    model.pieces = Held(FOUND)
    question_box(page).fill(WAX)
    page.keyboard.press("Enter")
    expect(page.locator("#current [aria-live=polite]")).to_have_text("Reading the articles …")
    model.pieces.go.set()
    expect(page.locator("#current .answer")).to_contain_text("".join(FOUND)[:20])


def test_a_new_conversation_ends_the_answer_that_is_under_way(page, sample_chat, model):
    page.goto(sample_chat)
    expect(page.locator(".status")).to_contain_text(" articles in ")
    held = model.pieces = Held(FOUND)
    question_box(page).fill(WAX)
    page.keyboard.press("Enter")
    expect(page.locator("#current .wait")).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".lede")).to_be_visible()
    held.go.set()
    model.pieces = FOUND
    ask(page, "Where are the cylinders now?")
    expect(page.locator("#past .question")).to_have_count(0)


def test_a_server_that_is_gone_is_told_in_words(page, sample_archive, model):
    with chat(sample_archive, *using(model)) as address:
        page.goto(address)
        ask(page, WAX)
    page.locator("#sources .read").first.click()
    reader = page.get_by_role("dialog")
    expect(reader.locator(".error")).to_have_text("Gazette does not answer: is it running?")
    page.keyboard.press("Escape")
    question_box(page).fill("And who found them?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    expect(page.locator("#ask textarea")).to_have_value("And who found them?")
