"""The picture of the web chat: `python evals/bench/screenshots.py` writes docs/chat.png anew.

One question, answered from the sample archive. Needs the development packages, and Chromium at
/usr/bin/chromium.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from ingest import ingest

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "chat.png"
ARTICLES = ROOT / "evals" / "articles" / "articles.jsonl"
ARCHIVE = "sample-archive"
PORT = 7899
QUESTION = "What will the road bridge to Ransey cost?"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def main() -> None:
    """Ingest, start the chat as a user does, ask, and take the picture."""
    with TemporaryDirectory() as folder:
        ingest(ARTICLES, Path(folder) / ARCHIVE)
        # From inside the folder: the page names its archive as it was given.
        chat = [sys.executable, "-m", "ui.cli", "chat", "--archive", ARCHIVE, "--port", str(PORT)]
        server = subprocess.Popen(chat, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            if "http://" not in server.stdout.readline():
                sys.exit("the chat did not start")
            photograph(f"http://127.0.0.1:{PORT}/")
        finally:
            server.terminate()
            server.wait()
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


def photograph(address: str) -> None:
    """Ask the question, and write the page as it then looks."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1360, "height": 850}, color_scheme="light")
        page.goto(address)
        page.get_by_role("button", name=QUESTION).click()
        page.locator("#sources mark").first.wait_for()
        page.locator("#current :is(.wait, .unchecked)").wait_for(state="detached")
        page.locator("#current .mark").last.click()
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
