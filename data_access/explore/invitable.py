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
    Subquery,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
    union_all,
)

from data_access.db import tables
from data_access.eligibility import judging
from data_access.eligibility.judging import METRIC_TYPES, Judging, JudgingContext
from program.affiliates.requalification import nearly
from program.policy.criteria import EXTERNAL, ON_EXCHANGE, VOLUME, Requires, Track
from program.policy.policy import Policy
from program.review.reapplication import NEVER
from program.review.workflow import Decision, Status

# Whoever has such an application cannot apply.
TAKEN = (str(Status.PENDING), str(Status.APPROVED))


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


def listed(context: JudgingContext) -> Subquery:
    """Return the same accounts, free to apply: each with its volume and whether it is ``over``.

    ``over`` is whether they meet a track. Only what these need is read, so that all can be counted.
    """
    application, window, policy = tables.applications, tables.affiliate_window, context.policy
    evidence, late = judging.established_evidence(context), judging.uncovered(context)
    here = select(
        window.c.affiliate_account_id.label("account_id"),
        window.c[VOLUME.key],
        judging.track_truth(ON_EXCHANGE, dict(window.c), policy).label("over"),
    ).where(_nearly(ON_EXCHANGE, window, policy))
    rows = application.join(evidence, evidence.c.application_id == application.c.application_id)
    rows = rows.outerjoin(window, window.c.affiliate_account_id == application.c.account_id)
    if late is not None:
        rows = rows.outerjoin(late, late.c.account_id == application.c.account_id)
    elsewhere = (
        select(
            application.c.account_id,
            judging.metric(VOLUME.key, late),
            judging.track_truth(EXTERNAL, dict(evidence.c), policy),
        )
        .select_from(rows)
        # Most have a pending or approved application, and would be looked up in vain.
        .where(_nearly(EXTERNAL, evidence, policy), _is_newest(), ~application.c.status.in_(TAKEN))
    )
    near, account = union_all(here, elsewhere).subquery("near"), tables.accounts
    return (
        select(
            near.c.account_id,
            func.max(near.c[VOLUME.key]).label(VOLUME.key),
            func.coalesce(func.bool_or(near.c.over), False).label("over"),
        )
        .where(
            exists().where(account.c.account_id == near.c.account_id),
            *free_to_apply(near.c.account_id),
        )
        .group_by(near.c.account_id)
        .subquery("listed")
    )


def _nearly(track: Track, values: FromClause, policy: Policy) -> ColumnElement[bool]:
    truths = [values.c[c.key] >= nearly(c, policy) for c in track.criteria]
    return and_(*truths) if track.requires is Requires.ALL else or_(*truths)


def _external(context: JudgingContext, only: Sequence[int]) -> CTE:
    """Return what the current evidence of each account's newest application establishes."""
    application = tables.applications
    among = _among(application.c.account_id, only)
    theirs = select(application.c.application_id).where(*among) if only else ()
    evidence = judging.established_evidence(context, theirs)
    return (
        select(
            application.c.account_id,
            *(evidence.c[criterion.key] for criterion in EXTERNAL.criteria),
        )
        .join(evidence, evidence.c.application_id == application.c.application_id)
        .where(_is_newest(), *among)
        .cte("external")
    )


def _is_newest() -> ColumnElement[bool]:
    """Return whether the account has no newer application."""
    application, later = tables.applications.c, tables.applications.alias("later").c
    return ~exists().where(
        later.account_id == application.account_id,
        tuple_(later.submitted_at, later.application_id)
        > tuple_(application.submitted_at, application.application_id),
    )


def free_to_apply(
    account_id: ColumnElement[int] = tables.accounts.c.account_id,
) -> list[ColumnElement[bool]]:
    """Return the conditions that an account may apply, now or later."""
    application, decision = tables.applications.alias("held"), tables.current_decisions
    of_account = application.c.account_id == account_id
    for_ever = (
        select(1)
        .select_from(decision)
        .join(application, application.c.application_id == decision.c.application_id)
        .where(of_account, decision.c.reapply == NEVER.key)
        .correlate_except(application, decision)
    )
    return [
        ~exists().where(of_account, application.c.status.in_(TAKEN)),
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
