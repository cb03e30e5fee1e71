"""Profile links: where in its links each network names a person, and which links name nobody.

A rule is data: the hosts, and a pattern for everything after the host whose one group is the name,
the number or the phone. The first pattern that matches decides; if none does, the link names
nobody, such as a video, an invitation or a page of the network itself. The database has the same
patterns, so they use only what Postgres and Python read the same way.
"""

from dataclasses import dataclass
from enum import StrEnum


class IdentifierKind(StrEnum):
    """The type of identifier that a network uses for people."""

    NAME = "name"  # read without case, and imitated by look-alike letters
    ID = "id"  # exact
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link contains the identifier."""

    kind: IdentifierKind
    pattern: str


@dataclass(frozen=True, slots=True)
class Site:
    """Hosts of a network, without www., and the places in their links.

    An app's scheme, such as ``tg:``, counts as a host. A path without a host belongs to the first
    site of a network.
    """

    platform: str
    hosts: tuple[str, ...]
    places: tuple[Place, ...] = ()


_END = r"(?:[/?#].*)?\Z"


def _name(before: str = "", *, but: str = "", part: str = "[^/?#]+") -> Place:
    """A name after ``before``, except the network's own pages ``but``, separated by spaces."""
    own = f"(?!(?:{but.replace(' ', '|')})(?:[/?#]|\\Z))" if but else ""
    return Place(IdentifierKind.NAME, rf"\A/+{before}{own}(?:@|%40)*({part}){_END}")


def _id(before: str, part: str = "[0-9]+") -> Place:
    return Place(IdentifierKind.ID, rf"\A/+{before}({part})(?:[/?#&_].*)?\Z")


def _parameter(kind: IdentifierKind, path: str, name: str) -> Place:
    """The value of a query parameter."""
    return Place(kind, rf"\A/+{path}/?\?(?:[^#]*&)?{name}=([^&#]+).*\Z")


_TELEGRAM_PAGES = (
    "joinchat c s share addstickers addemoji addtheme addlist proxy socks setlanguage login iv bg "
    r"confirmphone invoice boost m giftcode nft contact k a z resolve [+$~][^/?#]*"
)
_X_PAGES = (
    "home search search-advanced explore i intent share hashtag compose messages notifications "
    "settings login logout signup tos privacy about jobs download widgets account oauth"
)
_YOUTUBE_PAGES = (
    "watch shorts playlist results live embed v feed channel c user hashtag gaming premium "
    "redirect attribution_link clip post t about account signin oembed source kids trending e "
    "live_chat"
)
_INSTAGRAM_PAGES = (
    "p reel reels tv explore stories highlights accounts direct about developer legal web share s "
    "challenge invites ar n topics graphql download directory user"
)
_FACEBOOK_PAGES = (
    r"[a-z_-]+\.php people pages p groups events watch share sharer photo photos reel reels "
    "permalink hashtag login help marketplace gaming messages dialog plugins stories notes privacy "
    "policies business ads public search media friends recover tr live fundraisers saved t pg"
)
_TIKTOK_PAGES = (
    "t tag music discover foryou following live explore upload login share embed video v place "
    "channel business about legal search h5"
)
_TWITCH_PAGES = (
    "directory videos video p jobs login signup search settings subs turbo store downloads friends "
    "inventory wallet drops team broadcast popout moderator"
)
_VK_PAGES = (
    r"(?:wall|photo|video|club|public|event|app|album|topic|doc|market|clip|story|audio|page)-?[0-9]+"
    r"[^/?#]* feed im away\.php groups search friends login settings video music apps"
)

