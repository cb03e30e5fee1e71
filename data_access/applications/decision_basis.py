"""The facts about an application that a decision rests on."""

from collections.abc import Mapping
from dataclasses import replace

from data_access.applications.read import Application
from data_access.eligibility.assessments import Standing
from program.policy.checklist import CheckOutcome
from program.policy.viewed import ViewedFacts


def view(
    standing: Standing, application: Application, checks: Mapping[str, CheckOutcome]
) -> ViewedFacts:
    """Return the current facts about an application that a decision rests on."""
    return replace(
        standing.seen,
        checks={key: str(outcome) for key, outcome in checks.items()},
        applicant={
            "identity verification": application.kyc_status,
            "social account": f"{application.social_handle} ({application.social_platform})",
        },
    )
