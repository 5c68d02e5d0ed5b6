"""The days that a question asks for, in the many ways in which they are written."""

from __future__ import annotations

from datetime import date

import pytest

from rag.dates import asked_days, without_days

TODAY = date(2026, 11, 27)
NEWEST = date(2019, 11, 20)  # a Wednesday


def read(question):
    """The periods, each from its first day to the day after its last."""
    periods, as_of = asked_days(question, TODAY, NEWEST)
    assert as_of is None
    return [f"{first or ''}..{end or ''}" for first, end in periods]


@pytest.mark.parametrize(
    ("days", "periods"),
    [
        ("between 10 and 15 November 2019", ["2019-11-10..2019-11-16"]),
        ("from 10 to 15 November", ["2019-11-10..2019-11-16"]),
        ("from November 10-15, 2018", ["2018-11-10..2018-11-16"]),
        ("from 28 December 2018 to 3 January", ["2018-12-28..2019-01-04"]),
        ("on 10 and 15 May 2019", ["2019-05-10..2019-05-11", "2019-05-15..2019-05-16"]),
        ("in June or July 2018", ["2018-06-01..2018-07-01", "2018-07-01..2018-08-01"]),
        ("in 2014 or 2015", ["2014-01-01..2015-01-01", "2015-01-01..2016-01-01"]),
        ("from 2014 to 2016", ["2014-01-01..2017-01-01"]),
        ("up to 2016", ["..2017-01-01"]),
        ("by 2017", ["..2018-01-01"]),
        ("until the 5th of May 2018", ["..2018-05-06"]),
        ("on Monday, 18 November 2019", ["2019-11-18..2019-11-19"]),
        ("in the week of 13 November 2019", ["2019-11-11..2019-11-18"]),
        ("in the week ending 17 November 2019", ["2019-11-11..2019-11-18"]),
        ("in early 2018", ["2018-01-01..2018-05-01"]),
        ("in mid-2018", ["2018-05-01..2018-09-01"]),
        ("in late 2018", ["2018-09-01..2019-01-01"]),
        ("at the end of May 2018", ["2018-05-21..2018-06-01"]),
        ("in the first half of 2018", ["2018-01-01..2018-07-01"]),
        ("in Q3 2018", ["2018-07-01..2018-10-01"]),
        ("in the fourth quarter of 2018", ["2018-10-01..2019-01-01"]),
        ("in the summer of 2018", ["2018-06-01..2018-09-01"]),
        ("in winter 2018/19", ["2018-12-01..2019-03-01"]),
        ("in winter 2018", ["2017-12-01..2019-03-01"]),  # either of its winters
        ("on 18.11.2019", ["2019-11-18..2019-11-19"]),
        ("at 2019-11-18T22:38:05+00:00", ["2019-11-18..2019-11-19"]),
        ("on 3.4.2019", ["2019-04-03..2019-04-04"]),
        ("on 11/18/2019", ["2019-11-18..2019-11-19"]),
        ("on 18/11/2019", ["2019-11-18..2019-11-19"]),
        ("the day before yesterday", ["2019-11-18..2019-11-20"]),
        ("three days ago", ["2019-11-17..2019-11-19"]),
        ("two weeks ago", ["2019-11-04..2019-11-18"]),
        ("a month ago", ["2019-10-01..2019-11-21"]),
        ("in the past 48 hours", ["2019-11-18..2019-11-21"]),
        ("in the last three days", ["2019-11-17..2019-11-21"]),
        ("at the weekend", ["2019-11-16..2019-11-21"]),
        ("last weekend", ["2019-11-16..2019-11-21"]),
    ],
)
def test_days_are_read_as_written_and_can_be_left_out(days, periods):
    question = f"What was reported {days}?"
    assert read(question) == periods
    assert without_days(question, TODAY, NEWEST) == "What was reported?"


@pytest.mark.parametrize(
    ("question", "period", "left"),
    [
        (
            "Was wurde am Montag, dem 18. März 2019 gemeldet?",
            "2019-03-18..2019-03-19",
            "Was wurde gemeldet?",
        ),
        ("Im Oktober 2018, wer gewann?", "2018-10-01..2018-11-01", "wer gewann?"),
        (
            "Was schrieb die Post zwischen dem 10. und 15. Mai 2019?",
            "2019-05-10..2019-05-16",
            "Was schrieb die Post?",
        ),
        ("Wer gewann gestern?", "2019-11-19..2019-11-21", "Wer gewann?"),
        ("Was geschah letzte Woche?", "2019-11-11..2019-11-21", "Was geschah?"),
        (
            "Quels articles a-t-on publiés le 18 février 2019 ?",
            "2019-02-18..2019-02-19",
            "Quels articles a-t-on publiés?",
        ),
        ("Qui a gagné hier ?", "2019-11-19..2019-11-21", "Qui a gagné?"),
        ("Qué se publicó en enero de 2018?", "2018-01-01..2018-02-01", "Qué se publicó?"),
        ("¿Qué pasó ayer?", "2019-11-19..2019-11-21", "¿Qué pasó?"),
        ("notizie dal 10 al 15 maggio 2019", "2019-05-10..2019-05-16", "notizie"),
    ],
)
def test_days_in_other_languages(question, period, left):
    assert read(question) == [period]
    assert without_days(question, TODAY, NEWEST) == left


@pytest.mark.parametrize(
    "question",
    [
        # What is told of, not when it was told
        "How many homes will be built by 2030?",
        "What did the Post say will be built by May 2019?",
        "What was reported on the 2016 election?",
        "How did the article describe the October 2018 debate?",
        "What profit was reported in Q3 2018?",
        "Which fire burned in summer 2018?",
        "Who was sacked more than a week ago?",
        "Is the pool open at the weekend?",
        "What did the coach say in the first half?",
        "What was reported in Q3?",
        "What was reported in May 2030?",
        # No one day
        "What was published on 3/4/2019?",
        "What was published on 31.2.2019?",
        "What did the Post report from 28 to 3 November 2018?",
        # A name, or a word of another language
        "What did the Post say of the Summer Olympics 2016?",
        "What did the review say of the Audi Q3 2018?",
        "Who hosts Last Week Tonight?",
        "Who sang Yesterday?",
        "What did Fred Ayer say?",
        "Was ist hier passiert?",
    ],
)
def test_words_that_ask_for_no_days_are_left_in(question):
    assert read(question) == []
    assert without_days(question, TODAY, NEWEST) == question


def test_what_leads_to_more_than_the_days_is_left():
    question = "What did the report of 7 October 2019 say of yesterday's storm in Brunn?"
    left = "What did the report say of storm in Brunn?"
    assert without_days(question, TODAY, NEWEST) == left
