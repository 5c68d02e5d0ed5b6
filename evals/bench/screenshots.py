"""The pictures of the web chat: `python evals/bench/screenshots.py` writes three into docs/ anew.

From the sample archive: chat.png (an answer with its sources), article.png (an article opened at
the quote), add.png (articles being added). Needs the development packages, and Chromium at
/usr/bin/chromium.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from ingest import ingest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ARTICLES = ROOT / "evals" / "articles"
ARCHIVE = "sample-archive"
PORT = 7899
QUESTION = "What will the road bridge to Ransey cost?"
MAX_BYTES = 250_000
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def main() -> None:
    """Ingest, start the chat as a user does, and take the pictures."""
    with TemporaryDirectory() as folder:
        ingest(ARTICLES / "articles.jsonl", Path(folder) / ARCHIVE)
        # From inside the folder: the page names its archive as it was given.
        chat = [sys.executable, "-m", "ui.cli", "chat", "--archive", ARCHIVE, "--port", str(PORT)]
        server = subprocess.Popen(chat, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            if "http://" not in server.stdout.readline():
                sys.exit("the chat did not start")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
                page = browser.new_page(
                    viewport={"width": 1360, "height": 850}, color_scheme="light"
                )
                page.goto(f"http://127.0.0.1:{PORT}/")
                photograph(page, Path(folder))
                browser.close()
        finally:
            server.terminate()
            server.wait()


def photograph(page: Page, folder: Path) -> None:
    """Ask, read, add: a picture of each."""
    count = len((ARTICLES / "articles.jsonl").read_text(encoding="utf-8").splitlines())
    page.get_by_role("button", name=QUESTION).click()
    page.locator("#sources mark").first.wait_for()
    page.locator("#current :is(.wait, .unchecked)").wait_for(state="detached")
    page.locator("#current .mark").last.click()
    page.evaluate("scrollTo(0, 0)")
    save(page, "chat")
    page.locator("#sources .read").last.click()
    page.locator("#reader mark").wait_for()
    save(page, "article")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New conversation").click()
    page.locator(".lede").wait_for()
    page.get_by_role("button", name="Add articles").click()
    minutes = folder / "council-minutes.pdf"  # of a format that is not read
    minutes.write_bytes(b"%PDF-1.7")
    saved = sorted((ARTICLES / "html").glob("*.html"))
    page.locator("#add input[type=file]").set_input_files([*saved, minutes])
    page.locator("#add .told").wait_for()
    page.locator(".status", has_text=f"{count + len(saved)} articles").wait_for()
    save(page, "add")


def save(page: Page, name: str) -> None:
    """Write a picture; one that is too large for a README stops it."""
    path = DOCS / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB")
    if size > MAX_BYTES:
        sys.exit(f"{path} has over {MAX_BYTES / 1000:.0f} kB")


if __name__ == "__main__":
    main()
