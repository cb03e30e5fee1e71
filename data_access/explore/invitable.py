"""Accounts to invite: they meet the minimums of a track or nearly do, and are free to apply.

"Nearly" means short by a tenth at most: in every on-exchange criterion, or in one external
criterion by the current evidence of the account's newest application. Accounts with a pending or
approved application, or rejected forever, are left out.
"""

from collections.abc import Sequence

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
)

from data_access.db import tables
from data_access.eligibility import judging
from data_access.eligibility.judging import METRIC_TYPES, Judging, JudgingContext
from program.affiliates.requalification import nearly
from program.policy.criteria import EXTERNAL, ON_EXCHANGE, Requires, Track
from program.policy.policy import Policy
from program.review.reapplication import NEVER
from program.review.workflow import Decision, Status


def near(context: JudgingContext, *, only: Sequence[int] = ()) -> Judging:
    """Return accounts near the minimums, or those among ``only``, with what they are judged on."""
    account, window, late = tables.accounts, tables.affiliate_window, judging.uncovered(context)
    external, holder = _external(context, only), window.c.affiliate_account_id
    reaching = union(
        select(holder.label("account_id")).where(
            _nearly(ON_EXCHANGE, window, context.policy), *_among(holder, only)
        ),
        select(external.c.account_id).where(_nearly(EXTERNAL, external, context.policy)),
    ).subquery("reaching")
    values = {key: judging.metric(key, late) for key in METRIC_TYPES}
    values |= {criterion.key: external.c[criterion.key] for criterion in EXTERNAL.criteria}
    rows = (
        account.join(reaching, reaching.c.account_id == account.c.account_id)
        .outerjoin(window, holder == account.c.account_id)
        .outerjoin(external, external.c.account_id == account.c.account_id)
    )
    if late is not None:
        rows = rows.outerjoin(late, late.c.account_id == account.c.account_id)
    return Judging(rows, values, late)


def _nearly(track: Track, values: FromClause, policy: Policy) -> ColumnElement[bool]:
    truths = [values.c[c.key] >= nearly(c, policy) for c in track.criteria]
    return and_(*truths) if track.requires is Requires.ALL else or_(*truths)


def _external(context: JudgingContext, only: Sequence[int]) -> CTE:
    """Return what the current evidence of each account's newest application establishes."""
    application, evidence = tables.applications, judging.established_evidence(context)
    later = application.alias("later")
    newer = exists().where(
        later.c.account_id == application.c.account_id,
        tuple_(later.c.submitted_at, later.c.application_id)
        > tuple_(application.c.submitted_at, application.c.application_id),
    )
    return (
        select(
            application.c.account_id,
            *(evidence.c[criterion.key] for criterion in EXTERNAL.criteria),
        )
        .join(evidence, evidence.c.application_id == application.c.application_id)
        .where(~newer, *_among(application.c.account_id, only))
        .cte("external")
    )


def free_to_apply() -> list[ColumnElement[bool]]:
    """Return the conditions that an account may apply, now or later."""
    application, decision = tables.applications, tables.current_decisions
    of_account = application.c.account_id == tables.accounts.c.account_id
    taken = application.c.status.in_([str(Status.PENDING), str(Status.APPROVED)])
    for_ever = (
        select(1)
        .select_from(decision)
        .join(application, application.c.application_id == decision.c.application_id)
        .where(of_account, decision.c.reapply == NEVER.key)
        .correlate(tables.accounts)
    )
    return [
        ~exists().where(of_account, taken).correlate(tables.accounts),
        ~for_ever.exists(),
    ]


def _among(account_id: ColumnElement[int], only: Sequence[int]) -> list[ColumnElement[bool]]:
    return [account_id.in_(only)] if only else []


def last_application() -> FromClause:
    """Return the account's newest application, with the current decision if it was rejected."""
    application, decision = tables.applications, tables.current_decisions
    rejected = and_(
        decision.c.application_id == application.c.application_id,
        decision.c.outcome == Decision.REJECTED,
    )
    return (
        select(
            application.c.application_id,
            application.c.status,
            func.coalesce(application.c.status_changed_at, application.c.submitted_at).label("at"),
            decision.c.reason_code,
            decision.c.reapply_from,
        )
        .select_from(application.outerjoin(decision, rejected))
        .where(application.c.account_id == tables.accounts.c.account_id)
        .order_by(application.c.submitted_at.desc(), application.c.application_id.desc())
        .limit(1)
        .correlate(tables.accounts)
        .lateral("last")
    )
