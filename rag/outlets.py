"""Which of the archive's outlets a question asks for: as who reports, not as what is reported on.

"What did the Post report on it?" asks for an outlet; "How much did the Post earn?" is about one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from rag.language import FUNCTION_WORDS, fold
from rag.types import Span

Outlet = tuple[str | None, str | None]
"""Name and domain."""
Names = Mapping[str, tuple[str, ...]]
"""A way to write a name, squeezed, to the outlets that it may mean, as the archive writes them."""

_TOKEN = re.compile(r"[^\W_]+")
MAX_TOKENS = 12
"""Of a name, as in "Business Today | Latest Stock Market And Economy News India"."""
# "BBC News - Technology", "The Jerusalem Post | JPost.com": the name is what comes first.
_SECTION = re.compile(r"\s[|–—-]\s|:\s|\s\(")
_TOP_LEVEL = re.compile(r"\.(?:com|org|net|info|co\.\w\w|com\.\w\w|\w\w)$", re.IGNORECASE)
_SECOND_LEVEL = frozenset("co com org net gov ac".split())
_TWO_LETTERS = ("AP", "FT")  # others are seldom an outlet: AI, UK, PM
_POINTED = re.compile(r"\b(?:[A-Z]\.)+[A-Z]\b\.?")
# A site of a country, or of all: the same label in another country is mostly the same outlet.
_SITE = re.compile(r"(?:www\.)?([\w-]{3,})\.(?:com|co\.\w\w|com\.\w\w|\w\w)", re.IGNORECASE)
_INITIALS_OF = re.compile(  # nytimes, latimes
    r"(\w{2,3})(?=(.))(?:times|post|news|herald|journal|tribune|chronicle|examiner|star|sun)"
)
_EXACT, _HEAD, _SHORT, _DOMAIN = range(4)  # how fully a name is written

_NOUNS = (
    r"(?:(?:article|report|piece|review|interview|editorial|column|feature|post|headline|account|"
    r"publication|portrayal|assessment|depiction|newsletter|blog|podcast|claim|edition|source|"
    r"figure|perspective|focus|stance|assertion|version|view|take|opinion)s?|"
    r"stor(?:y|ies)|reporting|coverage|commentary|analys[ei]s|news)"
)
_VERBS = (
    r"(?:(?:report|claim|state|suggest|describe|note|cite|quote|argue|mention|indicate|cover|"
    r"publish|portray|attribute|implie|imply|allege|reveal|predict|discuss|detail|highlight|"
    r"emphasi[sz]e|recommend|estimate|explain|observe|specif(?:ie|y)|characteri[sz]e|depict|credit|"
    r"call|warn|review|identif(?:ie|y)|present|point|question|critici[sz]e|praise|rank|list|name|"
    r"feature|document|print|disagree|agree|reckon)(?:e?s|e?d|ing)?|"
    r"says?|said|writes?|wrote|written|gives?|gave|puts?|tells?|told)"
)
_ACCORDING = r"according to|per|via|citing"
# What tells of a source in German, French, Spanish, Italian, Portuguese, Dutch, Scandinavian.
_FOREIGN = (
    r"(?:laut|selon|d'après|según|secondo|segundo|volgens|enligt|ifølge|"
    r"schreib(?:t|en)|schrieb(?:en)?|berichte(?:t|n|te|ten)|melde(?:t|n|te|ten)|"
    r"écri(?:t|vent)|rapporte(?:nt)?|di(?:t|sent|cen?|cono)|escriben?|informan?|"
    r"scriv(?:e|ono)|riporta(?:no)?|schrij(?:ft|ven)|zegt|zeggen)"
)
_FOREIGN_NOUNS = (
    r"(?:artikel[ns]?|artikelen|bericht[en]?|articles?|artículos?|articol[oi]|artigos?)"
)
_FOREIGN_THE = r"(?:der|die|das|dem|den|le|la|les|el|los|il|lo|de|het)"
# After a name, a capital that does not make a longer name of it: "the Post Report of May".
_MAY_FOLLOW = re.compile(
    rf"{_NOUNS}|{_VERBS}|news|sports?|online|magazine|newspaper|tv|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    re.IGNORECASE,
)
# In the question, every outlet becomes one mark; a name in quotes has its quote after it.
_MARKED = re.compile(r"""(["'])(?:the )?@,?\1|(?:\bthe )?@(?: (?:magazine|newspaper))?""", re.I)
_LISTED = re.compile(r'@"?(?:(?:,?\s+(?:and|or|&)\s+|,\s+|/)(?:(?:both|in|by|from|to)\s+)*@"?)*')
_SOURCE_BEFORE = re.compile(
    rf"(?:\b(?:{_ACCORDING}|like|such as|including)|\barticles\s+(?:do|does|did|has|have)|"
    rf"\b(?:{_FOREIGN}|{_FOREIGN_NOUNS}\s+(?:von|vom|aus|in|des?|du|del|della|di|van))|"
    rf"\b(?:{_NOUNS}|{_VERBS})\s+(?:in|from|on|at|of)|"
    rf"\b(?:{_NOUNS}|{_VERBS})(?:\s+\S+){{0,4}}?\s+(?:by|from)|"
    rf"\b(?!(?:owned|bought|acquired|sold|sued|hired|fired|paid|employed|funded|run)\b)\w+,?\s+by|"
    rf"(?:^|\b(?!(?:stakes?|shares?|invest\w*|interest|jobs?|cuts|layoffs|roles?)\b)\w+,?\s+)in)"
    rf"\s+(?:(?:both|either|an?|{_FOREIGN_THE})\s+)?$",
    re.IGNORECASE,
)
_SOURCE_AFTER = re.compile(
    rf"\s+(?:(?:also|has|have|had|both|each|then|later|recently|first|will|would)\s+)*{_VERBS}\b|"
    rf"(?:'s?)?\s+(?:\S+\s+){{0,4}}?(?!interview){_NOUNS}\b|"
    rf"\s+(?:{_FOREIGN}|zufolge)\b|"
    r"'s?\W*$",  # "differ from the Post's?"
    re.IGNORECASE,
)
# What others report on too: "the BBC interview with the prince".
_INTERVIEW = re.compile(r"(?:'s?)?\s+interviews?\b", re.IGNORECASE)
_HEADS = re.compile(r"\s*(?::|on)\s")  # "Sputnik on the vaccine"
# A word that is a name only in part, as Fox, is an outlet where these stand beside it.
_PLAINLY_BEFORE = re.compile(
    rf"\b(?:{_ACCORDING}|{_FOREIGN}|(?:reported|published)\s+(?:by|on))\s+"
    rf"(?:{_FOREIGN_THE}\s+)?$",
    re.IGNORECASE,
)
_PLAINLY_AFTER = re.compile(r"(?:\s+(?:also|first))?\s+report(?:s|ed)?\b", re.IGNORECASE)

# What may stand beside an outlet in a question that asks only what it says.
_WORDS = re.compile(r"[^\W\d_]+")
_ONLY_SAYS = re.compile(rf"{_NOUNS}|{_VERBS}", re.IGNORECASE)
_SAYING = frozenset(
    """according and at but by can about did do does else for from had has have how i in is it its
    make makes of on put same say see sees so tell that the their then there they thing think thinks
    this to too us was what with would you und aber et mais y pero selon laut según""".split()
)


def asked_outlets(question: str, known: Sequence[Outlet]) -> tuple[str, ...]:
    """The outlets whose reports a question asks for, in its order, as the archive writes them."""
    question = _POINTED.sub(lambda m: m[0].replace(".", ""), fold(question).replace("@", " "))
    mentions = list(_mentions(question, _names(tuple(known))))
    marked, position = "", 0
    for (start, end), _ in mentions:
        marked += question[position:start] + "@"
        position = end
    marked = _MARKED.sub(lambda mark: '@"' if mark[1] else "@", marked + question[position:])
    asked: dict[str, str] = {}
    for listed in _LISTED.finditer(marked):  # "the Post, the Sun and the Echo"
        before, after = marked[: listed.start()], marked[listed.end() :]
        if _is_source(before, after) or '"' in listed.group():
            first, count = before.count("@"), listed.group().count("@")
            for name in (name for _, names in mentions[first : first + count] for name in names):
                # "The Bay Post" and "Bay Post" are one outlet: as the question has it.
                one = _squeezed(_bare(name))
                same = (asked.get(one, name), name)
                asked[one] = max(same, key=lambda written: (written in question, len(written)))
    return tuple(asked.values())


def sole_outlet(question: str, known: Sequence[Outlet]) -> str | None:
    """The outlet, as it is written, of a question that asks only what it says: "And the Post?"."""
    question = fold(question)
    mentions = list(_mentions(question, _names(tuple(known)))) if known else []
    if len(mentions) != 1:
        return None
    start, end = _with_article(question, mentions[0][0])
    rest = _WORDS.findall(f"{question[:start]} {question[end:]}")
    is_said = all(_ONLY_SAYS.fullmatch(word) or word.casefold() in _SAYING for word in rest)
    return question[start:end] if is_said else None


def asked_of(question: str, outlet: str, known: Sequence[Outlet]) -> str:
    """A question asked of another outlet, in the place of its own where it has one."""
    question = fold(question)
    asked = set(asked_outlets(question, known))
    own = [span for span, names in _mentions(question, _names(tuple(known))) if asked & {*names}]
    if not own:
        return f"{question.rstrip(' ?')}, according to {outlet}?"
    start, end = _with_article(question, own[-1])
    return f"{question[:start]}{outlet}{question[end:]}"


def _with_article(text: str, span: Span) -> Span:
    """A span with the "the" before it."""
    article = re.search(r"\bthe $", text[: span[0]], re.IGNORECASE)
    return (article.start() if article else span[0]), span[1]


def _is_source(before: str, after: str) -> bool:
    """Whether what stands around outlets makes them those who report."""
    if _INTERVIEW.match(after):
        return False
    if not before.strip() and _HEADS.match(after):
        return True
    return bool(_SOURCE_BEFORE.search(before[-200:]) or _SOURCE_AFTER.match(after))


def _mentions(question: str, names: Names) -> Iterator[tuple[Span, tuple[str, ...]]]:
    """Where the question names outlets, and which they may be: the longest names, in order."""
    tokens = list(_TOKEN.finditer(question))
    start = 0
    while start < len(tokens):
        for end in range(min(start + MAX_TOKENS, len(tokens)), start, -1):
            run = [token.group() for token in tokens[start:end]]
            before = tokens[start - 1].group() if start else ""
            span = tokens[start].start(), tokens[end - 1].end()
            found = _meant(run, before, names) or _meant_by_site(question[slice(*span)], names)
            if not found and len(run) == 1 and _is_plainly_one(question, span, before):
                found = names.get(f"{run[0]}?", ())
            if found and not (len(run) == 1 and _is_common(question, span)):
                yield span, found
                start = end - 1
                break
        start += 1


def _meant(run: Sequence[str], before: str, names: Names) -> tuple[str, ...]:
    """The outlets that a run of words names: whole, with "the" before it, by initials."""
    key = _squeezed(run)
    found = names.get(key, ()) if run[0] != "the" else ()
    if len(key) < 3:
        found = tuple(name for name in found if name == run[0])
    if not found and before.casefold() == "the" and run[0][0].isupper():
        found = names.get(f"the {key}", ())
    if not found and len(run) == 1 and run[0].isupper():
        found = names.get(run[0], ())
    if not found and len(run) > 2 and all(word[0].isupper() for word in run):
        initials = "".join(word[0] for word in run)  # the archive has "WSJ", or nytimes.com
        found = tuple(name for name in names.get(initials.casefold(), ()) if name == initials)
        found = found or names.get(f"{initials[:-1]}{run[-1]}".casefold(), ())
    return found


def _meant_by_site(written: str, names: Names) -> tuple[str, ...]:
    """The outlets of a domain, which the archive may have in another country."""
    site = _SITE.fullmatch(written)
    return names.get(f".{site[1].casefold()}", ()) if site else ()


def _is_plainly_one(question: str, span: Span, before: str) -> bool:
    """Whether the wording makes an outlet of a word that may be another name: "Fox reported"."""
    start, end = span
    if _PLAINLY_BEFORE.search(question[:start]):
        return True
    if not start:
        return bool(_HEADS.match(question[end:]) or _PLAINLY_AFTER.match(question[end:]))
    is_longer = before[:1].isupper() and before.casefold() not in FUNCTION_WORDS
    return not is_longer and bool(_PLAINLY_AFTER.match(question[end:]))


def _is_common(question: str, span: Span) -> bool:
    """Whether one word is no name here, or a part of a longer one: "in time", "Time Warner"."""
    start, end = span
    if question[start].islower() and not question.islower():
        return True
    after = re.match(r" ([^\W_]+)", question[end:])
    return bool(after and not after[1][0].islower() and not _MAY_FOLLOW.fullmatch(after[1]))


@lru_cache(maxsize=8)
def _names(known: tuple[Outlet, ...]) -> Names:
    """Every way to write the names of these outlets; where one is a whole name, it means that."""
    names = Counter(name for name, _ in known)
    hosts = Counter(host for _, host in known)
    table: dict[str, dict[int, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for name, host in known:
        for fullness, key in _ways(name) if name else ():
            table[key][fullness][str(name)] = None
        if host:
            # A domain stands for a name where neither has another.
            written = name if name and names[name] == hosts[host] == 1 else host
            labels = [label for label in host.split(".")[:-1] if label not in _SECOND_LEVEL]
            for key in (_squeezed(_TOKEN.findall(host)), *labels[-1:], *_ways_of_site(host)):
                table[key][_DOMAIN][written] = None
    return {key: tuple(by_fullness[min(by_fullness)]) for key, by_fullness in table.items()}


def _ways(name: str) -> Iterator[tuple[int, str]]:
    """How a name may be written, squeezed; initials stay capitals."""
    yield _EXACT, _squeezed(_bare(name))
    words = _bare(_TOP_LEVEL.sub("", _SECTION.split(name)[0]))
    yield _HEAD, _squeezed(words)
    if len(words) > 1 and words[0].isupper() and len(words[0]) > 2:
        yield _SHORT, words[0].casefold()  # the BBC, of BBC News and BBC Sport
    for i in range(1, len(words)):
        yield _SHORT, f"the {_squeezed(words[i:])}"
    if len(words) == 2 and words[1].casefold() == "news":
        yield _SHORT, f"{words[0]}?"
    initials = "".join(word[0] for word in words if word[0].isupper())
    if len(initials) > 2 or initials in _TWO_LETTERS:
        yield _SHORT, initials
    if len(initials) > 1 and name.startswith("The "):
        yield _SHORT, f"T{initials}"


def _ways_of_site(host: str) -> Iterator[str]:
    """How a domain may be meant besides: of another country, by initials, without "news"."""
    site = _SITE.fullmatch(host)
    if not site:
        return
    label = site[1].casefold()
    yield f".{label}"
    if initials := _INITIALS_OF.fullmatch(label):
        yield f"{initials[1]}{initials[2]}".upper()
    if len(label.removesuffix("news")) > 3 and label.endswith("news"):
        yield f"{label.removesuffix('news').capitalize()}?"


def _bare(name: str) -> list[str]:
    words = _TOKEN.findall(name)
    return words[1:] if len(words) > 1 and words[0].casefold() == "the" else words


def _squeezed(words: Sequence[str]) -> str:
    """A name without spaces, stops and case: "CBS Sports" is "CBSSports"."""
    return "".join(words).casefold()
