"""Every policy setting that people can change, as one table, and the rules between settings.

Forms, the history, the documents and the validation of drafts read this table. A new setting is a
field of `Policy`, a column, and a row here; a threshold of a risk signal only a row of signals.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from program import wording
from program.periods import WindowKind
from program.policy import checklist, thresholds
from program.policy.criteria import ACTIVE_USERS, EXTERNAL_VOLUME, NEW_USERS, VOLUME, X_FOLLOWERS
from program.policy.policy import Policy
from program.policy.setting import WHOLES, Group, Rule, Setting, SettingKind, Value
from program.text import numbers

HIGHEST_MONEY = Decimal(10) ** 15
HIGHEST_COUNT = Decimal(10) ** 9
# A number as its field shows it.
SEPARATED = re.compile(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
WINDOW_WORDS = {
    WindowKind.TRAILING_30_DAYS: "the 30 days that end with the data-through day",
    WindowKind.CALENDAR_MONTH: "the last whole calendar month",
}


def _money(name: str, label: str, group: Group, explanation: str, **given: Any) -> Setting:  # noqa: ANN401
    return Setting(
        name=name,
        label=label,
        group=group,
        kind=SettingKind.MONEY,
        unit="USD",
        least=Decimal(0),
        most=HIGHEST_MONEY,
        places=2,
        explanation=explanation,
        **given,
    )


def _count(name: str, label: str, group: Group, unit: str, explanation: str) -> Setting:
    return Setting(
        name=name,
        label=label,
        group=group,
        kind=SettingKind.COUNT,
        unit=unit,
        least=Decimal(0),
        most=HIGHEST_COUNT,
        explanation=explanation,
    )


def _rate(name: str, label: str, explanation: str) -> Setting:
    return Setting(
        name=name,
        label=label,
        group=Group.REBATE,
        kind=SettingKind.RATE,
        unit="% of net fees",
        least=Decimal(0),
        most=Decimal(1),
        places=4,
        explanation=explanation,
    )


SETTINGS: tuple[Setting, ...] = (
    _money(
        "min_volume_usd",
        "Referral volume, at least",
        Group.MINIMUMS,
        "On-exchange track: trading volume of all referred users in a month.",
    ),
    _count(
        "min_active_users",
        "Active users, at least",
        Group.MINIMUMS,
        "users",
        "On-exchange track: distinct referred users who traded in a month.",
    ),
    _count(
        "min_new_users",
        "New users, at least",
        Group.MINIMUMS,
        "users",
        "On-exchange track: users referred in a month.",
    ),
    _count(
        "min_x_followers",
        "Followers on X, more than",
        Group.MINIMUMS,
        "followers",
        "External track: the newest current observation. Exactly this many is not enough.",
    ),
    _money(
        "min_external_volume_usd",
        "Volume on other exchanges, at least",
        Group.MINIMUMS,
        "External track: current observations of all exchanges, added up, in 30 days.",
    ),
    Setting(
        name="window_kind",
        label="A month is",
        group=Group.COUNTING,
        kind=SettingKind.CHOICE,
        choices=tuple(WindowKind),
        explanation="The days over which volume, active and new users are counted. UTC.",
        recounts=(VOLUME.key, ACTIVE_USERS.key, NEW_USERS.key),
    ),
    _money(
        "active_user_min_volume_usd",
        "A user is active from",
        Group.COUNTING,
        "Volume in the month that makes a referred user active. 0: any volume above 0.",
        recounts=(ACTIVE_USERS.key,),
    ),
    Setting(
        name="new_user_must_trade",
        label="A new user must have traded",
        group=Group.COUNTING,
        kind=SettingKind.YES_NO,
        explanation="Whether a new user counts only after trading in the month.",
        recounts=(NEW_USERS.key,),
    ),
    Setting(
        name="evidence_valid_days",
        label="Evidence is current for",
        group=Group.COUNTING,
        kind=SettingKind.DAYS,
        unit="days",
        least=Decimal(0),
        most=Decimal(3650),
        explanation="Age at which an observation stops counting, up to the data-through day.",
        recounts=(X_FOLLOWERS.key, EXTERNAL_VOLUME.key),
    ),
    _rate(
        "standard_rebate_rate",
        "Standard rate",
        "What every referrer gets. An approval grants more than this.",
    ),
    _rate("max_rebate_rate", "Highest rate", "The most that an approval may grant."),
    Setting(
        name="review_sla_business_days",
        label="Review within",
        group=Group.DESK,
        kind=SettingKind.DAYS,
        unit="business days",
        least=Decimal(1),
        most=Decimal(250),
        explanation="When an application is due; weekends and holidays do not count.",
    ),
    Setting(
        name="claim_idle_minutes",
        label="A claim expires after",
        group=Group.DESK,
        kind=SettingKind.COUNT,
        unit="minutes",
        least=Decimal(1),
        most=Decimal(7 * 24 * 60),
        explanation="Time without activity by the person who claimed an application.",
        unreplayed="which claims would have expired",
    ),
    Setting(
        name="second_approval_for_overrides",
        label="Against the computed eligibility",
        group=Group.SECOND,
        kind=SettingKind.YES_NO,
        explanation="Whether a decision against the computed eligibility needs a second person.",
        unreplayed="which decisions would have needed a second person",
    ),
    _money(
        "second_approval_monthly_extra_usd",
        "Extra cost a month, from",
        Group.SECOND,
        "Cost beyond the standard rate from which an approval needs a second person.",
        optional=True,
        none="never, at any cost",
    ),
    Setting(
        name="requalification_misses",
        label="Suspend after",
        group=Group.AFFILIATES,
        kind=SettingKind.COUNT,
        unit="missed months in a row",
        least=Decimal(1),
        most=Decimal(12),
        explanation="At this number a suspension is suggested, below it a notice. A manager "
        "decides.",
    ),
    Setting(
        name="requalification_protection_months",
        label="New affiliates are protected for",
        group=Group.AFFILIATES,
        kind=SettingKind.COUNT,
        unit="whole months",
        least=Decimal(0),
        most=Decimal(24),
        explanation="A miss in the first whole months after an approval does not count.",
    ),
    Setting(
        name="requalification_silent",
        label="Silent",
        group=Group.AFFILIATES,
        kind=SettingKind.YES_NO,
        explanation="Whether affiliates get no message when their standing changes.",
        unreplayed="who would get a message",
    ),
    Setting(
        name="checklist",
        label="Items to answer",
        group=Group.CHECKLIST,
        kind=SettingKind.CHECKS,
        choices=tuple(checklist.ITEMS_BY_KEY),
        explanation="Due-diligence items on an application's page, in this order.",
        unreplayed="what reviewers would answer",
    ),
    Setting(
        name="required_checks",
        label="Required before an approval",
        group=Group.CHECKLIST,
        kind=SettingKind.CHECKS,
        choices=tuple(checklist.ITEMS_BY_KEY),
        explanation="Those that must be passed, or not apply, before an approval.",
        unreplayed="which approvals would have lacked an item",
    ),
    *thresholds.rows(),
)
SETTINGS_BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting that differs between two policies."""

    setting: Setting
    old: Value
    new: Value

    @property
    def words(self) -> tuple[str, str]:
        """The old and new value, formatted."""
        return words(self.setting, self.old), words(self.setting, self.new)


