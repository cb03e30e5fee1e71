"""Handles: whom a handle names, its public profile, and which handles are or look the same.

``review.identity_key`` in the database returns the same key as `identity_key`.
"""

import re
import string
import unicodedata
from dataclasses import dataclass

from program.text.folding import LONGEST_FOLDED, ZERO_WIDTH, folded
from program.text.links import (
    BY_HOST,
    HOST_PREFIXES,
    ID_SHAPES,
    MAIN_HOST,
    NAMED_BY_SUBDOMAIN,
    PHONED,
    IdentifierKind,
    Site,
)
from program.text.platforms import BY_KEY, EMAIL, platform_key

# Escaped, because each would look like the letter it imitates.
LOOK_ALIKES: dict[str, str] = {
    "a": "\u0430\u0410\u03b1\u0391\u0251\u1d00",
    "b": "\u0432\u0412\u03b2\u0392\u044c\u042c\u0299",
    "c": "\u0441\u0421\u03c2\u1d04",
    "d": "\u0501\u0500\u1d05",
    "e": "\u0435\u0415\u0454\u0404\u03b5\u0395\u212e\u1d07",
    "f": "\u03dd\u03dc\ua730",
    "g": "\u0261\u0581\u0262",
    "h": "\u04bb\u04ba\u043d\u041d\u0397\u0570\u029c",
    "j": "\u0458\u0408\u03f3\u037f\u1d0a",
    "k": "\u043a\u041a\u049b\u049a\u03ba\u039a\u1d0b",
    # A capital I looks like a small l, and handles ignore case, so all of these are the same.
    "l": "1i|\u0456\u0406\u0457\u0407\u04cf\u04c0\u03b9\u0399\u0131\u0130\u026a\u029f",
    "m": "\u043c\u041c\u039c\u1d0d",
    "n": "\u03b7\u039d\u0578\u0274",
    "o": "0\u043e\u041e\u03bf\u039f\u03c3\u0585\u0555\u00f8\u00d8\u1d0f",
    "p": "\u0440\u0420\u03c1\u03a1\u1d18",
    "q": "\u051b\u051a\u0566",
    "r": "\u0433\u0280",
    "s": "\u0455\u0405\u054f\ua731",
    "t": "\u0442\u0422\u03c4\u03a4\u1d1b",
    "u": "\u03c5\u057d\u054d\u1d1c",
    "v": "\u03bd\u0475\u0474\u1d20",
    "w": "\u051d\u051c\u0461\u0460\u03c9\u1d21",
    "x": "\u0445\u0425\u03c7\u03a7",
    "y": "\u0443\u0423\u04af\u04ae\u03b3\u03a5\u028f",
    "z": "\u0396\u1d22",
}
SPACES = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"
# Characters that people put before or after a name or an address.
BEFORE = SPACES + "@<([{\"'\u00ab\u201c\u201e\u2018"
BEHIND = SPACES + ">)]}\"'\u00bb\u201d\u2019.,;:!?/"
# The digit zero of every script with its own ten digits.
ZEROS = (
    "\u0660\u06f0\u07c0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\u0f20"
    "\u1040\u17e0\u1810"
)

# Bounded by the size of an index entry; longer than anything real.
LONGEST_KEY = 200
SHORTEST_KEY = 3
SHORTEST_PHONE, LONGEST_PHONE = 7, 15
MARKS = {IdentifierKind.NAME: ":", IdentifierKind.ID: "#"}

