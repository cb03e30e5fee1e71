"""The program page: its figures, its parts, and their drill-downs."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.proto.Metric_pb2 import Metric
from streamlit.proto.Metric_pb2 import Metric as MetricProto
from streamlit.testing.v1 import AppTest

from dashboard.pages.program import minimums, weekly_mail
from dashboard.shell.screens import PROGRAM, QUEUE
from dashboard.ui import data_table, figures
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from data_access.db import database
from data_access.db.errors import NotAllowed
from data_access.reports import weekly_figures, weekly_settings
from data_access.reports.weekly_mails import Due, LastSent, State
from program import wording
from program.periods import Window, day_start
from program.reports import amounts, bunching, weekly
from program.reports.export_formats import CSV_FORMS, Form
from program.reports.kpis import KPIS, ON_TIME, TIME_TO_DECISION, VOLUME, Unit
from program.reports.periods import Grain, Tab, buckets
from program.review.permissions import Act, Role, may
from tests.builders import add_application, add_refresh, add_segment_sums
from tests.cases import every, first_of
from tests.dashboard.pages.screen import PEOPLE, Desk, open_popovers, protos, texts
from tests.data_access.reports.test_kpis import decide, reopen, settle

KPIS_BY_KEY = {kpi.key: kpi for kpi in KPIS}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BEN = "ben@example.com"


def figure(app: AppTest, key: str) -> tuple[str, str]:
    """Return a figure's value and change."""
    (found,) = (metric for metric in app.metric if metric.label == KPIS_BY_KEY[key].name)
    return found.value, found.delta


def traces(app: AppTest, key: str) -> dict[str, list[float]]:
    """Return a chart's series by name."""
    (chart,) = (proto for proto in protos(app, "plotly_chart") if proto.id.endswith(key))
    found: list[Mapping[str, Any]] = json.loads(chart.spec)["data"]
    return {trace.get("name", ""): trace["y"] for trace in found}


@pytest.fixture
def manager(desk: Desk) -> Desk:
    desk.who = PEOPLE[Role.MANAGER]
    return desk


@pytest.fixture
def worked(manager: Desk) -> Desk:
    """Seven applications; the 30 days end with yesterday.

    In them: 2 approved after 24 h, 3 rejected after 72 h, 4 rejected and then approved after
    96 h, at the first moment of the first day. Before them: 5 approved after 48 h, at the last
    moment. After them: 6 approved at today's first moment. Pending: 1. Withdrawn: 7.
    Of 90 days each has volume 100 and a fee of 1; yesterday has 1,000.
    """
    today = day_start(manager.now.date())
    first = today - 30 * DAY
    with manager.engine.begin() as conn:
        add_refresh(conn, through=manager.yesterday, at=manager.now)
        submitted = {
            1: today - 2 * DAY,
            2: today - 4 * DAY,
            3: today - 8 * DAY,
            4: first - 96 * HOUR,
            5: first - timedelta(microseconds=1) - 48 * HOUR,
            6: today - 20 * DAY,
            7: today - 15 * DAY,
        }
        for id_, at in submitted.items():
            add_application(conn, id_, submitted_at=at)
        decide(conn, 2, "approved", submitted[2] + 24 * HOUR, BEN)
        decide(conn, 3, "rejected", submitted[3] + 72 * HOUR, BEN)
        earlier = decide(conn, 4, "rejected", first - 50 * HOUR, BEN)
        reopen(conn, 4, first - 49 * HOUR, earlier)
        decide(conn, 4, "approved", first, BEN, supersedes=earlier)
        decide(conn, 5, "approved", submitted[5] + 48 * HOUR, BEN)
        decide(conn, 6, "approved", today, BEN)
        conn.execute(
            text("update exchange.applications set status = 'withdrawn', status_changed_at = :at"
                 " where application_id = 7"),
            {"at": today - 10 * DAY},
        )  # fmt: skip
        sums = [
            row
            for back in range(1, 91)
            for row in sums_of(manager.now.date() - back * DAY, 1000 if back == 1 else 100)
        ]
        add_segment_sums(conn, *sums)
    return manager


def sums_of(day: date, amount: int) -> list[dict[str, Any]]:
    segments = {
        "program": "all",
        "country": "=BR",
        "track": "both",
        "cohort": "2026-01",
        "rate": "0.3",
    }
    return [
        {
            "dimension": dimension,
            "segment": segment,
            "day": day,
            "affiliates": 1,
            "volume_usd": amount,
            "fees_usd": 1,
            "trade_count": 1,
            "active_users": 4,
            "new_users": 2,
        }
        for dimension, segment in segments.items()
    ]