RULES: tuple[Rule, ...] = (
    Rule(
        settings=("max_rebate_rate", "standard_rebate_rate"),
        holds=lambda policy: policy.max_rebate_rate >= policy.standard_rebate_rate,
        sentence=lambda policy: (
            f"The highest rate, {wording.percent(policy.max_rebate_rate)}, is below the standard "
            f"one, {wording.percent(policy.standard_rebate_rate)}. Raise one or lower the other."
        ),
    ),
    Rule(
        settings=("max_rebate_rate", "standard_rebate_rate"),
        holds=lambda policy: policy.max_rebate_rate != policy.standard_rebate_rate,
        sentence=lambda _: (
            "The highest rate equals the standard one, so no approval could grant anything. "
            "Raise the highest rate."
        ),
    ),
    Rule(
        settings=("checklist", "required_checks"),
        holds=lambda policy: set(policy.required_checks) <= set(policy.checklist),
        sentence=lambda policy: (
            f"Required before an approval but not on the checklist: {_missing_checks(policy)}. "
            "Add it to the checklist, or do not require it."
        ),
    ),
    *thresholds.rules(),
)


def value(policy: Policy, setting: Setting) -> Value:
    """Return the value of ``setting`` in ``policy``."""
    if setting.threshold is not None:
        return thresholds.value(policy, setting.threshold)
    found: Value = getattr(policy, setting.name)
    return found


def with_values(policy: Policy, values: Mapping[str, Any]) -> Policy:
    """Return the policy with these values, by name of setting."""
    of_risk = {name for name in values if SETTINGS_BY_NAME[name].threshold is not None}
    fields = {name: value for name, value in values.items() if name not in of_risk}
    limits = {**policy.risk_thresholds, **{name: values[name] for name in of_risk}}
    return replace(policy, **fields, risk_thresholds=limits)


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return the settings in which the policies differ, in the table's order."""
    return tuple(
        Change(setting=setting, old=value(old, setting), new=value(new, setting))
        for setting in SETTINGS
        if value(old, setting) != value(new, setting)
    )


def recounted(old: Policy, new: Policy) -> frozenset[str]:
    """Return the keys of the criteria that the two policies count differently."""
    return frozenset(key for change in changes(old, new) for key in change.setting.recounts)


def faults(policy: Policy) -> tuple[str, ...]:
    """Return the errors of the settings and between them, a sentence each."""
    alone = [fault for setting in SETTINGS if (fault := _fault(setting, value(policy, setting)))]
    if alone:
        # Rules compare values, so each value must be valid first.
        return tuple(alone)
    return tuple(rule.sentence(policy) for rule in RULES if not rule.holds(policy))


