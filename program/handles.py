"""Handles: which public profile one names, and which two of them are, or look, the same."""

import re
import string
import unicodedata
from dataclasses import dataclass

# Only where the address follows from the handle alone, and only for plain handles: a link
# to anything else would be the applicant's text deciding where a reviewer's browser goes.
PROFILES = {
    "x": ("https://x.com/{}", re.compile(r"[A-Za-z0-9_]{1,15}")),
    "youtube": ("https://www.youtube.com/@{}", re.compile(r"[A-Za-z0-9_.-]{3,30}")),
    "telegram": ("https://t.me/{}", re.compile(r"[A-Za-z0-9_]{4,32}")),
    "tiktok": ("https://www.tiktok.com/@{}", re.compile(r"[A-Za-z0-9_.]{2,24}")),
    "instagram": ("https://www.instagram.com/{}", re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,29}")),
}


def profile_url(platform: str, handle: str) -> str | None:
    """The public profile of a handle, or ``None`` where no safe address follows from it."""
    address, shape = PROFILES.get(platform.strip().lower(), ("", None))
    name = handle.strip().removeprefix("@")
    return address.format(name) if shape is not None and shape.fullmatch(name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One network under all of its names: what people type for it, and its hosts."""

    key: str
    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def called(self) -> tuple[str, ...]:
        """Everything a platform field may hold for it, in lower case."""
        return (self.key, *self.names, *self.hosts)


FAMILIES: tuple[Family, ...] = (
    Family(
        key="x",
        names=("twitter", "x (twitter)", "twitter (x)", "x/twitter", "twitter/x", "x / twitter"),
        hosts=("x.com", "twitter.com"),
    ),
    Family(key="telegram", names=("tg",), hosts=("t.me", "telegram.me", "telegram.dog")),
    Family(key="youtube", names=("you tube",), hosts=("youtube.com",)),
    Family(key="tiktok", names=("tik tok",), hosts=("tiktok.com",)),
    Family(key="instagram", names=("ig",), hosts=("instagram.com", "instagr.am")),
    Family(key="facebook", names=("fb",), hosts=("facebook.com", "fb.com")),
    Family(key="discord", hosts=("discord.com", "discord.gg")),
    Family(key="whatsapp", names=("whats app",), hosts=("wa.me",)),
    Family(key="wechat", names=("we chat",)),
    Family(key="email", names=("e-mail", "mail")),
    Family(key="linkedin", hosts=("linkedin.com",)),
    Family(key="twitch", hosts=("twitch.tv",)),
    Family(key="reddit", hosts=("reddit.com",)),
)
HOSTS: tuple[str, ...] = tuple(host for family in FAMILIES for host in family.hosts)
# What some networks put between the host and the name.
BEFORE_NAME: tuple[str, ...] = (
    *("c/", "user/", "users/", "channel/", "in/", "u/", "s/", "add/", "joinchat/", "invite/"),
    *("profile.php?id=", "intent/user?screen_name=", "intent/follow?screen_name="),
)

# Written as numbers, since on the page each would pass for the letter it imitates.
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
    # A capital I is drawn like a small l, and handles know no case: so all of these are one.
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
# What takes no room on the page, and what NFKC leaves of Unicode's spaces.
ZERO_WIDTH = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
SPACES = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"

# An index entry has room for only so much, and nothing real is longer.
LONGEST_READ = 2_000
LONGEST_KEY = 200
SHORTEST_KEY = 3

_DOOR = r"(?:www\.|m\.|mobile\.)?"
# The database has the same patterns, so they keep to what both read alike.
ON_A_KNOWN_HOST = (
    f"^(?:https?://)?{_DOOR}(?:{'|'.join(map(re.escape, HOSTS))})"
    f"(?:/+(?:{'|'.join(map(re.escape, BEFORE_NAME))})?(?:@|%40)*([^/?#&]*).*)?$"
)
# On a host that is not known the path is part of who it is.
ON_ANOTHER_HOST = f"^https?://{_DOOR}([^?#]*).*$"
WITHOUT_HOST = "^([^ /.?]+)[/?].*$"
ADDRESSES = (ON_A_KNOWN_HOST, ON_ANOTHER_HOST, WITHOUT_HOST)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_LETTERS = str.maketrans({sign: key for key, signs in LOOK_ALIKES.items() for sign in signs})


def normalised(handle: str) -> str:
    """The name alone, in lower case: of ``@Meadow`` and ``https://x.com/meadow/`` the same."""
    name = handle[:LONGEST_READ]
    if not name.isascii():
        name = re.sub(ZERO_WIDTH, "", unicodedata.normalize("NFKC", name))
    name = _trimmed(name.translate(_LOWER))
    for address in ADDRESSES:
        name = re.sub(address, r"\1", name, flags=re.DOTALL)
    return _trimmed(name)


def skeleton(handle: str) -> str:
    """What the eye makes of a handle: look-alike letters are one; at most 200 characters.

    ``review.handle_key`` in the database gives the same.
    """
    return normalised(handle).translate(_LETTERS)[:LONGEST_KEY]


def platform_family(platform: str) -> Family:
    """The network that a platform's name means; unknown names are networks of their own."""
    typed = platform.strip(" ").translate(_LOWER)
    for family in FAMILIES:
        if typed in family.called:
            return family
    return Family(key=typed)


def _trimmed(name: str) -> str:
    return name.lstrip(SPACES + "@").rstrip(SPACES + "/")
