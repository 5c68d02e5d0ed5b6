"""Which days a question asks for: when something was reported or stood so, not when it happened.

"What was reported in October 2016?" asks for articles of that month; "Who won the 2016 election?"
may be answered by an article of any day. In doubt a wording asks for none: a filter that was not
meant hides the answer, and one that was missed only leaves more to search.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

from rag.day_words import REPORT as _FOREIGN_REPORT
from rag.day_words import in_english
from rag.language import fold
from rag.named_days import COUNTS, DAY, MONTH, MONTHS, NAMED, YEAR, days_of, has_day, is_near
from rag.types import Period

_REPORT = (
    r"\b(?:(?:report|publish|cover|claim|state|print|note|argue|describe|discuss|suggest)"
    r"(?:s|es|e?d|ing)?|says?|said|writes?|wrote|written|tells?|told|dated|"
    r"(?:article|piece|review|interview|editorial|column|post|edition)s?|stor(?:y|ies)|"
    rf"reporting|coverage|analysis|news|{_FOREIGN_REPORT})"
)
_WORD = r"\s+\S*[^\s.,;?]"
_LEADS = (
    r"on|in|at|from|of|during|since|after|before|prior to|until|till|up to|through|between|starting"
)
_LEAD = rf"\s+(?:(?:{_LEADS}%s)\s+)%s(?:the\s+)?(?:year\s+|last[\s-]+)?$"
# A day may stand farther from what was reported then than a month or a year; and a season or a
# part of a year must have a word that leads to it, or it may be of a name.
_REPORTED = {
    grain: re.compile(
        rf"{_REPORT}(?:{_WORD}){{0,{words}}}?{_LEAD % (more, optional)}", re.IGNORECASE
    )
    for grain, words, more, optional in (
        ("day", 12, "|for", "?"),
        ("month", 3, "", "?"),
        ("span", 3, "", ""),
        ("year", 0, "|by", ""),
    )
}
_REPORTS = re.compile(rf"(?:'s?)?,?\s+(?:\S+\s+)??{_REPORT}\b", re.IGNORECASE)
_OPENS = re.compile(
    r"(?:^|[.?!] )(?:(?:and|but|back) )?(?:in|on|during|between|from) (?:\w+[ -])?$", re.IGNORECASE
)
_BOUND = re.compile(
    r"\b(since|after|starting|before|prior to|ahead of|until|till|up to|by|as of) (?:the )?$", re.I
)
_ON_WEEKDAY = re.compile(rf"(?:{_REPORT} (?:on|last)|\bsince) $", re.I)
_FROM = re.compile(r"\b(?:between|from) (?:the )?$", re.I)
_TO = re.compile(r",? (?:and|to|until|till|through) (?:the )?| ?- ?", re.I)
_JOINED = re.compile(rf"{_TO.pattern}|,? (?:and|or) (?:(?:in|on|from|of) )?(?:the )?|, ?", re.I)
# "The profit reported in Q3 2018", or in 2018, may be that of Q3, and told of in the next.
_FIGURES = re.compile(
    r"\b(?:revenue|profit|sales|earn(?:ing|ed)?|loss(?:es)?|income|turnover|growth|gdp|inflation|"
    r"result|margin|deliver(?:y|ies)|shipment|output)s?\b",
    re.I,
)
_PAST = re.compile(rf"\b(?:did|was|were|had|won|happened|who \w+ed)\b|{_REPORT}", re.I)
_MORE = re.compile(r"\b(?:than|least|over) $", re.I)  # "more than a week ago"
_LEFT = re.compile(
    rf",?(?:(?:^|\s+)(?:{_LEADS}|by|for|as of|and|or|to))?(?:\s+the)?(?:\s+year)?\s*$", re.I
)

_YEARS_OFF = re.compile(
    r"\b(?:(?:last|previous|past) year|(?:a|one) year (?:ago|earlier)|(?P<next>next year)|"
    rf"(?P<count>\d{{1,2}}|{'|'.join(COUNTS)}) years (?:ago|earlier))\b",
    re.IGNORECASE,
)
_UNDATED_MONTH = re.compile(rf"\b(?=(?-i:[A-Z]))({MONTH})\b(?!\.?(?:\s+{DAY})?,?\s+{YEAR})", re.I)


def years_meant(text: str, published: date) -> set[int]:
    """The years that an article means but does not write, beside that in which it was published.

    Those of "last year" and "three years ago"; and the year before, where it names a month without
    a year that was still to come.
    """
    off = set()
    for match in _YEARS_OFF.finditer(text):
        if count := match["count"]:
            off.add(-int(COUNTS.get(count.casefold(), count)))
        else:
            off.add(1 if match["next"] else -1)
    months = (MONTHS.index(m[1][:3].casefold()) + 1 for m in _UNDATED_MONTH.finditer(text))
    if any(month > published.month for month in months):
        off.add(-1)
    return {published.year + some for some in off}


_Named = tuple[re.Match[str], tuple[date, date]]


def asked_days(
    question: str, today: date, newest: date | None
) -> tuple[tuple[Period, ...], date | None]:
    """The periods whose articles a question asks for, and the day as of which it asks.

    What is relative is so to today, or to the day of the newest article where the archive is
    older than that.
    """
    question, _ = in_english(fold(question))
    named, asked = _read(question, today, newest)
    periods: list[Period] = []
    as_of = None
    while named:
        match, (start, end) = named.pop(0)
        if match not in asked:
            continue
        before = question[: match.start()]
        bound = _BOUND.search(before)
        word = bound[1].casefold() if bound else ""
        if named and _is_range(question, match, named[0][0]):
            (_, (_, end)) = named.pop(0)
        if word == "as of" and len(asked) == 1:
            as_of = end - timedelta(1)
        elif word in ("since", "after", "starting"):
            periods.append((start, None))
        elif word in ("before", "prior to", "ahead of"):
            periods.append((None, start))
        elif word in ("until", "till", "up to") or (word == "by" and len(asked) == 1):
            periods.append((None, end))
        elif match["and"] and not _FROM.search(before):  # two days, not those between
            periods += [(start, start + timedelta(1)), (end - timedelta(1), end)]
        else:
            periods.append((start, end))
    return tuple(dict.fromkeys(periods)), as_of


def without_days(question: str, today: date, newest: date | None) -> str:
    """A question without the words that say for which days it asks, and that led to them."""
    question = fold(question)
    english, at = in_english(question)
    left, after = "", 0
    for match in sorted(_read(english, today, newest)[1], key=re.Match.start):
        start, end = at[match.start()], at[match.end()]
        if question.startswith("'s", end):  # what leads to it leads to more
            left, after = left + question[after:start], end + 2
        else:
            left, after = left + _LEFT.sub(" ", question[after:start]), end
    if not after:
        return question
    kept = re.sub(r"\s+([,;?!]|\.(?!\w))", r"\1", left + question[after:])
    return " ".join(kept.lstrip(" ,;").split())


def _read(
    question: str, today: date, newest: date | None
) -> tuple[list[_Named], set[re.Match[str]]]:
    """The dates that a question names, with their days; and those of them that it asks for."""
    named = [(m, days) for m in NAMED.finditer(question) if (days := days_of(m, today, newest))]
    asked = {match for match, _ in named if _is_asked(question, match)}
    if any(has_day(match) for match in asked):  # then the other days in full are asked for too
        asked |= {m for m, _ in named if has_day(m) and (m["iso"] or m["numbered"] or m["of"])}
    for i, ((match, _), (later, (_, end))) in enumerate(pairwise(named)):
        if _JOINED.fullmatch(question, match.end(), later.start()):
            if match in asked:
                asked.add(later)
            elif later in asked and _is_range(question, match, later):
                asked.add(match)
            # A month without a year is of that of the other.
            if match["month"] and not match["of"]:
                named[i] = match, days_of(match, end, None) or named[i][1]
            elif match["of"] and later["month"] and not later["of"]:
                within = named[i][1][0] + timedelta(364)
                named[i + 1] = later, days_of(later, within, None) or named[i + 1][1]
    return named, asked


def _is_range(question: str, match: re.Match[str], later: re.Match[str]) -> bool:
    led = _FROM.search(question, 0, match.start())
    return bool(led and _TO.fullmatch(question, match.end(), later.start()))


def _is_asked(question: str, match: re.Match[str]) -> bool:
    """Whether a date says when something was reported, or stood so."""
    before, after = question[: match.start()], question[match.end() :]
    if is_near(match):
        if _is_name(question, match) or (match["ago"] and _MORE.search(before)):
            return False
        if match["weekend"]:  # it may be any weekend: "Is the pool open at the weekend?"
            return bool(_PAST.search(question))
        if (match["unit"] or match["ago"] or "").casefold() != "year" and not match["today"]:
            return match[0].casefold() != "this weekend"
    if before.casefold().endswith("by "):  # "built by 2030" is no report
        return bool(_REPORTED["year"].search(before)) and not is_near(match)
    if re.match(r"the (?!.* of )", match[0], re.I) and not (has_day(match) or match["part"]):
        # "the October 2016 debate", but not "the summer of 2016"
        return bool(match["month"] and _REPORTS.match(after))
    if match["in"] or match["year"]:
        grain = "span" if match["in"] or match["part"] else "year"
        opens = grain == "span" and _OPENS.search(before)
        return bool(_REPORTED[grain].search(before) or opens) and not _FIGURES.search(question)
    if match["weekday"]:
        return bool(_ON_WEEKDAY.search(before))
    if _REPORTED["day" if has_day(match) else "month"].search(before) or _REPORTS.match(after):
        return True
    bound = _BOUND.search(before)
    word = bound[1].casefold() if bound else ""
    at_an_end = bound and (bound.start() == 0 or len(after) < 2 or word == "as of")
    return bool(_OPENS.search(before) or (at_an_end and word != "up to"))


def _is_name(question: str, match: re.Match[str]) -> bool:
    """Whether words for a time near now are written as a name: "Business Today", "Last Week"."""
    words = match[0].split()
    opens = len(words) == 1 and (not match.start() or question[match.start() - 2] in ".?!")
    return words[-1][0].isupper() and not opens and not question.isupper()
