"""Days, months, seasons and times near now as a question names them, and which days they are."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "mon tue wed thu fri sat sun".split()
COUNTS = {"couple of": 2, "few": 3, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBERS = COUNTS | {"a": 1, "an": 1, "one": 1, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_UNITS = {unit: relativedelta(**{f"{unit}s": 1}) for unit in ("day", "week", "month", "year")}
_UNITS["weekend"] = _UNITS["week"]
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # of the north
# From where to where a part goes, in sixths: what is late in a year begins with September.
_PARTS = dict.fromkeys(("early", "beginning", "start"), (0, 2)) | dict.fromkeys(
    ("late", "end"), (4, 6)
)
_PARTS |= {"mid": (2, 4), "middle": (2, 4)}
_PARTS |= {"first": (0, 3), "h1": (0, 3), "second": (3, 6), "h2": (3, 6)}

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
DAY, YEAR = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?", r"(?:19|20)\d\d"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_TILL = r"(?:\s*-\s*|\s+(?:to|until|till|through)\s+)(?:the\s+)?"
NAMED = re.compile(
    rf"\b(?:"
    rf"(?:(?:the\s+)?week\s+(?P<week>of|from|beginning|starting|commencing|ending)\s+(?:on\s+)?)?"
    rf"(?:(?:the\s+)?(?P<part>early|mid|late|h[12]|(?:beginning|start|middle|end)(?=\s+of)|"
    rf"(?:first|second)(?=\s+half))(?:\s+half)?(?:\s+of)?[\s-]+(?:the\s+)?)?"
    rf"(?:{_WEEKDAY},?\s+)?(?:the\s+)?"
    rf"(?:(?P<iso>{YEAR}(?P<sign>[-/])\d\d?(?P=sign)\d\d?)(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?|"
    rf"(?P<one>\d\d?)(?P<sep>[./-])(?P<two>\d\d?)(?P=sep)(?P<numbered>{YEAR})|"
    rf"(?:(?P<from>{DAY})(?:{_TILL}|\s+(?P<and>and|or)\s+(?:the\s+)?))?"
    rf"(?:(?P<first>{DAY})\s+(?:of\s+)?)?(?P<month>{MONTH})\b\.?"
    rf"(?:\s+(?:the\s+)?(?P<day>{DAY})\b"
    rf"(?:{_TILL}(?P<until>{DAY})\b(?!\s+(?:of\s+)?{MONTH}\b)(?=\W*$|,|\s+\D))?)?"
    rf"(?:,?\s+(?:of\s+)?(?P<of>{YEAR}))?|"
    rf"(?:(?:q(?P<q>[1-4])|(?P<nth>first|second|third|fourth|[1-4](?:st|nd|rd|th))\s+quarter)|"
    rf"(?P<season>{'|'.join(_SEASONS)}))(?:\s+of)?\s+(?P<in>{YEAR})(?:[-/](?P<to>(?:20)?\d\d))?|"
    rf"(?P<year>{YEAR}))|"
    rf"(?P<today>today|tonight)|(?P<eve>(?:the\s+)?day\s+before\s+yesterday)|"
    rf"(?P<yesterday>yesterday|last night)|(?P<weekend>(?:at|over|during)\s+the\s+weekend)|"
    rf"(?P<which>last|past|this)\s+(?:(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+)?"
    rf"(?P<unit>hour|day|weekend|week|month|year)s?|"
    rf"(?:a\s+)?(?P<past>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+(?P<ago>hour|day|week|month|year)s?\s+ago|"
    rf"(?P<weekday>{'|'.join(_WEEKDAYS)})[a-z]*day)(?!\w)",
    re.IGNORECASE,
)


def has_day(match: re.Match[str]) -> bool:
    """Whether a date is that of a day, or of some days of a month."""
    return any(match[name] for name in ("iso", "numbered", "first", "day", "weekday"))


def is_near(match: re.Match[str]) -> bool:
    """Whether a time is named by how far it is from now."""
    return any(match[name] for name in ("today", "eve", "yesterday", "weekend", "unit", "ago"))


def days_of(match: re.Match[str], today: date, newest: date | None) -> tuple[date, date] | None:
    """The first day of what a date names, and the day after its last; None where it is none."""
    try:
        days = _days_from(match, today)
        if days and newest and days[0] > newest:
            days = _days_from(match, newest)
    except (ValueError, OverflowError):  # the 30th of February
        return None
    if not days or days[0] >= days[1] or days[0] > max(today, newest or today):
        return None  # of a day to come there are no articles yet
    return days


def _days_from(match: re.Match[str], now: date) -> tuple[date, date] | None:
    part = {name: (text or "").casefold() for name, text in match.groupdict().items()}
    if part["month"]:
        return _of_month(match, part, now)
    if part["iso"] or part["numbered"]:
        return _week_or_day(_numbered(part), part)
    if part["in"]:
        return _of_season(part)
    if part["year"]:
        return _part_of(date(int(part["year"]), 1, 1), 12, part)
    if part["weekday"]:
        start = now - timedelta((now.weekday() - _WEEKDAYS.index(part["weekday"])) % 7)
        return start, start + timedelta(1)
    if part["ago"] or part["eve"]:
        return _ago(part, now)
    return _since(part, now), now + timedelta(1)  # what happened then is told up to now


def _of_month(match: re.Match[str], part: dict[str, str], now: date) -> tuple[date, date] | None:
    if match["month"] in ("may", "march", "mar") and not match.string.islower():
        return None
    days = [int(re.sub(r"\D", "", part[n])) for n in ("from", "first", "day", "until") if part[n]]
    month = MONTHS.index(part["month"][:3]) + 1
    start = date(int(part["of"] or now.year), month, days[0] if days else 1)
    if not part["of"] and start > now:  # without a year the last one, not one to come
        start -= relativedelta(years=1)
    if len(days) > 1:
        return start, start.replace(day=days[-1]) + timedelta(1)
    return _week_or_day(start, part) if days else _part_of(start, 1, part)


def _week_or_day(day: date, part: dict[str, str]) -> tuple[date, date]:
    if part["week"] == "ending":
        return day - timedelta(6), day + timedelta(1)
    if part["week"] == "of":
        day -= timedelta(day.weekday())
    return day, day + timedelta(7 if part["week"] else 1)


def _numbered(part: dict[str, str]) -> date:
    """The day of a date in numbers: `18.11.2019`, `11/18/2019`, `2019-11-18`.

    Raises `ValueError` where it may be either of two: of 3/4/2025 nobody knows the month.
    """
    if part["iso"]:
        year, month, day = map(int, re.split("[-/]", part["iso"]))
        return date(year, month, day)
    day, month = int(part["one"]), int(part["two"])
    if part["sep"] != "." and day != month:
        if max(day, month) <= 12:
            raise ValueError
        day, month = max(day, month), min(day, month)
    return date(int(part["numbered"]), month, day)


def _of_season(part: dict[str, str]) -> tuple[date, date]:
    """A quarter or a season of a year; of a winter without its second year, both that it has."""
    year, months = int(part["in"]), 3
    if part["season"]:
        month = _SEASONS[part["season"]]
        if month == 12 and not part["to"]:
            year, months = year - 1, 15
    else:
        nth = part["q"] or part["nth"]
        named = ("first", "second", "third", "fourth")
        month = 3 * (named.index(nth) if nth in named else int(nth[0]) - 1) + 1
    return _part_of(date(year, month, 1), months, part)


def _part_of(start: date, months: int, part: dict[str, str]) -> tuple[date, date]:
    first, last = _PARTS.get(part["part"], (0, 6))

    def cut(sixths: int) -> date:
        if months == 1 and sixths < 6:
            return start + timedelta(5 * sixths)
        at: date = start + relativedelta(months=months * sixths // 6)
        return at

    return cut(first), cut(last)


def _begin(unit: str, day: date) -> date:
    """The first day of the week, month or year that a day is in; of a weekend, its Saturday."""
    if unit == "weekend":
        return day - timedelta((day.weekday() - 5) % 7)
    if unit == "week":
        return day - timedelta(day.weekday())
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _ago(part: dict[str, str], now: date) -> tuple[date, date]:
    """The day, week, month or year that was so long ago, and the one after, which tells of it."""
    unit, past = part["ago"] or "day", part["past"] or "two"
    count = _NUMBERS.get(past) or int(past)
    if unit == "hour":
        unit, count = "day", -(-count // 24)
    if past in ("few", "couple of"):
        return now - _UNITS[unit] * 2 * count, now + timedelta(1)
    start = _begin(unit, now - _UNITS[unit] * count)
    return start, min(start + _UNITS[unit] * 2, now + timedelta(1))


def _since(part: dict[str, str], now: date) -> date:
    """Where a time that is relative to now begins: the last week begins with its Monday."""
    unit, which, count = part["unit"], part["which"], part["count"]
    if part["weekend"] or unit == "weekend":
        start = _begin("weekend", now)
        return start - timedelta(7 if which == "last" and now.weekday() > 4 else 0)
    if not unit:
        return now - timedelta(1 if part["yesterday"] else 0)
    number = _NUMBERS.get(count) or int(count or 1)
    if unit == "hour":
        return now - timedelta(-(-number // 24))
    if count or which == "past" or unit == "day":
        past: date = now - _UNITS[unit] * number
        return past
    start = _begin(unit, now)
    if which == "last":
        start -= _UNITS[unit]
    return start
