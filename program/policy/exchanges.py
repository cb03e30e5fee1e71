"""Names of other exchanges: which spellings mean the same exchange, and which may.

``review.exchange_key`` in the database returns the same key.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from program.text.folding import SEPARATORS, folded, word
from program.text.handles import skeleton

# Added to a name without meaning another exchange: domain endings, ...
ENDINGS = (
    *("com", "net", "org", "io", "co", "app", "xyz", "finance", "trade", "exchange", "ai", "me"),
    *("us", "eu", "uk", "tr", "jp", "kr", "sg", "au", "ca", "br", "in", "hk", "ae", "kz", "ru"),
    *("pro", "plus", "ltd", "inc", "llc", "official", "vip", "spot", "main", "account"),
)
# ... and words that are also written without a space.
ADDITIONS = (
    *("exchange", "global", "international", "intl", "futures", "derivatives", "perpetual"),
    *("perps", "europe", "america", "asia", "japan", "korea", "turkey", "turkiye", "brazil"),
    *("india", "australia", "singapore", "hongkong", "cex", "dex", "wallet"),
)
ADDRESS = r"\A(?:[a-z]+://)?(?:www\.|m\.)?([a-z0-9.-]+\.[a-z]+)(?:[/?#].*)?\Z"
AROUND = (
    f"(?:{SEPARATORS}+(?:{'|'.join(ENDINGS)})"
    f"|{SEPARATORS}*(?:{'|'.join(ADDITIONS)}))+{SEPARATORS}*\\Z"
)
# Prefix of the keys of distinct exchanges, so that they never equal the key of a similar name.
TOLD_APART = "="
SHORTEST_PART = 3
SHORTEST_TYPO = 5


def exchange_key(name: str, *, told_apart: bool = False) -> str:
    """Return the key that groups volumes by exchange: the newest observation per key counts.

    ``OKX``, ``okx`` and ``OK X`` have the same key. A name with an addition, such as ``OKX.com``,
    has the key of the bare name unless it was marked as another exchange.
    """
    if told_apart:
        return TOLD_APART + word(name)
    host = re.sub(ADDRESS, r"\1", folded(name), flags=re.DOTALL)
    return word(re.sub(AROUND, "", host)) or word(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """An exchange's name as recorded, and whether it was marked as distinct from similar ones."""

    name: str
    told_apart: bool = False


def in_doubt(name: str, stated: Sequence[Stated]) -> tuple[str, ...]:
    """Return which of the ``stated`` names may mean the same exchange as ``name``.

    Leaves out names that were already marked as distinct; empty if ``name`` itself was.
    """
    if was_told_apart(name, stated):
        return ()
    others = [o.name for o in stated if word(o.name) != word(name)]
    alike = [o for o in others if resembles(name, o) and not was_told_apart(o, stated)]
    return tuple({word(other): other for other in alike}.values())


def was_told_apart(name: str, stated: Sequence[Stated]) -> bool:
    """Whether this name was already marked as distinct from similar ones."""
    return any(o.told_apart and word(o.name) == word(name) for o in stated)


def resembles(one: str, other: str) -> bool:
    """Whether two names with different keys may mean the same exchange.

    They may if one contains or extends the other, or if they look the same or differ by one letter.
    """
    first, second = word(one), word(other)
    short, long = sorted((first, second), key=len)
    return (
        exchange_key(one) == exchange_key(other)
        or (len(short) >= SHORTEST_PART and short in long)
        or skeleton(first) == skeleton(second)
        or (len(short) >= SHORTEST_TYPO and _but_for_one_letter(short, long))
    )


def _but_for_one_letter(short: str, long: str) -> bool:
    if len(long) - len(short) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if same is None:
        return True
    rest = short[same + (len(long) == len(short)) :]
    return rest == long[same + 1 :]
