"""The program's boundaries: one row per case, both sides of each."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from program.periods import Window, WindowKind, window
from program.policy.criteria import CRITERIA, Criterion
from program.policy.eligibility import Facts, assess, judge_criterion
from program.policy.evidence import EvidenceKind, Observation, establish, is_current
from program.policy.outcomes import Outcome, all_of, any_of
from program.policy.policy import Policy

POLICY = Policy()
BY_KEY: dict[str, Criterion] = {criterion.key: criterion for criterion in CRITERIA}
MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN
T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("volume_usd", Decimal("19999999.99"), NOT_MET),
        ("volume_usd", Decimal("20000000.00"), MET),
        ("volume_usd", Decimal(0), NOT_MET),
        ("volume_usd", None, UNKNOWN),
        ("active_users", 14, NOT_MET),
        ("active_users", 15, MET),
        ("new_users", 4, NOT_MET),
        ("new_users", 5, MET),
        ("x_followers", 5000, NOT_MET),
        ("x_followers", 5001, MET),
        ("x_followers", None, UNKNOWN),
        ("external_volume_usd", Decimal("19999999.99"), NOT_MET),
        ("external_volume_usd", Decimal("20000000.00"), MET),
    ],
)
def test_criterion_boundaries(key: str, value: Decimal | int | None, expected: Outcome) -> None:
    result = judge_criterion(BY_KEY[key], Facts(**{key: value}), POLICY)

    assert expected is result.outcome


@pytest.mark.parametrize(
    ("on_exchange", "external", "whole"),
    [
        (MET, MET, MET),
        (MET, NOT_MET, MET),
        (MET, UNKNOWN, MET),
        (NOT_MET, MET, MET),
        (UNKNOWN, MET, MET),
        (NOT_MET, NOT_MET, NOT_MET),
        (NOT_MET, UNKNOWN, UNKNOWN),
        (UNKNOWN, NOT_MET, UNKNOWN),
        (UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_the_whole_is_kleene_or_of_the_tracks(
    on_exchange: Outcome, external: Outcome, whole: Outcome
) -> None:
    measured = {
        MET: {"volume_usd": Decimal(20_000_000), "active_users": 15, "new_users": 5},
        NOT_MET: {"volume_usd": Decimal(0), "active_users": 0, "new_users": 0},
        UNKNOWN: {},
    }
    observed = {
        MET: {"x_followers": 5001},
        NOT_MET: {"x_followers": 5000, "external_volume_usd": Decimal(0)},
        UNKNOWN: {"x_followers": 5000},
    }

    result = assess(Facts(**measured[on_exchange], **observed[external]), POLICY)

    assert [on_exchange, external] == [track.outcome for track in result.tracks]
    assert whole is result.outcome


@pytest.mark.parametrize(
    ("outcomes", "conjunction", "disjunction"),
    [
        ([], MET, NOT_MET),
        ([MET, MET], MET, MET),
        ([MET, UNKNOWN], UNKNOWN, MET),
        ([NOT_MET, UNKNOWN], NOT_MET, UNKNOWN),
        ([NOT_MET, MET], NOT_MET, MET),
        ([UNKNOWN, UNKNOWN], UNKNOWN, UNKNOWN),
    ],
)
def test_three_valued_logic(
    outcomes: list[Outcome], conjunction: Outcome, disjunction: Outcome
) -> None:
    assert (conjunction, disjunction) == (all_of(outcomes), any_of(outcomes))


ON_EXCHANGE_MET = {"volume_usd": Decimal(20_000_000), "active_users": 15, "new_users": 5}


@pytest.mark.parametrize(
    ("facts", "track"),
    [
        (Facts(**ON_EXCHANGE_MET), "on_exchange"),
        (Facts(**ON_EXCHANGE_MET, x_followers=5001), "both"),
        (Facts(x_followers=5001), "external"),
        (Facts(external_volume_usd=Decimal(20_000_000)), "external"),
        (Facts(), None),
        (Facts(x_followers=1, external_volume_usd=Decimal(1)), None),
    ],
)
def test_the_result_names_the_track_that_carried_it(facts: Facts, track: str | None) -> None:
    assert track == assess(facts, POLICY).track


@pytest.mark.parametrize(
    ("key", "value", "margin", "shortfall"),
    [
        ("volume_usd", Decimal(31_200_000), Decimal("0.56"), None),
        ("active_users", 12, Decimal("-0.2"), 3),
        ("x_followers", 5000, Decimal(0), 1),
        ("external_volume_usd", Decimal("19999999.99"), None, Decimal("0.01")),
        ("new_users", None, None, None),
    ],
)
def test_a_criterion_has_a_margin_and_a_shortfall(
    key: str, value: Decimal | int | None, margin: Decimal | None, shortfall: Decimal | int | None
) -> None:
    result = judge_criterion(BY_KEY[key], Facts(**{key: value}), POLICY)

    assert shortfall == result.shortfall
    if margin is not None:
        assert margin == result.margin


def test_a_minimum_of_zero_has_no_margin() -> None:
    result = judge_criterion(BY_KEY["new_users"], Facts(new_users=1), Policy(min_new_users=0))

    assert result.margin is None
    assert result.outcome is MET


@pytest.mark.parametrize(
    ("kind", "through", "expected"),
    [
        ("trailing_30_days", T, Window(date(2026, 2, 13), date(2026, 3, 15))),
        ("trailing_30_days", date(2024, 3, 1), Window(date(2024, 2, 1), date(2024, 3, 2))),
        ("calendar_month", T, Window(date(2026, 2, 1), date(2026, 3, 1))),
        ("calendar_month", date(2026, 3, 30), Window(date(2026, 2, 1), date(2026, 3, 1))),
        ("calendar_month", date(2026, 3, 31), Window(date(2026, 3, 1), date(2026, 4, 1))),
        ("calendar_month", date(2024, 2, 28), Window(date(2024, 1, 1), date(2024, 2, 1))),
        ("calendar_month", date(2024, 2, 29), Window(date(2024, 2, 1), date(2024, 3, 1))),
        ("calendar_month", date(2026, 1, 5), Window(date(2025, 12, 1), date(2026, 1, 1))),
        ("calendar_month", date(2025, 12, 31), Window(date(2025, 12, 1), date(2026, 1, 1))),
    ],
)
def test_windows(kind: str, through: date, expected: Window) -> None:
    assert expected == window(WindowKind(kind), through)


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (T, True),
        (T + timedelta(days=1), False),
        (T - timedelta(days=29), True),
        (T - timedelta(days=30), False),
    ],
)
def test_trailing_window_edges(day: date, counts: bool) -> None:
    assert counts is (day in window(WindowKind.TRAILING_30_DAYS, T))


@pytest.mark.parametrize(
    ("observed_at", "current"),
    [
        (datetime(2025, 12, 14, 0, 0, tzinfo=UTC), True),  # 90 days before T
        (datetime(2025, 12, 13, 23, 59, 59, 999999, tzinfo=UTC), False),  # 91 days before T
        (NOW, True),
        (NOW + timedelta(microseconds=1), False),
    ],
)
def test_evidence_is_current_for_ninety_days_before_t_and_never_from_the_future(
    observed_at: datetime, current: bool
) -> None:
    assert current is is_current(observed_at, data_through=T, now=NOW, policy=POLICY)


def seen(id_: int, value: int, *, days: int = 1, exchange: str | None = None) -> Observation:
    return Observation(
        evidence_id=id_,
        kind=EvidenceKind.EXTERNAL_VOLUME if exchange else EvidenceKind.X_FOLLOWERS,
        value=Decimal(value),
        observed_at=NOW - timedelta(days=days),
        exchange_name=exchange,
    )


@pytest.mark.parametrize(
    ("observations", "followers", "volume", "ids"),
    [
        ([], None, None, ()),
        ([seen(1, 9000, days=20), seen(2, 4000, days=2)], 4000, None, (2,)),
        ([seen(2, 4000, days=2), seen(1, 9000, days=20)], 4000, None, (2,)),
        ([seen(1, 10, days=2), seen(2, 20, days=2)], 20, None, (2,)),
        ([seen(1, 12, exchange="ExA"), seen(2, 8, exchange="ExB")], None, Decimal(20), (1, 2)),
        (
            [seen(1, 12, exchange="ExA", days=3), seen(2, 8, exchange=" exa ")],
            None,
            Decimal(8),
            (2,),
        ),
        ([seen(1, 9000, days=200)], None, None, ()),
        ([seen(1, 9000, days=-1)], None, None, ()),
    ],
)
def test_newest_current_observation_counts_and_exchanges_add_up(
    observations: list[Observation],
    followers: int | None,
    volume: Decimal | None,
    ids: tuple[int, ...],
) -> None:
    found = establish(observations, data_through=T, now=NOW, policy=POLICY)

    assert (followers, volume, ids) == (
        found.x_followers,
        found.external_volume_usd,
        found.evidence_ids,
    )
