"""A snapshot keeps enough to judge again, as plain JSON without floats."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from program.periods import Window, WindowKind, window
from program.policy import snapshots
from program.policy.criteria import CRITERIA
from program.policy.eligibility import Assessment, Facts, assess
from program.policy.policy import Policy
from program.policy.snapshots import Metrics
from program.risk.judging import Measured, judge
from program.risk.signals import SIGNALS

T = date(2026, 3, 14)
SPAN = window(WindowKind.TRAILING_30_DAYS, T)
FACTS = Facts(
    volume_usd=Decimal("20000000.00"),
    active_users=14,
    new_users=5,
    external_volume_usd=Decimal("20000000.00"),
)
money = st.decimals(0, 10**15, places=2)
counts = st.integers(0, 10**9)
facts = st.builds(
    Facts,
    volume_usd=st.none() | money,
    active_users=st.none() | counts,
    new_users=st.none() | counts,
    x_followers=st.none() | counts,
    external_volume_usd=st.none() | money,
)


def taken(assessment: Assessment, **given: Any) -> dict[str, Any]:
    metrics = Metrics(data_through=T, window=SPAN)
    return snapshots.take(assessment, **{"policy": Policy(), "metrics": metrics, **given})


def test_it_holds_everything_the_contract_lists() -> None:
    snapshot = taken(assess(FACTS, Policy()), evidence_ids=[3, 9], checklist={"identity": "passed"})

    assert snapshot == {
        "data_through": "2026-03-14",
        "window": {"kind": "trailing_30_days", "start": "2026-02-13", "end": "2026-03-14"},
        "policy_version": 1,
        "criteria": [
            {
                "key": "volume_usd",
                "value": "20000000.00",
                "minimum": "20000000.00",
                "comparison": "at least",
                "outcome": "met",
            },
            {
                "key": "active_users",
                "value": "14",
                "minimum": "15",
                "comparison": "at least",
                "outcome": "not_met",
            },
            {
                "key": "new_users",
                "value": "5",
                "minimum": "5",
                "comparison": "at least",
                "outcome": "met",
            },
            {
                "key": "x_followers",
                "value": None,
                "minimum": "5000",
                "comparison": "more than",
                "outcome": "unknown",
            },
            {
                "key": "external_volume_usd",
                "value": "20000000.00",
                "minimum": "20000000.00",
                "comparison": "at least",
                "outcome": "met",
            },
        ],
        "tracks": {"on_exchange": "not_met", "external": "met"},
        "outcome": "met",
        "track": "external",
        "risk_level": "not_enough_data",
        "risk_score": 0,
        "risk_data_through": None,
        "risk_signals": [],
        "evidence_ids": [3, 9],
        "checklist": {"identity": "passed"},
        "provisional": False,
        "unproven": [],
    }


def test_the_window_ends_with_the_last_day_that_counts() -> None:
    february = Metrics(data_through=T, window=Window(date(2026, 2, 1), date(2026, 3, 1)))
    snapshot = taken(assess(FACTS, Policy()), metrics=february)

    assert (snapshot["window"]["start"], snapshot["window"]["end"]) == ("2026-02-01", "2026-02-28")


def test_without_metrics_day_and_window_are_unknown() -> None:
    snapshot = taken(assess(Facts(), Policy()), metrics=None)

    assert snapshot["data_through"] is None
    assert snapshot["window"] == {"kind": "trailing_30_days", "start": None, "end": None}
    assert snapshot["outcome"] == "unknown"
    assert {criterion["outcome"] for criterion in snapshot["criteria"]} == {"unknown"}


@given(facts)
def test_the_assessment_can_be_made_again_from_it_after_json(known: Facts) -> None:
    policy = Policy()
    kept = json.loads(json.dumps(taken(assess(known, policy))), parse_float=_no_float)
    values = {row["key"]: row["value"] for row in kept["criteria"]}
    again = Facts(
        **{
            criterion.key: None
            if values[criterion.key] is None
            else type_of(criterion.key)(values[criterion.key])
            for criterion in CRITERIA
        }
    )

    assert again == known
    assert str(assess(again, policy).outcome) == kept["outcome"]
    assert assess(again, policy).track == kept["track"]


def type_of(key: str) -> type[Decimal] | type[int]:
    return Decimal if key.endswith("_usd") else int


def _no_float(text: str) -> float:
    raise AssertionError(f"{text} is a float")


def test_it_holds_every_signal_with_what_was_known_of_it() -> None:
    measured = {
        "R10": Measured(value=Decimal("0.9"), sample=Decimal(30)),
        "R19": Measured(value=Decimal("0.4")),
    }
    risk = judge(measured, {"R19.warn": Decimal("0.35")}, dismissed={"R19"})
    snapshot = taken(assess(FACTS, Policy()), risk=snapshots.risk_of(risk, T))
    signals = {one["id"]: one for one in snapshot["risk_signals"]}

    assert list(signals) == [signal.id for signal in SIGNALS]
    assert (snapshot["risk_level"], snapshot["risk_score"]) == ("high", 20)
    assert snapshot["risk_data_through"] == T.isoformat()
    assert signals["R10"] == {
        "id": "R10",
        "value": "0.9",
        "sample": "30",
        "severity": "high",
        "limits": {"warn": "0.60", "high": "0.85"},
        "dismissed": False,
    }
    assert signals["R19"] == {
        "id": "R19",
        "value": "0.4",
        "sample": None,
        "severity": "warn",
        "limits": {"warn": "0.35", "high": "0.60"},
        "dismissed": True,
    }
    assert (signals["R01"]["severity"], signals["R01"]["value"]) == ("not_enough_data", None)
