"""The snapshot that a decision stores, as plain JSON values.

Numbers are kept as text, so that readers do not turn money into floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from program.periods import Window
from program.policy.eligibility import Assessment, CriterionResult
from program.policy.policy import Policy
from program.risk.judging import NOT_MEASURED, Result, Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Which metrics an assessment used; ``provisional`` is whether they were behind."""

    data_through: date
    window: Window
    provisional: bool = False


def take(
    assessment: Assessment,
    *,
    policy: Policy,
    metrics: Metrics | None,
    evidence_ids: Sequence[int] = (),
    checklist: Mapping[str, str] | None = None,
    unproven: Sequence[str] = (),
    risk: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Freeze an assessment: enough to recompute it, and to show what the reviewer saw.

    ``metrics`` is ``None`` if there were none; ``unproven`` names, in words, the facts that the
    rejection reason asserts and that were not established; ``risk`` comes from `risk_of`.
    """
    return {
        "data_through": metrics.data_through.isoformat() if metrics else None,
        "provisional": metrics is not None and metrics.provisional,
        "window": _window(policy, metrics),
        "policy_version": policy.version,
        "criteria": [_criterion(result) for result in assessment.criteria],
        "tracks": {result.track.key: str(result.outcome) for result in assessment.tracks},
        "outcome": str(assessment.outcome),
        "track": assessment.track,
        **(risk or risk_of(None, None)),
        "evidence_ids": list(evidence_ids),
        "checklist": dict(checklist or {}),
        "unproven": list(unproven),
    }


def _window(policy: Policy, metrics: Metrics | None) -> dict[str, Any]:
    return {
        "kind": str(policy.window_kind),
        "start": metrics.window.start.isoformat() if metrics else None,
        "end": metrics.window.last_day.isoformat() if metrics else None,
    }


def risk_of(risk: Risk | None, data_through: date | None) -> dict[str, Any]:
    """Freeze the results of all signals, those that were not measured or are dismissed too."""
    headline = risk.headline if risk else NOT_MEASURED
    return {
        "risk_level": str(headline.level),
        "risk_score": headline.score,
        "risk_data_through": data_through.isoformat() if data_through else None,
        "risk_signals": [_signal(result) for result in risk.results] if risk else [],
    }


def _signal(result: Result) -> dict[str, Any]:
    measured = result.measured
    return {
        "id": result.signal.id,
        "value": None if measured.value is None else str(measured.value),
        "sample": None if measured.sample is None else str(measured.sample),
        "severity": str(result.severity),
        "limits": {str(severity): str(limit) for severity, limit in result.limits.items()},
        "dismissed": result.dismissed,
    }


def _criterion(result: CriterionResult) -> dict[str, Any]:
    return {
        "key": result.criterion.key,
        "value": None if result.value is None else str(result.value),
        "minimum": str(result.minimum),
        "comparison": str(result.criterion.comparison),
        "outcome": str(result.outcome),
    }
