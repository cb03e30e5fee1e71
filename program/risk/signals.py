"""Every risk signal, as one table. Signals ask; a person decides.

Code, SQL, screens, exports and ``docs/risk-signals.md`` read this table. A signal's value is
measured after a refresh (`data_access.risk`), rounded to six decimals, and compared with the
thresholds of the policy; `DEFAULTS` are those of version 1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

# Volume in the window from which shares and yields of it say something.
LEAST_VOLUME_USD = Decimal(1_000_000)
# Below this volume in the window a user counts as small.
SMALL_USER_USD = Decimal(1_000)
DAYS = 30


class Family(StrEnum):
    """What a signal is about; the points of a family are capped, since its signals overlap."""

    CONCENTRATION = "Concentration"
    TIMING = "Timing"
    ACQUISITION = "Acquisition"
    COORDINATION = "Coordination"
    ECONOMICS = "Economics"
    IDENTITY = "Identity"


FAMILY_CAPS: dict[Family, int] = {
    Family.CONCENTRATION: 30,
    Family.TIMING: 25,
    Family.ACQUISITION: 25,
    Family.COORDINATION: 30,
    Family.ECONOMICS: 15,
    Family.IDENTITY: 40,
}


class Unit(StrEnum):
    """How a value is written."""

    SHARE = "share"
    TIMES = "times"
    COUNT = "count"
    NUMBER = "number"


class Severity(StrEnum):
    """What a signal says. Not enough data is not clear."""

    NOT_ENOUGH_DATA = "not_enough_data"
    CLEAR = "clear"
    WARN = "warn"
    HIGH = "high"


# What each is called wherever people read it; files and addresses have the values themselves.
SEVERITY_WORDS: Mapping[Severity, str] = {
    Severity.NOT_ENOUGH_DATA: "not enough data",
    Severity.CLEAR: "clear",
    Severity.WARN: "warn",
    Severity.HIGH: "high",
}

# A threshold by sample size: the last one whose sample is reached counts.
Steps = tuple[tuple[int, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal.

    Thresholds are inclusive. ``least_sample`` of ``sample`` are needed, and what ``needs`` says;
    else there is not enough data. Without ``high`` it is never high. It is high only if the signal
    ``high_with`` is not clear. It adds points only if ``scored_with`` adds none. ``information``
    adds few points. ``inputs`` names the measured numbers behind the value.
    """

    id: str
    name: str
    family: Family
    question: str
    formula: str
    unit: Unit
    warn: Steps
    high: Steps = ()
    why: str
    lower_is_worse: bool = False
    sample: str = ""
    least_sample: int = 0
    needs: str = ""
    high_with: str = ""
    scored_with: str = ""
    information: bool = False

    @property
    def column(self) -> str:
        """The column of ``review.risk_measures`` with its value; the sample's ends in _sample."""
        return self.id.lower()


def at(value: str | int) -> Steps:
    """Return one threshold for every sample size."""
    return ((0, Decimal(value)),)


def by_sample(**steps: str) -> Steps:
    """Return thresholds by sample size, ``n15="0.96"`` from 15 on."""
    return tuple((int(name[1:]), Decimal(value)) for name, value in steps.items())


