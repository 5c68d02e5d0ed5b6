"""The body of an article on a web page, without what stands around and within it.

trafilatura finds the body. What is done here is to take out beforehand what it lets through
(captions, links to other stories), to drop headline, byline and notices afterwards, and to put
back a standfirst that stood outside the body. Each rule was kept because it gained on real pages
(evals/bench/extraction.py measures it), or is in the design.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from lxml import etree
from trafilatura import bare_extraction

# trafilatura logs what it does not find as errors; here the exception says it
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

MIN_BODY_CHARS = 100
"""The shortest of 226 real articles (Zyte, fundus) has 369; a news item in brief has less."""
STANDFIRST_CHARS = (60, 700)
"""Shorter descriptions are slogans, longer blocks are bodies."""

SHORT_NOTICE, LONG_NOTICE = 120, 400
"""A notice is a line of its own; a longer one only at the very end is still none of the story."""
CUE_CHARS = 30
"""As long as "Lesen Sie auch diesen Bericht:"."""
CLUTTER_CHARS = 1500
"""A box that holds more is the body, whatever its class says."""


BY = re.compile(
    r"^\W*(?i:(?:\w+ )?by\b[:\s]+|(?:von|par|por|di|door)\b[:\s]+)"
    r"|^.{0,30}\s(?:By|BY|Von|VON|Par|Por)[:\s]+"
)
_CLUTTER = re.compile(
    r"(?:^|[\s_-])(?:image|photo|img|media|picture|wp)?[_-]*caption"
    r"|(?:^|[\s_-])(?:photo|image|picture|media)[_-]*(?:credit|source|copyright)"
    r"|(?:^|\s)(?:[a-z]+[_-])?(?:read-?(?:more|also)|related|recirc|newsletter|promo|feedback|most-?(?:read|popular))",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?:article|entry|post|story)[_-]*(?:body|content|text)|body[_-]*(?:text|content)",
    re.IGNORECASE,
)
_BOXES = etree.XPath("//*[@role='complementary'] | //div[(input or label or form)] | //form")
_LINKED = etree.XPath("//p[.//a] | //li[.//a] | //div[a][not(p or div or ul or ol)]")
_STANDFIRST = etree.XPath("//p | //h2 | //h3 | //div[not(p or div or h2 or ul)] | //span")
_NOTICE = re.compile(
    r"""\W*(?:
    (?:additional\ )?(?:reporting|writing|editing|compiled)\ by\b
    | (?:copyright|©|\(c\))\ | .{0,90}\b(?:contributed\ to|all\ rights\ reserved|newsletters?)
    | (?:sign\ up|subscribe|follow\ (?:us|me|him|her|@)|click\ here|download\ (?:the|our)
      |like\ this\ story|read\ more|more\ from|you\ (?:may|might)\ also|don['’]t\ miss|see\ also
      |get\ the\ latest|join\ our)\b
    | (?:comments?|kommentare|tags?|share|advertisement|anzeige|topics|related.{0,30}|popular
      |most\ read|recommended.{0,20})\W*$)""",
    re.IGNORECASE | re.VERBOSE,
)
_DATE_LINE = re.compile(
    r"(?=.*\b(?:19|20)\d\d\b)(?:.*(?:\d\d?:\d\d|\d[./-]\d)"
    r"|\W*(?:\w+,? )?(?:\w+ \d\d?,?|\d\d?\.? \w+) \d{4}\W*$)"
)
_CONSENT = re.compile(r"cookie|consent|privacy|datenschutz|einwillig|javascript", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")


def one_line(value: Any) -> str:
    """One line without entities, invisible characters and runs of blanks; "" for no string."""
    if not isinstance(value, str):
        return ""
    return " ".join(_INVISIBLE.sub("", unescape(value)).split())


def letters(text: str) -> str:
    """The letters and digits alone, case-folded: for telling whether two lines say the same."""
    return "".join(re.findall(r"\w+", text.casefold()))


def body(tree: Any, heads: list[str], authors: tuple[str, ...], told: Iterable[str]) -> str:
    """The paragraphs of the article, a blank line between two; the tree is taken apart.

    `heads` and `authors` are kept out of it; `told` is how the page sums itself up.
    """
    blocks = [one_line(block.text_content()) for block in _STANDFIRST(tree)]
    folded_heads = {letters(head) for head in heads}
    _prune(tree)
    _join(tree)
    found: Any = bare_extraction(tree, include_comments=False)
    # trafilatura marks list items and cells
    raw = (
        one_line(line).removeprefix("- ").strip("| ")
        for line in (found.text if found else "").splitlines()
    )
    lines = [line for line in raw if letters(line) and letters(line) not in folded_heads]
    while lines and len(lines[-1]) < LONG_NOTICE and _NOTICE.match(lines[-1]):
        lines.pop()
    tops = [line for line in lines[:4] if not _is_dateline(line, authors)]
    lines = [line for line in (*tops, *lines[4:]) if not _is_notice(line)]
    standfirst = _standfirst(blocks, lines, told)
    return "\n\n".join([standfirst, *lines] if standfirst else lines)


def _is_notice(line: str) -> bool:
    return len(line) < SHORT_NOTICE and _NOTICE.match(line) is not None


def _is_dateline(line: str, authors: tuple[str, ...]) -> bool:
    """A line that tells who wrote or when, and nothing else."""
    if len(line) > 90:
        return False
    rest = BY.sub("", line)
    for author in authors:
        rest = rest.replace(author, "")
    return bool(_DATE_LINE.match(line)) or (rest != line and len(letters(rest)) < 12)


def _standfirst(blocks: list[str], lines: list[str], told: Iterable[str]) -> str:
    """The page's own summary of itself, where it is printed above the body and was not taken."""
    body, first = letters("".join(lines)), letters(lines[0]) if lines else ""
    for summary in filter(None, map(letters, told)):
        start = summary[: STANDFIRST_CHARS[0]]
        if len(start) < STANDFIRST_CHARS[0] or start in body:
            continue
        for text in blocks:
            folded = letters(text)
            if folded == first:
                break
            if (
                start in folded
                and len(text) < STANDFIRST_CHARS[1]
                and len(folded) < 1.6 * len(summary)
            ):
                return text
    return ""


def _prune(tree: Any) -> None:
    """Takes out captions, link lists and teasers, and opens tables that only lay out the page."""
    lists = [ul for ul in tree.iter("ul", "ol") if len(ul.findall("li")) > 1 and _is_link_run(ul)]
    links = [block for block in _LINKED(tree) if _is_teaser(block)]
    classed = [e for e in tree.xpath("//*[@class]") if _CLUTTER.search(e.get("class"))]
    clutter = [e for e in (*classed, *_BOXES(tree)) if len(e.text_content()) < CLUTTER_CHARS]
    tags = [e for e in tree.xpath("//a[@rel='tag']") if _is_link_run(e.getparent())]
    for element in (*lists, *links, *clutter, *tags):
        if element.getparent() is not None:
            element.drop_tree()
    for cell in tree.xpath("//table[.//td[count(.//p) > 1]]/descendant-or-self::*"):
        if cell.tag in ("table", "tbody", "tr", "td"):
            cell.tag = "div"


def _join(tree: Any) -> None:
    """Joins a body that was cut into parts, of which trafilatura would take the first alone.

    Where a heading stands between two they are a live blog's entries, other articles, or sections
    that trafilatura takes as a whole: none of that kind is joined.
    """
    runs: dict[str, list[tuple[int, Any]]] = {}
    inside: set[Any] = set()
    headings = 0
    for element in tree.iter("div", "section", "h1", "h2", "h3", "h4"):
        if element in inside:
            continue
        if element.tag.startswith("h"):
            headings += 1
        elif _is_part(element):
            inside.update(element.iterdescendants())
            runs.setdefault(element.get("class", ""), []).append((headings, element))
    for run in runs.values():
        (above, whole), *others = run
        if all(before == above for before, _ in others):
            for _, part in others:
                whole.extend(list(part))


def _is_part(element: Any) -> bool:
    named = _PART.search(element.get("class", "")) or element.get("itemprop") == "articleBody"
    return bool(named) and element.find(".//p") is not None and element.find(".//h1") is None


def _linked_chars(block: Any) -> int:
    return sum(len(one_line(link.text_content())) for link in block.iter("a"))


def _is_link_run(block: Any) -> bool:
    return 2 * _linked_chars(block) > len(one_line(block.text_content()))


def _is_teaser(block: Any) -> bool:
    """A paragraph that is a link and no more, or a link after a cue: "Read more: ..."."""
    text = one_line(block.text_content())
    rest = len(text) - _linked_chars(block)
    return rest <= 2 or (rest <= CUE_CHARS and ":" in text[:rest])


def is_article(text: str, declared: bool) -> bool:
    """Whether the text is a story: an index has no sentences, a consent page speaks of cookies."""
    lines = text.split("\n\n")
    prose = [line for line in lines if len(line) > 40 and re.search("[.!?…。]", line)]
    legal = sum(len(line) for line in lines if _CONSENT.search(line))
    return len(text) >= MIN_BODY_CHARS and (declared or (bool(prose) and 2 * legal < len(text)))