def test_five_figures_with_their_change(worked: Desk) -> None:
    """Volume 29 x 100 + 1,000 against 30 x 100: a third more is 30 %."""
    app = worked.open(PROGRAM)

    assert len(app.metric) == 5 + 3
    assert figure(app, "open") == ("1", "unchanged")
    assert figure(app, "decided") == ("3", "+2")
    assert figure(app, "approval_rate") == ("67 %", "−33 points")
    assert figure(app, "time_to_decision") == ("3.0 d", "+24.0 h")
    assert figure(app, "volume") == ("3.9 k USD", "+30 %")
    # The sign says the direction; an arrow beside it would say it twice.
    assert {metric.proto.direction for metric in app.metric} == {MetricProto.MetricDirection.NONE}


def test_too_few_decisions_are_no_forecast(worked: Desk) -> None:
    app = worked.open(PROGRAM)

    lines = texts(app, ["caption"])
    for key in ("overdue_next_day", "overdue_in_three_days"):
        assert figure(app, key) == ("unknown", "")
    assert sum("too little to forecast from" in line for line in lines) == 2


def test_what_waits_is_held_against_the_pace(worked: Desk) -> None:
    """Forty long overdue; on each of the last working days two were decided."""
    today = worked.now.date()
    days = [today - back * DAY for back in range(28, 0, -1)]
    ids = iter(range(100, 300))
    with worked.engine.begin() as conn:
        for day in days:
            for _ in range(2 if day.weekday() < 5 else 0):
                decided = day_start(day) + 12 * HOUR
                add_application(conn, id_ := next(ids), submitted_at=decided - 12 * HOUR)
                decide(conn, id_, "rejected", decided, BEN)
        settle(conn, 1, "withdrawn", worked.now)
        for _ in range(40):
            add_application(conn, next(ids), submitted_at=worked.now - 40 * DAY)

    app = worked.open(PROGRAM)

    assert figure(app, "overdue_in_three_days")[0] == str(40 - 3 * 2)
    # Until the end of the next working day it is one day and what is left of this one.
    left, delta = figure(app, "overdue_next_day")
    assert int(left) in (40 - 4, 40 - 3, 40 - 2)
    assert delta == f"−{40 - int(left)}"
    assert "from 40 now" in {metric.proto.delta_description for metric in app.metric}


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ANALYST])
def test_only_managers_see_reviewers_compared(role: Role, worked: Desk) -> None:
    worked.who = PEOPLE[role]

    app = worked.open(PROGRAM, tab="reviewers")

    compared = [table.value for table in app.dataframe if "reading" in table.value]
    assert bool(compared) is (role is Role.MANAGER)
    assert ("no judgment of a person" in " ".join(texts(app))) is (role is Role.MANAGER)
    for table in compared:
        assert table.reviewer.tolist() == ["Ben"]
        assert table.reading.tolist() == ["too few to compare"]


def test_every_figure_shows_its_definition_days_and_zone(worked: Desk) -> None:
    app = worked.open(PROGRAM, tab="volume")
    lines = texts(app, ["caption"])

    for metric in app.metric:
        (kpi,) = (kpi for kpi in KPIS_BY_KEY.values() if kpi.name == metric.label)
        assert metric.proto.help.startswith(kpi.definition)
        assert "UTC" in metric.proto.help or "now" in metric.proto.help
    assert sum(line.endswith(" UTC") for line in lines) >= 8
    (span,) = (line for line in lines if line.startswith("Applications and decisions of "))
    assert "UTC, compared with" in span


def test_every_number_of_a_table_shows_its_definition(worked: Desk) -> None:
    """A column of the table of times holds two figures, so it states both."""
    helps: dict[str, str | None] = {}
    for tab in Tab:
        for table in open_popovers(worked.open(PROGRAM, tab=tab)).dataframe:
            for name, config in json.loads(table.proto.columns).items():
                if config.get("type_config", {}).get("type") in ("number", "button"):
                    assert config.get("help"), (tab, name)
                helps.setdefault(name, config.get("help"))

    def both(first: str, second: str) -> str:
        touch, decision = KPIS_BY_KEY[first].definition, KPIS_BY_KEY[second].definition
        return f"First touch: {touch} Decision: {decision}"

    half = both("time_to_touch", "time_to_decision")
    nine = both("time_to_touch_p90", "time_to_decision_p90")
    assert [helps[f"median_hours{when}"] for when in ("", "_before")] == [half, half]
    assert [helps[f"p90_hours{when}"] for when in ("", "_before")] == [nine, nine]
    assert helps["share_of_submitted"] == KPIS_BY_KEY["funnel_share"].definition