def words(setting: Setting, of: Value) -> str:
    """Format a value with its unit."""
    if of is None:
        return setting.none or "not set"
    if isinstance(of, tuple):
        return ", ".join(checklist.item(key).label for key in of) or "none"
    if isinstance(of, bool):
        return "yes" if of else "no"
    if isinstance(of, str):
        return WINDOW_WORDS[WindowKind(of)] if of in setting.choices else of
    if setting.kind is SettingKind.RATE:
        return wording.percent(Decimal(of))
    number = wording.full_usd(Decimal(of)) if isinstance(of, Decimal) else f"{of:,}"
    return f"{number} {_unit(setting, of)}".strip()


def typed(setting: Setting, of: Value) -> str:
    """Format a number for an input field; a rate in percent."""
    if of is None:
        return ""
    if setting.kind is SettingKind.RATE:
        return wording.percent(Decimal(str(of))).removesuffix(" %")
    return wording.full_usd(Decimal(str(of)))


def parse(setting: Setting, text: str) -> Decimal | int | None:
    """Parse a typed number; raises ValueError with the sentence if it is none.

    Its unit and the separators that its field shows may stand with it; a rate is in percent.
    Empty is ``None``.
    """
    shown = numbers.as_seen(text)
    plain = shown.removesuffix("%").removesuffix("USD").strip()
    if not plain:
        return None
    if SEPARATED.fullmatch(plain):
        plain = plain.replace(",", "")
    whole = setting.kind in WHOLES
    try:
        number = numbers.read_typed(plain, whole=whole)
    except numbers.NotANumber as wrong:
        raise ValueError(f"{setting.label}: {wording.quoted(shown)} {wrong}.") from wrong
    if whole:
        return int(number)
    return number / 100 if setting.kind is SettingKind.RATE else number


def to_json(policy: Policy) -> dict[str, Any]:
    """Return every setting as plain JSON; numbers as text, so that readers do not use floats."""
    return {setting.name: _plain(value(policy, setting)) for setting in SETTINGS}


def from_json(kept: Mapping[str, Any], base: Policy) -> Policy:
    """Return ``base`` with the settings in ``kept``; settings added since keep the base's value."""
    known = {
        setting.name: _understood(value(base, setting), kept[setting.name], setting)
        for setting in SETTINGS
        if setting.name in kept
    }
    return with_values(base, known)


def _plain(of: Value) -> Any:  # noqa: ANN401 - plain JSON values
    if of is None or isinstance(of, bool):
        return of
    return list(of) if isinstance(of, tuple) else str(of)


def _understood(like: Value, kept: Any, setting: Setting) -> Any:  # noqa: ANN401
    if kept is None or isinstance(kept, bool):
        return kept
    if isinstance(kept, list):
        return tuple(kept)
    if setting.kind is SettingKind.CHOICE:
        # An unknown choice is kept, so that validation can name it.
        return WindowKind(kept) if kept in setting.choices else kept
    return int(kept) if isinstance(like, int) else Decimal(kept)


def _fault(setting: Setting, of: Value) -> str | None:
    if of is None:
        return None if setting.optional else f"{setting.label}: enter a value."
    if setting.choices:
        return _choice_fault(setting, of)
    if setting.kind is SettingKind.YES_NO:
        return None if isinstance(of, bool) else f"{setting.label}: choose yes or no."
    return _number_fault(setting, of)


def _choice_fault(setting: Setting, of: Value) -> str | None:
    chosen = of if isinstance(of, tuple) else (of,)
    strange = [wording.quoted(str(one)) for one in chosen if one not in setting.choices]
    if strange:
        return f"{setting.label}: there is no {', '.join(strange)}. Choose from the list."
    if len(set(chosen)) != len(chosen):
        return f"{setting.label}: an item is listed twice. Remove one."
    return None


def _number_fault(setting: Setting, of: Value) -> str | None:
    try:
        number = Decimal(str(of))
    except InvalidOperation:
        return f"{setting.label}: {of} is not a number."
    if not number.is_finite():
        return f"{setting.label}: {of} is not a number."
    if setting.least is not None and number < setting.least:
        return (
            f"{setting.label}: {words(setting, number)} is below {words(setting, setting.least)}."
        )
    if setting.most is not None and number > setting.most:
        return f"{setting.label}: {words(setting, number)} is above {words(setting, setting.most)}."
    if number != number.quantize(Decimal(1).scaleb(-setting.places)):
        decimals = setting.places - 2 if setting.kind is SettingKind.RATE else setting.places
        return f"{setting.label}: takes {f'at most {decimals}' if decimals else 'no'} decimals."
    return None


def _unit(setting: Setting, of: Decimal | int) -> str:
    if of == 1 and setting.kind is not SettingKind.MONEY:
        return setting.unit.replace("months", "month").removesuffix("s")
    return setting.unit


def _missing_checks(policy: Policy) -> str:
    missing = [key for key in policy.required_checks if key not in policy.checklist]
    return ", ".join(checklist.item(key).label for key in missing)
