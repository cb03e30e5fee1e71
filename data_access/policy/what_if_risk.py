"""What a draft's thresholds would flag, from what was measured at the last refresh."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, text

from data_access.eligibility import policies
from program.affiliates.what_if import Population, RiskReplay
from program.policy import settings
from program.policy.criteria import ON_EXCHANGE
from program.policy.policy import Policy
from program.risk.signals import SIGNALS, Severity

# Judging compares with these; measuring by another month or other users needs a refresh.
MINIMUMS = frozenset(criterion.minimum for criterion in ON_EXCHANGE.criteria)
# Measured against the minimums in force, so that others need a refresh too.
BY_MINIMUMS = ("R05", "R28")
JUDGED = text(
    """
    with given as materialized (
        select array(select account_id from review.risk_measures) as ids
    ), people as materialized (
        select 'open' as population, account_id from exchange.applications
        where status = 'pending'
        union
        select 'affiliates', account_id from review.affiliate_tested
    ), old as materialized (
        select account_id, level, signals from given, review.judged_risk(
            jsonb_populate_record(null::review.policies, cast(:old as jsonb)), given.ids)
    ), new as materialized (
        select account_id, level, signals from given, review.judged_risk(
            jsonb_populate_record(null::review.policies, cast(:new as jsonb)), given.ids)
    ), compared as materialized (
        select population, old.level as old_level, new.level as new_level,
            old.signals as old_signals, new.signals as new_signals
        from people left join old using (account_id) left join new using (account_id)
    )
    select population, 'level' as what, old_level as old, new_level as new, count(*) as number
    from compared group by 1, 3, 4
    union all
    select population, 'old', signal, null, count(*) from compared, unnest(old_signals) as signal
    group by 1, 3
    union all
    select population, 'new', signal, null, count(*) from compared, unnest(new_signals) as signal
    group by 1, 3
    """
)


def replay(connection: Connection, policy: Policy, draft: Policy) -> RiskReplay | None:
    """Return what both policies flag; ``None`` if the draft judges nothing differently."""
    changed = {change.setting.name: change.setting for change in settings.changes(policy, draft)}
    judged = {name for name, one in changed.items() if one.threshold or name in MINIMUMS}
    if not judged:
        return None
    given = {"old": policies.as_json(policy), "new": policies.as_json(draft)}
    rows = connection.execute(JUDGED, given).all()
    levels: dict[Population, Counter[tuple[Severity, Severity]]] = {}
    unmeasured: Counter[Population] = Counter()
    flagged: dict[str, Counter[tuple[Population, str]]] = {"old": Counter(), "new": Counter()}
    for row in rows:
        population = Population(row.population)
        if row.what != "level":
            flagged[row.what][population, row.old] += row.number
        elif row.old is None or row.new is None:
            unmeasured[population] += row.number
        else:
            move = (Severity(row.old), Severity(row.new))
            levels.setdefault(population, Counter())[move] += row.number
    return RiskReplay(
        levels=levels,
        unmeasured=unmeasured,
        signals=_signals(flagged),
        stale=BY_MINIMUMS if judged & MINIMUMS else (),
    )


def _signals(
    flagged: Mapping[str, Counter[tuple[Population, str]]],
) -> dict[str, dict[Population, tuple[int, int]]]:
    """Return, for each signal that moved, how many it flags under both, by population."""
    counts: dict[str, dict[Population, tuple[int, int]]] = {
        signal.id: {
            population: (
                flagged["old"][population, signal.id],
                flagged["new"][population, signal.id],
            )
            for population in (Population.OPEN, Population.AFFILIATES)
        }
        for signal in SIGNALS
    }
    return {
        id_: found
        for id_, found in counts.items()
        if any(old != new for old, new in found.values())
    }