def test_a_change_is_colored_only_where_one_way_is_better(worked: Desk) -> None:
    colors = {metric.label: metric.proto.color for metric in worked.open(PROGRAM).metric}

    assert colors.pop(TIME_TO_DECISION.name) == Metric.MetricColor.ORANGE
    assert colors.pop(VOLUME.name) == Metric.MetricColor.GREEN
    # Whether the decision of a weekend was on time depends on the day of the test.
    colors.pop(ON_TIME.name)
    assert set(colors.values()) == {Metric.MetricColor.GRAY}


def test_the_steps_of_a_chart_add_up_to_the_figure(worked: Desk) -> None:
    flow = traces(worked.open(PROGRAM, by="week"), "flow")

    assert {name: sum(steps) for name, steps in flow.items()} == {
        "submitted": 5,
        "approved": 2,
        "rejected": 1,
    }


def test_the_address_holds_period_step_and_part(worked: Desk) -> None:
    last = worked.yesterday
    app = worked.open(
        PROGRAM, period="custom", **{"from": str(last - 6 * DAY), "to": str(last), "by": "day"}
    )

    assert figure(app, "decided") == ("2", "+2")
    assert len(traces(app, "flow")["submitted"]) == 7


def open_at(worked: Desk, day: date) -> int:
    """Return how many of the seven were open when ``day`` began; today's date decides it."""
    with worked.engine.connect() as conn:
        count = text("select count(*) from exchange.applications where submitted_at < :at"
                     " and (status = 'pending' or status_changed_at >= :at)")  # fmt: skip
        return int(conn.execute(count, {"at": day_start(day)}).scalar_one())


def test_open_applications_are_compared_with_the_periods_beginning(worked: Desk) -> None:
    """Also if the period is compared with fewer days than the whole previous one."""
    (shown,) = (
        m for m in worked.open(PROGRAM, period="this_month").metric if m.label == "Open now"
    )

    began = worked.now.date().replace(day=1)
    first = figures.day(began)
    assert shown.proto.delta_description == f"from {open_at(worked, began)} on {first}"
    assert f"Compared with the number open when {first} began, UTC." in shown.proto.help


def test_a_past_period_shows_what_was_open_at_its_end(worked: Desk) -> None:
    """30 days that ended 5 days ago: 3 and 6 were open at the end, and nothing at the start."""
    last = worked.yesterday - 5 * DAY
    days = {"from": str(last - 29 * DAY), "to": str(last)}

    app = worked.open(PROGRAM, period="custom", **days)

    assert "Open now" not in {metric.label for metric in app.metric}
    assert figure(app, "open_at_end") == ("2", "+2")
    assert f"end of {figures.day(last)} UTC" in texts(app, ["caption"])


def test_a_choice_goes_into_the_address(worked: Desk) -> None:
    app = worked.open(PROGRAM)

    app.selectbox(key="report-choice").set_value("7d").run()
    assert app.query_params == {"period": "7d"}
    app.get("button_group")[0].set_value(Tab.REVIEWERS).run()
    assert app.query_params == {"period": "7d", "tab": "reviewers"}
    app.selectbox(key="report-choice").set_value("custom").run()

    assert set(app.query_params) == {"period", "from", "to", "tab"}
    assert not app.exception


def test_days_that_cannot_be_shown_are_named_and_stay_as_they_were_typed(worked: Desk) -> None:
    today = worked.now.date()
    app = worked.open(PROGRAM, period="custom", **{"from": str(today), "to": str(today)})
    assert texts(app, ["warning"]) == []

    app.date_input(key="report-days").set_value((date(1999, 1, 1), today + 40 * DAY)).run()

    (warning,) = texts(app, ["warning"])
    assert f"from 1 Jan 2000 to today, {wording.day(today)}, can be shown" in warning
    assert f"1 Jan 1999 to {wording.day(today + 40 * DAY)} is cut to " in warning
    assert app.date_input(key="report-days").value == (date(1999, 1, 1), today + 40 * DAY)
    assert app.query_params["from"] in ("1999-01-01", ["1999-01-01"])


