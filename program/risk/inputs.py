"""The measured numbers behind a signal's value, as one table: their words and how they are written.

`data_access.risk` keeps them with each value; the application's page shows them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """How a number is written; lists hold several of them."""

    USD = "USD"
    COUNT = "count"
    SHARE = "share"
    NUMBER = "number"
    DAY = "day"
    HOUR = "hour"
    TEXT = "text"
    USER = "user"
    USERS = "users"
    ACCOUNT = "account"
    DAYS = "days"
    WINDOWS = "windows"
    YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One number behind a value: what it is, and how it is written."""

    words: str
    kind: Kind


def _of(words: str, kind: Kind = Kind.COUNT) -> Input:
    return Input(words=words, kind=kind)


# By the name under which it is kept, in the order of reading. A signal that means something else by
# it says so below.
INPUTS: Mapping[str, Input] = MappingProxyType(
    {
        "day": _of("day", Kind.DAY),
        "hour": _of("busiest hour, UTC", Kind.HOUR),
        "first_day": _of("from", Kind.DAY),
        "last_day": _of("until", Kind.DAY),
        "until": _of("until", Kind.DAY),
        "reached": _of("last minimum reached", Kind.DAY),
        "first_referred_on": _of("first referral", Kind.DAY),
        "since": _of("observed before", Kind.DAY),
        "at": _of("observed", Kind.DAY),
        "kind": _of("criterion", Kind.TEXT),
        "claimed": _of("claimed", Kind.NUMBER),
        "observed": _of("observed", Kind.NUMBER),
        "users": _of("users", Kind.USERS),
        "top_user": _of("top user", Kind.USER),
        "top_volume_usd": _of("its volume", Kind.USD),
        "effective_users": _of("as many as equal users", Kind.NUMBER),
        "smallest_volume_usd": _of("smallest active user", Kind.USD),
        "large_users": _of("users above the size of small ones"),
        "new_volume_usd": _of("volume of new users", Kind.USD),
        "once_users": _of("users who traded on one day only"),
        "tried_users": _of("users who had the time to return"),
        "once_list": _of("the largest of them", Kind.USERS),
        "dormant_users": _of("users who stopped"),
        "earlier_users": _of("users who traded before"),
        "woken_users": _of("users who were quiet before"),
        "woken_list": _of("the largest of them", Kind.USERS),
        "joint_days": _of("days both traded"),
        "matching_days": _of("days in one ratio"),
        "ratio": _of("ratio", Kind.NUMBER),
        "near_one": _of("the ratio is near 1", Kind.YES),
        "own_users": _of("users who look like the applicant"),
        "own_volume_usd": _of("their volume", Kind.USD),
        "own_list": _of("the first of them", Kind.USERS),
        "family_kind": _of("alike by", Kind.TEXT),
        "family_users": _of("users of one family"),
        "counting": _of("users with an address"),
        "family_list": _of("the first of them", Kind.USERS),
        "country": _of("most users from", Kind.TEXT),
        "country_users": _of("users from there"),
        "located": _of("users with a known country"),
        "home": _of("the affiliate's country", Kind.TEXT),
        "hour_users": _of("users created in it"),
        "created_users": _of("users with a known creation"),
        "median_days_to_referral": _of("median days from creation to referral", Kind.NUMBER),
        "same_day_traders": _of("who traded on the day of referral"),
        "new_traders": _of("new users who traded"),
        "unverified_users": _of("active users without a verified identity"),
        "unverified_volume_usd": _of("their volume", Kind.USD),
        "known_volume_usd": _of("volume of users with a known identity status", Kind.USD),
        "zero_fee_volume_usd": _of("volume without fees", Kind.USD),
        "user_days": _of("user-days"),
        "round_days": _of("user-days with a round volume"),
        "repeated_days": _of("user-days with a repeated volume"),
        "digit_days": _of("user-days"),
        "digit_spread": _of("spread of the logarithm", Kind.NUMBER),
        **{f"digit_{digit}": _of(f"beginning with {digit}") for digit in range(1, 10)},
        "ticket_days": _of("user-days with trades"),
        "ticket_spread": _of("spread of volume per trade", Kind.NUMBER),
        "same_count_days": _of("user-days with an equal number of trades"),
        "usual_size_usd": _of("usual volume per trade", Kind.USD),
        "fees_usd": _of("net fees", Kind.USD),
        "positive_fees_usd": _of("fees of users who pay any", Kind.USD),
        "program_yield": _of("the program's fees of volume", Kind.SHARE),
        "rate": _of("rebate rate", Kind.SHARE),
        "sign_ups": _of("sign-ups on it"),
        "three_days": _of("sign-ups in its three days"),
        "mean_before": _of("usual sign-ups a day", Kind.NUMBER),
        "variance_before": _of("their variance", Kind.NUMBER),
        "days": _of("days", Kind.DAYS),
        "applicants": _of("users who applied themselves"),
        "referrer": _of("referred by account", Kind.ACCOUNT),
        "referrer_terminated": _of("that affiliate was terminated", Kind.YES),
        "handle": _of("same handle as account", Kind.ACCOUNT),
        "contact": _of("same contact as account", Kind.ACCOUNT),
        "volume_usd": _of("volume", Kind.USD),
        "month_usd": _of("volume of the month", Kind.USD),
        "before_usd": _of("volume before", Kind.USD),
        "long_before_usd": _of("volume in the days before that", Kind.USD),
        "share": _of("share of the program", Kind.SHARE),
        "before": _of("before", Kind.SHARE),
        "share_before": _of("share before", Kind.SHARE),
        "after": _of("after", Kind.SHARE),
        "active_users": _of("active users"),
        "new_users": _of("new users"),
        "windows": _of("months just above a minimum", Kind.WINDOWS),
    }
)
OF_SIGNAL: Mapping[tuple[str, str], Input] = MappingProxyType(
    {
        ("R07", "volume_usd"): _of("its volume", Kind.USD),
        ("R08", "volume_usd"): _of("their volume", Kind.USD),
        ("R15", "volume_usd"): _of("their volume", Kind.USD),
        ("R21", "volume_usd"): _of("volume of the last days", Kind.USD),
        ("R26", "top_volume_usd"): _of("largest", Kind.USD),
        ("R28", "before"): _of("mean share of the program before", Kind.SHARE),
        ("R28", "after"): _of("after", Kind.SHARE),
        ("R30", "users"): _of("referred users"),
        ("R35", "before"): _of("followers before"),
        ("R35", "after"): _of("followers"),
    }
)


def find(signal: str, name: str) -> Input | None:
    """Return what is known of a kept number, or ``None`` if no such number is measured."""
    return OF_SIGNAL.get((signal, name)) or INPUTS.get(name)


def ordered(names: Iterable[str]) -> list[str]:
    """Return the known names in the order of reading."""
    given = set(names)
    return [name for name in INPUTS if name in given]
