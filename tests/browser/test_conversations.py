"""Conversations, kept in the reader's own browser."""

import json
import re

import pytest

from tests.browser.conftest import NOTHING, WAX, WAX_QUOTE, ask, chat, expect, question_box, using

pytestmark = pytest.mark.browser
TORDIS = "What was the name of the captain of the Tordis?"


def kept(page):
    return page.evaluate("Object.entries(localStorage).map(([key, value]) => [key, value])")


def menu(page):
    page.get_by_role("button", name="Conversations").click()
    return page.get_by_role("region", name="Conversations")


def settled(page):
    """Ready, with the archive's line, whatever is shown of a conversation."""
    expect(page.locator(".status")).to_contain_text(" articles in ")


def test_a_reload_keeps_the_conversation_with_its_sources_and_its_history(page, sample_chat, model):
    page.goto(sample_chat)
    ask(page, WAX)
    model.pieces = NOTHING
    ask(page, TORDIS)
    page.reload()
    expect(page.locator("#past .question")).to_have_text(WAX)
    expect(page.locator("#past mark", has_text=WAX_QUOTE)).to_have_count(1)
    expect(page.locator("#current .question")).to_have_text(TORDIS)
    expect(page.locator("#current .abstained")).to_be_visible()
    expect(page.locator("#sources h3")).to_have_text("What comes nearest")
    expect(page.locator("#examples")).to_be_hidden()
    ask(page, "And who found them?")
    prompt = model.requests[-1]["messages"][-1]["content"]
    assert f"Earlier question: {WAX}" in prompt and f"Earlier question: {TORDIS}" in prompt
    assert len(kept(page)) == 1


def test_a_server_that_was_started_anew_goes_on_with_the_conversation(page, sample_archive, model):
    with chat(sample_archive, *using(model)) as address:
        page.goto(address)
        ask(page, WAX)
        port = address.split(":")[-1].strip("/")
    with chat(sample_archive, *using(model), "--port", port) as address:
        page.goto(address)
        expect(page.locator("#current .question")).to_have_text(WAX)
        ask(page, "And who found them?")
        assert f"Earlier question: {WAX}" in model.requests[-1]["messages"][-1]["content"]


def test_conversations_are_listed_opened_and_deleted(page, sample_chat):
    page.goto(sample_chat)
    settled(page)
    expect(menu(page)).to_contain_text("None yet")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Conversations")).to_be_hidden()
    ask(page, WAX)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".lede")).to_be_visible()
    expect(page.locator("#sources .source")).to_have_count(0)
    expect(page.locator("#ask textarea")).to_be_focused()
    ask(page, "Where are the cylinders now?")
    expect(page.locator("#past .question")).to_have_count(0)

    titles = menu(page).locator("li button:first-child")
    expect(titles).to_have_text(["Where are the cylinders now?", WAX])
    expect(titles.first).to_be_focused()
    expect(titles.first).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name=WAX, exact=True).click()
    expect(page.locator("#current .question")).to_have_text(WAX)
    expect(page.locator("#sources mark", has_text=WAX_QUOTE)).to_be_visible()
    ask(page, "And who found them?")
    assert len(kept(page)) == 2

    menu(page).get_by_role("button", name=f"Delete: {WAX}").click()
    expect(titles).to_have_count(2)  # it asks once
    page.get_by_role("button", name=f"Really delete: {WAX}").click()
    expect(page.locator(".lede")).to_be_visible()  # it was the open one
    expect(titles).to_have_text("Where are the cylinders now?")
    page.reload()
    settled(page)
    expect(menu(page).locator("li")).to_have_count(1)


def test_a_question_sent_during_an_answer_joins_the_same_conversation(page, sample_chat):
    page.goto(sample_chat)
    settled(page)
    box = question_box(page)
    box.fill(WAX)
    box.press("Enter")
    expect(page.locator("#current .question")).to_have_text(WAX)
    box.fill("And who found them?")
    box.press("Enter")
    expect(page.locator("#current .question")).to_have_text("And who found them?")
    expect(page.locator("#current .answer")).to_contain_text(WAX_QUOTE)
    expect(page.locator("#past .question")).to_have_text(WAX)
    expect(page.locator("#past .answer")).to_contain_text(WAX_QUOTE)