UNUSABLE: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({"period": "8d"}, ["period “8d”"]),
    ({"period": "7d", "from": "2026-01-01"}, ["from “2026"]),
    ({"by": "year", "tab": "money"}, ["by “year”", "tab “money”"]),
    ({"split": "*", "of": ""}, ["split “\\*”"]),
    ({"period": "30d", "tab": "work", "split": "country", "of": "program"}, []),
    ({"period": "90d", "by": "week", "tab": "volume", "of": "track", "sort": "x:y"}, []),
)


@pytest.mark.sampled
def test_unusable_parts_of_the_address_are_named(worked: Desk) -> None:
    for query, named in every(2, UNUSABLE):
        warnings = texts(worked.open(PROGRAM, **query), ["warning"])

        assert len(warnings) == bool(named), query
        assert all(part in warning for part in named for warning in warnings), query


@pytest.mark.parametrize(
    ("days", "kept"),
    first_of(
        ({"from": "2026-02-30", "to": "2026-03-05"}, (date(2026, 3, 5),)),
        ({"from": "2026-03-05", "to": "2026-03-01"}, ()),
        ({"from": "0001-01-01", "to": "0001-01-02"}, ()),
        ({}, ()),
    ),
)
def test_days_of_an_address_that_are_no_period_are_named(
    worked: Desk, days: dict[str, str], kept: tuple[date, ...]
) -> None:
    app = worked.open(PROGRAM, period="custom", **days)

    assert len(texts(app, ["warning"])) == 1
    assert app.date_input(key="report-days").value == kept
    assert not app.exception


@pytest.mark.parametrize(
    ("tab", "charts", "tables_", "behind"),
    [
        # Tables behind a chart are in its popover, and drawn when somebody opens it.
        ("work", 4, 2, 4),
        ("reviewers", 1, 2, 1),
        ("volume", 1, 2, 1),
        ("cohorts", 1, 0, 1),
    ],
)
def test_only_the_visible_part_is_drawn(
    worked: Desk, tab: str, charts: int, tables_: int, behind: int
) -> None:
    app = worked.open(PROGRAM, tab=tab)

    assert not app.exception
    assert len(protos(app, "plotly_chart")) == charts
    assert len(app.dataframe) == tables_
    assert len(open_popovers(app).dataframe) == tables_ + behind
    assert len(app.metric) == {"work": 8, "volume": 13}.get(tab, 5)


def drawn(app: AppTest, key: str) -> dict[str, Any]:
    """Return a chart's traces and layout."""
    (chart,) = (proto for proto in protos(app, "plotly_chart") if proto.id.endswith(key))
    spec: dict[str, Any] = json.loads(chart.spec)
    return spec


@pytest.mark.parametrize(
    ("days", "grain"),
    first_of((30, Grain.WEEK), (1, Grain.DAY), (2, Grain.DAY), (7, Grain.MONTH), (90, Grain.MONTH)),
)
def test_any_number_of_steps_is_drawn_as_wide_and_named_as_it_is(
    days: int, grain: Grain, worked: Desk
) -> None:
    first, last = worked.now.date() - days * DAY, worked.now.date() - DAY
    steps = buckets(Window(first, last + DAY), grain)
    period = {"period": "custom", "from": str(first), "to": str(last), "by": str(grain)}

    work = worked.open(PROGRAM, **period)
    charts = [drawn(work, key) for key in ("flow", "open-then")]
    charts += [
        drawn(worked.open(PROGRAM, tab="volume", of=of, **period), f"trend-{of}")
        for of in ("program", "country")
    ]

    for chart in charts:
        axis = chart["layout"]["xaxis"]
        assert len(set(axis["tickvals"])) == len(axis["tickvals"]) > 0
        assert set(axis["tickvals"]) <= {str(step.start) for step in steps}
        for trace in chart["data"]:
            if trace.get("mode") == "markers":
                continue
            assert trace["x"] == [str(step.start) for step in steps]
            if trace["type"] == "bar":
                wide = [round(width / 86_400_000 / 0.82) for width in trace["width"]]
                assert wide == [step.days for step in steps]
            elif len(steps) == 1:
                assert trace["marker"]["size"] == [8]


