"""Handles under the person they name: links, phones and addresses however they are written.

Everything here is frozen: a change of program.links or program.handles needs a new revision
that replaces the functions and builds the indexes anew, and a test says so.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LOOK_ALIKES = {
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
LETTERS = "".join(f"\\u{ord(sign):04x}" for signs in LOOK_ALIKES.values() for sign in signs)
MEANT = "".join(letter * len(signs) for letter, signs in LOOK_ALIKES.items())
ZERO_WIDTH = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
SPACES = r" \u0009\u000a\u000b\u000c\u000d\u001c\u001d\u001e\u001f\u0085\u1680\u2028\u2029"
BEFORE = SPACES + r"@<([{\u0022\u0027\u00ab\u201c\u201e\u2018"
BEHIND = SPACES + r">)]}\u0022\u0027\u00bb\u201d\u2019.,;:!?/"
ZEROS = (
    *(0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6),
    *(0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810),
)
ADDRESS = r"\A(?:[^<>@:/]*[:<])?[ @]*([^ <>@:/?,;]+@[^ <>@:/?,;]+\.[^ <>@:/?,;.]+)>?(?:\?.*)?\Z"
WEB = r"\A(?:https?:)?//([^/?#]*)(.*)\Z"
APP = r"\A([a-z][a-z0-9+-]*:)(//)?(.*)\Z"
PORT = r"\.?(?::[0-9]*)?\Z"
SUBDOMAIN = r"\A([a-z0-9_]{4,32})\.(t\.me)\Z"
LABELLED = r"\A([^:@/]{1,30}): *(.+)\Z"
BARE = r"\A((?:[a-z0-9_-]+\.)+[a-z]{2,})(?::[0-9]+)?([/?#].*)?\Z"
PHONE = r"\A(?:\+|00)?[0-9 ().,/\u00b7\u2010-\u2015\u2212-]*\Z"
TRUNK_ZERO = r"\( *0 *\)"
NO_NUMBER = r"#0(?:000)?\Z"
ESCAPED = (r"%[2-7][0-9a-f]|%c[2-9a-f]%[89ab][0-9a-f]|%d[0-9a-f]%[89ab][0-9a-f]|"
        r"%e0%[ab][0-9a-f]%[89ab][0-9a-f]|%e[1-9a-cef]%[89ab][0-9a-f]%[89ab][0-9a-f]|"
        r"%ed%[89][0-9a-f]%[89ab][0-9a-f]|"
        r"%f0%[9ab][0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]|"
        r"%f[1-3]%[89ab][0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]|"
        r"%f4%8[0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]"
)
DOORS = (r"\A(?:(?:www[0-9]?|m|mobile|web|touch|mbasic|business|old|new|np|amp|[a-z]{2}|"
        r"[a-z]{2}-[a-z]{2})\.)+"
)
ID_SHAPES = {
    "facebook": r"\A([0-9]{5,20})\Z",
    "discord": r"\A([0-9]{17,20})\Z",
    "youtube": r"\A(UC[A-Za-z0-9_-]{22})\Z",
    "vk": r"\A[Ii][Dd]([0-9]+)\Z",
    "weibo": r"\A([0-9]{5,20})\Z",
    "bilibili": r"\A([0-9]{1,20})\Z",
    "xiaohongshu": r"\A([0-9a-f]{24})\Z",
}
PHONED = ('', 'phone', 'whatsapp', 'telegram', 'signal', 'viber', 'zalo', 'line', 'wechat', 'kakaotalk')
# The platform, its hosts, and where an address there holds the name, the number or the phone.
SITES = (
    ("x", ('x.com', 'twitter.com', 'fxtwitter.com', 'vxtwitter.com', 'fixupx.com', 'nitter.net', 'xcancel.com'), (
        ("name", r"\A/+intent/(?:user|follow)/?\?(?:[^#]*&)?screen_name=([^&#]+).*\Z"),
        ("id", r"\A/+intent/(?:user|follow)/?\?(?:[^#]*&)?user_id=([^&#]+).*\Z"),
        ("id", r"\A/+messages/compose/?\?(?:[^#]*&)?recipient_id=([^&#]+).*\Z"),
        ("id", r"\A/+i/user/([0-9]+)(?:[/?#&_].*)?\Z"),
        ("name", r"\A/+(?:#!/+)?(?!(?:home|search|search-advanced|explore|i|intent|share|hashtag|"
            r"compose|messages|notifications|settings|login|logout|signup|tos|privacy|about|"
            r"jobs|download|widgets|account|oauth)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("x", ('twitter:',), (
        ("name", r"\A/+user/?\?(?:[^#]*&)?screen_name=([^&#]+).*\Z"),
    )),
    ("telegram", ('t.me', 'telegram.me', 'telegram.dog'), (
        ("phone", r"\A/+(?:\+|%2b)([0-9]{7,15})(?:[/?#].*)?\Z"),
        ("name", r"\A/+(?:s/+)?(?!(?:joinchat|c|s|share|addstickers|addemoji|addtheme|addlist|"
            r"proxy|socks|setlanguage|login|iv|bg|confirmphone|invoice|boost|m|giftcode|nft|"
            r"contact|k|a|z|resolve|[+$~][^/?#]*)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("telegram", ('web.telegram.org',), (
        ("name", r"\A[^#]*#(?:/im\?p=)?(?:@|%40)([^/?&#]+).*\Z"),
        ("name", r"\A[^#]*#\?tgaddr=tg(?::|%3a)(?:/|%2f)(?:/|%2f)resolve(?:\?|%3f)domain(?:=|"
            r"%3d)([a-z0-9_]+).*\Z"),
        ("id", r"\A[^#]*#(?:/im\?p=u)?([0-9]{5,20})(?:[_?/].*)?\Z"),
    )),
    ("telegram", ('tg:',), (
        ("name", r"\A/+resolve/?\?(?:[^#]*&)?domain=([^&#]+).*\Z"),
        ("phone", r"\A/+resolve/?\?(?:[^#]*&)?phone=([^&#]+).*\Z"),
        ("id", r"\A/+user/?\?(?:[^#]*&)?id=([^&#]+).*\Z"),
        ("id", r"\A/+openmessage/?\?(?:[^#]*&)?user_id=([^&#]+).*\Z"),
    )),
    ("youtube", ('youtube.com', 'music.youtube.com', 'studio.youtube.com'), (
        ("id", r"\A/+channel/(UC[A-Za-z0-9_-]+)(?:[/?#&_].*)?\Z"),
        ("name", r"\A/+(?:c|user)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
        ("name", r"\A/+(?!(?:watch|shorts|playlist|results|live|embed|v|feed|channel|c|user|"
            r"hashtag|gaming|premium|redirect|attribution_link|clip|post|t|about|account|"
            r"signin|oembed|source|kids|trending|e|live_chat)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("youtube", ('youtu.be', 'youtube-nocookie.com'), (
    )),
    ("tiktok", ('tiktok.com',), (
        ("id", r"\A/+(?:share/user|h5/share/usr)/([0-9]+)(?:[/?#&_].*)?\Z"),
        ("name", r"\A/+(?!(?:t|tag|music|discover|foryou|following|live|explore|upload|login|"
            r"share|embed|video|v|place|channel|business|about|legal|search|h5)(?:[/?#]|"
            r"\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("tiktok", ('vm.tiktok.com', 'vt.tiktok.com'), (
    )),
    ("instagram", ('instagram.com', 'instagr.am'), (
        ("name", r"\A/+user/?\?(?:[^#]*&)?username=([^&#]+).*\Z"),
        ("name", r"\A/+(?:stories/+|_u/+)?(?!(?:p|reel|reels|tv|explore|stories|highlights|"
            r"accounts|direct|about|developer|legal|web|share|s|challenge|invites|ar|n|"
            r"topics|graphql|download|directory|user)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("instagram", ('instagram:',), (
        ("name", r"\A/+user/?\?(?:[^#]*&)?username=([^&#]+).*\Z"),
    )),
    ("instagram", ('ig.me',), (
        ("name", r"\A/+m/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("threads", ('threads.net', 'threads.com'), (
        ("name", r"\A/+(?:@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("facebook", ('facebook.com', 'fb.com'), (
        ("id", r"\A/+(?:profile|story|permalink)\.php/?\?(?:[^#]*&)?id=([^&#]+).*\Z"),
        ("id", r"\A/+(?:people|pages)/[^/?#]+/([0-9]+)(?:[/?#&_].*)?\Z"),
        ("id", r"\A/+pages/category/[^/?#]+/(?:[^/?#]*-)?([0-9]+)(?:[/?#&_].*)?\Z"),
        ("id", r"\A/+p/(?:[^/?#]*-)?([0-9]{5,})(?:[/?#&_].*)?\Z"),
        ("name", r"\A/+(?:messages/+t|pg|t)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
        ("name", r"\A/+(?!(?:[a-z_-]+\.php|people|pages|p|groups|events|watch|share|sharer|photo|"
            r"photos|reel|reels|permalink|hashtag|login|help|marketplace|gaming|messages|"
            r"dialog|plugins|stories|notes|privacy|policies|business|ads|public|search|"
            r"media|friends|recover|tr|live|fundraisers|saved|t|pg)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("facebook", ('m.me',), (
        ("name", r"\A/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("facebook", ('messenger.com',), (
        ("name", r"\A/+t/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("facebook", ('fb.me', 'fb.watch', 'l.facebook.com'), (
    )),
    ("discord", ('discord.com', 'discordapp.com', 'discord:'), (
        ("id", r"\A/+(?:-/)?users/([0-9]+)(?:[/?#&_].*)?\Z"),
    )),
    ("discord", ('discord.gg',), (
    )),
    ("whatsapp", ('wa.me',), (
        ("phone", r"\A/+(?:send)?/?\?(?:[^#]*&)?phone=([^&#]+).*\Z"),
        ("phone", r"\A/+(?:c/+)?((?:\+|%2b)?[0-9][^/?#]*)(?:[/?#].*)?\Z"),
    )),
    ("whatsapp", ('whatsapp.com', 'api.whatsapp.com', 'web.whatsapp.com', 'whatsapp:'), (
        ("phone", r"\A/+send/?\?(?:[^#]*&)?phone=([^&#]+).*\Z"),
        ("phone", r"\A/+catalog/([0-9]+)(?:[/?#].*)?\Z"),
    )),
    ("whatsapp", ('chat.whatsapp.com',), (
    )),
    ("signal", ('signal.me', 'sgnl:'), (
        ("phone", r"\A/*(?:signal\.me/*)?#p/([^/?&#]+).*\Z"),
        ("id", r"\A/*(?:signal\.me/*)?#eu/([^/?&#]+).*\Z"),
    )),
    ("signal", ('signal.group',), (
    )),
    ("line", ('line.me', 'line:'), (
        ("name", r"\A/+(?:R/+)?ti/p/(?:~|%7e|@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
        ("id", r"\A/+(?:R/+)?ti/p/([A-Za-z0-9_-]+)(?:[/?#&_].*)?\Z"),
    )),
    ("line", ('page.line.me',), (
        ("name", r"\A/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("line", ('lin.ee',), (
    )),
    ("viber", ('viber:',), (
        ("phone", r"\A/+(?:chat|add|contact)/?\?(?:[^#]*&)?number=([^&#]+).*\Z"),
    )),
    ("viber", ('viber.click',), (
        ("phone", r"\A/+((?:\+|%2b)?[0-9]+)(?:[/?#].*)?\Z"),
    )),
    ("skype", ('skype:',), (
        ("name", r"\A/+(?:@|%40)*([^?#/]+)(?:[/?#].*)?\Z"),
    )),
    ("skype", ('join.skype.com', 'skype.com'), (
    )),
    ("phone", ('tel:', 'sms:', 'callto:', 'facetime:', 'imessage:'), (
        ("phone", r"\A/+([^?;&]+).*\Z"),
    )),
    ("zalo", ('zalo.me',), (
        ("phone", r"\A/+(?:pc/+)?([0-9]{7,15})(?:[/?#].*)?\Z"),
    )),
    ("kakaotalk", ('pf.kakao.com',), (
        ("id", r"\A/+([A-Za-z0-9_]+)(?:[/?#&_].*)?\Z"),
    )),
    ("kakaotalk", ('open.kakao.com',), (
    )),
    ("wechat", ('weixin:',), (
        ("name", r"\A/+dl/chat\?([^&#]+).*\Z"),
    )),
    ("wechat", ('u.wechat.com',), (
        ("id", r"\A/+([A-Za-z0-9_-]+)(?:[/?#&_].*)?\Z"),
    )),
    ("linkedin", ('linkedin.com',), (
        ("name", r"\A/+(?:mwlite/+)?(?:in|pub)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
        ("name", r"\A/+(?:@|%40)*((?:company|school|showcase)/[^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("linkedin", ('lnkd.in',), (
    )),
    ("twitch", ('twitch.tv',), (
        ("name", r"\A/+(?:(?:popout|moderator)/+)?(?!(?:directory|videos|video|p|jobs|login|"
            r"signup|search|settings|subs|turbo|store|downloads|friends|inventory|wallet|"
            r"drops|team|broadcast|popout|moderator)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("kick", ('kick.com',), (
        ("name", r"\A/+(?!(?:video|videos|categories|category|browse|following)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("rumble", ('rumble.com',), (
        ("name", r"\A/+(?:c|user)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("reddit", ('reddit.com',), (
        ("name", r"\A/+(?:u|user)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
        ("name", r"\A/+r/+u_(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("reddit", ('redd.it',), (
    )),
    ("medium", ('medium.com',), (
        ("name", r"\A/+(?:@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("github", ('github.com',), (
        ("name", r"\A/+(?!(?:features|orgs|topics|search|login|settings)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("snapchat", ('snapchat.com',), (
        ("name", r"\A/+(?:add/+|@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("pinterest", ('pinterest.com',), (
        ("name", r"\A/+(?!(?:pin|search|ideas|explore|today)(?:[/?#]|\Z))(?:@|"
            r"%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("pinterest", ('pin.it',), (
    )),
    ("tradingview", ('tradingview.com',), (
        ("name", r"\A/+u/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("bluesky", ('bsky.app',), (
        ("name", r"\A/+profile/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("vk", ('vk.com', 'vk.me', 'vkontakte.ru'), (
        ("id", r"\A/+id([0-9]+)(?:[/?#&_].*)?\Z"),
        ("id", r"\A/+im/?\?(?:[^#]*&)?sel=([^&#]+).*\Z"),
        ("name", r"\A/+(?!(?:(?:wall|photo|video|club|public|event|app|album|topic|doc|market|"
            r"clip|story|audio|page)-?[0-9]+[^/?#]*|feed|im|away\.php|groups|search|friends|"
            r"login|settings|video|music|apps)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("weibo", ('weibo.com', 'weibo.cn'), (
        ("id", r"\A/+(?:u/)?([0-9]{5,})(?:[/?#&_].*)?\Z"),
        ("name", r"\A/+n/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
        ("name", r"\A/+(?!(?:p|u|n|tv|hot|login|ajax)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("xiaohongshu", ('xiaohongshu.com',), (
        ("id", r"\A/+user/profile/([A-Za-z0-9]+)(?:[/?#&_].*)?\Z"),
    )),
    ("xiaohongshu", ('xhslink.com',), (
    )),
    ("bilibili", ('space.bilibili.com',), (
        ("id", r"\A/+([0-9]+)(?:[/?#&_].*)?\Z"),
    )),
    ("bilibili", ('bilibili.com', 'b23.tv'), (
    )),
    ("zhihu", ('zhihu.com',), (
        ("name", r"\A/+(?:people|org)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z"),
    )),
    ("douyin", ('douyin.com',), (
        ("id", r"\A/+user/([A-Za-z0-9_.-]+)(?:[/?#&_].*)?\Z"),
    )),
    ("douyin", ('v.douyin.com',), (
    )),
)

DIGITS = "".join(chr(zero + value) for zero in ZEROS for value in range(10))
PLATFORMS = (
    "x telegram youtube tiktok douyin instagram threads facebook discord whatsapp wechat email phone line "
    "signal viber skype kakaotalk zalo qq linkedin twitch kick rumble reddit medium github snapchat "
    "pinterest tradingview bluesky vk weibo xiaohongshu bilibili zhihu"
).split()


def _listed(texts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)


def _at_each_site() -> str:
    """A branch for each site: the first pattern that fits says what the address holds."""
    branches = []
    for platform, hosts, places in SITES:
        tries = "".join(
            f"""
        part := (regexp_match(address, '{pattern}', 'i'))[1];
        if part is not null then return review.identity_part('{platform}', '{kind}', part); end if;"""
            for kind, pattern in places
        )
        branches.append(f"if host in ({_listed(hosts)}) then{tries}\n        return '';\n    els")
    return "".join(branches).removesuffix("els") + "end if;"


def _main_hosts() -> str:
    first = {platform: hosts[0] for platform, hosts, _ in reversed(SITES)}
    return " ".join(f"when '{platform}' then '{host}'" for platform, host in first.items())


# Their results are kept in indexes, so they may depend on nothing but the text.
FUNCTIONS = rf"""
create function review.look_of(typed text) returns text
language sql immutable strict parallel safe
return case when octet_length(typed) = length(typed) then translate(typed, '01i|', 'olll')
    else translate(typed, U&'{LETTERS.replace("u", "")}', '{MEANT}') end;
