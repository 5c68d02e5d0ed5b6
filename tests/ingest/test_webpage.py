from datetime import UTC, timedelta

import pytest

from ingest.webpage import read_page
from rag.errors import SourceError

PROSE = (
    "The harbour council voted on Tuesday to close the old ferry terminal, ending four decades of "
    "daily crossings to the island of Brunn.",
    "“We looked at every other way to save the line, and there was none,” said the council's "
    "chair, Mara Velde, after a meeting that lasted until midnight.",
    "Islanders will be served by a smaller boat from the northern pier, which is to sail three "
    "times a day and to take no more than twelve cars.",
    "The council expects to save two million crowns a year, most of it on fuel and on repairs to "
    "the terminal's roof.",
)
BODY = "".join(f"<p>{paragraph}</p>" for paragraph in PROSE)


def page(body=BODY, head="", lang=' lang="en"'):
    html = f"<!doctype html><html{lang}><head>{head}</head><body><main>{body}</main></body></html>"
    return html.encode()


def script(json):
    return f'<script type="application/ld+json">{json}</script>'


def test_json_ld_graph_with_references():
    json = """{"@context": "https://schema.org", "@graph": [
        {"@type": "WebPage", "name": "A page"},
        {"@type": ["NewsArticle"], "headline": "Ferry terminal &#8216;to close&#8217;",
         "author": [{"@id": "#p1"}, {"@type": "Person", "name": "Tom Okoro"}],
         "publisher": {"@id": "#org"}, "inLanguage": "en-GB",
         "datePublished": "2024-03-05T23:30:00-05:00", "dateModified": "2024-03-06T08:00:00Z"},
        {"@type": "Person", "@id": "#p1", "name": "Lena Marsh"},
        {"@type": "NewsMediaOrganization", "@id": "#org", "name": "The Harbour Post"},]}"""
    article = read_page(page(head=script(json), lang=""), "story.html")
    assert article.title == "Ferry terminal ‘to close’"
    assert article.authors == ("Lena Marsh", "Tom Okoro")
    assert article.outlet == "The Harbour Post"
    assert article.language == "en"
    assert article.published.date().isoformat() == "2024-03-05"
    assert article.published.utcoffset() == timedelta(hours=-5)
    assert article.modified.isoformat() == "2024-03-06T08:00:00+00:00"
    assert article.text == "\n\n".join(PROSE)
    assert (article.source, article.id, article.content_hash) == ("story.html", "", "")


def test_broken_json_ld_leaves_the_metas():
    head = script('{"@type": "NewsArticle", "headline": ') + (
        '<meta property="og:title" content="Ferry terminal to close | Harbour Post">'
        '<meta property="og:site_name" content="Harbour Post">'
        '<meta property="og:url" content="/news/ferry">'
        '<meta property="article:published_time" content="2024-03-05 14:02:09 +01:00">'
        '<meta property="article:author" content="https://harbour.example/lena">'
        '<meta name="author" content="By Lena Marsh and Tom Okoro, Chief Correspondent">'
    )
    article = read_page(page(head=head), "s", url="https://harbour.example/a?b=1")
    assert article.title == "Ferry terminal to close"
    assert article.outlet == "Harbour Post"
    assert article.authors == ("Lena Marsh", "Tom Okoro")
    assert article.published.isoformat() == "2024-03-05T14:02:09+01:00"
    assert article.url == "https://harbour.example/news/ferry"


def test_microdata_and_time_elements():
    body = (
        '<article><h1>Ferry terminal to close</h1><a rel="author" href="/lena">Lena Marsh</a>'
        f'<time itemprop="datePublished" datetime="2024-03-05T10:00+0200">5 March</time>{BODY}'
        "</article>"
    )
    article = read_page(page(body), "s", url="https://www.harbour.example/a")
    assert article.title == "Ferry terminal to close"
    assert article.authors == ("Lena Marsh",)
    assert article.published.isoformat() == "2024-03-05T10:00:00+02:00"
    assert article.outlet == "harbour.example"
    assert article.text == "\n\n".join(PROSE)


def test_a_page_that_tells_nothing():
    article = read_page(page(lang=""), "s")
    assert article.published is None and article.modified is None
    assert article.authors == () and article.url is None and article.outlet is None
    assert article.text == "\n\n".join(PROSE)


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("2024-03-05T10:00:00", "2024-03-05T10:00:00+00:00"),
        ("March 5, 2024 4:03 PM EST", "2024-03-05T16:03:00-05:00"),
        ("05.03.2024 10:00", "2024-03-05T10:00:00+00:00"),
        ("Tue, 05 Mar 2024 10:00:00 GMT", "2024-03-05T10:00:00+00:00"),
    ],
)
def test_forms_of_a_moment(stated, read):
    head = f'<meta name="date" content="{stated}">'
    assert read_page(page(head=head), "s").published.isoformat() == read


def test_a_moment_without_its_day_is_passed_over():
    head = '<meta name="date" content="2024"><meta name="pubdate" content="2024-03-05">'
    published = read_page(page(head=head), "s").published
    assert published.isoformat() == "2024-03-05T00:00:00+00:00"
    assert published.tzinfo is UTC


