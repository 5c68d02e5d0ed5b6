"""Words of opposite meaning, those that mean the same, and the past tenses not in -ed."""

from __future__ import annotations

from functools import lru_cache

from rag.language import stem

_OPPOSITES = [
    [frozenset(side.split()) for side in pair.split("/")]
    for pair in (
        "more over above up rise rose risen rising increase increased increases increasing grow "
        "grew grown growing gain gained climb climbed jumped soared surged higher larger greater "
        "exceeded raise raised / less fewer under below down fall fell fallen falling decrease "
        "decreased decreases decreasing decline declined declining drop dropped lower lowered "
        "smaller plunged shrank slumped sank cut reduced",
        "before earlier / after later",
        "first / last",
        "best better / worst worse",
        "most largest biggest highest / least smallest lowest",
        "won win wins winning beat beats beaten defeated / lost lose loses losing",
        "accept accepted accepts approve approved backed upheld passed granted signed / "
        "reject rejected rejects refused overturned vetoed blocked quashed dismissed",
        "support supports supported praised praise welcomed hailed applauded endorsed / "
        "oppose opposes opposed criticised criticized criticise condemned attacked denounced",
        "admit admitted admits confirmed acknowledged / deny denied denies refuted rejected",
        "killed died / wounded injured hurt survived rescued",
        "convicted sentenced jailed / acquitted cleared freed released pardoned",
        "imposed introduced / lifted abolished scrapped repealed",
        "began begin begins started starts resumed launched / "
        "ended ends stopped stops cancelled canceled halted suspended",
        "hired recruited appointed / fired dismissed sacked",
        "arrive arrived arrives entered joined / leave left leaves departed quit fled",
        "built created / destroyed demolished devastated",
        "captured seized took / fled lost spared",
        "agreed agree / disagreed refused",
        "allowed permitted legalised / banned barred forbade prohibited",
        "faster quicker / slower",
        "stronger / weaker",
        "richer / poorer",
        "cheaper / dearer costlier",
        "taller / shorter",
        "hotter warmer / colder cooler",
        "north northern / south southern",
        "east eastern / west western",
        "men man male / women woman female",
        "father son husband brother boy / mother daughter wife sister girl",
        "older / younger",
        "early / late",
        "public / private",
        "left / right",
        "open opened reopened / close closed shut",
        "buy bought acquired purchased / sell sold",
        "guilty / innocent",
        "alive / dead",
    )
]
_IRREGULAR = dict(
    pair.split("/")
    for pair in (
        "beaten/beat became/become began/begin begun/begin bit/bite blew/blow bought/buy "
        "broke/break broken/break brought/bring built/build burnt/burn came/come caught/catch "
        "chose/choose chosen/choose dealt/deal drew/draw drawn/draw drove/drive driven/drive "
        "ate/eat fell/fall fallen/fall fed/feed felt/feel fought/fight fled/flee flew/fly "
        "forbade/forbid forgot/forget forgotten/forget froze/freeze frozen/freeze went/go gone/go "
        "grew/grow grown/grow hid/hide hidden/hide held/hold kept/keep knew/know known/know "
        "led/lead lent/lend lost/lose made/make meant/mean met/meet paid/pay ran/run rose/rise "
        "risen/rise rode/ride sang/sing sank/sink saw/see seen/see sent/send shook/shake "
        "shot/shoot shown/show slain/slay slept/sleep sold/sell sought/seek spent/spend "
        "spoke/speak spoken/speak stole/steal stolen/steal stood/stand struck/strike swore/swear "
        "sworn/swear swept/sweep taught/teach threw/throw thrown/throw took/take taken/take "
        "retook/retake overthrew/overthrow overthrown/overthrow understood/understand "
        "upheld/uphold wept/weep withdrew/withdraw withdrawn/withdraw woke/wake won/win wore/wear "
        "wrote/write written/write"
    ).split()
)
_OTHERS = frozenset(
    "beat cut died found gave given hit hurt laid left let put quit read set shut "
    "spread sued tied".split()
)
"""Of a past tense: that of which it is the base too, and short ones in -ed."""
_BEFORE_OBJECT = frozenset(
    "the a an its his her their more less fewer to than two three four five six seven eight nine "
    "ten".split()
)


@lru_cache(maxsize=50_000)
def root(word: str) -> str:
    """The stem of a word, one for all the tenses of a verb."""
    return stem(_IRREGULAR.get(word, word))


TURNS: dict[str, set[tuple[int, int]]] = {}
"""Of each stem, the pairs in which it stands and on which side."""
for _number, _pair in enumerate(_OPPOSITES):
    for _side, _words in enumerate(_pair):
        for _word in _words:
            TURNS.setdefault(root(_word), set()).add((_number, _side))


def opposite(one: str, other: str) -> bool:
    """Whether two stems are words of opposite meaning."""
    return any((number, 1 - side) in TURNS.get(other, ()) for number, side in TURNS.get(one, ()))


def alike(one: str, other: str) -> bool:
    """Whether two stems stand on one side of a pair."""
    return bool(TURNS.get(one, set()) & TURNS.get(other, set()))


def is_verb(word: str, after: str) -> bool:
    """Whether a word has the form of a past tense, or of a present one before its object."""
    if word in _IRREGULAR or word in _OTHERS or (len(word) > 4 and word.endswith("ed")):
        return True
    before_object = after in _BEFORE_OBJECT or after[:1].isdigit()
    return before_object and word.endswith("s") and not word.endswith(("ss", "'s"))
