"""Days as German, French, Spanish and Italian name them, put into English.

Only what is plainly a day: a month after the word that leads to it there ("im Oktober 2018", "le 18
novembre 2019"), and a few words for days near now.
"""

from __future__ import annotations

import re
from functools import cache

from babel.dates import get_day_names, get_month_names

_LEADS = {
    "de": {
        "on": "am|an dem|dem",
        "in": "im|vom|von|aus dem",
        "from": "ab|ab dem|zwischen|zwischen dem",
        "since": "seit|seit dem",
        "before": "vor|vor dem",
        "after": "nach|nach dem",
        "until": "bis|bis zum",
        "and": "und|und dem|oder|oder im",
    },
    "fr": {
        "on": "le",
        "in": "en|de|du|d'|au mois de|au mois d'",
        "from": "à partir du|entre|entre le",
        "since": "depuis|depuis le",
        "before": "avant|avant le",
        "after": "après|après le",
        "until": "au|à|jusqu'en|jusqu'au",
        "and": "et|et le|ou|ou en",
    },
    "es": {
        "on": "el",
        "in": "en|de|del",
        "from": "a partir del|entre|entre el",
        "since": "desde|desde el",
        "before": "antes de|antes del",
        "after": "después de|después del|tras",
        "until": "a|al|hasta|hasta el",
        "and": "y|y el|o|o en",
    },
    "it": {
        "on": "il|l'",
        "in": "in|nel|a|di|del|dell'",
        "from": "tra|tra il|fra|fra il|dal|dall'",
        "since": "da|a partire dal",
        "before": "prima di|prima del|prima dell'",
        "after": "dopo|dopo il|dopo l'",
        "until": "al|all'|fino a|fino al|fino all'",
        "and": "e|e il|o|o in",
    },
}
_NEAR = {
    "the day before yesterday": r"vorgestern|avant-hier|anteayer|l'altro ieri",
    "yesterday": r"gestern|ayer|ieri",
    "today": r"heute|aujourd'hui|hoy|oggi",
    "last week": r"(?:in der )?(?:letzte|vergangene|vorige)n? woche|"
    r"la semaine (?:derni[èe]re|passée)|"
    r"la semana pasada|la settimana scorsa|la scorsa settimana",
    "last month": r"(?:im )?(?:letzten|vergangenen|vorigen) monat|le mois (?:dernier|passé)|"
    r"el mes pasado|il mese scorso|lo scorso mese",
    "last year": r"(?:letztes|im (?:letzten|vergangenen)) jahr|l'an(?:née)? derni(?:er|[èe]re)|"
    r"el año pasado|l'anno scorso|lo scorso anno",
    "last weekend": r"(?:am )?(?:letzte|vergangene)[ns] wochenende|le week-?end dernier|"
    r"el fin de semana pasado|lo scorso (?:fine settimana|weekend)",
    "this week": r"(?:in )?diese[rn]? woche|cette semaine|esta semana|questa settimana",
    "this month": r"(?:in )?diese[nm] monat|ce mois-ci|este mes|questo mese",
}
REPORT = (
    r"berichte(?:t|te|ten|n)?|gemeldet|veröffentlicht|geschrieben|schrieb(?:en)?|sagten?|gesagt|"
    r"bericht|artikeln?|meldung(?:en)?|nachrichten|"
    r"rapporté(?:e?s?)|publié(?:e?s?)|écrit|dit|nouvelles|actualités|"
    r"inform(?:ó|aron)|public(?:ó|aron|ad[oa]s?)|reportó|dij(?:o|eron)|escribió|artículos?|noticias|"
    r"riportat[oaie]|riferito|pubblicat[oaie]|scritto|detto|disse|articol[oi]|notizi[ae]"
)
"""Words for what a newspaper does, or is made of."""

# In German and Dutch "hier" is "here".
_FRENCH = re.compile(
    r"\b(?:qu'|est-ce|a-t-|(?:qui|que|quoi|quel(?:le)?s?|où|comment|combien)\b)", re.IGNORECASE
)
_HIER = re.compile(r"\bhier\b(?!-)")
_WORDS = re.compile("|".join(rf"(?P<w{i}>{said})" for i, said in enumerate(_NEAR.values())), re.I)


@cache
def _dated(language: str) -> tuple[re.Pattern[str], dict[str, str], list[str]]:
    """What finds a day of a month in a language, its leading words in English, and its months."""
    leads = {word: lead for lead, all_ in _LEADS[language].items() for word in all_.split("|")}
    months = [name.casefold() for name in get_month_names("wide", locale=language).values()]
    days = "|".join(get_day_names("wide", locale=language).values())
    first = "|".join(sorted(map(re.escape, leads), key=len, reverse=True))
    day = r"(?:[12]\d|3[01]|0?[1-9])(?:\.|er|[o°])?(?!\w)"
    pattern = (
        rf"(?<!\w)(?P<lead>{first})(?:(?<=')|\s+)(?:(?:{days}),?\s+(?:dem\s+|den\s+)?)?"
        rf"(?:(?:(?P<from>{day})\s*(?:-|bis(?: zum)?|und|au|et|al?|y|e)\s*(?:dem |le |el |il )?)?"
        rf"(?P<day>{day})\s+(?:de\s+|d')?)?(?P<month>{'|'.join(months)})"
        r"(?:\s+(?:del?\s+)?(?P<year>(?:19|20)\d\d))?(?!\w)"
    )
    return re.compile(pattern, re.I), leads, months


def in_english(text: str) -> tuple[str, list[int]]:
    """The text with such days in English, and where in the text each of its characters stood.

    All characters of what was put in stand where the words began that it was put in for.
    """
    found: list[tuple[int, int, str]] = []
    for pattern, leads, months in map(_dated, _LEADS):
        for match in pattern.finditer(text):
            found.append((*match.span(), _english(match, leads, months)))
    for match in _WORDS.finditer(text):
        if _stands_alone(text, match):
            found.append((*match.span(), list(_NEAR)[int((match.lastgroup or "w0")[1:])]))
    if _FRENCH.search(text):
        found += [(*match.span(), "yesterday") for match in _HIER.finditer(text)]
    put, offsets, at = "", [], 0
    for start, end, english in sorted(found):
        if start >= at:
            put += text[at:start] + english
            offsets += [*range(at, start), *[start] * len(english)]
            at = end
    return put + text[at:], [*offsets, *range(at, len(text) + 1)]


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether words are no part of others, nor a name: `ayer`, but not `Fred Ayer`."""
    start, end = match.span()
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    named = start and match[0].istitle() and " " not in match[0]
    return not (named or any(character.isalnum() for character in around))


def _english(match: re.Match[str], leads: dict[str, str], months: list[str]) -> str:
    month = get_month_names("wide", locale="en")[months.index(match["month"].casefold()) + 1]
    first, day = (re.sub(r"\D", "", match[name] or "") for name in ("from", "day"))
    days = f"{first} to {day}" if first else day
    lead = "from" if first else leads[match["lead"].casefold()]
    return " ".join(filter(None, (lead, days, month, match["year"])))