comment on function review.look_of(text) is 'What the eye makes of a name in small letters: look-alike letters as one';

create function review.without_quotes(typed text) returns text
language sql immutable strict parallel safe
return rtrim(ltrim(typed, E'{BEFORE}'), E'{BEHIND}');
comment on function review.without_quotes(text) is 'Without what people put around a name or an address';

create function review.unescaped(typed text) returns text
language sql immutable strict parallel safe
return case when strpos(typed, '%') = 0 then typed else (
    select coalesce(string_agg(case when length(found[1]) > 1
        then convert_from(decode(replace(found[1], '%', ''), 'hex'), 'UTF8') else found[1] end, '' order by place), '')
    from regexp_matches(typed, '({ESCAPED}|.)', 'gi') with ordinality as x(found, place)) end;
comment on function review.unescaped(text) is 'An address without percent signs, where they spell out characters';

create function review.phone_digits(typed text) returns text
language sql immutable strict parallel safe
return (select case when length(digits) between 7 and 15 then digits else '' end
    from regexp_replace(regexp_replace(regexp_replace(
        translate(typed, '{DIGITS}', '{"0123456789" * len(ZEROS)}'), '{TRUNK_ZERO}', '', 'g'), '[^0-9]', '', 'g'),
        '\A00', '') as digits);
