"""Tables and diagrams for the cog blocks in docs/*.md; `make docs` writes them."""

from collections.abc import Iterable, Sequence

from dashboard.shell.addresses import ADDRESSES, PAGES, Reach
from dashboard.ui import shortcuts
from data_access.db import addresses as addresses_
from data_access.db import environment, privileges
from data_access.db.roles import FACTS_OWNER, Login
from program import wording
from program.affiliates import requalification
from program.policy import settings
from program.policy.drafts import METRICS
from program.policy.policy import Policy
from program.policy.setting import Group, Setting
from program.policy.settings import SETTINGS
from program.reports import export_formats
from program.reports.datasets import DATASETS, Dataset
from program.reports.kpis import KPIS
from program.reports.periods import CHOICE_LABELS
from program.reports.views import FUNCTION_WORDS
from program.review import queue_explained, workflow
from program.review.permissions import ALLOWED, MANAGES, Act, Role
from program.text.glossary import TERMS

NOBODY = "automatic: upstream, the date or the facts"


def workflow_diagram() -> str:
    """Return the transitions of an application as a Mermaid diagram."""
    return _diagram("pending: Submitted", workflow.TRANSITIONS)


def addresses() -> str:
    """Return who may reach which address of the server."""
    pages = dict.fromkeys(sorted(PAGES), Reach.SHELL)
    found = ADDRESSES | pages
    rows = [
        (" ".join(f"`{path}`" for path, whose in found.items() if whose is who), who.value)
        for who in Reach
    ]
    return table(("address", "who may reach it"), rows)


def environment_settings() -> str:
    """Return every setting in the environment."""
    rows = [
        (f"`{one.name}`", one.meaning, one.default, "secret" if one.secret else "")
        for one in environment.SETTINGS
    ]
    return table(("setting", "meaning", "without it", ""), rows)


def database_refusals() -> str:
    """Return why the database may refuse a connection, by the words of its log."""
    names = {
        "user": "NAME",
        "dbname": "NAME",
        "address": "DATABASE_URL",
        "setting": "the setting of its password",
    }
    rows = [
        (" or ".join(cause.words), cause.sentence.format(**names)) for cause in addresses_.CAUSES
    ]
    return table(("Postgres says", "what to do"), rows)


def roles() -> str:
    """Return which role may do what."""
    rows = [
        (act.value, *("yes" if role in ALLOWED[act] else "" for role in Role)) for act in ALLOWED
    ]
    return table(("act", *Role), rows)


def managed_roles() -> str:
    """Return whose access each role may change."""
    rows = [(role, ", ".join(one for one in Role if one in MANAGES[role])) for role in Role]
    return table(("role", "manages"), [(role, whom or "nobody") for role, whom in rows])


def workflow_transitions() -> str:
    """Return who may take which transition of an application."""
    rows = [(t.label, t.old, t.new, _roles(t.act)) for t in workflow.TRANSITIONS]
    return table(("move", "from", "to", "who"), rows)


def workflow_statuses() -> str:
    """Return the statuses of an application and what upstream calls each."""
    statuses = (
        *workflow.OPEN_STATUSES,
        workflow.Status.APPROVED,
        workflow.Status.REJECTED,
        workflow.Status.WITHDRAWN,
    )
    rows = [(status, workflow.STATUS_WORDS[status], status.upstream) for status in statuses]
    return table(("status", "label", "upstream"), rows)


def affiliate_diagram() -> str:
    """Return the transitions of an affiliate's standing as a Mermaid diagram."""
    return _diagram("active: Approved", requalification.TRANSITIONS)


def affiliate_transitions() -> str:
    """Return who may take which transition of an affiliate's standing."""
    rows = [(t.label, t.old, t.new, _roles(t.act)) for t in requalification.TRANSITIONS]
    return table(("step", "from", "to", "who"), rows)


def standings() -> str:
    """Return the standings of an affiliate and what each means."""
    rows = [
        (
            standing,
            requalification.STANDING_WORDS[standing],
            requalification.STANDING_MEANINGS[standing],
        )
        for standing in requalification.Standing
    ]
    return table(("standing", "label", "meaning"), rows)


def standing_reasons() -> str:
    """Return the reasons for a change of standing and the steps each is for."""
    rows = [
        (
            reason.label,
            ", ".join(requalification.STEP_LABELS[step].lower() for step in reason.steps),
        )
        for reason in requalification.REASONS
    ]
    return table(("reason", "for"), rows)


def suggested_rates() -> str:
    """Return the rebate rate that each result of the newest month suggests."""
    policy = Policy()
    rows = [
        (
            "missed, and the miss counts",
            f"the standard {wording.percent(policy.standard_rebate_rate)}",
        ),
        *(
            (_passed(step), f"at most {wording.percent(step.most or policy.max_rebate_rate)}")
            for step in requalification.RATE_STEPS
        ),
        ("unknown, protected, not tested yet, or volume unknown or incomplete", "as granted"),
    ]
    return table(("newest month", "rate"), rows)


def glossary() -> str:
    """Return the terms with their meanings."""
    return table(("term", "meaning"), TERMS.items())