@pytest.mark.parametrize("of", first_of("country", "program", "track", "cohort", "affiliate"))
def test_volume_is_split_by_segment(worked: Desk, of: str) -> None:
    app = worked.open(PROGRAM, tab="volume", of=of)
    drawn = traces(app, f"trend-{of}")

    named = {"program": "", "track": "both tracks", "country": "=BR", "cohort": "Jan 2026"}
    assert sum(drawn[named.get(of, "the rest")]) == 3900


def test_a_day_that_stands_out_is_marked_and_described(worked: Desk) -> None:
    app = worked.open(PROGRAM, tab="volume")

    assert traces(app, "trend-program")["stands out"] == [1000]
    assert any("stand out: " in line and "1 k instead of 100" in line for line in texts(app))


def test_rebates_follow_from_fees_and_rates(worked: Desk) -> None:
    """Fees of 30: 10 % is standard, and 20 points more are extra."""
    app = worked.open(PROGRAM, tab="volume")

    assert figure(app, "standard_rebate") == ("3 USD", "unchanged")
    assert figure(app, "extra_rebate") == ("6 USD", "unchanged")


def test_an_empty_database_claims_nothing(manager: Desk) -> None:
    for tab in Tab:
        app = manager.open(PROGRAM, tab=tab)

        assert not app.exception
        assert figure(app, "open") == ("0", "unchanged")
        assert figure(app, "approval_rate") == ("none", "")
        assert figure(app, "time_to_decision") == ("none", "")
        assert figure(app, "volume") == ("unknown", "")
        assert texts(app, ["warning"])[0].startswith("Metrics have never been computed")
        assert not protos(app, "plotly_chart")


def test_a_figure_leads_to_its_applications(worked: Desk) -> None:
    app = worked.open(PROGRAM)
    links = {proto.label: proto for proto in protos(app, "page_link")}
    assert links
    query = {
        "scope": "decided",
        "moment": "decided",
        "since": str(worked.now.date() - 30 * DAY),
        "until": str(worked.yesterday),
    }
    assert any(
        all(f"{name}={value}" in proto.query_string for name, value in query.items())
        for proto in protos(app, "page_link")
    )

    shown = worked.open(QUEUE, **query, reviewer=BEN)

    assert "Applications 3" in texts(shown)
    assert any(
        line.startswith("Applications approved and rejected · decided") for line in texts(shown)
    )
    assert "by Ben" in texts(shown)
    assert "Next" not in [button.label for button in shown.button]
    assert len(shown.dataframe[0].value) == 3


def test_filters_narrow_the_list_behind_a_figure_and_keep_it(worked: Desk) -> None:
    query = {"scope": "open", "age": "0-2"}
    app = worked.open(QUEUE, **query)
    app.text_input(key="queue-search").set_value("nobody").run()

    assert dict(app.query_params) == {
        **query,
        "search": "nobody",
    }
    app.button(key="queue-slice-out").click().run()
    assert dict(app.query_params) == {}


def test_chart_table_and_file_are_the_same_rows() -> None:
    sheet = Sheet(
        name="x",
        window=Window(date(2026, 2, 1), date(2026, 3, 1)),
        columns=(
            SheetColumn(key="name", label="Name", kind=CellKind.TEXT, cells=["=1+1", "ana"]),
            SheetColumn(key="usd", label="USD", kind=CellKind.USD, cells=[Decimal("0.10"), None]),
            SheetColumn(
                key="share",
                label="Share",
                kind=CellKind.SHARE,
                cells=[Decimal("0.125"), Decimal(2) / 3],
            ),
        ),
    )

    rows = list(csv.DictReader(io.StringIO(data_table.as_csv(sheet, Form()).decode())))

    days = {"window_first_day_utc": "2026-02-01", "window_last_day_utc": "2026-02-28"}
    assert rows == [
        {**days, "name": "'=1+1", "usd": "0.10", "share": "0.125"},
        {**days, "name": "ana", "usd": "", "share": "0.666667"},
    ]
    assert sheet.file == "x-2026-02-01-to-2026-02-28-utc"