def test_the_newest_fifty_are_kept_of_this_archive_alone(page, sample_chat, sample_archive):
    page.goto(sample_chat)
    settled(page)
    page.evaluate(
        """archive => {
            const turns = JSON.stringify([{question: "old", text: "Old.", sentences: []}]);
            for (let i = 0; i < 60; i++) {
                const record = JSON.stringify({at: i, title: `old ${i}`, turns});
                localStorage.setItem(`gazette\n${archive}\n${i}`, record);
                localStorage.setItem(`gazette\n/another\n${i}`, record);
            }
        }""",
        str(sample_archive),
    )
    ask(page, WAX)
    rows = menu(page).locator("li button:first-child")
    expect(rows).to_have_count(50)
    expect(rows.nth(1)).to_have_text("old 59")
    expect(rows.last).to_have_text("old 11")
    assert sum("/another" in key for key, _ in kept(page)) == 60


def test_a_full_browser_lets_go_of_the_oldest(page, sample_chat, sample_archive):
    page.goto(sample_chat)
    settled(page)
    page.evaluate(
        """archive => {
            for (let i = 0; i < 5; i++) {
                const record = {at: i, title: `old ${i}`, turns: "x".repeat(1000000)};
                localStorage.setItem(`gazette\n${archive}\n${i}`, JSON.stringify(record));
            }
            let rest = 2 ** 20;  // what is still free, to the last half kilobyte
            while (rest >= 512)
                try { localStorage.setItem(`rest${rest} ${Math.random()}`, "x".repeat(rest)); }
                catch { rest /= 2; }
        }""",
        str(sample_archive),
    )
    ask(page, WAX)
    rows = menu(page).locator("li button:first-child")
    expect(rows).to_have_text([WAX, "old 4", "old 3", "old 2", "old 1"])


@pytest.mark.parametrize(
    "record",
    [
        "not JSON",
        "null",
        json.dumps({"at": 9, "title": "<img src=x onerror='window.ran = 1'>", "turns": "no JSON"}),
        json.dumps({"at": 9, "title": "wrong", "turns": json.dumps([{"question": ["no text"]}])}),
    ],
)
def test_what_another_wrote_there_does_not_break_the_page(
    page, sample_chat, sample_archive, record
):
    page.goto(sample_chat)
    settled(page)
    page.evaluate(
        """([archive, record]) => {
            const key = `gazette\n${archive}\n1`;
            localStorage.setItem(key, record);
            sessionStorage.setItem(`gazette\n${archive}\n`, key);
        }""",
        [str(sample_archive), record],
    )
    page.reload()
    settled(page)
    if "title" in record:
        expect(page.locator("#current .error")).to_contain_text("cannot be shown")
        expect(menu(page).locator("li")).to_have_count(1)
        page.keyboard.press("Escape")
    ask(page, WAX)
    expect(page.locator("#current .answer")).to_contain_text(WAX_QUOTE)
    expect(menu(page).locator("li button:first-child").first).to_have_text(WAX)
    assert page.evaluate("window.ran") is None


def test_nothing_that_is_kept_is_run(page, sample_chat, sample_archive):
    """As if another page of this address had forged a conversation."""
    evil = "<img src=x onerror='window.ran = 1'><script>window.ran = 2</script>"
    cited = {
        "number": 1,
        "article_id": f'"{evil}/../x',
        "title": evil,
        "url": "javascript:window.ran=3",
        "outlet": evil,
        "published": None,
        "quote": evil,
        "start": 0,
        "end": 3,
    }
    said = {"text": evil, "citations": [1], "verdict": "quoted"}
    turn = {"question": evil, "text": f"{evil} [1]", "sentences": [said], "citations": [cited]}
    near = {key: cited[key] for key in ("article_id", "title", "url", "start", "end")}
    lost = {"question": evil, "text": evil, "abstained": True, "nearest": [near | {"text": evil}]}
    failed = {"question": evil, "failure": evil}
    page.goto(sample_chat)
    settled(page)
    page.evaluate(
        """([archive, turns]) => {
            const key = `gazette\n${archive}\n1`;
            localStorage.setItem(key, JSON.stringify({at: 1, title: turns, turns}));
            sessionStorage.setItem(`gazette\n${archive}\n`, key);
        }""",
        [str(sample_archive), json.dumps([turn, failed, lost])],
    )
    page.reload()
    expect(page.locator("#past .answer")).to_have_text(re.compile(re.escape(evil)))
    expect(page.locator("#past .error")).to_contain_text(evil)
    expect(page.locator("#current .abstained")).to_have_text(evil)
    expect(page.locator("#sources blockquote")).to_have_text(evil)
    expect(menu(page).locator("li")).to_contain_text(evil)
    page.keyboard.press("Escape")
    page.locator("#sources .read").click()
    expect(page.get_by_role("dialog").locator(".error")).to_contain_text("there is no article")
    assert page.locator("#desk :is(script, img), #reader :is(script, img)").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    assert page.evaluate("window.ran") is None