def queue_points() -> str:
    """Return the points of the queue's order."""
    rows = [(one.label.lower(), words, str(one.cap)) for one, words in queue_explained.points()]
    return table(("", "points", "at most"), rows)


def queue_columns() -> str:
    """Return what the columns of the queue mean."""
    return table(("column", "means"), queue_explained.COLUMNS.items())


def shortcut_tables() -> str:
    """Return the keys of each page."""
    return "\n\n".join(
        f"## {page}\n\n"
        + table(
            ("key", "what it does"),
            [(f"`{shortcut.key}`", shortcut.what) for shortcut in shortcuts.shortcuts_of(page)],
        )
        for page in shortcuts.PAGES
    )


def policy_settings() -> str:
    """Return the settings of the policy by group, with limits and explanations."""
    head = ("setting", "version 1", "lowest to highest", "")
    return "\n\n".join(
        f"### {group}\n\n"
        + table(head, [_setting(setting) for setting in SETTINGS if setting.group is group])
        for group in Group
        if group is not Group.RISK
    )


def periods() -> str:
    """Return the periods of the program page."""
    return ", ".join(wording.inline(label) for label in CHOICE_LABELS.values()) + "."


def kpi_table() -> str:
    """Return every KPI with its unit, definition and drill-down list."""
    head = ("KPI", "unit", "definition", "counted by", "list behind it", "better")
    rows = [
        (kpi.name, kpi.unit, kpi.definition, kpi.counted, "yes" if kpi.opens else "no", kpi.reading)
        for kpi in KPIS
    ]
    return table(head, rows)


def measures() -> str:
    """Return the functions that a measure of a grouped view may use."""
    return ", ".join(FUNCTION_WORDS) + "."


def export_limits() -> str:
    """Return how large and how long an export may be, and how many run at once."""
    rows = [
        ("time", f"{export_formats.LONGEST_S // 60} minutes"),
        ("size", f"{export_formats.LARGEST_BYTES // 1024**3} GB"),
        ("exports at once", str(export_formats.AT_ONCE)),
        ("of them, one person's", str(export_formats.AT_ONCE_EACH)),
        ("of them, reading the database", str(export_formats.READING_AT_ONCE)),
        ("rows of an Excel file", f"{export_formats.XLSX_ROWS:,}"),
    ]
    return table(("limit", ""), rows)


def datasets() -> str:
    """Return each dataset with its columns."""
    return "\n\n".join(map(_dataset, DATASETS))


def database_rights() -> str:
    """Return the owner of each table, and what each login may do there."""
    rows = [
        (f"`{rule.table}`", f"`{rule.owner}`", *(_rights(rule, login) for login in Login))
        for rule in privileges.RULES
    ]
    return table(("table", "owner", *(f"`{login}`" for login in Login)), rows)


def _rights(rule: privileges.Rule, login: Login) -> str:
    if login is Login.LOADER and rule.owner == FACTS_OWNER:
        return "all"
    rights = [right for right in ("select", "insert") if login in getattr(rule, right)]
    if columns := rule.update.get(login):
        every = columns == privileges.EVERYTHING
        rights.append("update" if every else f"update of {', '.join(columns.split())}")
    return ", ".join([*rights, *["delete"] * (login in rule.delete)])


def _dataset(dataset: Dataset) -> str:
    description = dataset.description
    if dataset.bounded:
        description += (
            " Read from the daily rollup `review.affiliate_daily`, at most "
            f"{dataset.most_days} days at a time; the default is the last 30 days of "
            f"`{dataset.bounded}`."
        )
    rows = [
        (f"`{column.name}`", column.kind, column.description + " · personal" * column.personal)
        for column in dataset.columns
    ]
    return f"### `{dataset.key}`: {dataset.title.lower()}\n\n{description}\n\n" + table(
        ("column", "type", "content"), rows
    )


def _setting(setting: Setting) -> Sequence[str]:
    first = settings.words(setting, settings.value(Policy(), setting))
    refresh = " *Refresh.*" if METRICS & set(setting.recounts) else ""
    label = f"{setting.label} (`{setting.name}`)"
    return label, first, _limits(setting), setting.explanation + refresh


def _limits(setting: Setting) -> str:
    if setting.least is None or setting.most is None:
        return ""
    both = (settings.words(setting, limit) for limit in (setting.least, setting.most))
    return " to ".join(both) + (f", or {setting.none}" if setting.optional else "")


def _passed(step: requalification.RateStep) -> str:
    if not step.times:
        return "passed with less"
    return f"passed with at least {step.times} times the minimum volume"


def _roles(act: Act | None) -> str:
    if act is None:
        return NOBODY
    return ", ".join(role for role in Role if role in ALLOWED[act])


def _diagram(
    start: str, transitions: Iterable[workflow.Transition | requalification.Transition]
) -> str:
    steps = [f"    {t.old} --> {t.new}: {t.label}" for t in transitions]
    return "\n".join(
        ["", "```mermaid", "stateDiagram-v2", f"    [*] --> {start}", *steps, "```", ""]
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