SIGNALS: tuple[Signal, ...] = (
    Signal(
        id="R01",
        name="Top-user share",
        family=Family.CONCENTRATION,
        question="Does one user carry the volume?",
        formula="Volume of the largest user, divided by the volume of all users",
        unit=Unit.SHARE,
        warn=by_sample(n5="0.95", n15="0.80", n30="0.70", n50="0.62", n100="0.50"),
        high=by_sample(n5="0.99", n15="0.96", n30="0.91", n50="0.88", n100="0.82"),
        why="Volumes are heavy-tailed, so with few users one large user is usual. "
        "Of honest affiliates one in 20 passes the first threshold, one in 200 the second.",
        sample="active users",
        least_sample=5,
        needs="1 M USD of volume",
    ),
    Signal(
        id="R02",
        name="Concentration",
        family=Family.CONCENTRATION,
        question="Do very few users carry the volume?",
        formula="Herfindahl index: squared shares of all users, added up",
        unit=Unit.NUMBER,
        warn=by_sample(n10="0.85", n15="0.66", n30="0.52", n50="0.42", n100="0.30"),
        high=by_sample(n10="0.96", n15="0.92", n30="0.83", n50="0.77", n100="0.68"),
        why="As for the top user; antitrust lines are far too tight for users of an exchange.",
        sample="active users",
        least_sample=10,
        needs="1 M USD of volume",
        scored_with="R01",
    ),
    Signal(
        id="R03",
        name="Fragile eligibility",
        family=Family.CONCENTRATION,
        question="Would it still qualify without its top user, small users, or free trades?",
        formula="Most on-exchange criteria that are no longer met without the largest user, "
        "without users under 1,000 USD, or without volume that bore no fee",
        unit=Unit.COUNT,
        warn=at(3),
        why="Each criterion that turns is one that a single account could have bought. Of honest "
        "affiliates with 15 users one in three loses two of them with its largest user, so only "
        "three ask a question; the figures beside the badge show one and two.",
        sample="criteria met",
        least_sample=3,
    ),
    Signal(
        id="R04",
        name="Padded actives",
        family=Family.CONCENTRATION,
        question="Are the active users customers, or accounts that trade just enough to count?",
        formula="Users with at least 1,000 USD of volume",
        unit=Unit.COUNT,
        lower_is_worse=True,
        warn=at(14),
        high=at(7),
        why="The public minimum is 15 active users; half of it is far from it.",
        sample="active users",
        least_sample=15,
    ),
    Signal(
        id="R05",
        name="Threshold hugging",
        family=Family.TIMING,
        question="Do the figures stop just above the minimums?",
        formula="Of the last three months as the policy counts them, those in which at least two "
        "criteria lie just above their minimum: volume by less than 5 %, active users by at most "
        "one, new users exactly at it",
        unit=Unit.COUNT,
        warn=at(2),
        high=at(3),
        why="With 15 users one criterion is always just met, and once in six a second one is by "
        "chance; that does not repeat itself.",
        needs="volume in one of these months",
    ),
    Signal(
        id="R06",
        name="Spike before applying",
        family=Family.TIMING,
        question="Was the volume there before the application?",
        formula="Share of the program's volume in the 30 days before the application (for "
        "approved affiliates: the last 30 days), divided by the mean share of the two windows "
        "before",
        unit=Unit.TIMES,
        warn=by_sample(n0="4", n30="3", n100="2"),
        high=by_sample(n0="10", n30="6", n100="4"),
        why="Shares of the program take a rising market out. With few users one who arrives can "
        "triple an honest month; with a hundred even twice the share is rare.",
        sample="active users",
        needs="a mean of 50,000 USD in the two windows before",
    ),
    Signal(
        id="R07",
        name="One-day volume",
        family=Family.TIMING,
        question="Was the month made on one day?",
        formula="Largest daily share of the program's volume, divided by the sum of daily shares",
        unit=Unit.SHARE,
        warn=at("0.30"),
        high=at("0.50"),
        why="With ten trading days or more, the busiest day of honest affiliates is below a third.",
        sample="trading days",
        least_sample=10,
    ),
    Signal(
        id="R08",
        name="Outlier day",
        family=Family.TIMING,
        question="What happened on the day that stands out?",
        formula="Share of the window's volume made on days whose share of the program's volume is "
        "an outlier: modified z-score of its logarithm over 90 days above 3.5",
        unit=Unit.SHARE,
        warn=at("0.30"),
        high=at("0.60"),
        why="Iglewicz and Hoaglin's limit for outliers. The largest user's best day is often one, "
        "with half of the volume in one honest month of 200.",
        sample="trading days of 90",
        least_sample=30,
    ),
    Signal(
        id="R09",
        name="Sign-up burst",
        family=Family.ACQUISITION,
        question="Why did so many sign up within so few days?",
        formula="Negative decimal logarithm of the probability that the busiest of 30 days has so "
        "many sign-ups, by a negative binomial fitted to the 90 days before; below 5 sign-ups a "
        "day 0, and below 8 unless the best three days hold 60 % of the sign-ups",
        unit=Unit.NUMBER,
        warn=at(4),
        high=at(8),
        why="4 is 1 in 10,000, after correction for the busiest of 30 days.",
        sample="sign-ups",
        least_sample=10,
    ),
    Signal(
        id="R10",
        name="New-account volume",
        family=Family.ACQUISITION,
        question="Is the volume made by users who only just signed up?",
        formula="Share of the volume by users referred in the window",
        unit=Unit.SHARE,
        warn=by_sample(n5="0.70", n30="0.60"),
        high=by_sample(n5="0.92", n30="0.85"),
        why="An affiliate of three months has older users, who usually carry the volume. With few "
        "users the largest may be a new one.",
        sample="active users",
        least_sample=5,
        needs="a first referral older than 90 days",
    ),
    Signal(
        id="R11",
        name="One-day wonders",
        family=Family.ACQUISITION,
        question="Do referred users trade once and never again?",
        formula="Of the users referred 14 to 90 days ago who ever traded: those with exactly one "
        "trading day",
        unit=Unit.SHARE,
        warn=at("0.50"),
        high=at("0.75"),
        why="Accounts made to qualify are abandoned after that.",
        sample="users",
        least_sample=10,
    ),
    Signal(
        id="R12",
        name="Dormant base",
        family=Family.ACQUISITION,
        question="Have the earlier users left?",
        formula="Of the users referred before the window: those without volume in it",
        unit=Unit.SHARE,
        warn=at("0.80"),
        high=at("0.95"),
        why="Most users of any exchange go quiet; nearly all of them is unusual.",
        sample="users",
        least_sample=20,
    ),
    Signal(
        id="R13",
        name="Woken accounts",
        family=Family.ACQUISITION,
        question="Why did so many quiet accounts trade again now?",
        formula="Of the active users: those referred at least 90 days ago who had no volume in the "
        "60 days before the window",
        unit=Unit.SHARE,
        warn=at("0.40"),
        high=at("0.70"),
        why="Users come back one by one, rarely together.",
        sample="active users",
        least_sample=10,
    ),
    Signal(
        id="R14",
        name="Mirrored pair",
        family=Family.COORDINATION,
        question="Do two users trade the same volumes on the same days?",
        formula="Share of the volume by the largest pair of the top 50 users whose volumes are "
        "within 1 % of each other on at least half of at least five days on which both trade "
        "10,000 USD; or within 1 % of another constant ratio, on at least half of at least ten",
        unit=Unit.SHARE,
        warn=at("0.01"),
        high=at("0.20"),
        why="A ratio near 1 asks about two sides of one trade, another constant ratio about copy "
        "trading. Independent users do not match to a hundredth on half of their days.",
        sample="joint days",
        least_sample=5,
    ),
    Signal(
        id="R15",
        name="Moving together",
        family=Family.COORDINATION,
        question="Do several users trade as one?",
        formula="Share of the volume by the largest cluster of at least three of the top 50 users "
        "that trade on the same days (Jaccard 0.90) with correlated log volumes (0.95) after "
        "the program's daily factor is taken out",
        unit=Unit.SHARE,
        warn=at("0.01"),
        high=at("0.30"),
        why="Three users that share days and sizes are rarely three people.",
        sample="users with ten trading days",
        least_sample=3,
    ),
    Signal(
        id="R16",
        name="Repeated volumes",
        family=Family.COORDINATION,
        question="Why are daily volumes round or repeated to the cent?",
        formula="Of the user-days with volume: multiples of 1,000 USD, or the same amount of one "
        "user at least three times",
        unit=Unit.SHARE,
        warn=at("0.20"),
        high=at("0.40"),
        why="Daily sums of real trades are neither round nor equal.",
        sample="user-days",
        least_sample=50,
    ),
    Signal(
        id="R17",
        name="First digits",
        family=Family.COORDINATION,
        question="Do daily volumes begin with unusual digits?",
        formula="Mean absolute deviation of first digits of 90 days from Benford's law",
        unit=Unit.NUMBER,
        warn=at("0.015"),
        why="A weak sign, for information only; it needs many volumes over several decades.",
        sample="user-days of 90",
        least_sample=2000,
        needs="2,000 user-days, and a standard deviation of log volumes of at least 1.2",
        information=True,
    ),
    Signal(
        id="R18",
        name="Fee yield",
        family=Family.ECONOMICS,
        question="Why does the volume earn so little?",
        formula="Net fees per volume, divided by the program's in the window",
        unit=Unit.TIMES,
        lower_is_worse=True,
        warn=at("0.25"),
        high=at(0),
        why="Makers and high tiers pay less, but a quarter of the usual yield asks for a reason.",
        needs="1 M USD of volume",
    ),
    Signal(
        id="R19",
        name="Zero-fee share",
        family=Family.ECONOMICS,
        question="How much of the volume bears no fee?",
        formula="Share of the volume on user-days without a positive net fee",
        unit=Unit.SHARE,
        warn=at("0.30"),
        high=at("0.60"),
        why="Volume without a fee earns nobody anything; other exchanges do not count it.",
        needs="1 M USD of volume",
    ),
    Signal(
        id="R20",
        name="Clockwork onboarding",
        family=Family.ACQUISITION,
        question="Do new users all trade on the day they sign up?",
        formula="Of the new users who traded: those whose first trading day is their sign-up day",
        unit=Unit.SHARE,
        warn=at("0.90"),
        high=at("0.90"),
        why="People take days, scripts do not. High only together with a sign-up burst.",
        sample="new users who traded",
        least_sample=10,
        high_with="R09",
    ),
    Signal(
        id="R21",
        name="Month-end loading",
        family=Family.TIMING,
        question="Is volume pushed into the last days of a month?",
        formula="Share of the last complete calendar month's volume on its last three days",
        unit=Unit.SHARE,
        warn=at("0.40"),
        why="Three of thirty days hold a tenth of an even month. For information only.",
        sample="trading days of the month",
        least_sample=10,
        information=True,
    ),
    Signal(
        id="R22",
        name="Duplicate applicant",
        family=Family.IDENTITY,
        question="Is this handle or contact also somebody else's?",
        formula="Another account applied with the same handle or contact: 1; one that was rejected "
        "or terminated: 2",
        unit=Unit.COUNT,
        warn=at(1),
        high=at(2),
        why="People share a handle by mistake; returning under another account is another matter.",
    ),
    Signal(
        id="R23",
        name="Self-referral",
        family=Family.IDENTITY,
        question="Does the affiliate trade under its own link?",
        formula="Share of the volume by referred accounts with the affiliate's own e-mail address "
        "in another form, or the affiliate's account itself; any such account counts at least "
        "0.0001 %",
        unit=Unit.SHARE,
        warn=at("0.000001"),
        high=at("0.05"),
        why="A rebate on one's own trading is a discount, not a referral.",
        needs="the addresses of the affiliate and of a user",
    ),
    Signal(
        id="R24",
        name="Decay after approval",
        family=Family.TIMING,
        question="Did the volume leave after the approval?",
        formula="Share of the program's volume on days 31 to 60 after the approval, divided by "
        "that of the 30 days before the application",
        unit=Unit.TIMES,
        lower_is_worse=True,
        warn=by_sample(n0="0.20", n30="0.40", n100="0.50"),
        high=by_sample(n0="0.04", n30="0.15", n100="0.25"),
        why="Volume brought to qualify leaves when it has served. With few users, one who leaves "
        "takes half of an honest volume along.",
        sample="active users",
        needs="an approval at least 60 days ago, and 1 M USD in the 30 days before the application",
    ),
    Signal(
        id="R25",
        name="Claim and observation",
        family=Family.IDENTITY,
        question="Does what the applicant supplied match what was observed?",
        formula="Relative gap between the newest screenshot or statement and the newest "
        "observation by profile page or API of the same kind; at least 1 if that is 5 % and only "
        "the first meets the minimum",
        unit=Unit.SHARE,
        warn=at("0.10"),
        high=at(1),
        why="Counts move by a few percent in a month, not by more.",
        needs="an observation of each method within the last 30 days",
    ),
    Signal(
        id="R26",
        name="Too equal",
        family=Family.CONCENTRATION,
        question="Why do all users trade the same volume?",
        formula="Standard deviation of the natural logarithm of the users' volumes",
        unit=Unit.NUMBER,
        lower_is_worse=True,
        warn=at("0.35"),
        high=at("0.25"),
        why="Volumes of real users differ by factors of ten. A farm of equal accounts does not.",
        sample="active users",
        least_sample=15,
    ),
    Signal(
        id="R27",
        name="Uniform tickets",
        family=Family.COORDINATION,
        question="Are all trades the same size?",
        formula="Standard deviation of the logarithm of volume per trade over all user-days; half "
        "of it if most user-days have the same number of trades",
        unit=Unit.NUMBER,
        lower_is_worse=True,
        warn=at("0.15"),
        high=at("0.05"),
        why="People trade different sizes; a script repeats one.",
        sample="user-days",
        least_sample=50,
    ),
    Signal(
        id="R28",
        name="Stop at target",
        family=Family.TIMING,
        question="Did trading stop once the minimums were reached?",
        formula="Mean daily share of the program's volume after the day on which the last minimum "
        "was reached, divided by that before",
        unit=Unit.TIMES,
        lower_is_worse=True,
        warn=at("0.35"),
        why="Real users do not know when their affiliate has qualified.",
        sample="days left",
        least_sample=7,
        needs="all three minimums reached in the window",
    ),
    Signal(
        id="R29",
        name="Subsidy ratio",
        family=Family.ECONOMICS,
        question="Would trading with oneself be free?",
        formula="Rebate on positive fees at the granted rate, for applicants the highest one, "
        "divided by net fees, and 1 if these are not positive; passed-on discounts are unknown and "
        "left out",
        unit=Unit.SHARE,
        warn=at("0.80"),
        high=at(1),
        why="At 1 the rebate pays the fees, so volume costs nothing.",
        needs="1 M USD of volume",
    ),
    Signal(
        id="R30",
        name="Referral graph",
        family=Family.IDENTITY,
        question="Do affiliates refer each other?",
        formula="At least three referred users, and one in 20 of them, who applied themselves, or "
        "an own referrer whose place was terminated: 1; a referred user who referred the "
        "affiliate: 2",
        unit=Unit.COUNT,
        warn=at(1),
        high=at(2),
        why="Circles of referrals share one owner more often than not.",
        needs="a referral",
    ),
    Signal(
        id="R31",
        name="Accounts created together",
        family=Family.ACQUISITION,
        question="Were the accounts opened in one go?",
        formula="Of the users referred in 90 days whose accounts are known: the largest share "
        "created within one clock hour",
        unit=Unit.SHARE,
        warn=at("0.30"),
        high=at("0.60"),
        why="Referred people open their accounts on different days.",
        sample="users referred in 90 days",
        least_sample=10,
    ),
    Signal(
        id="R32",
        name="E-mail families",
        family=Family.ACQUISITION,
        question="Do the users' addresses belong together?",
        formula="Of the active and new users with a known e-mail address: the largest share of one "
        "family: equal without plus parts, dots and final digits, or at a domain of at least "
        "three that no other affiliate's users have",
        unit=Unit.SHARE,
        warn=at("0.20"),
        high=at("0.40"),
        why="Numbered addresses come from one hand.",
        sample="active and new users",
        least_sample=10,
    ),
    Signal(
        id="R33",
        name="Unverified volume",
        family=Family.ECONOMICS,
        question="Is the volume made by users who are not verified?",
        formula="Share of the volume of users whose accounts are known by those whose identity "
        "verification is missing, pending or rejected",
        unit=Unit.SHARE,
        warn=at("0.30"),
        high=at("0.60"),
        why="Only verified users generate rebates, so such volume earns the affiliate nothing.",
        needs="1 M USD of volume",
    ),
    Signal(
        id="R34",
        name="Foreign concentration",
        family=Family.ECONOMICS,
        question="Why are the users all in one country that is not the affiliate's?",
        formula="Share of the active users in the most frequent country, if it is not the "
        "affiliate's; else 0",
        unit=Unit.SHARE,
        warn=at("0.80"),
        high=at("0.95"),
        why="Audiences are usually mixed, or at home.",
        sample="active users with a known country",
        least_sample=10,
    ),
    Signal(
        id="R35",
        name="Follower jump",
        family=Family.IDENTITY,
        question="Where did the new followers come from?",
        formula="Largest growth of followers between two observations at most 30 days apart, the "
        "later one still current",
        unit=Unit.SHARE,
        warn=at("0.50"),
        high=at(1),
        why="Accounts grow by a few percent a month; followers can be bought.",
        needs="two observations of at least 1,000 followers at most 30 days apart",
    ),
)
BY_ID: dict[str, Signal] = {signal.id: signal for signal in SIGNALS}
# Of approved affiliates, breaks that a moving market does not explain; they raise alerts.
BREAKS = ("R06", "R07", "R24", "R28")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """What nobody can check here, and the data it would take."""

    name: str
    takes: str