# The database has the same patterns, so they use only what both read the same way.
ADDRESS = r"\A(?:[^<>@:/]*[:<])?[ @]*([^ <>@:/?,;]+@[^ <>@:/?,;]+\.[^ <>@:/?,;.]+)>?(?:\?.*)?\Z"
# With or without a scheme, also one that was mistyped.
WEB = r"\A(?:https?[:;]*/+|[:;]?//)([^/?#]*)(.*)\Z"
APP = r"\A([a-z][a-z0-9+-]*:)(//)?(.*)\Z"
PORT = r"\.?(?::[0-9]*)?\Z"
SUBDOMAIN = rf"\A([a-z0-9_]{{4,32}})\.({'|'.join(map(re.escape, NAMED_BY_SUBDOMAIN))})\Z"
LABELED = r"\A([^:@/]{1,30}): *(.+)\Z"
BARE = r"\A((?:[a-z0-9_-]+\.)+[a-z]{2,})\.?(?::[0-9]+)?([/?#].*)?\Z"
MAIL_LINK = r"\Amailto:[/ ]*"
# After a comma comes something else, so the whole is not a path.
TWO_NAMES = r"\A[^/?]*[,;]"
# The full stop of Chinese and Japanese keyboards.
FULL_STOP = "\u3002"
# What people enter in a required field to say "none"; folded.
NOBODY = (
    *("none", "null", "nil", "n/a", "not applicable", "nothing", "nobody", "unknown", "same"),
    *("same as above", "no account", "no contact", "yok", "нет", "ninguno", "ninguna", "nenhum"),
    *("nenhuma", "aucun", "keine", "keiner", "没有", "沒有", "なし", "無し", "없음", "لا يوجد"),
)
LONGEST_NOBODY = 20
PHONE = r"\A(?:\+|00)?[0-9 ().,/\u00b7\u2010-\u2015\u2212-]*\Z"
WITHIN_AN_ADDRESS = r"[/?]"
TRUNK_ZERO = r"\( *0 *\)"
# A percent-encoded UTF-8 character.
ESCAPED = (
    "%[2-7][0-9a-f]|%c[2-9a-f]%[89ab][0-9a-f]|%d[0-9a-f]%[89ab][0-9a-f]"
    "|%e0%[ab][0-9a-f]%[89ab][0-9a-f]|%e[1-9a-cef]%[89ab][0-9a-f]%[89ab][0-9a-f]"
    "|%ed%[89][0-9a-f]%[89ab][0-9a-f]|%f0%[9ab][0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]"
    "|%f[1-3]%[89ab][0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]"
    "|%f4%8[0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]"
)
# Discord's usernames are unique again; this suffix means "no number".
NUMBERLESS, NO_NUMBER = "discord", r"#0(?:000)?\Z"

_LETTERS = str.maketrans({sign: key for key, signs in LOOK_ALIKES.items() for sign in signs})
_DIGITS = {ord(zero) + value: str(value) for zero in ZEROS for value in range(10)}
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_READ_ALIKE = re.IGNORECASE | re.ASCII | re.DOTALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a handle names: a ``kind`` of identifier on a platform. ``spelled`` keeps the case."""

    platform: str
    kind: IdentifierKind
    spelled: str

    @property
    def text(self) -> str:
        """The comparable form: the same for every spelling of one identifier."""
        exact = self.kind in (IdentifierKind.ID, IdentifierKind.PHONE)
        return self.spelled if exact else folded(self.spelled)

    @property
    def key(self) -> str:
        """The key with look-alike letters merged, at most 200 characters; exact for phones and ids.

        A phone number or an email address is the same person on every platform.
        """
        if self.kind is IdentifierKind.PHONE:
            return f"+{self.text}"
        if self.kind is IdentifierKind.EMAIL:
            return f"{EMAIL}:{skeleton(self.text)}"[:LONGEST_KEY]
        text = self.text if self.kind is IdentifierKind.ID else skeleton(self.text)
        return f"{self.platform}{MARKS[self.kind]}{text}"[:LONGEST_KEY]


def identity(platform: str, handle: str) -> Identity | None:
    """Return whom a handle on a platform names, or ``None`` if it names nobody.

    A link names whom its network says, whatever platform it was entered for; a link to an unknown
    host names nobody.
    """
    typed = _trimmed(_composed(handle))
    if len(typed) < LONGEST_NOBODY and folded(typed) in NOBODY:
        return None
    if re.match(MAIL_LINK, typed, _READ_ALIKE):
        typed = re.sub(MAIL_LINK, "", typed, flags=_READ_ALIKE).replace("%40", "@")
    address = re.match(ADDRESS, typed, _READ_ALIKE)
    if address is not None:
        return Identity(platform=EMAIL, kind=IdentifierKind.EMAIL, spelled=_unescaped(address[1]))
    key = platform_key(platform)
    found = _in_link(typed)
    if found is None:
        key, typed = _unlabeled(key, typed)
        found = _in_link(typed)
    return found.identity if found is not None else _without_host(key, typed)


def identity_key(platform: str, handle: str) -> str:
    """Return the key that handles of the same person share; empty if the handle names nobody."""
    found = identity(platform, handle)
    return found.key if found is not None and len(found.text) >= SHORTEST_KEY else ""


def skeleton(text: str) -> str:
    """Replace look-alike letters by one of them."""
    return text.translate(_LETTERS)


@dataclass(frozen=True, slots=True)
class _Link:
    """An address, and whom it names."""

    identity: Identity | None


def _in_link(typed: str) -> _Link | None:
    """Parse an address and return whom it names; ``None`` if the text is not an address."""
    web = re.match(WEB, typed, _READ_ALIKE)
    if web is not None:
        # Text before an @ is user info, not part of the host.
        host = re.sub(PORT, "", web[1].rpartition("@")[2])
        return _Link(_at_host(host, web[2]))
    app = re.match(APP, typed, _READ_ALIKE)
    if app is not None:
        site = BY_HOST.get(app[1].translate(_LOWER))
        named = _at(site, app[3]) if site is not None else None
        # Without slashes it may be a label before the name, as in "Line: meadow".
        return _Link(named) if app[2] or named is not None else None
    bare = re.match(BARE, typed, _READ_ALIKE)
    if bare is None:
        return None
    host, rest = bare[1], bare[2] or ""
    known = _site(host) is not None or re.match(SUBDOMAIN, host, _READ_ALIKE) is not None
    # Many names contain a dot.
    return _Link(_at_host(host, rest)) if known or "/" in rest else None


def _unlabeled(key: str, typed: str) -> tuple[str, str]:
    """Split off a platform's name in front of the handle, as in ``TG: @meadow``."""
    label = re.match(LABELED, typed, re.DOTALL)
    meant = platform_key(label[1]) if label is not None else ""
    return (meant, _trimmed(label[2])) if label is not None and meant in BY_KEY else (key, typed)


