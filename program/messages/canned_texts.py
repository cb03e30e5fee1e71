"""Texts of messages to applicants, and the placeholders in them.

A filled text is parsed again: it is previewed, edited, stored, validated before sending, and
perhaps filled once more. By then a placeholder typed by a colleague cannot be told from the same
letters in a name that an applicant chose. So filling marks values: word joiners, which have no
width, go between and beside braces in a value. A username ``{{minimums}}`` then looks as it is
spelled but is no placeholder, so it neither inserts text nor blocks sending. The same letters typed
by a colleague are a placeholder before and after filling.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from program import wording
from program.periods import Window, WindowKind
from program.policy.criteria import ON_EXCHANGE, Comparison, Requires, Unit
from program.policy.eligibility import Assessment, CriterionResult, Facts, TrackResult, assess
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review.reapplication import reapply_sentence
from program.review.workflow import REASONS_BY_CODE

EXCHANGE = "the exchange"

# Whole placeholders of a bounded length first, then unpaired braces.
_BRACES = re.compile(r"\{\{([^{}]{0,60})\}\}|\{\{(?!\{)|\}\}")
# Also at a value's ends: the text around it may have braces there.
_BESIDE_BRACES = re.compile(r"(?<=[{}])(?=[{}])|\A(?=[{}])|(?<=[{}])\Z")
WORD_JOINER = "\u2060"
BROKEN = "…"


class Use(StrEnum):
    """The kind of message that a text is for."""

    APPROVAL = "approval"
    REJECTION = "rejection"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rejection says of the applicant: if the fact is known, and if it is not.

    The words for unknown assert nothing.
    """

    known: str
    unknown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """A text to start from. A rejection's ``key`` is its reason code.

    ``rationale`` begins the suggested internal rationale; ``None`` if a person must write it.
    ``finding`` replaces ``{{finding}}``.
    """

    use: Use
    key: str
    label: str
    message: str
    rationale: str | None = None
    finding: Finding | None = None


_HELLO = "Hello {{username}},\n\n"
_THANKS = _HELLO + "Thank you for applying to the affiliate program. "
_NOT_ABLE = "After review we are not able to accept your application."
_ASK = (
    _HELLO + "We are reviewing your application to the affiliate program, number "
    "{{application_id}}. "
)
_ANSWER = " Your application waits for your answer and keeps its place."

