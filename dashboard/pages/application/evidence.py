"""Evidence: observations, their age, and the forms to record more."""

from datetime import timedelta
from functools import partial

import streamlit as st

from dashboard.pages.application import evidence_form
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import figures, popovers, state
from dashboard.ui.safe_text import escape
from data_access.eligibility.assessments import Evidence
from data_access.review.opening import Opened
from program import wording
from program.periods import utc_day
from program.policy.criteria import EXTERNAL_VOLUME, X_FOLLOWERS
from program.policy.evidence import METHOD_LABELS, EvidenceKind, days_left, doubtful, is_current
from program.review.permissions import Act

CRITERIA = {
    EvidenceKind.X_FOLLOWERS: X_FOLLOWERS.key,
    EvidenceKind.EXTERNAL_VOLUME: EXTERNAL_VOLUME.key,
}
HEAD = ("| Seen | State | On | How, by whom |", "|:--|:--|:--|:--|")
RECORDING = (
    (EvidenceKind.X_FOLLOWERS, "Record followers"),
    (EvidenceKind.EXTERNAL_VOLUME, "Record other-exchange volume"),
)


def draw(shown: Opened) -> None:
    """Draw the observations, their sums, and the forms to record more."""
    found = shown.standing.evidence
    with st.container(border=True, gap="small", key="evidence"):
        st.markdown(f"**Evidence** · {len(found):,}")
        if found:
            _draw_table(shown)
        else:
            st.caption("No external evidence is recorded yet.")
        for sentence in (_sum(shown), *_doubtful(shown), *_expired(shown)):
            if sentence:
                st.caption(sentence)
        if shown.person.may(Act.RECORD_EVIDENCE):
            with st.container(horizontal=True, gap="small"):
                for kind, label in RECORDING:
                    _draw_recording(shown, kind, label)


def unknown_because(shown: Opened) -> dict[str, str]:
    """Return why a criterion based on evidence is unknown, by key: no evidence, or expired."""
    days = _expired_days(shown)
    return {
        key: f"evidence expired {days[kind]} d ago" if kind in days else "no evidence"
        for kind, key in CRITERIA.items()
    }


def _draw_recording(shown: Opened, kind: EvidenceKind, label: str) -> None:
    popovers.draw(
        label,
        partial(evidence_form.draw, shown.id_, kind, shown.person, shown.now),
        key=state.form_key(evidence_form.name(kind, shown.id_), "popover"),
        height=260,
        before=partial(state.hold, decision_name(shown.id_)),
        icon=":material/add:",
    )


def _draw_table(shown: Opened) -> None:
    """Draw the observations, newest first; none is ever removed. Its cells wrap."""
    with st.container(key="evidence-table"):
        st.markdown("\n".join([*HEAD, *(_row(shown, one) for one in shown.standing.evidence)]))


def _row(shown: Opened, entry: Evidence) -> str:
    """Return a row; the moment of recording and the number tell equal observations apart."""
    seen = figures.day(utc_day(entry.observed_at), year=True)
    how = [
        METHOD_LABELS[entry.method],
        escape(shown.named(entry.recorded_by)),
        f"recorded {figures.moment(entry.recorded_at)}",
        f"no. {entry.evidence_id}",
    ]
    if entry.source_url:
        how.append(escape(entry.source_url))
    age = (shown.now - entry.observed_at) / timedelta(days=1)
    cells = (
        f"**{escape(_what(entry))}**",
        f"{_state(shown, entry)}, {_expires(_days_left(shown, entry))}",
        f"{seen}, {age:.1f} d ago",
        " · ".join(how),
    )
    return f"| {' | '.join(cells)} |"


def _what(entry: Evidence) -> str:
    if entry.kind is EvidenceKind.X_FOLLOWERS:
        return f"{figures.count(int(entry.value))} followers on X"
    return f"{figures.usd_cut(entry.value)} USD · {entry.exchange_name or 'another exchange'}"


def _state(shown: Opened, entry: Evidence) -> str:
    if entry.evidence_id in shown.standing.established.evidence_ids:
        return "✓ counts"
    return "superseded" if _is_current(shown, entry) else "expired"


def _expires(left: int) -> str:
    """Say when it stops counting, at the data-through day; the day on which it does is past."""
    return f"for {left} d more" if left > 0 else f"since {1 - left} d"


def _doubtful(shown: Opened) -> list[str]:
    """Return a sentence for names that may mean several exchanges."""
    current = [entry for entry in shown.standing.evidence if _is_current(shown, entry)]
    return [
        f":material/help: {escape(wording.listed(names))} may be one exchange, so only the newest "
        "counts. If they are different, record one of them again and answer “No, another exchange”."
        for names in doubtful(current)
    ]


def _sum(shown: Opened) -> str | None:
    """Return which exchanges' volumes add up to what."""
    counted = [
        entry
        for entry in shown.standing.evidence
        if entry.kind is EvidenceKind.EXTERNAL_VOLUME
        and entry.evidence_id in shown.standing.established.evidence_ids
    ]
    total = shown.standing.established.external_volume_usd
    if total is None or len(counted) < 2:
        return None
    parts = " + ".join(
        f"{escape(entry.exchange_name or 'another exchange')} {figures.usd_cut(entry.value)}"
        for entry in sorted(counted, key=lambda entry: -entry.value)
    )
    return f"Other exchanges add up to **{figures.usd_cut(total)} USD** in 30 days: {parts}."


def _expired(shown: Opened) -> list[str]:
    """Return a sentence for each criterion that is unknown again."""
    what = {
        EvidenceKind.X_FOLLOWERS: "Followers on X",
        EvidenceKind.EXTERNAL_VOLUME: "Volume on other exchanges",
    }
    return [
        f":material/event_busy: {what[kind]}: expired {days} d ago, "
        "so the criterion is unknown again. Record new evidence."
        for kind, days in _expired_days(shown).items()
    ]


def _expired_days(shown: Opened) -> dict[EvidenceKind, int]:
    """Return the kinds whose evidence has all expired, and for how many days."""
    counting = {entry.kind for entry in shown.standing.evidence if _is_current(shown, entry)}
    lapsed: dict[EvidenceKind, int] = {}
    for entry in shown.standing.evidence:
        left = _days_left(shown, entry)
        if entry.kind not in counting and left <= 0:
            lapsed[entry.kind] = min(1 - left, lapsed.get(entry.kind, 1 - left))
    return lapsed


def _is_current(shown: Opened, entry: Evidence) -> bool:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return is_current(entry.observed_at, data_through=through, now=shown.now, policy=policy)


def _days_left(shown: Opened, entry: Evidence) -> int:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return days_left(entry.observed_at, data_through=through, now=shown.now, policy=policy)
