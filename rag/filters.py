"""What a query's filters mean: which outlet a name stands for, when a day begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit

from rag.types import Query


@dataclass(frozen=True, slots=True)
class Choice:
    """Which chunks may be searched: a condition on `articles a`, and how many chunks it leaves."""

    condition: str
    parameters: tuple[str | float, ...]
    chunks: int
    undated: int
    """Articles left out because they carry no date."""
    unknown: tuple[str, ...] = ()
    """Outlets asked for of which the archive has no article."""


def in_force(query: Query) -> Query:
    """A query without the filters that were understood, where it is widened."""
    if not query.widened:
        return query
    outlets = () if "outlets" in query.understood else query.outlets
    days = dict.fromkeys(name for name in query.understood if name != "outlets")
    return replace(query, outlets=outlets, **days)  # type: ignore[arg-type]


def domain(url: str | None) -> str | None:
    """The host of a URL without `www.`; None where it is no URL."""
    try:
        host = urlsplit(url).hostname if url else None
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def names_outlet(wanted: str, outlet: str | None, host: str | None) -> bool:
    """Whether a name or domain that a user gave means this outlet, case-folded."""
    name = _bare(wanted)
    if outlet and name == _bare(outlet):
        return True
    if not host:
        return False
    site = domain(f"//{name.removeprefix('https:').removeprefix('http:').strip('/')}") or name
    labels = host.split(".")[:-1]
    return host == site or host.endswith(f".{site}") or name.replace(" ", "") in labels


def _bare(name: str) -> str:
    return " ".join(name.casefold().split()).removeprefix("the ")


def date_bounds(query: Query) -> list[tuple[str, datetime]]:
    """The comparisons that the query's dates ask for; a day begins at midnight UTC."""
    bounds = []
    if query.after:
        bounds.append((">=", datetime.combine(query.after, time(), UTC)))
    if query.before:
        bounds.append(("<", datetime.combine(query.before, time(), UTC)))
    if query.as_of and query.as_of < date.max:
        bounds.append(("<", datetime.combine(query.as_of + timedelta(days=1), time(), UTC)))
    return bounds


def is_of_the_days(query: Query, published: datetime | None) -> bool:
    """Whether what was published then is of the days that a query asks for."""
    if published is None:
        return False
    return all(
        published >= bound if how == ">=" else published < bound
        for how, bound in date_bounds(query)
    )