CANNED: tuple[Canned, ...] = (
    Canned(
        use=Use.APPROVAL,
        key="welcome",
        label="Welcome",
        message=(
            _HELLO + "Welcome to the affiliate program of {{exchange}}. Your application is "
            "approved. From now on your rebate is {{rebate_rate}} of the net trading fees of the "
            "users you refer. It is paid for users who have completed identity verification, and "
            "a referral cannot be added afterwards."
        ),
        rationale="",
    ),
    Canned(
        use=Use.REJECTION,
        key="below_minimums",
        label="Below the minimums",
        message=(
            _THANKS + "We cannot accept your application at present, because {{finding}}. "
            "{{criterion_gap}}\n\n{{minimums}}\n\n{{reapply_from}}"
        ),
        rationale="",
        finding=Finding(
            known="the minimums are not reached yet",
            unknown="we have nothing that shows that the minimums are reached",
        ),
    ),
    Canned(
        use=Use.REJECTION,
        key="evidence_missing",
        label="Reach could not be confirmed",
        message=(
            _THANKS + "We could not confirm the reach of {{social_handle}} or the volume you "
            "have on other exchanges, so we cannot accept your application at present. A public "
            "profile that names your account here, or a statement of the last 30 days from the "
            "other exchange, would be enough.\n\n{{reapply_from}}"
        ),
        rationale="Reach or volume elsewhere could not be confirmed.",
    ),
    Canned(
        use=Use.REJECTION,
        key="account_not_in_order",
        label="Account not in order",
        message=(
            _THANKS + "{{finding}} Please complete identity verification, where that is open, "
            "and for anything else contact support.\n\n{{reapply_from}}"
        ),
        rationale="Identity verification or account standing is not in order.",
        finding=Finding(
            known="Your account does not currently meet the program's requirements, so we "
            "cannot accept your application at present.",
            unknown=_NOT_ABLE,
        ),
    ),
    Canned(
        use=Use.REJECTION,
        key="audience_not_genuine",
        label="Audience or activity not genuine",
        message=(_THANKS + f"{_NOT_ABLE}\n\n{{{{reapply_from}}}}"),
        rationale="Audience or referred activity is judged not genuine.",
    ),
    Canned(
        use=Use.REJECTION,
        key="promotion_methods",
        label="Promotion methods not acceptable",
        message=(_THANKS + "{{finding}}\n\n{{reapply_from}}"),
        rationale="Promotion methods do not follow the program's rules.",
        finding=Finding(
            known=f"The way {EXCHANGE} is promoted does not follow the program's rules, so we "
            "cannot accept your application.",
            unknown=_NOT_ABLE,
        ),
    ),
    Canned(
        use=Use.REJECTION,
        key="api_broker",
        label="Already an API broker",
        message=(
            _THANKS + "{{finding}} The program cannot be combined with the API Broker program; "
            "whoever leaves that one is welcome here.\n\n{{reapply_from}}"
        ),
        rationale="The account takes part in the API Broker program.",
        finding=Finding(
            known="Your account takes part in the API Broker program, so we cannot accept your "
            "application.",
            unknown=_NOT_ABLE,
        ),
    ),
    Canned(
        use=Use.REJECTION,
        key="self_referral",
        label="Self-referral",
        message=(_THANKS + "{{finding}}\n\n{{reapply_from}}"),
        rationale="Referred accounts belong to the applicant or are linked to them.",
        finding=Finding(
            known="Accounts that refer themselves or linked accounts cannot be accepted.",
            unknown=_NOT_ABLE,
        ),
    ),
    Canned(
        use=Use.REJECTION,
        key="duplicate",
        label="Duplicate of another application",
        message=(
            _THANKS + "We already have an application for the same person, so this one, number "
            "{{application_id}}, is closed. There is nothing you need to do."
        ),
        rationale="Another application of the same person exists.",
    ),
    Canned(
        use=Use.REJECTION,
        key="other",
        label="Other",
        message=_THANKS + "{{say why, in your own words}}\n\n{{reapply_from}}",
    ),
    Canned(
        use=Use.INFORMATION,
        key="profile_proof",
        label="Proof of the profile",
        message=(
            _ASK + "Please show us that {{social_handle}} is yours: put your username at "
            "{{exchange}}, {{username}}, into the profile's description for a day, or send us a "
            "message from that profile." + _ANSWER
        ),
    ),
    Canned(
        use=Use.INFORMATION,
        key="external_statement",
        label="Statement of volume on another exchange",
        message=(
            _ASK + "Please send us a statement of your referral volume on each other exchange, "
            "for the last 30 days, on which the exchange, the period and the volume in USD can "
            "be read." + _ANSWER
        ),
    ),
    Canned(
        use=Use.INFORMATION,
        key="promotion_methods",
        label="How the exchange is promoted",
        message=(
            _ASK + "Please tell us how you promote {{exchange}}: on which channels, with which "
            "links or codes, and whether you use advertising, giveaways or trading signals."
            + _ANSWER
        ),
    ),
    Canned(
        use=Use.INFORMATION,
        key="identity_verification",
        label="Identity verification",
        message=(
            _ASK + "Please complete identity verification in your account at {{exchange}} and "
            "write to us when that is done." + _ANSWER
        ),
    ),
    Canned(
        use=Use.INFORMATION,
        key="free",
        label="Your own question",
        message=_ASK + "{{your question}}" + _ANSWER,
    ),
)
CANNED_BY_KEY: dict[tuple[Use, str], Canned] = {(text.use, text.key): text for text in CANNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class _CriterionWords:
    """The words for a criterion: its gap, its requirement, and its name in notes."""

    gap: str
    requirement: str
    name: str


_WORDS: dict[str, _CriterionWords] = {
    "volume_usd": _CriterionWords(
        gap="your referral volume was {value} of {minimum} USD",
        requirement="{minimum} USD of referral volume",
        name="volume",
    ),
    "active_users": _CriterionWords(
        gap="{value} of the required {minimum} user{s} {were} active",
        requirement="{minimum} active user{s}",
        name="active",
    ),
    "new_users": _CriterionWords(
        gap="{value} of the required {minimum} user{s} {were} new",
        requirement="{minimum} new user{s}",
        name="new",
    ),
    "x_followers": _CriterionWords(
        gap="you had {value} followers on X where {minimum} are required",
        requirement="{minimum} follower{s} on X",
        name="followers",
    ),
    "external_volume_usd": _CriterionWords(
        gap="your volume on other exchanges was {value} of {minimum} USD in 30 days",
        requirement="{minimum} USD of volume on other exchanges in 30 days",
        name="volume elsewhere",
    ),
}
_MONTH_WORDS = {
    WindowKind.TRAILING_30_DAYS: "in 30 days",
    WindowKind.CALENDAR_MONTH: "in a calendar month",
}


def texts(use: Use) -> tuple[Canned, ...]:
    """Return the texts to choose from, in display order."""
    return tuple(text for text in CANNED if text.use is use)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """The applicant a message goes to, and the facts that its placeholders state.

    ``day`` is the UTC day of the decision, ``window`` the days that the metrics cover.
    """

    username: str
    application_id: int
    social_handle: str
    assessment: Assessment
    window: Window | None
    policy: Policy
    day: date


def values(
    facts: MessageFacts,
    *,
    rebate_rate: Decimal | None = None,
    reapply: str | None = None,
    finding: str | None = None,
) -> dict[str, str]:
    """Return the value of each placeholder that has one; any other stays and blocks sending.

    ``rebate_rate`` is a fraction, ``reapply`` the key of a rule. Values that do not apply, such as
    the rate of a rejection, and blank names are left out.
    """
    found = {
        "username": facts.username,
        "application_id": str(facts.application_id),
        "social_handle": facts.social_handle,
        "criterion_gap": criterion_gap(facts.assessment, facts.window),
        "finding": finding,
        "minimums": minimums(facts.policy),
        "rebate_rate": None if rebate_rate is None else wording.percent(rebate_rate),
        "reapply_from": None if reapply is None else reapply_sentence(reapply, facts.day),
        "exchange": EXCHANGE,
    }
    return {name: value for name, value in found.items() if value and value.strip()}


def fill(typed: str, values: Mapping[str, str]) -> str:
    """Replace every placeholder that has a value; others stay.

    One pass, so that values are not parsed again.
    """

    def put(found: re.Match[str]) -> str:
        value = values.get((found.group(1) or "").strip().lower())
        return found.group() if value is None else _BESIDE_BRACES.sub(WORD_JOINER, value)

    return _BRACES.sub(put, typed)


def unfilled(text: str) -> tuple[str, ...]:
    """Return the names of the placeholders left in a text, known or not, each once.

    Unpaired or empty braces count as one named ``…``.
    """
    names = ((found.group(1) or "").strip() or BROKEN for found in _BRACES.finditer(text))
    return tuple(dict.fromkeys(names))


def finding(reason_code: str, assessment: Assessment, missing: Collection[str]) -> str | None:
    """Return what a rejection says of the applicant; ``missing`` facts were not established.

    ``None`` if the reason says nothing, or would say that an eligible applicant is not.
    """
    canned = CANNED_BY_KEY.get((Use.REJECTION, reason_code))
    if canned is None or canned.finding is None:
        return None
    if REASONS_BY_CODE[reason_code].asserts_not_met and assessment.outcome is Outcome.MET:
        return None
    return canned.finding.unknown if missing else canned.finding.known


def asserts_unproven(reason_code: str, text: str, missing: Collection[str]) -> bool:
    """Whether a text asserts what the reason asserts while some of it is not established."""
    canned = CANNED_BY_KEY.get((Use.REJECTION, reason_code))
    if not missing or canned is None or canned.finding is None:
        return False
    return " ".join(canned.finding.known.split()) in " ".join(text.split())


def criterion_gap(assessment: Assessment, window: Window | None) -> str | None:
    """Return one sentence about what is known to fall short; ``None`` if nothing is.

    An application that is eligible by one track has no gap in the other.
    """
    if assessment.outcome is Outcome.MET:
        return None
    parts = [_track_gap(track, window) for track in assessment.tracks]
    gaps = [part for part in parts if part]
    return wording.sentence("; ".join(gaps)) if gaps else None


def minimums(policy: Policy) -> str:
    """Return the program's minimums in one sentence."""
    tracks = assess(Facts(), policy).tracks
    requirements = [_track_requirements(track, policy) for track in tracks]
    return f"The program asks for {'; or, instead, for '.join(requirements)}."


def rationale(use: Use, key: str, assessment: Assessment) -> str:
    """Return a suggested rationale with the figures; empty if a person must write it."""
    opening = CANNED_BY_KEY[use, key].rationale
    if opening is None:
        return ""
    figures = wording.sentence("; ".join(_figure(result) for result in assessment.criteria))
    return f"{opening} {figures}".strip()


def _track_gap(track: TrackResult, window: Window | None) -> str:
    clauses = [_gap(result) for result in track.criteria if result.outcome is Outcome.NOT_MET]
    if not clauses:
        return ""
    when = "when we last looked,"
    if track.track is ON_EXCHANGE:
        when = f"over {wording.span(window)}" if window else "in the period we looked at"
    return f"{when} {wording.listed(clauses)}"


def _gap(result: CriterionResult) -> str:
    value = result.value or 0
    usd = result.criterion.unit is Unit.USD
    figure = wording.cut_usd(Decimal(value)) if usd else f"{value:,}"
    return _phrase(_WORDS[result.criterion.key].gap, figure, result)


def _track_requirements(track: TrackResult, policy: Policy) -> str:
    clauses = []
    for result in track.criteria:
        more = result.criterion.comparison is Comparison.MORE_THAN
        phrase = _phrase(_WORDS[result.criterion.key].requirement, "", result)
        clauses.append(phrase if more else f"at least {phrase}")
    word = "and" if track.track.requires is Requires.ALL else "or"
    month = f" {_MONTH_WORDS[policy.window_kind]}" if track.track is ON_EXCHANGE else ""
    return wording.listed(clauses, last=word) + month


def _phrase(template: str, value: str, result: CriterionResult) -> str:
    one = result.minimum == 1
    return template.format(
        value=value,
        minimum=_limit(result),
        s="" if one else "s",
        were="was" if one else "were",
    )


def _limit(result: CriterionResult) -> str:
    if result.criterion.unit is Unit.USD:
        return wording.stated_usd(Decimal(result.minimum))
    more = "more than " if result.criterion.comparison is Comparison.MORE_THAN else ""
    return f"{more}{result.minimum:,}"


def _figure(result: CriterionResult) -> str:
    name = _WORDS[result.criterion.key].name
    if result.value is None:
        return f"{name} unknown"
    if result.criterion.unit is not Unit.USD:
        return f"{name} {result.value:,} of {_limit(result)}"
    value, minimum = Decimal(result.value), Decimal(result.minimum)
    return f"{name} {wording.exact_usd(value)} of {wording.full_usd(minimum)} USD"
