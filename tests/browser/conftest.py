"""What the browser tests share: the real server in a process of its own, a real browser."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT, ChatServer, chat, using

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
expect.set_options(timeout=20_000)

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WAX = "Where were the old wax recordings from Kirkwick discovered?"
WAX_QUOTE = "behind the water tank of the old village school at Kirkwick"
FOUND = ["They were found behind the water ta", "nk of the old village school at Kirkwick."]
NOTHING = ["NOT IN THE ", "ARTICLES"]
HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'> {{value}} ${value}"


@pytest.fixture(scope="module", autouse=True)
def chromium():
    if not CHROMIUM.exists():
        if os.environ.get("GAZETTE_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{CHROMIUM} is not there, and GAZETTE_REQUIRE_BROWSER is 1")
        pytest.skip(f"{CHROMIUM} is not there")


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page that fails its test if it asks anything of another machine, or stumbles."""
    page = browser.new_page(viewport={"width": 1360, "height": 850})
    page.set_default_timeout(20_000)
    hosts, errors = set(), []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert hosts <= {"127.0.0.1", None}  # None: data:
    assert errors == []


def cli(*arguments):
    subprocess.run([sys.executable, "-m", "ui.cli", *map(str, arguments)], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def model():
    """The language model of `sample_chat`: what an answer says is the test's own to choose."""
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def usual_answer(model):
    model.pieces, model.status, model.requests = FOUND, 200, []


@pytest.fixture(scope="module")
def sample_chat(sample_archive, model):
    with chat(sample_archive, *using(model)) as address:
        yield address


def question_box(page):
    """The box, once the page takes questions."""
    return page.locator("#ask:not([inert]) textarea")


def ask(page, question):
    """Ask, and wait until the answer is whole."""
    question_box(page).fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#current .question")).to_have_text(" ".join(question.split()))
    expect(page.locator("#current .wait, #current .unchecked")).to_have_count(0)
