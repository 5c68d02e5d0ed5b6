"""Which days a question asks for: when something was reported or stood so, not when it happened.

"What was reported in October 2016?" asks for articles of that month; "Who won the 2016 election?"
may be answered by an article of any day.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from rag.language import fold
from rag.types import Period

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "mon tue wed thu fri sat sun".split()
_COUNTS = {"couple of": 2, "few": 3, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_UNITS = {unit: relativedelta(**{f"{unit}s": 1}) for unit in ("day", "week", "month", "year")}

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY, _YEAR = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?", r"(?:19|20)\d\d"
_NAMED = re.compile(
    rf"\b(?:(?P<iso>{_YEAR}-\d\d-\d\d)|"
    rf"(?:(?P<first>{_DAY})\s+(?:of\s+)?)?(?P<month>{_MONTH})\b\.?(?:\s+(?P<day>{_DAY})\b)?"
    rf"(?:,?\s+(?:of\s+)?(?P<of>{_YEAR}))?|"
    rf"(?P<year>{_YEAR})|(?P<today>today|tonight)|(?P<yesterday>yesterday|last night)|"
    rf"(?P<which>last|past|this)\s+(?:(?P<count>\d+|{'|'.join(_COUNTS)})\s+)?"
    rf"(?P<unit>day|week|month|year)s?|"
    rf"(?P<weekday>{'|'.join(_WEEKDAYS)})[a-z]*day)(?!\w)",
    re.IGNORECASE,
)
_REPORT = (
    r"\b(?:(?:report|publish|cover|claim|state|print|note|argue|describe|discuss|suggest)"
    r"(?:s|es|e?d|ing)?|says?|said|writes?|wrote|written|tells?|told|dated|"
    r"(?:article|piece|review|interview|editorial|column|post|edition)s?|stor(?:y|ies)|"
    r"reporting|coverage|analysis|news)"
)
_WORD = r"\s+\S*[^\s.,;?]"
_LEAD = (
    r"\s+(?:(?:on|in|from|of|during|since|after|before|until|till|for)\s+)%s(?:the\s+)?"
    r"(?:(?:early|mid|late|last)[\s-]+)?$"
)
# A day may stand farther from what was reported then than a month or a year.
_REPORTED = {
    grain: re.compile(rf"{_REPORT}(?:{_WORD}){{0,{words}}}?{_LEAD % optional}", re.IGNORECASE)
    for grain, words, optional in (("day", 12, "?"), ("month", 3, "?"), ("year", 0, ""))
}
_REPORTS = re.compile(rf"(?:'s?)?,?\s+(?:\S+\s+)??{_REPORT}\b", re.IGNORECASE)
_OPENS = re.compile(
    r"(?:^|[.?!] )(?:(?:and|but|back) )?(?:in|on|during) (?:\w+[ -])?$", re.IGNORECASE
)
_BOUND = re.compile(r"\b(since|after|starting|before|prior to|ahead of|until|till|as of) $", re.I)
_ON_WEEKDAY = re.compile(rf"(?:{_REPORT} (?:on|last)|\bsince) $", re.I)
_FROM = re.compile(r"\b(?:between|from) $", re.I)
_TO = re.compile(r",? (?:and|to|until) | ?- ?", re.I)

_YEARS_OFF = re.compile(
    r"\b(?:(?:last|previous|past) year|(?:a|one) year (?:ago|earlier)|(?P<next>next year)|"
    rf"(?P<count>\d{{1,2}}|{'|'.join(_COUNTS)}) years (?:ago|earlier))\b",
    re.IGNORECASE,
)
_UNDATED_MONTH = re.compile(
    rf"\b(?=(?-i:[A-Z]))({_MONTH})\b(?!\.?(?:\s+{_DAY})?,?\s+{_YEAR})", re.I
)


def years_meant(text: str, published: date) -> set[int]:
    """The years that an article means but does not write, beside that in which it was published.

    Those of "last year" and "three years ago"; and the year before, where it names a month without
    a year that was still to come.
    """
    off = set()
    for match in _YEARS_OFF.finditer(text):
        if count := match["count"]:
            off.add(-int(_COUNTS.get(count.casefold(), count)))
        else:
            off.add(1 if match["next"] else -1)
    months = (_MONTHS.index(m[1][:3].casefold()) + 1 for m in _UNDATED_MONTH.finditer(text))
    if any(month > published.month for month in months):
        off.add(-1)
    return {published.year + some for some in off}


def asked_days(
    question: str, today: date, newest: date | None
) -> tuple[tuple[Period, ...], date | None]:
    """The periods whose articles a question asks for, and the day as of which it asks.

    What is relative is so to today, or to the day of the newest article where the archive is
    older than that.
    """
    question = fold(question)
    named = [(m, days) for m in _NAMED.finditer(question) if (days := _days(m, today, newest))]
    asked = {match for match, _ in named if _is_asked(question, match)}
    if any(_has_day(match) for match in asked):  # then the other days in full are asked for too
        asked |= {match for match, _ in named if match["iso"] or (match["of"] and _has_day(match))}
    periods: list[Period] = []
    as_of = None
    while named:
        match, (start, end) = named.pop(0)
        before = question[: match.start()]
        bound = _BOUND.search(before)
        word = bound[1].casefold() if bound else ""
        if named and _FROM.search(before):
            last, (_, its_end) = named[0]
            if last in asked and _TO.fullmatch(question, match.end(), last.start()):
                end = its_end
                start = (_days(match, end, None) or (start, end))[0]  # its year may be the other's
                asked.add(match)
                del named[0]
        if match not in asked:
            continue
        if word == "as of" and len(asked) == 1:
            as_of = end - timedelta(1)
        elif word in ("since", "after", "starting"):
            periods.append((start, None))
        elif word in ("before", "prior to", "ahead of"):
            periods.append((None, start))
        else:
            periods.append((None if word in ("until", "till") else start, end))
    return tuple(dict.fromkeys(periods)), as_of


def _is_asked(question: str, match: re.Match[str]) -> bool:
    """Whether a date says when something was reported, or stood so."""
    before, after = question[: match.start()], question[match.end() :]
    unit = (match["unit"] or "").casefold()
    if match["today"] and match[0][0].isupper() and before:  # "Business Today"
        return False
    if match["yesterday"] or unit in ("day", "week", "month"):
        return True
    if match["year"]:
        return bool(_REPORTED["year"].search(before))
    if match["weekday"]:
        return bool(_ON_WEEKDAY.search(before))
    if _REPORTED["day" if _has_day(match) else "month"].search(before) or _REPORTS.match(after):
        return True
    bound = _BOUND.search(before)
    at_an_end = bound and (bound.start() == 0 or len(after) < 2 or bound[1].casefold() == "as of")
    return bool(_OPENS.search(before) or at_an_end)


def _has_day(match: re.Match[str]) -> bool:
    return any(match[name] for name in ("iso", "first", "day", "weekday"))


def _days(match: re.Match[str], today: date, newest: date | None) -> tuple[date, date] | None:
    """The first day of what a date names, and the day after its last; None where it is none."""
    try:
        days = _days_from(match, today)
        if days and newest and days[0] > newest:
            days = _days_from(match, newest)
    except ValueError:  # the 30th of February
        return None
    return days


def _days_from(match: re.Match[str], now: date) -> tuple[date, date] | None:
    part = {name: (text or "").casefold() for name, text in match.groupdict().items()}
    length = relativedelta(days=1)
    if part["iso"]:
        start = date.fromisoformat(part["iso"])
    elif part["month"]:
        if match["month"] in ("may", "march", "mar") and not match.string.islower():
            return None
        day, month = part["day"] or part["first"], _MONTHS.index(part["month"][:3]) + 1
        start = date(int(part["of"] or now.year), month, int(re.sub(r"\D", "", day) or 1))
        if not part["of"] and start > now:  # without a year the last one, not one to come
            start -= relativedelta(years=1)
        length = length if day else relativedelta(months=1)
    elif part["year"]:
        start, length = date(int(part["year"]), 1, 1), relativedelta(years=1)
    elif part["weekday"]:
        start = now - timedelta((now.weekday() - _WEEKDAYS.index(part["weekday"])) % 7)
    else:  # what happened then is told up to now
        return _since(part, now), now + timedelta(1)
    return start, start + length


def _since(part: dict[str, str], now: date) -> date:
    """Where a time that is relative to now begins: the last week begins with its Monday."""
    if not part["unit"]:
        return now - timedelta(1 if part["yesterday"] else 0)
    unit, which, count = part["unit"], part["which"], part["count"]
    if count or which == "past" or unit == "day":
        start: date = now - _UNITS[unit] * (_COUNTS.get(count) or int(count or 1))
        return start
    starts = {"week": now - timedelta(now.weekday()), "month": now.replace(day=1)}
    start = starts.get(unit, now.replace(month=1, day=1))
    return start - _UNITS[unit] if which == "last" else start