CANNOT_BE_CHECKED: tuple[Unavailable, ...] = (
    Unavailable(name="Shared device or IP address", takes="sign-in records of accounts"),
    Unavailable(name="Trades between referred users", takes="the counterparty of each trade"),
    Unavailable(name="Money that circles", takes="deposits and withdrawals"),
    Unavailable(name="Trading hours", takes="times of trades within the day"),
    Unavailable(name="Profit and leverage", takes="positions and their results"),
    Unavailable(name="One person, several accounts", takes="identities from verification"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One threshold of a signal, which a policy may set; from ``sample`` on, if it depends."""

    key: str
    signal: Signal
    severity: Severity
    sample: int
    default: Decimal


def _thresholds() -> Iterator[Threshold]:
    for signal in SIGNALS:
        for severity, steps in ((Severity.WARN, signal.warn), (Severity.HIGH, signal.high)):
            for sample, default in steps:
                ending = f".{sample}" if sample else ""
                yield Threshold(
                    key=f"{signal.id}.{severity}{ending}",
                    signal=signal,
                    severity=severity,
                    sample=sample,
                    default=default,
                )


THRESHOLDS: tuple[Threshold, ...] = tuple(_thresholds())
DEFAULTS: dict[str, Decimal] = {one.key: one.default for one in THRESHOLDS}
