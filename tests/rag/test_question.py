"""What is understood of a question: outlets, days, what it takes from before, its parts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from ingest import ingest
from rag import Gazette
from rag.dates import asked_days, years_meant
from rag.followups import standalone
from rag.outlets import asked_outlets
from rag.parts import parts
from rag.types import scope

OUTLETS = (
    ("The Dallum Post", "dallumpost.example"),
    ("Brunn Post", "brunnpost.example"),
    ("North Sea Journal", "nsj.example"),
    ("NTV News - Technology", "ntv.example"),
    ("FerryWatch.com", "ferrywatch.example"),
    ("Fortune", "fortune.example"),
    ("The Age", "age.example"),
    (None, "www2.kontor.example"),
    ("sydtimes.com", "sydtimes.com"),
    ("The Odde Reporter", "odde.org"),
    ("Lynx News", "lynxnews.example"),
    ("SignalWorld", "signalnews.com"),
    ("KBS News", "kbs.com"),
    ("Brunn Radio", "brunn.kbslocal.com"),
    ("Associated Press", "ap.org"),
)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("According to the Dallum Post, who won?", ["The Dallum Post"]),
        ("What does the Post say of the storm?", ["The Dallum Post", "Brunn Post"]),
        ("What did the NSJ report on the storm?", ["North Sea Journal"]),
        ("What was in the Journal's long story about eels?", ["North Sea Journal"]),
        ("How does NTV describe the phone?", ["NTV News - Technology"]),
        ("Who was blamed by Ferry Watch?", ["FerryWatch.com"]),
        ("Do the Brunn Post and The Age agree?", ["Brunn Post", "The Age"]),
        ("Is it so, as 'The Age' has it?", ["The Age"]),
        ("what did the brunn post say?", ["Brunn Post"]),
        ("Kontor report on the harbour", ["www2.kontor.example"]),
        # By initials, with or without points
        ("What did the SYDT report on the storm?", ["sydtimes.com"]),
        ("What does TOR say about the prize?", ["The Odde Reporter"]),
        ("What did the A.P. write?", ["Associated Press"]),
        ("According to the N.S.J., who won?", ["North Sea Journal"]),
        # By a domain of another country
        ("What does kbs.co.uk say about the storm?", ["KBS News"]),
        ("articles from www.sydtimes.co.nz", ["sydtimes.com"]),
        ("articles from dallum.kbslocal.com", []),
        # By a part of the name that may be another: where it is plain
        ("According to Lynx, who won?", ["Lynx News"]),
        ("What has Lynx reported on the storm?", ["Lynx News"]),
        ("Signal on the storm", ["SignalWorld"]),
        ("What did Lynx say?", []),
        ("Has Ada Lynx reported the theft?", []),
        ("How many reports of a Lynx were there?", []),
        ("What signal was reported by the ship?", []),
        # At the beginning
        ("NSJ: who won the race?", ["North Sea Journal"]),
        ("Brunn Post on the storm", ["Brunn Post"]),
        # In other languages
        ("Was geschah laut der Brunn Post im Hafen?", ["Brunn Post"]),
        ("Was schreibt Fortune über den Sturm?", ["Fortune"]),
        ("Selon le Brunn Post, qui a gagné ?", ["Brunn Post"]),
        ("¿Quién ganó según Kontor?", ["www2.kontor.example"]),
        ("Chi ha vinto secondo la KBS?", ["KBS News"]),
        # About an outlet, or about none
        ("How much did the Dallum Post earn last year?", []),
        ("Who bought shares in the Brunn Post?", []),
        ("What did the KBS interview with the prince reveal?", []),
        ("What did he deny in the KBS interview?", []),
        ("At what age did she report the theft?", []),
        ("Which Fortune 500 firms reported a loss?", []),
        ("How did fortune favour the bold, according to the report?", []),
    ],
)
def test_an_outlet_is_asked_for_where_it_reports(question, asked):
    assert asked_outlets(question, OUTLETS) == tuple(asked)


TODAY = date(2025, 11, 26)  # a Wednesday
NEWEST = date(2025, 11, 25)


@pytest.mark.parametrize(
    ("question", "first", "end"),
    [
        ("What was reported in October 2024?", "2024-10-01", "2024-11-01"),
        ("What did the mayor say before 20 September?", None, "2025-09-20"),
        ("What has changed since March 3, 2025?", "2025-03-03", None),
        ("News from Sept 1 to 5 September 2024", "2024-09-01", "2024-09-06"),
        ("articles of 2025-03-14", "2025-03-14", "2025-03-15"),
        ("In November 2024, when was the bridge to open?", "2024-11-01", "2024-12-01"),
        ("articles from 2023", "2023-01-01", "2024-01-01"),
        ("What happened last week?", "2025-11-17", "2025-11-27"),
        ("Who won yesterday?", "2025-11-25", "2025-11-27"),
        ("How did this month's coverage begin?", "2025-11-01", "2025-11-27"),
        ("What did the Post report on Monday?", "2025-11-24", "2025-11-25"),
    ],
)
def test_the_days_whose_reports_are_asked_for(question, first, end):
    period = tuple(day and date.fromisoformat(day) for day in (first, end))
    assert asked_days(question, TODAY, NEWEST) == ((period,), None)


@pytest.mark.parametrize(
    "question",
    [
        "Who won the 2024 election?",
        "When will it open in May 2027?",
        "Which ship sank on 3 May 2014?",
        "What may they march for?",
        "Who wrote Black Friday Nights?",
        "What was published on 3/4/2025?",
        "What did she say on 31 February 2025?",
    ],
)
def test_the_day_of_an_event_is_no_filter(question):
    assert asked_days(question, TODAY, NEWEST) == ((), None)


def test_two_reports_have_two_days_and_an_old_archive_its_own_last_week():
    question = "Did the report of 7 October 2024 differ from the one on 30 October 2024?"
    (one, _), (other, _) = asked_days(question, TODAY, NEWEST)[0]
    assert (one, other) == (date(2024, 10, 7), date(2024, 10, 30))
    assert asked_days("As of June 2024, who led?", TODAY, NEWEST) == ((), date(2024, 6, 30))
    ((first, end),), _ = asked_days("What happened last week?", TODAY, date(2020, 5, 6))
    assert (first, end) == (date(2020, 4, 27), date(2020, 5, 7))


FLOODS = [("How many people died in the floods in Karland?", "At least 34, the ministry said.")]
MAYOR = [("Who is the mayor of Dallum?", "Ada Brown."), ("Since when?", "Since 2019.")]
CUP = [("Who won the Sound Cup?", "Ben Cole, after extra time.")]
FIRMS = [("Which firms bid?", "Norrgard, Tesse Capital and Ostrem Civil.")]
SHIP = [
    ("What happened to the Alba?", "**A leak.** She sank off Ransey in May, Ada Brown said. [1]")
]
NURSES = [("Who was hurt?", "Ada Brown, 38, a nurse, and Ben Cole, 41, were hurt. [1]")]
FROST = [("How cold was it in Dallum in January?", "Minus 12.")]
MARCH = [("How many marched in Dallum according to the Post?", "1,100.")]


@pytest.mark.parametrize(
    ("question", "history", "alone"),
    [
        ("And in Estrand?", FLOODS, "How many people died in the floods in Estrand?"),
        ("Why?", FLOODS, f"{FLOODS[0][0]} Why?"),
        ("How many people watched it?", CUP, "How many people watched it (Sound Cup)?"),
        ("Where does she live?", MAYOR, "Where does she (Ada Brown) live?"),
        (
            "Where is the second one based?",
            FIRMS,
            "Where is the second one (Tesse Capital) based?",
        ),
        ("And the last one?", FIRMS, "What about the last one (Ostrem Civil)?"),
        ("How old is the second one?", NURSES, "How old is the second one (Ben Cole)?"),
        # The name it lacks, and not what was asked of it before
        ("How many drowned?", SHIP, "How many drowned (Alba)?"),
        ("Who owns it?", SHIP, "Who owns it (Alba)?"),
        ("And who was the cook?", SHIP, "Who was the cook (Alba)?"),
        ("And what did Ben Cole say?", SHIP, "What did Ben Cole say?"),
        (
            "Who owns it?",
            [("What is the Old Dock called now?", "**Dallum Works.** It is Dallum Works. [1]")],
            "Who owns it (Dallum Works)?",
        ),
        # A person is no place, and the place of a trial no thing
        (
            "Where was she born?",
            [("Where does the mayor live?", "She lives in New York. [1]")],
            "Where was she born (the mayor)?",
        ),
        (
            "Did she sue?",
            [("Who sued Norrgard?", "The New York attorney general, Ada Brown, sued it.")],
            "Did she (Ada Brown) sue?",
        ),
        (
            "How many work there?",
            [("Who runs the clinic in Dallum?", "Ada Brown.")],
            "How many work there (Dallum)?",
        ),
        # Another place or month in the place of its own
        ("And in Estrand?", FROST, "How cold was it in Estrand in January?"),
        ("And on Ransey?", FROST, "How cold was it on Ransey in January?"),
        ("And in March?", FROST, "How cold was it in Dallum in March?"),
        ("Und in Estrand?", FROST, "How cold was it in Estrand in January?"),
        ("Et à Lyon ?", [("Combien de morts à Paris ?", "Douze.")], "Combien de morts à Lyon ?"),
        (
            "¿Y en Madrid?",
            [("¿Cuántos muertos hubo en Sevilla?", "Doce.")],
            "¿Cuántos muertos hubo en Madrid?",
        ),
        # Another topic, or a word that points at nothing before
        ("How cold was it in Estrand?", SHIP, None),
        ("Who owns the lighthouse of Dallum?", FLOODS, None),
        ("How many births were there on Ransey in 2025?", FLOODS, None),
        ("Is it true that the railway was cancelled?", FLOODS, None),
        ("What did Ben Cole say in his letter?", FLOODS, None),
    ],
)
def test_a_follow_up_takes_from_the_turns_before_what_it_lacks(question, history, alone):
    assert standalone(question, history) == (alone or question)


@pytest.mark.parametrize(
    ("question", "history", "alone"),
    [
        ("And the NSJ?", MARCH, "How many marched in Dallum according to the NSJ?"),
        ("What does the Age say?", MARCH, "How many marched in Dallum according to the Age?"),
        ("What does The Age report?", SHIP, "What happened to the Alba, according to The Age?"),
        ("And in Brunn?", MARCH, "How many marched in Brunn according to the Post?"),
        ("Who owns The Age?", MARCH, "Who owns The Age?"),
    ],
)
def test_another_outlet_is_asked_what_the_one_before_was(question, history, alone):
    assert standalone(question, history, OUTLETS) == alone


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (
            "What did the Ransey bridge cost, and who is paying for it?",
            ["What did the Ransey bridge cost?", "Who is paying for it (Ransey)?"],
        ),
        ("Who did it and when will it end?", ["Who did it?", "When will it end?"]),
        (
            "How many came according to the Post, and according to the Echo?",
            ["How many came according to the Post?", "How many came according to the Echo?"],
        ),
        (
            "What is the Old Dock called now and who owns it?",
            ["What is the Old Dock called now?", "Who owns it (Old Dock)?"],
        ),
        (
            "Who bought Norrgard, for how much and when?",
            [
                "Who bought Norrgard?",
                "For how much was it (bought Norrgard)?",
                "When was it (bought Norrgard)?",
            ],
        ),
        ("When and where did she die?", ["When did she die?", "Where did she die?"]),
        (
            "When does the fair open, and how many stalls has it?",
            ["When does the fair open?", "How many stalls has it (the fair)?"],
        ),
        ("Who won the Cup and who lost it?", ["Who won the Cup?", "Who lost it (Cup)?"]),
        ("Who is the man who built the dock and who sold it?", []),
        ("Who is Ada Brown, who owns it, and why is she sad?", []),
        ("Do they know who did it and who paid?", []),
        ("? ?", []),
        ("Who wrote and directed the film?", []),
        ("Who are Ada Brown and Ben Cole?", []),
        ("Which firm, which was sold, and which has moved, is growing?", []),
    ],
)
def test_the_parts_of_a_question(question, asked):
    assert parts(question) == tuple(asked)


@pytest.fixture(scope="module")
def two_outlets(tmp_path_factory):
    """What two outlets say of one harbour, a year apart."""
    folder = tmp_path_factory.mktemp("outlets")
    records = [
        {
            "outlet": outlet,
            "published": datetime(year, 3, 4, tzinfo=UTC).isoformat(),
            "title": f"Harbour of Brunn, {year}",
            "text": f"The dredging of Brunn harbour will cost {cost} million dalers.",
        }
        for outlet, year, cost in (("Dallum Post", 2024, 12), ("Brunn Echo", 2025, 19))
    ]
    source = folder / "articles.jsonl"
    source.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    ingest(source, folder / "archive")
    with Gazette.open(folder / "archive") as opened:
        yield opened


COST = "what will the dredging of Brunn harbour cost"


@pytest.mark.parametrize(
    ("question", "narrowed", "million"),
    [
        (f"According to the Dallum Post, {COST}?", "Only: Dallum Post", "12 million"),
        (f"According to the Echo, {COST}?", "Only: Brunn Echo", "19 million"),
        (f"In March 2024, {COST}?", "Only: 1 March 2024 to 31 March 2024", "12 million"),
    ],
)
def test_what_a_question_says_of_outlets_and_days_narrows_the_search(
    two_outlets, question, narrowed, million
):
    answer = two_outlets.ask(question)
    assert scope(answer.query) == narrowed
    assert million in answer.sentences[0].text
    assert len(answer.passages) == 2  # the other comes after what is asked for


def test_the_caller_holds_against_the_question(two_outlets):
    question = f"According to the Dallum Post, {COST}?"
    for filters in ({"outlets": "Brunn Echo"}, {"outlets": ()}, {"read_filters": False}):
        query = two_outlets.ask(question, **filters).query
        assert query.understood == ()
        assert query.outlets == (("Brunn Echo",) if filters.get("outlets") else ())
    query = two_outlets.ask(question, after="2025-01-01").query
    assert (query.outlets, query.understood) == (("Dallum Post",), ("outlets",))


def test_what_was_understood_and_leaves_no_answer_is_let_go(two_outlets):
    answer = two_outlets.ask(f"In May 2025, {COST}?")
    assert not answer.abstained
    assert answer.query.widened
    assert scope(answer.query) == "No answer in 1 May 2025 to 31 May 2025: all was searched"
    assert two_outlets.ask(f"In May 2023, {COST}?").abstained  # no article is of that year
    assert two_outlets.ask(f"{COST}?", before="2023-01-01").abstained  # the caller's holds


def test_a_follow_up_stays_within_what_the_turn_before_asked_for(two_outlets):
    history = [(f"According to the Dallum Post, {COST}?", "12 million dalers.")]
    assert two_outlets.ask("And who says it?", history).query.outlets == ("Dallum Post",)
    for other in ("And what did the Echo say?", "And the Echo?"):
        answer = two_outlets.ask(other, history)
        assert answer.query.outlets == ("Brunn Echo",)
        assert "19 million" in answer.sentences[0].text
    assert two_outlets.ask("Who is the mayor of Brunn?", history).query.outlets == ()


def test_each_part_of_a_question_gets_its_share(gazette):
    question = (
        "Which laboratory got the water of Grevenau wrong by a factor of ten, and who scored the "
        "winner in the Cup final?"
    )
    query = gazette.ask(question).query
    assert len(query.parts) == 2
    titles = [passage.title for passage in gazette.retrieve(question)]
    assert any("Cup" in title for title in titles)
    assert any("Grevenau" in title for title in titles)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("The bridge fell in December.", {2024}),
        ("The bridge fell in January; it may rise again.", set()),
        ("The bridge fell in December 2021 and on 6 Oct. 2022.", set()),
        ("The bridge fell last year, and three years ago.", {2024, 2022}),
        ("The bridge opened 20 years earlier and falls next year.", {2005, 2026}),
    ],
)
def test_the_years_that_an_article_leaves_out(text, years):
    assert years_meant(text, date(2025, 3, 4)) == years
