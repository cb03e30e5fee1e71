"""The evidence of an application: what was seen elsewhere, how old it is, and recording more."""

from datetime import timedelta

import streamlit as st

from dashboard.components import evidence_table, figures
from dashboard.forms import evidence_form
from dashboard.forms.shown import Shown
from data_access.assessments import Evidence
from program.evidence import METHOD_LABELS, EvidenceKind, is_current
from program.periods import evidence_cutoff, utc_day
from program.permissions import Act
from program.workflow import OPEN_STATUSES


def draw(shown: Shown) -> None:
    """The observations, what they add up to, and the forms to record more."""
    found = shown.standing.evidence
    with st.container(border=True, gap="small"):
        st.markdown(f"**Evidence** · {len(found):,}")
        if found:
            evidence_table.draw([_row(shown, seen) for seen in found])
            _draw_sum(shown)
        else:
            st.caption("Nobody has looked at this applicant's reach elsewhere yet.")
        open_here = shown.application.status in OPEN_STATUSES
        if shown.person.may(Act.RECORD_EVIDENCE) and open_here:
            with st.container(horizontal=True):
                for kind, label in (
                    (EvidenceKind.X_FOLLOWERS, "Record followers"),
                    (EvidenceKind.EXTERNAL_VOLUME, "Record other-exchange volume"),
                ):
                    with st.popover(label, icon=":material/add:"):
                        evidence_form.draw(shown.id_, kind, shown.person, shown.now)


def _row(shown: Shown, seen: Evidence) -> evidence_table.Row:
    fresh = shown.standing.freshness
    return evidence_table.Row(
        kind=seen.kind,
        value=seen.value,
        exchange=seen.exchange_name,
        observed_at=seen.observed_at,
        method=METHOD_LABELS[seen.method],
        source=seen.source_url,
        recorded_by=seen.recorded_by,
        counts=seen.evidence_id in shown.standing.established.evidence_ids,
        current=is_current(
            seen.observed_at,
            data_through=fresh.data_through if fresh else None,
            now=shown.now,
            policy=shown.standing.policy,
        ),
        expires=_expires(shown, seen),
    )


def _expires(shown: Shown, seen: Evidence) -> str:
    """In how many days it stops counting, or since when it does not."""
    fresh, policy = shown.standing.freshness, shown.standing.policy
    day = fresh.data_through if fresh else utc_day(shown.now)
    last = evidence_cutoff(day, policy.evidence_valid_days)
    left = (seen.observed_at - last) // timedelta(days=1)
    return f"in {left} d" if left >= 0 else f"{-left} d ago"


def _draw_sum(shown: Shown) -> None:
    volume = shown.standing.established.external_volume_usd
    exchanges = {
        seen.exchange_name
        for seen in shown.standing.evidence
        if seen.kind is EvidenceKind.EXTERNAL_VOLUME
        and seen.evidence_id in shown.standing.established.evidence_ids
    }
    if volume is not None and len(exchanges) > 1:
        st.caption(f"{len(exchanges)} exchanges add up to {figures.usd(volume)} USD in 30 days.")
    lapsed = {seen.kind for seen in shown.standing.evidence} - {
        seen.kind
        for seen in shown.standing.evidence
        if seen.evidence_id in shown.standing.established.evidence_ids
    }
    if lapsed:
        days = shown.standing.policy.evidence_valid_days
        words = {
            EvidenceKind.X_FOLLOWERS: "followers are",
            EvidenceKind.EXTERNAL_VOLUME: "volume elsewhere is",
        }
        said = " and ".join(words[kind] for kind in words if kind in lapsed)
        st.caption(f"All of it is older than {days} days, so {said} unknown again. Look anew.")
