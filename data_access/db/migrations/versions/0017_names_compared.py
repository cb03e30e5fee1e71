"""Names as they are compared: platforms and other exchanges under one key, however spelled.

Everything here is frozen: a change of program.folding, platforms or exchanges needs a new
revision that replaces the functions and the column, and a test says so.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# First and last capital, step, and how far its small letter is.
CASED = (
    (0x41, 0x5A, 1, 32),
    (0xC0, 0xD6, 1, 32),
    (0xD8, 0xDE, 1, 32),
    (0x100, 0x12E, 2, 1),
    (0x132, 0x136, 2, 1),
    (0x139, 0x147, 2, 1),
    (0x14A, 0x176, 2, 1),
    (0x178, 0x178, 1, -121),
    (0x179, 0x17D, 2, 1),
    (0x181, 0x181, 1, 210),
    (0x182, 0x184, 2, 1),
    (0x186, 0x186, 1, 206),
    (0x187, 0x187, 1, 1),
    (0x189, 0x18A, 1, 205),
    (0x18B, 0x18B, 1, 1),
    (0x18E, 0x18E, 1, 79),
    (0x18F, 0x18F, 1, 202),
    (0x190, 0x190, 1, 203),
    (0x191, 0x191, 1, 1),
    (0x193, 0x193, 1, 205),
    (0x194, 0x194, 1, 207),
    (0x196, 0x196, 1, 211),
    (0x197, 0x197, 1, 209),
    (0x198, 0x198, 1, 1),
    (0x19C, 0x19C, 1, 211),
    (0x19D, 0x19D, 1, 213),
    (0x19F, 0x19F, 1, 214),
    (0x1A0, 0x1A4, 2, 1),
    (0x1A6, 0x1A6, 1, 218),
    (0x1A7, 0x1A7, 1, 1),
    (0x1A9, 0x1A9, 1, 218),
    (0x1AC, 0x1AC, 1, 1),
    (0x1AE, 0x1AE, 1, 218),
    (0x1AF, 0x1AF, 1, 1),
    (0x1B1, 0x1B2, 1, 217),
    (0x1B3, 0x1B5, 2, 1),
    (0x1B7, 0x1B7, 1, 219),
    (0x1B8, 0x1B8, 1, 1),
    (0x1BC, 0x1BC, 1, 1),
    (0x1C4, 0x1C4, 1, 2),
    (0x1C5, 0x1C5, 1, 1),
    (0x1C7, 0x1C7, 1, 2),
    (0x1C8, 0x1C8, 1, 1),
    (0x1CA, 0x1CA, 1, 2),
    (0x1CB, 0x1DB, 2, 1),
    (0x1DE, 0x1EE, 2, 1),
    (0x1F1, 0x1F1, 1, 2),
    (0x1F2, 0x1F4, 2, 1),
    (0x1F6, 0x1F6, 1, -97),
    (0x1F7, 0x1F7, 1, -56),
    (0x1F8, 0x21E, 2, 1),
    (0x220, 0x220, 1, -130),
    (0x222, 0x232, 2, 1),
    (0x23A, 0x23A, 1, 10795),
    (0x23B, 0x23B, 1, 1),
    (0x23D, 0x23D, 1, -163),
    (0x23E, 0x23E, 1, 10792),
    (0x241, 0x241, 1, 1),
    (0x243, 0x243, 1, -195),
    (0x244, 0x244, 1, 69),
    (0x245, 0x245, 1, 71),
    (0x246, 0x24E, 2, 1),
    (0x370, 0x372, 2, 1),
    (0x376, 0x376, 1, 1),
    (0x37F, 0x37F, 1, 116),
    (0x386, 0x386, 1, 38),
    (0x388, 0x38A, 1, 37),
    (0x38C, 0x38C, 1, 64),
    (0x38E, 0x38F, 1, 63),
    (0x391, 0x3A1, 1, 32),
    (0x3A3, 0x3AB, 1, 32),
    (0x3CF, 0x3CF, 1, 8),
    (0x3D8, 0x3EE, 2, 1),
    (0x3F4, 0x3F4, 1, -60),
    (0x3F7, 0x3F7, 1, 1),
    (0x3F9, 0x3F9, 1, -7),
    (0x3FA, 0x3FA, 1, 1),
    (0x3FD, 0x3FF, 1, -130),
    (0x400, 0x40F, 1, 80),
    (0x410, 0x42F, 1, 32),
    (0x460, 0x480, 2, 1),
    (0x48A, 0x4BE, 2, 1),
    (0x4C0, 0x4C0, 1, 15),
    (0x4C1, 0x4CD, 2, 1),
    (0x4D0, 0x52E, 2, 1),
    (0x531, 0x556, 1, 48),
    (0x1E00, 0x1E94, 2, 1),
    (0x1E9E, 0x1E9E, 1, -7615),
    (0x1EA0, 0x1EFE, 2, 1),
    (0x1F08, 0x1F0F, 1, -8),
    (0x1F18, 0x1F1D, 1, -8),
    (0x1F28, 0x1F2F, 1, -8),
    (0x1F38, 0x1F3F, 1, -8),
    (0x1F48, 0x1F4D, 1, -8),
    (0x1F59, 0x1F5F, 2, -8),
    (0x1F68, 0x1F6F, 1, -8),
    (0x1F88, 0x1F8F, 1, -8),
    (0x1F98, 0x1F9F, 1, -8),
    (0x1FA8, 0x1FAF, 1, -8),
    (0x1FB8, 0x1FB9, 1, -8),
    (0x1FBA, 0x1FBB, 1, -74),
    (0x1FBC, 0x1FBC, 1, -9),
    (0x1FC8, 0x1FCB, 1, -86),
    (0x1FCC, 0x1FCC, 1, -9),
    (0x1FD8, 0x1FD9, 1, -8),
    (0x1FDA, 0x1FDB, 1, -100),
    (0x1FE8, 0x1FE9, 1, -8),
    (0x1FEA, 0x1FEB, 1, -112),
    (0x1FEC, 0x1FEC, 1, -7),
    (0x1FF8, 0x1FF9, 1, -128),
    (0x1FFA, 0x1FFB, 1, -126),
    (0x1FFC, 0x1FFC, 1, -9),
)
# One Greek letter has a form for the end of a word, and Turkish has two letters i.
UNIFIED = {0x3C2: 0x3C3, 0x130: 0x69, 0x131: 0x69}
ZERO_WIDTH = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
SEPARATORS = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf"
    r"\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]"
)
WORDS = {
    "x": "x twitter xtwitter twitterx xcom twittercom xformerlytwitter twitternowx xextwitter tweeter 推特 ツイッター 트위터 твиттер تويتر توییتر",
    "telegram": "telegram tg tme telegramme telegramdog telegramorg telegramm telegrem 电报 電報 텔레그램 テレグラム телеграм телеграмм телега тг تلگرام تيليجرام تلجرام تيليغرام טלגרם เทเลแกรม",
    "youtube": "youtube yt youtubecom 油管 유튜브 ユーチューブ ютуб ютюб يوتيوب یوتیوب",
    "tiktok": "tiktok tt tiktokcom 틱톡 ティックトック тикток تيكتوك",
    "douyin": "douyin 抖音 douyincom",
    "instagram": "instagram ig insta instagramcom 照片墙 인스타그램 インスタグラム インスタ инстаграм инста إنستغرام انستقرام اینستاگرام",
    "threads": "threads threadsnet threadscom",
    "facebook": "facebook fb meta facebookcom fbcom fbme mme fbmessenger 脸书 臉書 페이스북 フェイスブック фейсбук فيسبوك فیسبوک",
    "discord": "discord dc discordcom discordgg discordappcom 디스코드 ディスコード дискорд ديسكورد",
    "whatsapp": "whatsapp wa wapp whats whatsup whatsap watsapp wame whatsappcom zap 왓츠앱 ワッツアップ ватсап вотсап واتساب واتساپ",
    "wechat": "wechat wx weixin 微信 薇信 위챗 ウィーチャット вичат wechatcom",
    "email": "email mail emailaddress mailaddress gmail googlemail 邮箱 邮件 電子郵件 电子邮件 电子邮箱 電郵 이메일 메일 メール eメール почта элпочта электроннаяпочта имейл correo correoelectrónico eposta courriel adresseemail emailadresse surel thưđiệntử بريدإلكتروني البريدالإلكتروني ایمیل אימייל อีเมล",
    "phone": "phone telephone phonenumber mobile mobilephone cell cellphone call tel 电话 手机 電話 전화 телефон teléfono telefone téléphone telefon هاتف sms textmessage imessage",
    "line": "line lineme 라인 ライン ไลน์",
    "signal": "signal signalme signalorg сигнал",
    "viber": "viber вайбер vibercom",
    "skype": "skype скайп skypecom",
    "kakaotalk": "kakaotalk kakao 카카오톡 카톡 kakaocom",
    "zalo": "zalo zalome",
    "qq": "qq 扣扣 tencentqq",
    "linkedin": "linkedin linkedincom 领英 링크드인 لينكدإن",
    "twitch": "twitch twitchtv 트위치 твич",
    "kick": "kick kickcom",
    "rumble": "rumble rumblecom",
    "reddit": "reddit redditcom 레딧 реддит",
    "medium": "medium mediumcom",
    "github": "github githubcom",
    "snapchat": "snapchat snap snapchatcom سنابشات",
    "pinterest": "pinterest pinterestcom",
    "tradingview": "tradingview tradingviewcom",
    "bluesky": "bluesky bsky bskyapp",
    "vk": "vk vkontakte vkcom вк вконтакте",
    "weibo": "weibo sinaweibo weibocom 微博 新浪微博",
    "xiaohongshu": "xiaohongshu red rednote xhs 小红书 小紅書 xiaohongshucom",
    "bilibili": "bilibili b站 哔哩哔哩 bilibilicom",
    "zhihu": "zhihu 知乎 zhihucom",
}
ABOUT = (
    "account|accounts|channel|chat|contact|group|handle|id|link|messenger|name|number|page|"
    "profile|server|url|user|username|business|app|канал|频道|账号|号|채널|チャンネル"
)
ADDRESS = r"\A(?:[a-z]+://)?(?:www\.|m\.)?([a-z0-9.-]+\.[a-z]+)(?:[/?#].*)?\Z"
ENDINGS = (
    "com|net|org|io|co|app|xyz|finance|trade|exchange|ai|me|us|eu|uk|tr|jp|kr|sg|au|ca|br|"
    "in|hk|ae|kz|ru|pro|plus|ltd|inc|llc|official|vip|spot|main|account"
)
ADDITIONS = (
    "exchange|global|international|intl|futures|derivatives|perpetual|perps|europe|america|"
    "asia|japan|korea|turkey|turkiye|brazil|india|australia|singapore|hongkong|cex|dex|"
    "wallet"
)
AROUND = rf"(?:{SEPARATORS}+(?:{ENDINGS})|{SEPARATORS}*(?:{ADDITIONS}))+{SEPARATORS}*\Z"

SMALL = {
    code: code + away for first, last, step, away in CASED for code in range(first, last + 1, step)
} | UNIFIED
KNOWN = [(name, key) for key, names in WORDS.items() for name in names.split()]


def _array(texts: list[str]) -> str:
    return "array[" + ",".join(f"'{text}'" for text in texts) + "]"


# Their results are kept in columns and indexes, so they may depend on nothing but the text:
# hence the collation, under which lower() knows ASCII alone. What is plain takes a short way.
FUNCTIONS = rf"""
create function review.folded_beyond_ascii(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
begin
    return replace(replace(translate(
    regexp_replace(normalize(left(typed, 2000), NFKC) collate "C", '{ZERO_WIDTH}', '', 'g'),
    '{"".join(map(chr, SMALL))}', '{"".join(map(chr, SMALL.values()))}'), U&'\00df', 'ss'), U&'i\0307', 'i');
end
$function$;
comment on function review.folded_beyond_ascii(text) is 'The long way of review.folded';

create function review.folded(typed text) returns text
language sql immutable parallel safe
return case when octet_length(typed) = length(typed) then lower(left(typed, 2000) collate "C")
    else review.folded_beyond_ascii(typed) end;
comment on function review.folded(text) is 'Text as it is compared: small letters, composed, without invisible characters';

create function review.word(typed text) returns text
language sql immutable strict parallel safe
return left(coalesce(
    nullif(normalize(regexp_replace(review.folded(typed) collate "C", '{SEPARATORS}', '', 'g'), NFKC), ''),
    btrim(review.folded(typed), ' ')), 100);
comment on function review.word(text) is 'The letters and digits of a name alone, at most 100';

create function review.platform_meant(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    names constant text[] := {_array([name for name, _ in KNOWN])};
    keys constant text[] := {_array([key for _, key in KNOWN])};
    name constant text collate "C" := review.word(typed);
begin
    return coalesce(
        keys[array_position(names, name)],
        keys[array_position(names, regexp_replace(name, '(?:{ABOUT})+\Z', ''))],
        name);
end
$function$;
comment on function review.platform_meant(text) is 'The long way of review.platform_key';

create function review.platform_key(typed text) returns text
language sql immutable parallel safe
return case when typed in ({", ".join(f"'{key}'" for key in WORDS)}) then typed
    else review.platform_meant(typed) end;
comment on function review.platform_key(text) is 'The key of the platform that is meant, whatever it is called';

create function review.exchange_key(name text, told_apart boolean) returns text
language sql immutable strict parallel safe
return case when told_apart then '=' || review.word(name) else coalesce(
    nullif(review.word(regexp_replace(regexp_replace(
        review.folded(name) collate "C", '{ADDRESS}', '\1'), '{AROUND}', '')), ''),
    review.word(name)) end;
comment on function review.exchange_key(text, boolean) is 'What volumes on other exchanges are taken together by';
"""

COLUMNS = """
alter table review.evidence drop column exchange_key;
alter table review.evidence add column told_apart boolean not null default false;
alter table review.evidence add column exchange_key text generated always as (
    case when kind = 'external_volume'
        then review.exchange_key(coalesce(exchange_name, ''), told_apart) else '' end) stored;
create index evidence_by_application on review.evidence
    (application_id, kind, exchange_key, observed_at desc, evidence_id desc) include (value);
comment on column review.evidence.told_apart is 'Whoever recorded it said that this exchange is none of those with a similar name';
comment on column review.evidence.exchange_key is 'What volumes are taken together by: the exchange''s name however spelled, without additions unless told apart';
"""
BEFORE = """
alter table review.evidence drop column exchange_key;
alter table review.evidence drop column told_apart;
alter table review.evidence add column exchange_key text generated always as (
    case when kind = 'external_volume' then lower(btrim(coalesce(exchange_name, ''))) else '' end) stored;
create index evidence_by_application on review.evidence
    (application_id, kind, exchange_key, observed_at desc, evidence_id desc) include (value);
comment on column review.evidence.exchange_key is 'What tells one exchange from another: the name without case and outer spaces';
drop function review.exchange_key(text, boolean);
drop function review.platform_key(text);
drop function review.platform_meant(text);
drop function review.word(text);
drop function review.folded(text);
drop function review.folded_beyond_ascii(text);
"""


def upgrade() -> None:
    # Past SQLAlchemy, which would take the colons in the patterns for parameters.
    op.get_bind().exec_driver_sql(FUNCTIONS.replace("%", "%%"))
    op.execute(COLUMNS)


def downgrade() -> None:
    op.execute(BEFORE)