@pytest.mark.parametrize("form", [form for _, form, _ in CSV_FORMS])
def test_every_form_of_the_file_has_the_same_rows(form: Form) -> None:
    """Read back by its separator and its decimal sign, it is the plain one."""
    sheet = Sheet(
        name="x",
        window=None,
        columns=(
            SheetColumn(key="name", label="Name", kind=CellKind.TEXT, cells=["a;b", "1.5", "=1"]),
            SheetColumn(
                key="usd", label="USD", kind=CellKind.USD, cells=[Decimal("1234.50"), None, 7]
            ),
        ),
    )
    plain = list(csv.reader(io.StringIO(data_table.as_csv(sheet, Form()).decode())))

    file = data_table.as_csv(sheet, form)

    assert file.startswith(b"\xef\xbb\xbf") is form.bom
    text_ = file.decode("utf-8-sig")
    assert ("1234,50" in text_, "1.5" in text_) == (form.comma, True)
    rows = list(csv.reader(io.StringIO(text_), delimiter=form.separator))
    assert [[cell.replace("1234,50", "1234.50") for cell in row] for row in rows] == plain


def test_a_file_is_logged_and_refused_after_its_person_loses_the_role(
    worked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, Any] = {}
    monkeypatch.setattr(
        st, "download_button", lambda _, data, key, **__: offered.update({key: data})
    )
    worked.open(PROGRAM, tab="reviewers")
    assert set(offered) == {
        f"{table}-csv-{number}"
        for table in ("reviewers-chart", "reviewers", "case-mix")
        for number, _ in enumerate(CSV_FORMS)
    }

    written = offered["reviewers-csv-0"]().decode().splitlines()

    with worked.engine.begin() as conn:
        log = text("select exported_by, dataset, format, filters, columns, row_count"
                   " from review.exports")  # fmt: skip
        (kept,) = conn.execute(log)
        conn.execute(text("update review.staff set role = 'reviewer' where email = :who"),
                     {"who": worked.who})  # fmt: skip
    days = {
        "first_day_utc": str(worked.now.date() - 30 * DAY),
        "last_day_utc": str(worked.yesterday),
    }
    assert tuple(kept[:4]) == (worked.who, "program", "csv", {"sheet": "reviewers", **days})
    assert (kept.columns, kept.row_count) == (written[0].split(",")[2:], len(written) - 1)
    with pytest.raises(NotAllowed):
        offered["reviewers-csv-0"]()


def test_a_chart_offers_its_picture_and_nothing_else(worked: Desk) -> None:
    (chart,) = protos(worked.open(PROGRAM, tab="reviewers"), "plotly_chart")
    config = json.loads(chart.config)

    assert config["modeBarButtons"] == [["toImage"]]
    assert config["toImageButtonOptions"]["filename"].startswith("reviewers-")


@pytest.mark.parametrize(
    ("unit", "now", "before", "words"),
    [
        (Unit.APPLICATIONS, 3, 5, "−2"),
        (Unit.APPLICATIONS, 5, 5, "unchanged"),
        (Unit.APPLICATIONS, 3000, 2000, "+50 %"),
        (Unit.SHARE, Decimal("0.5"), Decimal("0.25"), "+25 points"),
        (Unit.HOURS, Decimal(30), Decimal(54), "−24.0 h"),
        (Unit.USD, Decimal(50), Decimal(-100), "+150 %"),
        (Unit.USD, Decimal(5), Decimal(0), None),
        (Unit.USD, None, Decimal(5), None),
        (Unit.USERS, 4, None, None),
    ],
)
def test_a_change_is_shown_where_it_is_known(
    unit: Unit, now: Any, before: Any, words: str | None
) -> None:
    assert amounts.change(unit, now, before) == words


@pytest.mark.parametrize("role", Role)
def test_figures_are_for_roles_that_may_see_them(role: Role, worked: Desk) -> None:
    worked.who = PEOPLE[role]

    app = worked.open(PROGRAM)

    allowed = may(role, Act.SEE_PROGRAM)
    refusal = f"Your role, {role}, may not {Act.SEE_PROGRAM}. Ask a manager if you need it."
    assert bool(app.metric) is allowed
    assert (refusal in texts(app)) is not allowed


@pytest.mark.sampled
def test_the_page_runs_a_fixed_number_of_queries_and_never_reads_raw_activity(
    worked: Desk, statements: list[str]
) -> None:
    counts = []
    for more in (100, 200):
        statements.clear()
        # Names are kept for a minute.
        st.cache_data.clear()
        for tab in every(2, list(Tab)):
            worked.open(PROGRAM, tab=tab)
        counts.append(len(statements))
        assert not any("referral_activity" in statement for statement in statements)
        with worked.engine.begin() as conn:
            for id_ in range(more, more + 5):
                add_application(conn, id_, submitted_at=worked.now - timedelta(days=id_ - more))
    assert counts[0] == counts[1] > 0


