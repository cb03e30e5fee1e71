"""Platforms: one key for every network and contact method, whatever people call it.

``review.platform_key`` in the database returns the same key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from program.text.folding import folded, word

EMAIL = "email"
SPELLINGS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform. ``called`` holds the names that people type besides its key and label."""

    key: str
    label: str
    called: tuple[str, ...] = ()


PLATFORMS: tuple[Platform, ...] = (
    Platform(
        key="x",
        label="X",
        called=(
            *("Twitter", "X (Twitter)", "Twitter (X)", "Twitter/X", "x.com", "twitter.com"),
            *("X formerly Twitter", "Twitter now X", "X (ex-Twitter)", "Tweeter"),
            *("推特", "ツイッター", "트위터", "Твиттер", "تويتر", "توییتر"),
        ),
    ),
    Platform(
        key="telegram",
        label="Telegram",
        called=(
            *("TG", "t.me", "telegram.me", "telegram.dog", "telegram.org", "Telegramm"),
            *("Telegrem",),
            *("电报", "電報", "텔레그램", "テレグラム", "Телеграм", "Телеграмм", "Телега", "ТГ"),
            *("تلگرام", "تيليجرام", "تلجرام", "تيليغرام", "טלגרם", "เทเลแกรม"),
        ),
    ),
    Platform(
        key="youtube",
        label="YouTube",
        called=(
            *("YT", "youtube.com", "youtu.be", "油管", "유튜브", "ユーチューブ"),
            *("Ютуб", "Ютюб", "يوتيوب", "یوتیوب"),
        ),
    ),
    Platform(
        key="tiktok",
        label="TikTok",
        called=(*("TT", "tiktok.com", "틱톡", "ティックトック", "Тикток", "تيك توك"),),
    ),
    Platform(key="douyin", label="Douyin", called=("抖音", "douyin.com")),
    Platform(
        key="instagram",
        label="Instagram",
        called=(
            *("IG", "Insta", "instagram.com", "instagr.am", "照片墙"),
            *("인스타그램", "インスタグラム", "インスタ", "Инстаграм", "Инста"),
            *("إنستغرام", "انستقرام", "اینستاگرام"),
        ),
    ),
    Platform(key="threads", label="Threads", called=("threads.net", "threads.com")),
    Platform(
        key="facebook",
        label="Facebook",
        called=(
            *("FB", "Meta", "facebook.com", "fb.com", "fb.me", "m.me", "FB Messenger"),
            *("脸书", "臉書", "페이스북", "フェイスブック", "Фейсбук", "فيسبوك", "فیسبوک"),
        ),
    ),
    Platform(
        key="discord",
        label="Discord",
        called=(
            *("DC", "discord.com", "discord.gg", "discordapp.com", "디스코드"),
            *("ディスコード", "Дискорд", "ديسكورد"),
        ),
    ),
    Platform(
        key="whatsapp",
        label="WhatsApp",
        called=(
            *("WA", "WApp", "Whats", "What's App", "WhatsUp", "Whatsap", "Watsapp", "wa.me"),
            *("whatsapp.com", "Zap", "왓츠앱", "ワッツアップ", "Ватсап", "Вотсап"),
            *("واتساب", "واتس اب", "واتساپ"),
        ),
    ),
    Platform(
        key="wechat",
        label="WeChat",
        called=("WX", "Weixin", "微信", "薇信", "위챗", "ウィーチャット", "Вичат", "wechat.com"),
    ),
    Platform(
        key=EMAIL,
        label="Email",
        called=(
            *("E-mail", "Mail", "E-mail address", "Mail address", "Gmail", "Google mail"),
            *("邮箱", "邮件", "電子郵件", "电子邮件", "电子邮箱", "電郵", "이메일"),
            *("메일", "メール", "Eメール"),
            *("Почта", "Эл. почта", "Электронная почта", "Имейл", "Correo", "Correo electrónico"),
            *("E-posta", "Courriel", "Adresse e-mail", "E-Mail-Adresse", "Surel", "Thư điện tử"),
            *("بريد إلكتروني", "البريد الإلكتروني", "ایمیل", "אימייל", "อีเมล"),
        ),
    ),
    Platform(
        key="phone",
        label="Phone",
        called=(
            *("Telephone", "Phone number", "Mobile", "Mobile phone", "Cell"),
            *("Cell phone", "Call"),
            *("Tel", "电话", "手机", "電話", "전화", "Телефон", "Teléfono", "Telefone"),
            *("Téléphone",),
            *("Telefon", "هاتف", "SMS", "Text message", "iMessage"),
        ),
    ),
    Platform(key="line", label="LINE", called=("line.me", "라인", "ライン", "ไลน์")),
    Platform(key="signal", label="Signal", called=("signal.me", "signal.org", "Сигнал")),
    Platform(key="viber", label="Viber", called=("Вайбер", "viber.com")),
    Platform(key="skype", label="Skype", called=("Скайп", "skype.com")),
    Platform(
        key="kakaotalk",
        label="KakaoTalk",
        called=("Kakao", "카카오톡", "카톡", "kakao.com"),
    ),
    Platform(key="zalo", label="Zalo", called=("zalo.me",)),
    Platform(key="qq", label="QQ", called=("扣扣", "Tencent QQ")),
    Platform(
        key="linkedin",
        label="LinkedIn",
        called=(*("linkedin.com", "领英", "링크드인", "لينكدإن"),),
    ),
    Platform(key="twitch", label="Twitch", called=("twitch.tv", "트위치", "Твич")),
    Platform(key="kick", label="Kick", called=("kick.com",)),
    Platform(key="rumble", label="Rumble", called=("rumble.com",)),
    Platform(key="reddit", label="Reddit", called=("reddit.com", "레딧", "Реддит")),
    Platform(key="medium", label="Medium", called=("medium.com",)),
    Platform(key="github", label="GitHub", called=("github.com",)),
    Platform(key="snapchat", label="Snapchat", called=("Snap", "snapchat.com", "سناب شات")),
    Platform(key="pinterest", label="Pinterest", called=("pinterest.com",)),
    Platform(key="tradingview", label="TradingView", called=("tradingview.com",)),
    Platform(key="bluesky", label="Bluesky", called=("bsky", "bsky.app")),
    Platform(key="vk", label="VK", called=("VKontakte", "vk.com", "ВК", "ВКонтакте")),
    Platform(key="weibo", label="Weibo", called=("Sina Weibo", "weibo.com", "微博", "新浪微博")),
    Platform(
        key="xiaohongshu",
        label="Xiaohongshu",
        called=("RED", "RedNote", "XHS", "小红书", "小紅書", "xiaohongshu.com"),
    ),
    Platform(key="bilibili", label="Bilibili", called=("B站", "哔哩哔哩", "bilibili.com")),
    Platform(key="zhihu", label="Zhihu", called=("知乎", "zhihu.com")),
)
BY_KEY: dict[str, Platform] = {platform.key: platform for platform in PLATFORMS}
# Words added to a platform's name without changing it: a YouTube channel is on YouTube.
ABOUT = (
    *("account", "accounts", "channel", "chat", "contact", "group", "handle", "id", "link"),
    *("messenger", "name", "number", "page", "profile", "server", "url", "user", "username"),
    *("business", "app", "канал", "频道", "账号", "号", "채널", "チャンネル"),
)
AROUND = re.compile(f"(?:{'|'.join(ABOUT)})+\\Z")
# Every word that means a platform, with its key.
WORDS: dict[str, str] = {
    word(name): platform.key
    for platform in PLATFORMS
    for name in (platform.key, platform.label, *platform.called)
}


def platform_key(typed: str) -> str:
    """Return the key of the platform that is meant; an unknown one is its own letters and digits.

    Empty if nothing was typed.
    """
    name = word(typed)
    return WORDS.get(name) or WORDS.get(AROUND.sub("", name)) or name


def choices(spelled: Mapping[str, int]) -> dict[str, str]:
    """Return a label per platform key, most frequent first, from the count of each spelling.

    A label lists the spellings, each once regardless of case, so that a search for any of them
    finds the choice.
    """
    often = sorted(spelled, key=lambda typed: (-spelled[typed], typed))
    by_key: dict[str, dict[str, str]] = {}
    for typed in often:
        key = platform_key(typed)
        if key:
            by_key.setdefault(key, {}).setdefault(folded(typed).strip(), typed.strip())
    return {key: ", ".join([*names.values()][:SPELLINGS_SHOWN]) for key, names in by_key.items()}


def platform_label(key: str) -> str:
    """Return a known platform's label; for another, the key."""
    return BY_KEY[key].label if key in BY_KEY else key


def platform_name(typed: str) -> str:
    """Return the key of a known platform; for another, the typed name without outer spaces."""
    key = platform_key(typed)
    return key if key in BY_KEY else typed.strip()