comment on function review.phone_digits(text) is 'The digits of a phone with its country; empty where there are too few or too many';

create function review.identity_named(platform text, name text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    shape constant text := case platform {" ".join(f"when '{key}' then '{shape}'" for key, shape in ID_SHAPES.items())} end;
    id constant text := (regexp_match(name, shape))[1];
    typed text collate "C" := name;
begin
    if id is not null then
        return case when length(id) < 3 then '' else left(platform || '#' || id, 200) end;
    end if;
    if platform = 'discord' then
        typed := regexp_replace(typed, '{NO_NUMBER}', '');
    end if;
    if left(typed, 1) = '+' then
        return '';
    end if;
    typed := review.folded(typed);
    return case when length(typed) < 3 then '' else left(platform || ':' || review.look_of(typed), 200) end;
end
$function$;
comment on function review.identity_named(text, text) is 'Whom a plain name on a platform means';

create function review.identity_part(platform text, kind text, part text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    typed constant text := review.without_quotes(review.unescaped(part));
    digits text;
begin
    if kind = 'name' then
        return review.identity_named(platform, typed);
    end if;
    if kind = 'phone' then
        digits := review.phone_digits(typed);
        return case when digits = '' then '' else '+' || digits end;
    end if;
    return case when length(typed) < 3 then '' else left(platform || '#' || typed, 200) end;
end
$function$;
comment on function review.identity_part(text, text, text) is 'Whom a part of an address names';

create function review.identity_at(host text, rest text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    address constant text collate "C" := '/' || ltrim(rest, '/');
    part text;
begin
    {_at_each_site()}
    return null;
end
$function$;
comment on function review.identity_at(text, text) is 'Whom an address at a host names; empty for nobody, null for an unknown host';

create function review.identity_at_host(host text, rest text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    here constant text collate "C" := lower(host collate "C");
    found constant text := review.identity_at(here, rest);
begin
    if found is not null then
        return found;
    end if;
    if here ~ '{SUBDOMAIN}' then
        return review.identity_named('telegram', (regexp_match(here, '{SUBDOMAIN}'))[1]);
    end if;
    return review.identity_at(regexp_replace(here, '{DOORS}', ''), rest);
end
$function$;
comment on function review.identity_at_host(text, text) is 'The same at a host that may stand behind a door such as www';

create function review.identity_in_link(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    link constant text collate "C" := typed;
    part text[] := regexp_match(link, '{WEB}', 'i');
    found text;
begin
    if part is not null then
        found := regexp_replace(regexp_replace(part[1], '\A.*@', ''), '{PORT}', '');
        return coalesce(review.identity_at_host(found, part[2]), '');
    end if;
    part := regexp_match(link, '{APP}', 'i');
    if part is not null then
        found := coalesce(review.identity_at(lower(part[1] collate "C"), part[3]), '');
        return case when part[2] is not null or found <> '' then found end;
    end if;
    part := regexp_match(link, '{BARE}', 'i');
    if part is null then
        return null;
    end if;
    found := review.identity_at_host(part[1], coalesce(part[2], ''));
    return case when found is null and strpos(part[2], '/') > 0 then '' else found end;
end
$function$;
comment on function review.identity_in_link(text) is 'Whom an address names; empty for nobody, null where the text is none';

create function review.identity_key(platform text, handle text) returns text
language plpgsql immutable parallel safe
as $function$
declare
    typed text collate "C" := left(handle, 2000);
    key text collate "C" := review.platform_key(coalesce(platform, ''));
    part text[];
    found text;
begin
    if handle is null then
        return null;
    end if;
    if octet_length(typed) <> length(typed) then
        typed := regexp_replace(normalize(typed, NFKC), '{ZERO_WIDTH}', '', 'g');
    end if;
    typed := review.without_quotes(typed);
    -- Most handles are a bare name, in which there is nothing to find.
    if typed ~ '\A[A-Za-z_][A-Za-z0-9_]*\Z' then
        return review.identity_named(key, typed);
    end if;
    part := regexp_match(typed, '{ADDRESS}', 'i');
    if part is not null then
        return left('email:' || review.look_of(review.folded(review.unescaped(part[1]))), 200);
    end if;
    found := review.identity_in_link(typed);
    if found is null then
        part := regexp_match(typed, '{LABELLED}');
        if review.platform_key(part[1]) in ({_listed(PLATFORMS)}) then
            key := review.platform_key(part[1]);
            typed := review.without_quotes(part[2]);
            found := review.identity_in_link(typed);
        end if;
    end if;
    if found is not null then
        return found;
    end if;
    found := translate(typed, '{DIGITS}', '{"0123456789" * len(ZEROS)}');
    if found ~ '{PHONE}' and (left(found, 1) = '+' or key in ({_listed(PHONED)})) then
        found := review.phone_digits(found);
        if found <> '' then
            return '+' || found;
        end if;
    end if;
    if typed ~ '[/?]' then
        return case when strpos(typed, ':') > 0 then '' else coalesce(review.identity_at(case key {_main_hosts()} end, typed), '') end;
    end if;
    return review.identity_named(key, typed);
end
$function$;
comment on function review.identity_key(text, text) is 'What two handles of the same person have in common; empty where one names nobody, at most 200 characters';

create function review.searchable(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    plain constant text := review.folded(typed);
    digits text collate "C" := translate(plain, '{DIGITS}', '{"0123456789" * len(ZEROS)}');
begin
    if digits !~ '{PHONE}' then
        return plain;
    end if;
    digits := regexp_replace(regexp_replace(regexp_replace(
        digits, '{TRUNK_ZERO}', '', 'g'), '[^0-9]', '', 'g'), '\A00', '');
    return case when digits = '' then plain else plain || ' ' || digits end;
end
$function$;
comment on function review.searchable(text) is 'The long way of review.search_text';

create function review.search_text(typed text) returns text
language sql immutable parallel safe
return case when ascii(typed) between 64 and 127 then review.folded(typed)
    else review.searchable(typed) end;
comment on function review.search_text(text) is 'What is searched of a name, handle or contact: its folded text, and a phone''s digits';
"""

# The time comes along so that the newest of many are found first.
INDEXES = """
drop index exchange.applications_by_social_key;
drop index exchange.applications_by_contact_key;
drop function review.handle_key(text);
create index applications_by_social_identity on exchange.applications
    (review.identity_key(social_platform, social_handle) collate "C", submitted_at, application_id);
create index applications_by_contact_identity on exchange.applications
    (review.identity_key(contact_platform, contact_handle) collate "C", submitted_at, application_id);
"""
SEARCH = """
drop index exchange.accounts_username_search;
drop index exchange.applications_handle_search;
drop index exchange.applications_pending_handle_search;
create index accounts_username_search on exchange.accounts using gin ({username} gin_trgm_ops);
create index applications_handle_search on exchange.applications using gin ({social} gin_trgm_ops, {contact} gin_trgm_ops);
create index applications_pending_handle_search on exchange.applications
    using gin ({social} gin_trgm_ops, {contact} gin_trgm_ops) where status = 'pending';
"""
BEFORE_FOLDED = {"username": "username", "social": "social_handle", "contact": "contact_handle"}
FOLDED = {name: f"review.search_text({column})" for name, column in BEFORE_FOLDED.items()}


def upgrade() -> None:
    # Past SQLAlchemy, which would take the colons in the patterns for parameters.
    op.get_bind().exec_driver_sql(FUNCTIONS.replace("%", "%%"))
    op.execute(INDEXES)
    op.execute(SEARCH.format(**FOLDED))


def downgrade() -> None:
    op.execute(SEARCH.format(**BEFORE_FOLDED))
    op.execute("drop index exchange.applications_by_contact_identity")
    op.execute("drop index exchange.applications_by_social_identity")
    for name in (
        *("search_text(text)", "searchable(text)"),
        *("identity_key(text, text)", "identity_in_link(text)", "identity_at_host(text, text)"),
        *("identity_at(text, text)", "identity_part(text, text, text)", "identity_named(text, text)"),
        *("phone_digits(text)", "unescaped(text)", "without_quotes(text)", "look_of(text)"),
    ):
        op.execute(f"drop function review.{name}")
    before = op.get_context().script.get_revision("0004").module
    op.get_bind().exec_driver_sql(before.FUNCTION.replace("%", "%%"))
    op.execute(before.INDEXES)