def _without_host(key: str, typed: str) -> Identity | None:
    phone = _phone(typed, key)
    if phone is not None:
        return Identity(platform=key, kind=IdentifierKind.PHONE, spelled=phone)
    if re.search(WITHIN_AN_ADDRESS, typed):
        is_path = key in MAIN_HOST and ":" not in typed and not re.match(TWO_NAMES, typed)
        return _at(BY_HOST[MAIN_HOST[key]], typed) if is_path else None
    return _named(key, typed)


def _at_host(host: str, rest: str) -> Identity | None:
    site = _site(host)
    if site is not None:
        return _at(site, rest)
    person = re.match(SUBDOMAIN, host, _READ_ALIKE)
    return _named(BY_HOST[person[2].translate(_LOWER)].platform, person[1]) if person else None


def _site(host: str) -> Site | None:
    """Return the site at a host, with or without a prefix such as www."""
    known = BY_HOST.get(host.translate(_LOWER))
    if known is not None or re.match(SUBDOMAIN, host, _READ_ALIKE):
        return known
    return BY_HOST.get(
        re.sub(HOST_PREFIXES, "", host, count=1, flags=_READ_ALIKE).translate(_LOWER)
    )


def _at(site: Site, rest: str) -> Identity | None:
    """Return whom the first matching place names; ``rest`` is everything after the host."""
    address = "/" + rest.lstrip("/")
    for place in site.places:
        found = re.match(place.pattern, address, _READ_ALIKE)
        if found is not None:
            return _written(site.platform, place.kind, found[1])
    return None


def _written(platform: str, kind: IdentifierKind, part: str) -> Identity | None:
    """Return whom a part of an address names."""
    text = _trimmed(_unescaped(part))
    if kind is IdentifierKind.NAME:
        return _named(platform, text)
    spelled = _digits(text) if kind is IdentifierKind.PHONE else text
    return Identity(platform=platform, kind=kind, spelled=spelled) if spelled else None


def _named(platform: str, name: str) -> Identity | None:
    """Return whom a plain name means."""
    shape = ID_SHAPES.get(platform)
    number = re.match(shape, name, re.ASCII) if shape is not None else None
    if number is not None:
        return Identity(platform=platform, kind=IdentifierKind.ID, spelled=number[1])
    if platform == NUMBERLESS:
        name = re.sub(NO_NUMBER, "", name)
    # No network has such names; it is an invitation code.
    if not name or name.startswith("+"):
        return None
    return Identity(platform=platform, kind=IdentifierKind.NAME, spelled=name)


def dialed(typed: str) -> str:
    """Return the digits of what looks like a phone number or a part of one, else ""."""
    text = typed.translate(_DIGITS)
    return _all_digits(text) if re.match(PHONE, text) else ""


def _phone(typed: str, platform: str) -> str | None:
    """Return the digits of a phone number with its country code, or ``None`` if it is not one."""
    text = typed.translate(_DIGITS)
    if not re.match(PHONE, text) or not (text.startswith("+") or platform in PHONED):
        return None
    return _digits(text) or None


def _digits(text: str) -> str:
    """Return a phone number's digits; "" if there are too few or too many."""
    digits = _all_digits(text)
    return digits if SHORTEST_PHONE <= len(digits) <= LONGEST_PHONE else ""


def _all_digits(text: str) -> str:
    digits = re.sub("[^0-9]", "", re.sub(TRUNK_ZERO, "", text.translate(_DIGITS)))
    return re.sub(r"\A00", "", digits)