SITES: tuple[Site, ...] = (
    Site(
        "x",
        (
            *("x.com", "twitter.com", "fxtwitter.com", "vxtwitter.com", "fixupx.com"),
            *("nitter.net", "xcancel.com"),
        ),
        (
            _parameter(IdentifierKind.NAME, "intent/(?:user|follow)", "screen_name"),
            _parameter(IdentifierKind.ID, "intent/(?:user|follow)", "user_id"),
            _parameter(IdentifierKind.ID, "messages/compose", "recipient_id"),
            _id("i/user/"),
            _name("(?:#!/+)?", but=_X_PAGES),
        ),
    ),
    Site("x", ("twitter:",), (_parameter(IdentifierKind.NAME, "user", "screen_name"),)),
    Site(
        "telegram",
        ("t.me", "telegram.me", "telegram.dog"),
        (
            Place(IdentifierKind.PHONE, rf"\A/+(?:\+|%2b)([0-9]{{7,15}}){_END}"),
            _name("(?:s/+)?", but=_TELEGRAM_PAGES),
        ),
    ),
    Site(
        "telegram",
        ("web.telegram.org",),
        (
            Place(IdentifierKind.NAME, r"\A[^#]*#(?:/im\?p=)?(?:@|%40)([^/?&#]+).*\Z"),
            Place(
                IdentifierKind.NAME,
                r"\A[^#]*#\?tgaddr=tg(?::|%3a)(?:/|%2f)(?:/|%2f)resolve(?:\?|%3f)domain(?:=|%3d)"
                r"([a-z0-9_]+).*\Z",
            ),
            Place(IdentifierKind.ID, r"\A[^#]*#(?:/im\?p=u)?([0-9]{5,20})(?:[_?/].*)?\Z"),
        ),
    ),
    Site(
        "telegram",
        ("tg:",),
        (
            _parameter(IdentifierKind.NAME, "resolve", "domain"),
            _parameter(IdentifierKind.PHONE, "resolve", "phone"),
            _parameter(IdentifierKind.ID, "user", "id"),
            _parameter(IdentifierKind.ID, "openmessage", "user_id"),
        ),
    ),
    Site(
        "youtube",
        ("youtube.com", "music.youtube.com", "studio.youtube.com"),
        (
            _id("channel/", "UC[A-Za-z0-9_-]+"),
            _name("(?:c|user)/+"),
            _name(but=_YOUTUBE_PAGES),
        ),
    ),
    Site("youtube", ("youtu.be", "youtube-nocookie.com")),
    Site(
        "tiktok",
        ("tiktok.com",),
        (_id("(?:share/user|h5/share/usr)/"), _name(but=_TIKTOK_PAGES)),
    ),
    Site("tiktok", ("vm.tiktok.com", "vt.tiktok.com")),
    Site(
        "instagram",
        ("instagram.com", "instagr.am"),
        (
            _parameter(IdentifierKind.NAME, "user", "username"),
            _name("(?:stories/+|_u/+)?", but=_INSTAGRAM_PAGES),
        ),
    ),
    Site("instagram", ("instagram:",), (_parameter(IdentifierKind.NAME, "user", "username"),)),
    Site("instagram", ("ig.me",), (_name("m/+"),)),
    Site("threads", ("threads.net", "threads.com"), (_name("(?:@|%40)"),)),
    Site(
        "facebook",
        ("facebook.com", "fb.com"),
        (
            _parameter(IdentifierKind.ID, r"(?:profile|story|permalink)\.php", "id"),
            _id("(?:people|pages)/[^/?#]+/"),
            _id("pages/category/[^/?#]+/(?:[^/?#]*-)?"),
            _id("p/(?:[^/?#]*-)?", "[0-9]{5,}"),
            _name("(?:messages/+t|pg|t)/+"),
            _name(but=_FACEBOOK_PAGES),
        ),
    ),
    Site("facebook", ("m.me",), (_name(),)),
    Site("facebook", ("messenger.com",), (_name("t/+"),)),
    Site("facebook", ("fb.me", "fb.watch", "l.facebook.com")),
    Site("discord", ("discord.com", "discordapp.com", "discord:"), (_id("(?:-/)?users/"),)),
    Site("discord", ("discord.gg",)),
    Site(
        "whatsapp",
        ("wa.me",),
        (
            _parameter(IdentifierKind.PHONE, "(?:send)?", "phone"),
            Place(IdentifierKind.PHONE, rf"\A/+(?:c/+)?((?:\+|%2b)?[0-9][^/?#]*){_END}"),
        ),
    ),
    Site(
        "whatsapp",
        ("whatsapp.com", "api.whatsapp.com", "web.whatsapp.com", "whatsapp:"),
        (
            _parameter(IdentifierKind.PHONE, "send", "phone"),
            Place(IdentifierKind.PHONE, rf"\A/+catalog/([0-9]+){_END}"),
        ),
    ),
    Site("whatsapp", ("chat.whatsapp.com",)),
    Site(
        "signal",
        ("signal.me", "sgnl:"),
        (
            Place(IdentifierKind.PHONE, r"\A/*(?:signal\.me/*)?#p/([^/?&#]+).*\Z"),
            Place(IdentifierKind.ID, r"\A/*(?:signal\.me/*)?#eu/([^/?&#]+).*\Z"),
        ),
    ),
    Site("signal", ("signal.group",)),
    Site(
        "line",
        ("line.me", "line:"),
        (
            _name("(?:R/+)?ti/p/(?:~|%7e|@|%40)"),
            _id("(?:R/+)?ti/p/", "[A-Za-z0-9_-]+"),
        ),
    ),
    Site("line", ("page.line.me",), (_name(),)),
    Site("line", ("lin.ee",)),
    Site(
        "viber", ("viber:",), (_parameter(IdentifierKind.PHONE, "(?:chat|add|contact)", "number"),)
    ),
    Site(
        "viber", ("viber.click",), (Place(IdentifierKind.PHONE, rf"\A/+((?:\+|%2b)?[0-9]+){_END}"),)
    ),
    Site("skype", ("skype:",), (_name(part="[^?#/]+"),)),
    Site("skype", ("join.skype.com", "skype.com")),
    Site(
        "phone",
        ("tel:", "sms:", "callto:", "facetime:", "imessage:"),
        (Place(IdentifierKind.PHONE, r"\A/+([^?;&]+).*\Z"),),
    ),
    Site(
        "zalo", ("zalo.me",), (Place(IdentifierKind.PHONE, rf"\A/+(?:pc/+)?([0-9]{{7,15}}){_END}"),)
    ),
    Site("kakaotalk", ("pf.kakao.com",), (_id("", "[A-Za-z0-9_]+"),)),
    Site("kakaotalk", ("open.kakao.com",)),
    Site("wechat", ("weixin:",), (Place(IdentifierKind.NAME, r"\A/+dl/chat\?([^&#]+).*\Z"),)),
    Site("wechat", ("u.wechat.com",), (_id("", "[A-Za-z0-9_-]+"),)),
    Site(
        "linkedin",
        ("linkedin.com",),
        (
            _name("(?:mwlite/+)?(?:in|pub)/+"),
            _name(part="(?:company|school|showcase)/[^/?#]+"),
        ),
    ),
    Site("linkedin", ("lnkd.in",)),
    Site("twitch", ("twitch.tv",), (_name("(?:(?:popout|moderator)/+)?", but=_TWITCH_PAGES),)),
    Site("kick", ("kick.com",), (_name(but="video videos categories category browse following"),)),
    Site("rumble", ("rumble.com",), (_name("(?:c|user)/+"),)),
    Site("reddit", ("reddit.com",), (_name("(?:u|user)/+"), _name("r/+u_"))),
    Site("reddit", ("redd.it",)),
    Site("medium", ("medium.com",), (_name("(?:@|%40)"),)),
    Site("github", ("github.com",), (_name(but="features orgs topics search login settings"),)),
    Site("snapchat", ("snapchat.com",), (_name("(?:add/+|@|%40)"),)),
    Site("pinterest", ("pinterest.com",), (_name(but="pin search ideas explore today"),)),
    Site("pinterest", ("pin.it",)),
    Site("tradingview", ("tradingview.com",), (_name("u/+"),)),
    Site("bluesky", ("bsky.app",), (_name("profile/+"),)),
    Site(
        "vk",
        ("vk.com", "vk.me", "vkontakte.ru"),
        (_id("id"), _parameter(IdentifierKind.ID, "im", "sel"), _name(but=_VK_PAGES)),
    ),
    Site(
        "weibo",
        ("weibo.com", "weibo.cn"),
        (_id("(?:u/)?", "[0-9]{5,}"), _name("n/+"), _name(but="p u n tv hot login ajax")),
    ),
    Site("xiaohongshu", ("xiaohongshu.com",), (_id("user/profile/", "[A-Za-z0-9]+"),)),
    Site("xiaohongshu", ("xhslink.com",)),
    Site("bilibili", ("space.bilibili.com",), (_id(""),)),
    Site("bilibili", ("bilibili.com", "b23.tv")),
    Site("zhihu", ("zhihu.com",), (_name("(?:people|org)/+"),)),
    Site("douyin", ("douyin.com",), (_id("user/", "[A-Za-z0-9_.-]+"),)),
    Site("douyin", ("v.douyin.com",)),
)
BY_HOST: dict[str, Site] = {host: site for site in SITES for host in site.hosts}
MAIN_HOST: dict[str, str] = {site.platform: site.hosts[0] for site in reversed(SITES)}
# Hosts whose subdomains are users' names: meadow.t.me.
NAMED_BY_SUBDOMAIN = ("t.me",)
# Host prefixes without meaning: mobile pages, countries, languages.
HOST_PREFIXES = (
    r"\A(?:(?:www[0-9]?|m|mobile|web|touch|mbasic|business|old|new|np|amp|ptb|canary|gaming|"
    r"[a-z]{2}|[a-z]{2}-[a-z]{2})\.)+"
)
# Networks on which a plain name of this shape is a number or a case-sensitive id.
ID_SHAPES: dict[str, str] = {
    "facebook": r"\A([0-9]{5,20})\Z",
    "discord": r"\A([0-9]{17,20})\Z",
    "youtube": r"\A(UC[A-Za-z0-9_-]{22})\Z",
    "vk": r"\A[Ii][Dd]([0-9]+)\Z",
    "weibo": r"\A([0-9]{5,20})\Z",
    "bilibili": r"\A([0-9]{1,20})\Z",
    "xiaohongshu": r"\A([0-9a-f]{24})\Z",
}
# Platforms on which digits alone are a phone number; also a contact without a platform.
PHONED = (
    *("", "phone", "whatsapp", "telegram", "signal", "viber", "zalo", "line", "wechat"),
    "kakaotalk",
)
