"""An alert: a break of an approved affiliate, in the words of screens and mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from program import wording
from program.risk import values
from program.risk.signals import SEVERITY_WORDS, Severity, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A break that was first measured with data through ``since``; ``username`` is typed text.

    ``dismissed_until`` is set if somebody looked into it since.
    """

    alert_id: int
    account_id: int
    application_id: int
    username: str
    signal: Signal
    severity: Severity
    value: Decimal
    threshold: Decimal
    since: date
    dismissed_until: date | None = None

    @property
    def words(self) -> str:
        """What broke: ``5.3 ×, high from 5 ×``."""
        limit = "at most" if self.signal.lower_is_worse else "from"
        value, severity = values.short(self.signal, self.value), SEVERITY_WORDS[self.severity]
        return f"{value}, {severity} {limit} {values.exact(self.signal, self.threshold)}"


MOST_NAMED = 50


def subject(alerts: Sequence[Alert], of: int) -> str:
    """Return the subject of the day's mail about ``of`` alerts, of which some are at hand."""
    number = "1 affiliate signal" if of == 1 else f"{of:,} affiliate signals"
    through = max(alert.since for alert in alerts)
    return f"{number} to look at, data through {wording.day(through)}"


def body(alerts: Sequence[Alert], of: int) -> str:
    """Return the text of the mail: names, ids and figures; a question, and where to look."""
    lines = [
        f"- {alert.username} (account {alert.account_id}, application {alert.application_id}): "
        f"{alert.signal.name}, {alert.words}, since {wording.day(alert.since)}. "
        f"{alert.signal.question}"
        for alert in alerts
    ]
    more = [f"- and {of - len(alerts):,} more"] if of > len(alerts) else []
    return "\n".join(
        [
            "These approved affiliates were not flagged when they were measured before:",
            "",
            *lines,
            *more,
            "",
            "A signal is a question, not a finding. They are listed under Affiliates, Alerts.",
        ]
    )