def _composed(handle: str) -> str:
    text = handle[:LONGEST_FOLDED]
    if text.isascii():
        return text
    return re.sub(ZERO_WIDTH, "", unicodedata.normalize("NFKC", text)).replace(FULL_STOP, ".")


def _trimmed(text: str) -> str:
    return text.lstrip(BEFORE).rstrip(BEHIND)


def _unescaped(text: str) -> str:
    """Decode percent-encoded characters."""
    return re.sub(
        ESCAPED, lambda found: bytes.fromhex(found[0].replace("%", "")).decode(), text, flags=re.I
    )


PROFILES: dict[tuple[str, IdentifierKind], tuple[str, str]] = {
    ("x", IdentifierKind.NAME): ("https://x.com/{}", r"[A-Za-z0-9_]{1,15}"),
    ("x", IdentifierKind.ID): ("https://x.com/i/user/{}", "[0-9]{1,20}"),
    ("youtube", IdentifierKind.NAME): ("https://www.youtube.com/@{}", r"[A-Za-z0-9_.-]{3,30}"),
    ("youtube", IdentifierKind.ID): ("https://www.youtube.com/channel/{}", "UC[A-Za-z0-9_-]{1,30}"),
    ("telegram", IdentifierKind.NAME): ("https://t.me/{}", r"[A-Za-z0-9_]{4,32}"),
    ("tiktok", IdentifierKind.NAME): ("https://www.tiktok.com/@{}", r"[A-Za-z0-9_.]{2,24}"),
    ("instagram", IdentifierKind.NAME): (
        "https://www.instagram.com/{}",
        r"[A-Za-z0-9_][A-Za-z0-9_.]{0,29}",
    ),
    ("threads", IdentifierKind.NAME): (
        "https://www.threads.com/@{}",
        r"[A-Za-z0-9_][A-Za-z0-9_.]{0,29}",
    ),
    ("facebook", IdentifierKind.NAME): (
        "https://www.facebook.com/{}",
        r"[A-Za-z0-9][A-Za-z0-9.]{4,49}",
    ),
    ("facebook", IdentifierKind.ID): ("https://www.facebook.com/{}", "[0-9]{5,20}"),
    ("discord", IdentifierKind.ID): ("https://discord.com/users/{}", "[0-9]{17,20}"),
    ("linkedin", IdentifierKind.NAME): (
        "https://www.linkedin.com/in/{}",
        "[A-Za-z0-9][A-Za-z0-9-]{2,99}",
    ),
    ("twitch", IdentifierKind.NAME): ("https://www.twitch.tv/{}", r"[A-Za-z0-9][A-Za-z0-9_]{2,24}"),
    ("kick", IdentifierKind.NAME): ("https://kick.com/{}", r"[A-Za-z0-9][A-Za-z0-9_-]{2,24}"),
    ("rumble", IdentifierKind.NAME): (
        "https://rumble.com/user/{}",
        r"[A-Za-z0-9][A-Za-z0-9_]{2,24}",
    ),
    ("reddit", IdentifierKind.NAME): ("https://www.reddit.com/user/{}", "[A-Za-z0-9_-]{3,20}"),
    ("medium", IdentifierKind.NAME): ("https://medium.com/@{}", r"[A-Za-z0-9_][A-Za-z0-9_.]{1,29}"),
    ("tradingview", IdentifierKind.NAME): (
        "https://www.tradingview.com/u/{}/",
        r"[A-Za-z0-9_-]{3,30}",
    ),
    ("vk", IdentifierKind.NAME): ("https://vk.com/{}", r"[A-Za-z0-9_][A-Za-z0-9_.]{3,31}"),
    ("vk", IdentifierKind.ID): ("https://vk.com/id{}", "[0-9]{1,20}"),
    ("weibo", IdentifierKind.ID): ("https://weibo.com/u/{}", "[0-9]{5,20}"),
    ("bilibili", IdentifierKind.ID): ("https://space.bilibili.com/{}", "[0-9]{1,20}"),
    ("xiaohongshu", IdentifierKind.ID): (
        "https://www.xiaohongshu.com/user/profile/{}",
        "[0-9a-f]{24}",
    ),
}


def profile_url(platform: str, handle: str) -> str | None:
    """Return the URL of the public profile, or ``None`` if no safe URL can be built.

    Only the validated name is put into a URL of ours, so that the applicant's text cannot decide
    where a reviewer's browser goes.
    """
    found = identity(platform, handle)
    if found is None:
        return None
    address, shape = PROFILES.get((found.platform, found.kind), ("", r"(?!)"))
    return address.format(found.spelled) if re.fullmatch(shape, found.spelled) else None