def test_the_minimums_say_when_there_are_too_few_applicants(worked: Desk) -> None:
    app = worked.open(PROGRAM, tab="minimums")

    words = " ".join(texts(app))
    assert words.count("Too few to say") == 3
    assert "near 20 M USD; at least 60 are needed" in words
    assert "so it asks a question about the group" in words


def test_one_applicant_near_a_minimum_is_not_several() -> None:
    found = bunching.of_volume([Decimal(20_500_000)], Decimal(20_000_000))

    assert minimums.sentence(found).startswith("Too few to say: 1 applicant near 20 M USD;")


def test_the_weekly_report_has_the_figures_of_the_page(worked: Desk) -> None:
    """Whatever day it is: the last whole week, as the mail and as the page have it."""
    week = weekly.week_before(worked.now)
    days = {"from": week.start.isoformat(), "to": week.last_day.isoformat()}
    with database.reading(worked.engine) as conn:
        report = weekly_figures.read(conn, week, due_at=worked.now, now=worked.now)
    lines = {line.kpi.name: line for line in report.lines}

    shown: dict[str, tuple[str, str]] = {}
    for tab in (Tab.WORK, Tab.VOLUME):
        app = worked.open(PROGRAM, period="custom", tab=tab, **days)
        shown |= {metric.label: (metric.value, metric.delta) for metric in app.metric}
    both = shown.keys() & lines.keys()

    assert lines.keys() - both == {"Applications in", "Approved", "Rejected"} | (
        {"Open at the end"} if "Open now" in shown else set()
    )
    for name in both:
        line = lines[name]
        assert (line.words, line.change) == (shown[name][0], shown[name][1] or ""), name
    steps = {
        name: sum(ys)
        for name, ys in traces(worked.open(PROGRAM, period="custom", **days), "flow").items()
    }
    assert {"submitted": steps["submitted"], "approved": steps["approved"]} == {
        "submitted": lines["Applications in"].value,
        "approved": lines["Approved"].value,
    }


def test_a_manager_sets_up_the_weekly_mail(worked: Desk) -> None:
    app = worked.open(PROGRAM)
    app.button(key="weekly-mail-open").click().run()
    assert "Nobody gets it yet. Turn it on below." in texts(app)

    (on,) = (one for one in app.toggle if one.label.startswith("Send the figures"))
    on.set_value(True)
    (zone,) = (one for one in app.selectbox if one.label == "Time zone")
    zone.select("Europe/Berlin")
    (save,) = (one for one in app.button if one.label == "Save")
    save.click().run()

    app.button(key="weekly-mail-open").click().run()
    assert r"Saved\." in [one.value for one in app.success]
    assert [one for one in texts(app) if one.startswith("Next: ")]
    with database.reading(worked.engine) as conn:
        saved = weekly_settings.in_force(conn)
    assert saved is not None
    assert (saved.is_on, saved.schedule.words) == (True, "Mondays, 08:00 Europe/Berlin")
    assert saved.recipients == (PEOPLE[Role.MANAGER],)


def test_only_managers_see_the_weekly_mail(worked: Desk) -> None:
    worked.who = PEOPLE[Role.ANALYST]

    assert "weekly-mail-open" not in [one.key for one in worked.open(PROGRAM).button]


def test_the_settings_say_what_went_last_and_what_goes_next() -> None:
    week, due = Window(date(2020, 3, 2), date(2020, 3, 9)), datetime(2020, 3, 9, 8, tzinfo=UTC)
    last = LastSent(
        week=week, due_at=due, mails=3, sent=1, waiting=1, ended_at=due, last_error="Mailbox full"
    )
    late = Due(week=week, at=due, recipients=["a@example.com"])
    found = State(last=last, due=late, next_at=due, next_week=week)

    assert weekly_mail.sentences(found, None) == [
        "Last: 2 Mar to 8 Mar 2020, sent to 1 of 3, 9 Mar 2020, 08:00 UTC, 1 still waiting, "
        "1 not sent. Mailbox full",
        "The report on 2 Mar to 8 Mar 2020 was due on 9 Mar 2020, 08:00 UTC and goes as soon as "
        "the worker runs (notify) with a mail server.",
        "Next: 9 Mar 2020, 08:00 UTC, for 2 Mar to 8 Mar 2020.",
    ]
