"""The snapshot that a decision stores, as plain JSON values.

Numbers are kept as text, so that readers do not turn money into floats.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from program.periods import Window
from program.policy.eligibility import Assessment, CriterionResult
from program.policy.policy import Policy


def take(
    assessment: Assessment,
    *,
    policy: Policy,
    data_through: date | None,
    window: Window | None,
    evidence_ids: Sequence[int] = (),
    checklist: Mapping[str, str] | None = None,
    provisional: bool = False,
    unproven: Sequence[str] = (),
) -> dict[str, Any]:
    """Freeze an assessment: enough to recompute it, and to show what the reviewer saw.

    ``provisional`` is whether metrics were behind; ``unproven`` names, in words, the facts that the
    rejection reason asserts and that were not established.
    """
    return {
        "data_through": data_through.isoformat() if data_through else None,
        "provisional": provisional,
        "window": {
            "kind": str(policy.window_kind),
            "start": window.start.isoformat() if window else None,
            "end": window.last_day.isoformat() if window else None,
        },
        "policy_version": policy.version,
        "criteria": [_criterion(result) for result in assessment.criteria],
        "tracks": {result.track.key: str(result.outcome) for result in assessment.tracks},
        "outcome": str(assessment.outcome),
        "track": assessment.track,
        "risk_signals": [],
        "evidence_ids": list(evidence_ids),
        "checklist": dict(checklist or {}),
        "unproven": list(unproven),
    }


def _criterion(result: CriterionResult) -> dict[str, Any]:
    return {
        "key": result.criterion.key,
        "value": None if result.value is None else str(result.value),
        "minimum": str(result.minimum),
        "comparison": str(result.criterion.comparison),
        "outcome": str(result.outcome),
    }
