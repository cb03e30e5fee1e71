"""The facts about an application that a decision rests on."""

from collections.abc import Mapping
from dataclasses import replace

from data_access.applications.read import Application
from data_access.eligibility.assessments import AssessedApplication
from program.policy.checklist import CheckOutcome
from program.policy.viewed import ViewedFacts
from program.text.handles import identity


def view(
    standing: AssessedApplication, application: Application, checks: Mapping[str, CheckOutcome]
) -> ViewedFacts:
    """Return the current facts about an application that a decision rests on.

    Two spellings of a handle that name the same account make no difference.
    """
    named = identity(application.social_platform, application.social_handle)
    handle = named.text if named else application.social_handle
    return replace(
        standing.viewed_facts,
        checks={key: str(outcome) for key, outcome in checks.items()},
        applicant={
            "identity verification": application.kyc_status,
            "social account": f"{handle} ({application.social_platform})",
        },
    )