def test_what_stands_around_the_body_is_kept_out():
    head = '<meta property="og:title" content="Ferry terminal to close">'
    first, *rest = (f"<p>{paragraph}</p>" for paragraph in PROSE)
    body = (
        '<article><h1>Ferry terminal to close</h1><p class="x">By Lena Marsh</p>'
        '<p>Tuesday, March 5, 2024</p><a rel="author">Lena Marsh</a>'
        f'{first}<div class="wp-caption"><img src="a.jpg"><span>The terminal at dawn.</span></div>'
        '<figure><img src="b.jpg"><figcaption>The old ferry. Photo: A. Holt</figcaption></figure>'
        '<p>Read more: <a href="/b">The island that time forgot</a></p>'
        '<p><a href="/c">WHY FERRIES ARE LATE</a></p>'
        f"{''.join(rest)}"
        '<ul><li><a href="/d">Ten ferries to ride</a></li><li><a href="/e">Port news</a></li></ul>'
        '<div class="related-stories"><p>A tug ran aground on Sunday.</p></div>'
        "<p>Reporting by Lena Marsh; editing by Tom Okoro</p>"
        "<p>Sign up for our newsletter to get the harbour's news every morning.</p></article>"
    )
    assert read_page(page(body, head), "s").text == "\n\n".join(PROSE)


def test_links_inside_a_sentence_and_lists_of_facts_stay():
    linked = 'The line <a href="/a">opened in 1983</a> and carried two million people.'
    body = (
        f"<article>{BODY}<p>{linked}</p><ul><li>Crossings: 40</li><li>Cars: 12</li></ul></article>"
    )
    text = read_page(page(body), "s").text
    assert "The line opened in 1983 and carried two million people." in text
    assert text.endswith("Crossings: 40\n\nCars: 12")


def test_a_standfirst_above_the_body_is_put_first():
    summary = "Four decades of daily crossings end in May, and the islanders are not amused at all."
    head = f'<meta property="og:description" content="{summary}">'
    body = (
        f'<header><h1>Ferry terminal to close</h1><p class="lede">{summary}</p></header>'
        f'<div class="article-body">{BODY}</div>'
    )
    assert read_page(page(body, head), "s").text == "\n\n".join((summary, *PROSE))
    footer = f'<div class="article-body">{BODY}</div><footer><p>{summary}</p></footer>'
    assert summary not in read_page(page(footer, head), "s").text


def test_a_body_cut_into_parts_is_read_whole():
    long = [f"{paragraph} {paragraph}" for paragraph in (*PROSE, *PROSE)]
    paragraphs = [f"<p>{number}. {text}</p>" for number, text in enumerate(long)]
    parts = ("".join(paragraphs[:4]), "".join(paragraphs[4:]))
    body = '<div class="ad">Advertisement</div>'.join(
        f'<div class="row"><div class="article__body grid">{part}</div></div>' for part in parts
    )
    text = read_page(page(body), "s").text
    assert [line[0] for line in text.split("\n\n")] == list("01234567")


def test_blanks_and_invisible_characters():
    body = "<p>Mara\u00a0Velde is the chair\u200b of the\n   har\u00adbour council.</p>" + BODY
    first = read_page(page(body), "s").text.split("\n\n")[0]
    assert first == "Mara Velde is the chair of the harbour council."


@pytest.mark.parametrize("charset", [None, "utf-8", "iso-8859-1", "no-such-charset"])
def test_latin_1_german_page(charset):
    german = "Die Fähre nach Brünn fährt nicht mehr, sagte die Vorsitzende Käthe Größl am Dienstag."
    html = (
        "<html lang='de-DE'><head><meta charset='iso-8859-1'><title>Fähre</title></head>"
        f"<body><article><p>{german}</p><p>Über die Gründe schweigt die Behörde.</p></article>"
    ).encode("latin-1")
    article = read_page(html, "s", charset=charset)
    assert article.text.startswith(german)
    assert article.language == "de"


def test_utf_8_is_known_whatever_the_header_says():
    html = page(f"<p>Käthe Größl said so — “twice”, as it happens.</p>{BODY}")
    assert "Käthe Größl said so — “twice”" in read_page(html, "s", charset="iso-8859-1").text
    damaged = page(f"<p>{'Größl “ä”. ' * 9}</p>{BODY}") + b"\xff"
    assert "Größl “ä”." in read_page(damaged, "s").text


def test_an_agency_counts_only_where_no_person_is_named():
    form = (
        '{"@type": "NewsArticle", "headline": "Ferry", "author": '
        '[{"@type": "Organization", "name": "Coastal Wire"}%s]}'
    )
    person = ', {"@type": "Person", "name": "Lena Marsh"}'
    assert read_page(page(head=script(form % "")), "s").authors == ("Coastal Wire",)
    assert read_page(page(head=script(form % person)), "s").authors == ("Lena Marsh",)


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b"   ",
        b"just words",
        b"%PDF-1.7\n\0\0\0binary",
        page(""),
        page('<ul><li><a href="/a">Ferry closes</a></li><li><a href="/b">Port news</a></li></ul>'),
        page(
            "<h1>Before you go on</h1><p>We and our partners use cookies to store information on "
            "your device and to show you advertisements that fit you.</p>"
            "<p>You may withdraw your consent at any time in our privacy policy.</p>"
        ),
    ],
    ids=["empty", "blank", "text", "pdf", "no body", "index", "consent"],
)
def test_no_article(html):
    with pytest.raises(SourceError, match=r"(is|holds) (n|binary)[^\n]+; give the"):
        read_page(html, "the/source")


def test_a_news_item_in_brief_is_an_article():
    brief = "A tug ran aground off Brunn on Sunday. Nobody was hurt, the harbour police said, and "
    article = read_page(page(f"<article><p>{brief}it floated off at noon.</p></article>"), "s")
    assert article.text == f"{brief}it floated off at noon."
