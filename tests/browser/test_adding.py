"""Adding articles from the page: addresses and files, progress, a report in words."""

import gzip
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from filelock import FileLock

from ingest import ingest
from rag import Gazette
from tests.browser.conftest import HOSTILE, ask, chat, expect, using
from tests.conftest import SAMPLE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return tmp_path_factory.mktemp("adding") / "my archive"


@pytest.fixture(scope="module")
def address(archive, model):
    """A chat whose archive is not there yet."""
    with chat(archive, *using(model), "--allow-private") as address:
        yield address


@pytest.fixture
def site():
    """A server of web pages; one whose path starts with `/slow` waits for `server.go`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/slow"):
                self.server.go.wait(30)
            name = self.path.strip("/")
            self.send_response(404 if "missing" in name else 200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            story = f"The {name}\n\nThe {name} was painted on Monday. It has never been green."
            self.wfile.write(story.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.go = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.go.set()
    server.shutdown()
    server.server_close()


def panel(page, address):
    page.goto(address)
    expect(page.locator("#notice")).not_to_contain_text("Opening the archive")
    page.get_by_role("navigation").get_by_role("button", name="Add articles").click()
    return page.get_by_role("region", name="Add articles")


def choose(add, *files):
    add.locator("input[type=file]").set_input_files([str(file) for file in files])


def test_files_make_a_new_archive_and_are_reported(page, tmp_path, archive, address, model):
    story = tmp_path / "The quokka (1).txt"
    story.write_text("Quokka seen\n\nA quokka was seen in Lindholt on Monday.", "utf-8")
    packed = tmp_path / "sample.jsonl.gz"
    packed.write_bytes(gzip.compress(b"\n".join(SAMPLE.read_bytes().splitlines()[:3])))
    wrong = tmp_path / f"{HOSTILE[:12].replace('/', '')}.pdf"
    wrong.write_text("x")
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    model.pieces = ["A quokka was seen in Lindholt on Monday."]
    add = panel(page, address)
    expect(page.locator("#notice")).to_contain_text("There is no archive here yet.")
    choose(add, story, packed, wrong, bad)
    expect(add.locator(".told")).to_have_text("4 added, 2 skipped.")
    lines = add.locator("li")
    expect(lines.first).to_contain_text("is of a format that Gazette does not read")
    expect(lines.last).to_contain_text("bad.json has no 'text'")
    expect(page.locator(".status")).to_contain_text("4 articles in ")
    page.keyboard.press("Escape")
    ask(page, "Where was a quokka seen?")
    expect(page.locator("#sources mark").first).to_have_text(model.pieces[0])
    with Gazette.open(archive) as gazette:
        sources = {article.source for article in gazette.articles()}
    assert str(archive / "uploads" / story.name) in sources
    kept = {path.name for path in (archive / "uploads").iterdir()}
    assert kept == {story.name, packed.name, bad.name}


def test_a_file_again_is_unchanged_and_its_new_version_changed(page, tmp_path, address):
    story = tmp_path / "numbat.md"
    story.write_text("# Numbat\n\nA numbat was seen.", "utf-8")
    add = panel(page, address)
    choose(add, story)
    expect(add.locator(".told")).to_have_text("1 added.")
    choose(add, story)
    expect(add.locator(".told")).to_have_text("1 unchanged.")
    story.write_text("# Numbat\n\nTwo numbats were seen.", "utf-8")
    choose(add, story)
    expect(add.locator(".told")).to_have_text("1 changed.")


def test_addresses_are_fetched_with_progress_and_seen_by_the_next_question(
    page, address, site, model
):
    base = f"http://127.0.0.1:{site.server_port}"
    add = panel(page, address)
    box = add.get_by_label("Web pages, one address a line")
    expect(box).to_be_focused()
    expect(box).to_have_css("outline-style", "solid")
    box.fill(f"{base}/lighthouse\n{base}/missing\n/etc/hostname.txt")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(add.locator(".told")).to_have_text("1 added, 2 skipped.")
    expect(add.locator("li").first).to_contain_text("/etc/hostname.txt is no http or https address")
    expect(add.locator("li").last).to_contain_text(f"{base}/missing")

    box.fill(f"{base}/lighthouse {base}/slow-windmill")
    add.get_by_role("button", name="Add these pages").click()
    expect(add.locator("#report")).to_contain_text(re.compile(r"\b1 of \d"))  # the other waits
    site.go.set()
    expect(add.locator(".told")).to_have_text("1 added, 1 unchanged.")
    page.keyboard.press("Escape")
    model.pieces = ["The slow-windmill was painted on Monday."]
    ask(page, "When was the slow-windmill painted?")
    expect(page.locator("#sources mark").first).to_contain_text("The slow-windmill was painted")


def test_a_second_writer_is_told_to_wait(page, tmp_path, archive, address):
    story = tmp_path / "late.txt"
    story.write_text("Late\n\nThe late news.", "utf-8")
    ingest(story, archive)  # it may not be there
    story.write_text("Late\n\nThe very late news.", "utf-8")
    add = panel(page, address)
    with FileLock(archive / "lock"):
        choose(add, story)
        expect(add.locator(".error")).to_contain_text("is being written by another process")
    choose(add, story)
    expect(add.locator(".told")).to_have_text("1 added.")


def test_private_addresses_are_refused_unless_allowed(page, tmp_path, site, model):
    with chat(tmp_path / "archive", *using(model)) as address:
        add = panel(page, address)
        add.get_by_role("textbox").fill(f"http://127.0.0.1:{site.server_port}/secret")
        add.get_by_role("button", name="Add these pages").click()
        expect(add.locator(".error")).to_contain_text("pass --allow-private to fetch from your own")
        expect(page.locator("#notice")).to_contain_text("There is no archive here yet.")


def test_a_folder_that_is_no_archive_is_left_alone(page, tmp_path, model):
    other = tmp_path / "other"
    other.mkdir()
    (other / "diary.txt").write_text("Dear diary")
    story = tmp_path / "story.txt"
    story.write_text("A story\n\nIt was Monday.", "utf-8")
    with chat(other, *using(model)) as address:
        add = panel(page, address)
        choose(add, story)
        expect(add.locator(".error")).to_contain_text("is not an archive and not an empty folder")
    assert [path.name for path in other.iterdir()] == ["diary.txt"]
