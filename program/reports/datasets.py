"""Datasets for Explore and exports: their columns, and the type of each column.

The page, the command line, the files and the documents read these records. A column that is not
here cannot be requested.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from program import wording
from program.policy import robust
from program.policy.criteria import CRITERIA, TRACKS, Unit
from program.policy.outcomes import Outcome
from program.review.permissions import Act
from program.review.queue_filters import TRACK_CHOICES
from program.review.workflow import UPSTREAM_STATUSES, Decision, Status
from program.risk.signals import Severity


class ColumnKind(StrEnum):
    """The type of a column, which decides how it is filtered, aggregated and written."""

    ID = "id number"
    WHOLE = "whole number"
    MONEY = "money, USD"
    SHARE = "share, a fraction"
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "one of a list"
    TRUTH = "yes or no"
    DAY = "day, UTC"
    MOMENT = "time, UTC"


NUMBERS = frozenset(
    {ColumnKind.ID, ColumnKind.WHOLE, ColumnKind.MONEY, ColumnKind.SHARE, ColumnKind.NUMBER}
)
AMOUNTS = NUMBERS - {ColumnKind.ID}
TIMES = frozenset({ColumnKind.DAY, ColumnKind.MOMENT})
WORDS = frozenset({ColumnKind.TEXT, ColumnKind.CHOICE})
TRUTHS = ("yes", "no")
# Columns that hold a person's address, compared in normal form.
PEOPLE = frozenset({"actor", "assignee", "decided_by", "second_approver"})
# The column whose days are first days of months.
MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetColumn:
    """One column. ``always`` means never unknown; ``personal`` restricts who may see it.

    ``choices`` are the values of a CHOICE, if they are few and known. An ``is_platform`` column is
    filtered and grouped by the platform that is meant, however it is spelled. ``scale`` is the
    number of decimals in files.
    """

    name: str
    kind: ColumnKind
    description: str
    always: bool = False
    personal: bool = False
    choices: tuple[str, ...] = ()
    is_platform: bool = False
    scale: int = 0

    @property
    def label(self) -> str:
        """The name as a heading."""
        return label_of(self.name)


def label_of(name: str) -> str:
    """Return a column's name as a heading."""
    words = name.replace("_", " ").replace(" usd", " USD").replace("kyc", "KYC")
    return wording.capital(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A table to explore. ``usual`` columns are shown by default.

    ``empty`` is shown while there are no rows. ``order`` is the default order, ``keys`` identify a
    row. ``bounded`` names the column that must be limited to ``most_days``, for a dataset that is
    too large to read whole. ``act`` is what its readers must be allowed to do.
    """

    key: str
    title: str
    description: str
    empty: str
    columns: tuple[DatasetColumn, ...]
    usual: tuple[str, ...]
    order: str
    keys: tuple[str, ...]
    bounded: str | None = None
    most_days: int = 0
    act: Act = Act.READ

    def column(self, name: str) -> DatasetColumn | None:
        """Return the column with that name, or ``None``."""
        return next((column for column in self.columns if column.name == name), None)

    def for_reader(self, *, personal: bool) -> "Dataset":
        """Return the dataset without ``personal`` columns, unless the person may see them."""
        if personal:
            return self
        kept = tuple(column for column in self.columns if not column.personal)
        names = {column.name for column in kept}
        return replace(
            self, columns=kept, usual=tuple(name for name in self.usual if name in names)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every column's name, in order."""
        return tuple(column.name for column in self.columns)


OUTCOMES = tuple(str(outcome) for outcome in Outcome)
STATUSES = tuple(str(status) for status in UPSTREAM_STATUSES)
DECISIONS = tuple(str(decision) for decision in Decision)
KYC = ("none", "pending", "verified", "rejected")


def _id(name: str, description: str, *, always: bool = True) -> DatasetColumn:
    return DatasetColumn(name=name, kind=ColumnKind.ID, description=description, always=always)


def _whole(name: str, description: str, *, always: bool = False) -> DatasetColumn:
    return DatasetColumn(name=name, kind=ColumnKind.WHOLE, description=description, always=always)


def _money(name: str, description: str, *, scale: int = 2, always: bool = False) -> DatasetColumn:
    return DatasetColumn(
        name=name, kind=ColumnKind.MONEY, description=description, scale=scale, always=always
    )


def _share(name: str, description: str) -> DatasetColumn:
    return DatasetColumn(name=name, kind=ColumnKind.SHARE, description=description, scale=4)


def _text(name: str, description: str, *, personal: bool = False) -> DatasetColumn:
    return DatasetColumn(
        name=name, kind=ColumnKind.TEXT, description=description, personal=personal
    )


def _choice(
    name: str, description: str, choices: Sequence[str] = (), *, always: bool = False
) -> DatasetColumn:
    return DatasetColumn(
        name=name,
        kind=ColumnKind.CHOICE,
        description=description,
        choices=tuple(choices),
        always=always,
    )


def _day(name: str, description: str, *, always: bool = False) -> DatasetColumn:
    return DatasetColumn(name=name, kind=ColumnKind.DAY, description=description, always=always)


def _moment(name: str, description: str, *, always: bool = False) -> DatasetColumn:
    return DatasetColumn(name=name, kind=ColumnKind.MOMENT, description=description, always=always)


def _truth(name: str, description: str, *, always: bool = True) -> DatasetColumn:
    return DatasetColumn(name=name, kind=ColumnKind.TRUTH, description=description, always=always)


# --- Columns that several datasets have -----------------------------------------------------------

_ACCOUNT = (
    _text("username", "The account's public name"),
    _choice("country_code", "ISO 3166 country, empty if unknown"),
)
_EMAIL = _text("email", "The account's email address", personal=True)
_SOCIAL_PLATFORM = DatasetColumn(
    name="social_platform",
    kind=ColumnKind.CHOICE,
    description="Where the social account is",
    always=True,
    is_platform=True,
)
_KYC = _choice("kyc_status", "Identity verification", KYC, always=True)
_WINDOW = (
    _day("data_through", "Last complete UTC day of the metrics"),
    _day("window_start", "First day of the window"),
    _day("window_end", "Last day of the window, included"),
)
_METRICS = (
    _money("volume_usd", "Referral volume in the window, USD"),
    _whole("active_users", "Active referred users in the window"),
    _whole("new_users", "Users referred in the window"),
)
_EVIDENCE = (
    _whole("x_followers", "Followers on X, current evidence"),
    _money("external_volume_usd", "Volume on other exchanges, current evidence", scale=6),
)
_TRACKS = tuple(
    _choice(track.key, f"The {track.label} track: met, not_met or unknown", OUTCOMES, always=True)
    for track in TRACKS
)
_JUDGED = (
    *_TRACKS,
    _choice("eligibility", "met, not_met or unknown", OUTCOMES, always=True),
    _choice("track", "The track that is met; empty if none", TRACK_CHOICES),
)
RISK_LEVELS = tuple(str(severity) for severity in Severity)
_RISK = (
    _choice("risk_level", "clear, warn, high or not_enough_data", RISK_LEVELS, always=True),
    _text("risk_signals", "Signals that are flagged and not dismissed, by `;`, high ones first"),
)
_RISK_FIGURES = (
    _whole("risk_score", "Points of the flagged signals, at most 100; empty if not measured"),
    _whole("robust_met", "On-exchange criteria met; empty if their parts were not measured"),
    *(
        _whole(f"robust_{variant.key}", f"On-exchange criteria met {variant.words}")
        for variant in robust.VARIANTS
    ),
)
# The names of all these columns.
RISK = frozenset(column.name for column in (*_RISK, *_RISK_FIGURES))
_CONCENTRATION = (
    _money("fees_usd", "Net fees in the window, USD", scale=6),
    _whole("trade_count", "Trades in the window"),
    _whole("trading_days", "Days of the window with volume"),
    _share("top_user_share", "Largest share of the volume by one referred user"),
    _share("largest_day_share", "Share of the volume on the busiest day"),
    _share("zero_fee_share", "Share of the volume without a positive net fee"),
)

APPLICATIONS = Dataset(
    key="applications",
    title="Applications",
    description="Every application with metrics, eligibility now, and the current decision.",
    empty="No application has arrived yet. `python -m data_access load` loads them from files.",
    columns=(
        _id("application_id", "The application"),
        _id("account_id", "The applicant's account"),
        *_ACCOUNT,
        _KYC,
        _SOCIAL_PLATFORM,
        _text("social_handle", "Social account as typed"),
        _text("contact_platform", "How to reach the applicant", personal=True),
        _text("contact_handle", "Contact as typed", personal=True),
        _moment("submitted_at", "When it arrived, UTC", always=True),
        _choice("status", "pending, approved, rejected or withdrawn", STATUSES, always=True),
        _choice("assignee", "Who works on it"),
        *_WINDOW,
        *_METRICS,
        *_EVIDENCE,
        *_JUDGED,
        *_RISK,
        _whole("policy_version", "The policy version used", always=True),
        _moment("decided_at", "When it was decided, UTC"),
        _choice("decided_by", "Who decided"),
        _choice("reason_code", "Why it was rejected"),
        _share("rebate_rate", "Granted share of net fees, a fraction"),
        # Columns that the contract does not require come after those that it does.
        _EMAIL,
        _choice(
            "desk_status",
            "Status here, including waiting for an answer, a date or a second person",
            tuple(str(status) for status in Status),
            always=True,
        ),
        _moment("status_changed_at", "When it was decided or withdrawn, UTC"),
        _choice("second_approver", "Who gave the second approval"),
        _truth("is_override", "Whether the decision went against eligibility", always=False),
        *_CONCENTRATION,
        *_RISK_FIGURES,
    ),
    usual=(
        "application_id",
        "username",
        "country_code",
        "social_handle",
        "submitted_at",
        "status",
        "volume_usd",
        "active_users",
        "new_users",
        "eligibility",
        "track",
        "rebate_rate",
    ),
    order="-application_id",
    keys=("application_id",),
)

_SNAPSHOT = (
    _day("snapshot_data_through", "Last complete UTC day known when it was decided"),
    _day("snapshot_window_start", "First day of the window then"),
    _day("snapshot_window_end", "Last day of the window then, included"),
    *(
        DatasetColumn(
            name=f"snapshot_{criterion.key}",
            kind=ColumnKind.MONEY if criterion.unit is Unit.USD else ColumnKind.WHOLE,
            description=f"{criterion.label} when it was decided",
            scale=6 if criterion.unit is Unit.USD else 0,
        )
        for criterion in CRITERIA
    ),
    *(
        _choice(f"snapshot_{track.key}", f"The {track.label} track then", OUTCOMES)
        for track in TRACKS
    ),
    _choice("snapshot_eligibility", "Eligibility then: met, not_met or unknown", OUTCOMES),
    _choice("snapshot_track", "The track that was met then", TRACK_CHOICES),
)

DECISIONS_MADE = Dataset(
    key="decisions",
    title="Decisions",
    description="Every decision, superseded ones included, with what was known when it was made.",
    empty="Nothing has been decided yet.",
    columns=(
        _id("decision_id", "The decision"),
        _id("application_id", "The application"),
        _id("account_id", "The applicant's account"),
        *_ACCOUNT,
        _EMAIL,
        _moment("submitted_at", "When the application arrived, UTC", always=True),
        _moment("decided_at", "When it was decided, UTC", always=True),
        DatasetColumn(
            name="hours_to_decision",
            kind=ColumnKind.NUMBER,
            description="From submission to decision",
            scale=2,
            always=True,
        ),
        _choice("outcome", "approved or rejected", DECISIONS, always=True),
        _truth("is_current", "Whether it is current; false if a later decision supersedes it"),
        _id("supersedes", "The earlier decision it supersedes", always=False),
        _choice("reason_code", "Why it was rejected"),
        _text("rationale", "The reviewer's rationale"),
        _text("message_to_applicant", "The message to the applicant"),
        _share("rebate_rate", "Granted share of net fees, a fraction"),
        _truth("is_override", "Whether it went against eligibility"),
        _text("override_reason", "Why it went against eligibility"),
        _choice("reapply", "The rule for applying again"),
        _day("reapply_from", "From when the applicant may apply again"),
        _choice("decided_by", "Who decided", always=True),
        _choice("second_approver", "Who gave the second approval"),
        _whole("policy_version", "The policy version used", always=True),
        *_SNAPSHOT,
    ),
    usual=(
        "decision_id",
        "username",
        "decided_at",
        "outcome",
        "reason_code",
        "rebate_rate",
        "is_override",
        "decided_by",
        "second_approver",
        "snapshot_eligibility",
        "snapshot_volume_usd",
    ),
    order="-decision_id",
    keys=("decision_id",),
)

AFFILIATES = Dataset(
    key="affiliates",
    title="Affiliates",
    description="Accounts with a current approval: metrics of the window, eligibility now, rate.",
    empty="Nobody is approved yet.",
    columns=(
        _id("account_id", "The affiliate's account"),
        *_ACCOUNT,
        _KYC,
        _EMAIL,
        _id("application_id", "The application that was approved, the newest"),
        _SOCIAL_PLATFORM,
        _text("social_handle", "Social account as typed"),
        _text("contact_platform", "How to reach the affiliate", personal=True),
        _text("contact_handle", "Contact as typed", personal=True),
        _moment("approved_at", "When it was approved, UTC"),
        _choice("decided_by", "Who approved"),
        _share("rebate_rate", "Granted share of net fees, a fraction"),
        *_WINDOW,
        *_METRICS,
        *_EVIDENCE,
        *_JUDGED,
        _whole("policy_version", "The policy version in force", always=True),
        *_CONCENTRATION,
        *_RISK,
        *_RISK_FIGURES,
    ),
    usual=(
        "account_id",
        "username",
        "country_code",
        "approved_at",
        "rebate_rate",
        "volume_usd",
        "active_users",
        "new_users",
        "fees_usd",
        "eligibility",
        "track",
        "top_user_share",
    ),
    order="-volume_usd",
    keys=("account_id",),
)

_ACTIVITY = (
    _money("volume_usd", "Volume of all referred users, USD", always=True),
    _money("fees_usd", "Net fees of all referred users, USD", scale=6, always=True),
    _whole("trade_count", "Trades of all referred users", always=True),
    _whole("active_users", "Distinct referred users with volume", always=True),
    _whole("new_users", "Users referred", always=True),
)

_NO_METRICS = "No metrics yet. The first refresh after loading referral activity computes them."

MONTHLY = Dataset(
    key="monthly",
    title="Monthly metrics",
    description="Referral metrics by affiliate and calendar month, UTC, to the data-through day.",
    empty=_NO_METRICS,
    columns=(
        _day(MONTH, "First day of the month", always=True),
        _id("account_id", "The affiliate's account"),
        *_ACCOUNT,
        _EMAIL,
        *_ACTIVITY,
        _truth("is_running", "Whether the month is not over at the data-through day"),
    ),
    usual=("month", "account_id", "username", "country_code", *(c.name for c in _ACTIVITY)),
    order="-month",
    keys=("month", "account_id"),
)

ACTIVITY = Dataset(
    key="activity",
    title="Referral activity",
    description=(
        "Referral activity by affiliate and UTC day, all their referred users together, "
        "up to the data-through day."
    ),
    empty=_NO_METRICS,
    columns=(
        _day("day", "The day", always=True),
        _id("account_id", "The affiliate's account"),
        *_ACCOUNT,
        _EMAIL,
        *_ACTIVITY,
        _money(
            "zero_fee_volume_usd", "Volume of users without a positive net fee, USD", always=True
        ),
    ),
    usual=("day", "account_id", "username", "country_code", *(c.name for c in _ACTIVITY)),
    order="-day",
    keys=("day", "account_id"),
    bounded="day",
    most_days=366,
)

NEAR_MISSES = Dataset(
    key="near_misses",
    title="Near misses",
    description=(
        "Accounts to invite: outside the program, and above the minimums of a track or within a "
        "tenth of them."
    ),
    empty="No account to invite is near the minimums, or metrics are missing.",
    act=Act.SEE_AFFILIATES,
    columns=(
        _id("account_id", "The account"),
        *_ACCOUNT,
        _KYC,
        *_WINDOW,
        *_METRICS,
        *_EVIDENCE,
        *_TRACKS,
        _whole("policy_version", "The policy version used", always=True),
        _id("last_application_id", "The newest application, if they ever applied", always=False),
        _choice("last_status", "How it ended", STATUSES),
        _moment("last_at", "When it ended, UTC"),
        _choice("reason_code", "Why it was rejected"),
        _day("may_apply_from", "From when they may apply again; empty if now"),
    ),
    usual=(
        "account_id",
        "username",
        "country_code",
        *(column.name for column in (*_METRICS, *_EVIDENCE)),
        "last_status",
        "reason_code",
        "may_apply_from",
    ),
    order="-volume_usd",
    keys=("account_id",),
)

LOG = Dataset(
    key="log",
    title="Activity log",
    description="Everything that staff did on the dashboard, but for their personal settings.",
    empty="Nobody has done anything yet.",
    act=Act.SEE_LOG,
    columns=(
        _text("request_id", "The id of the form that was sent"),
        _moment("at", "When, UTC", always=True),
        _choice("actor", "Who", always=True),
        _choice("done", "What was done", always=True),
        _choice("outcome", "Of a decision: approved or rejected", DECISIONS),
        _choice("permission", "What they had to be allowed", always=True),
        _id("application_id", "The application, if it was about one", always=False),
        _id("account_id", "The applicant's account", always=False),
        *_ACCOUNT,
        _choice("status", "The application's status now, upstream", STATUSES),
        _whole("result", "The row that was written, or how many were changed"),
    ),
    usual=(
        "at",
        "actor",
        "done",
        "outcome",
        "application_id",
        "username",
        "country_code",
        "status",
    ),
    order="-at",
    keys=("request_id",),
)

DATASETS: tuple[Dataset, ...] = (
    APPLICATIONS,
    DECISIONS_MADE,
    AFFILIATES,
    NEAR_MISSES,
    MONTHLY,
    ACTIVITY,
    LOG,
)
# Datasets that have no rows without metrics.
OF_METRICS = frozenset({MONTHLY.key, ACTIVITY.key})
# Datasets of what people did, whatever the metrics are now.
OF_ACTS = frozenset({DECISIONS_MADE.key, LOG.key})
BY_KEY = {dataset.key: dataset for dataset in DATASETS}
