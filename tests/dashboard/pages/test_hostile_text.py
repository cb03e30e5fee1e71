"""Typed text stays text: planted in every column, followed through every page.

Each planted text ends with its own mark. Where an element type takes plain text, the mark may
appear anywhere; elsewhere only in the escaped form of the whole text. So an unexpected element type
may not contain any.
"""

import csv
import io
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import pytest
from google.protobuf.message import Message
from sqlalchemy import insert
from streamlit.proto.Block_pb2 import Block
from streamlit.proto.Button_pb2 import Button
from streamlit.proto.Code_pb2 import Code
from streamlit.proto.Heading_pb2 import Heading
from streamlit.proto.Html_pb2 import Html
from streamlit.proto.Markdown_pb2 import Markdown
from streamlit.proto.Metric_pb2 import Metric
from streamlit.proto.PageLink_pb2 import PageLink
from streamlit.proto.PlotlyChart_pb2 import PlotlyChart
from streamlit.proto.Selectbox_pb2 import Selectbox
from streamlit.proto.Text_pb2 import Text
from streamlit.proto.TextInput_pb2 import TextInput
from streamlit.proto.Toast_pb2 import Toast
from streamlit.testing.v1 import AppTest

from dashboard.pages.application import claim, header, thread
from dashboard.pages.queue import table as queue_table
from dashboard.pages.queue.bulk_dialog import Chosen
from dashboard.shell.screens import (
    AFFILIATES,
    APPLICATION,
    EXPLORE,
    IMPORT,
    OUTBOX,
    POLICY,
    PROGRAM,
    QUEUE,
    SETTINGS,
    STAFF,
    Screen,
)
from dashboard.ui.safe_text import escape, escape_html
from data_access.db import tables
from data_access.eligibility import assessments, judging
from data_access.people import preferences
from data_access.review import decisions
from program.messages import letters
from program.review.permissions import Act, Role, may
from program.review.queue_filters import clean_search
from program.review.workflow import Decision
from tests.builders import pass_checks, set_policy
from tests.cases import ALL, every
from tests.dashboard.pages.planting import (
    APPROVED,
    NUMBERS,
    REJECTED,
    address_of,
    plant,
    plant_elsewhere,
    planted,
)
from tests.dashboard.pages.planting_records import plant_records
from tests.dashboard.pages.screen import Desk, open_popovers
from tests.data_access import clicks

PLAIN = {
    "Text.body",
    "Code.code_text",
    "TextInput.default",
    "TextInput.value",
    "TextArea.default",
    "TextArea.value",
    "Selectbox.options",
    "Selectbox.raw_value",
    # The name that a browser gives a download.
    "DownloadButton.file_name",
    # Titles over a grid are drawn literally; the rest of its description is checked separately.
    "Dataframe.columns",
}
# Names of elements, which the browser does not show.
IDS = (".id", ".form_id")
ADDRESSES = {"PageLink.query_string", "PageLink.page", "LinkButton.url"}
PLAIN_COLUMNS = {
    "text",
    "number",
    "date",
    "datetime",
    "progress",
    "area_chart",
    "multiselect",
    "button",
    None,
}
# Columns of links and images built from numbers; links: see `test_imports_give_no_life`.
OWN_LINKS = {
    *(
        (name, "link")
        for name in ("application", "application_id", "last_application_id", "import")
    ),
    ("scale", "image"),
}
OWN_LINK = re.compile(r"(/application\?id=[0-9]+|/import\?show=history&import=[0-9]+)?")
MARK = re.compile(r"zq[0-9]+[a-z]+q")
COLUMN = re.compile(r"zq[0-9]+([a-z]+)q")


def forms(number: int, column: str, safe: Callable[[str], str]) -> Iterator[str]:
    """Yield every form that the text may have outside plain places."""
    whole = planted(number, column)
    for typed in (whole, whole.lower()):
        yield safe(typed)
        # The thread shows event names without underscores, and items as labels.
        yield safe(typed.replace("_", " "))
        yield safe(typed.replace("_", " ").capitalize())
        # A search is one line; a sentence about refused text spells out hidden characters.
        yield safe(clean_search(typed))
        yield safe(letters.shown(typed))


# Walking the elements of a page.


def strings(message: Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a message with its path: ``Button.label``, ``Block.popover.label``."""
    path = path or message.DESCRIPTOR.name
    for field, value in message.ListFields():
        here = f"{path}.{field.name}"
        plural = isinstance(value, str | bytes | Message) or not hasattr(value, "__iter__")
        for part in [value] if plural else value:
            if isinstance(part, Message):
                yield from strings(part, here)
            elif isinstance(part, str):
                yield here, part
                if hasattr(value, "keys"):
                    yield here, str(value[part])


def messages(app: AppTest) -> Iterator[Message]:
    """Yield the messages of all elements and containers of a page."""
    waiting: list[Any] = [app._tree]
    while waiting:
        node = waiting.pop()
        waiting += getattr(node, "children", {}).values()
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message):
            yield proto


def leaks_in(message: Message) -> list[str]:
    """Return where a planted text appears raw, or in a place that accepts none."""
    found = [f"{path}: {words}" for path, words in strings(message) if leaks(path, words)]
    if message.DESCRIPTOR.name == "Dataframe":
        columns = json.loads(message.columns or "{}")  # type: ignore[attr-defined]
        kinds = {name: (c.get("type_config") or {}).get("type") for name, c in columns.items()}
        found += [
            f"column {name}: {k}"
            for name, k in kinds.items()
            if k not in PLAIN_COLUMNS and (name, k) not in OWN_LINKS
        ]
        rest = {name: {**column, "label": ""} for name, column in columns.items()}
        found += [f"Dataframe.columns: {rest}"] if MARK.search(str(rest)) else []
    return found


def leaks(path: str, words: str) -> bool:
    """Return whether a text holds a planted one other than in its place's escaped form."""
    marks = set(MARK.findall(words))
    if path in PLAIN or path.endswith(IDS) or not marks:
        return False
    # A badge escapes brackets again and shows backslashes, so typed text has no place there.
    if path == "Markdown.body" and re.search(r":\w+-badge\[", words):
        return True
    safe = {"Html.body": escape_html, **dict.fromkeys(ADDRESSES, quote_plus)}.get(path, escape)
    whole: set[str] = set()
    for mark in marks:
        number, column = re.fullmatch(r"zq([0-9]+)([a-z]+)q", mark).groups()  # type: ignore[union-attr]
        whole.update(forms(int(number), column, safe))
    # The longest first: the beginning of one text may be a part of another.
    for form in sorted(whole, key=len, reverse=True):
        words = words.replace(form, "")
    return bool(MARK.search(words))


def assert_no_leak(app: AppTest, where: object = "") -> int:
    """Fail if typed text is live; returns how many texts carried a mark."""
    assert not app.exception, (where, app.exception[0].value)
    found = [leak for message in messages(app) for leak in leaks_in(message)]
    assert found == [], where
    return sum(
        bool(MARK.search(words)) for message in messages(app) for _, words in strings(message)
    )


# The walk can fail.

RAW = planted(4, "username")


@pytest.mark.parametrize(
    ("message", "live"),
    [
        (Text(body=RAW), False),
        (Code(code_text=RAW), False),
        (TextInput(value=RAW), False),
        (Selectbox(options=["x", RAW]), False),
        (Markdown(body=RAW), True),
        (Markdown(body=f"by {escape(RAW)} and {escape(RAW)}"), False),
        (Markdown(body=f"by {escape(RAW)} and {RAW}"), True),
        (Markdown(body=escape(planted(5, "username")), help=RAW), True),
        (Markdown(body=f":green-badge[{escape(RAW)}]"), True),
        (Heading(body=RAW), True),
        (Button(label=RAW), True),
        (Button(label=escape(RAW)), False),
        (Button(help=RAW), True),
        (Toast(body=RAW), True),
        (Metric(label="Open", body=RAW), True),
        (TextInput(label=RAW), True),
        (Selectbox(label=RAW), True),
        (Html(body=escape(RAW)), True),
        (Html(body=escape_html(RAW)), False),
        (PlotlyChart(spec=json.dumps({"title": RAW})), True),
        (PageLink(query_string=f"search={quote_plus(RAW)}"), False),
        (PageLink(query_string=f"search={planted(10, 'username')}"), True),
        (Block(popover=Block.Popover(label=RAW)), True),
        (Block(popover=Block.Popover(label=escape(RAW))), False),
        (Block(expandable=Block.Expandable(label=RAW)), True),
        (Block(tab=Block.Tab(label=RAW)), True),
    ],
)
def test_the_walk_distinguishes_live_text_from_plain(message: Message, live: bool) -> None:
    assert bool(leaks_in(message)) is live


def test_the_walk_knows_every_payload_raw_from_escaped() -> None:
    for number in NUMBERS:
        raw = planted(number, "rationale")

        assert leaks_in(Markdown(body=f"by {raw}")), number
        assert not leaks_in(Markdown(body=escape(raw))), number


def test_the_walk_sees_an_escape_that_is_missing(
    hostile: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pages are re-read on every run; their imports are read once, here.
    show(hostile, APPLICATION, 4, Role.REVIEWER)
    for module in (header, claim, thread):
        monkeypatch.setattr(module, "escape", str)

    app = show(hostile, APPLICATION, 4, Role.REVIEWER)

    found = [leak for message in messages(app) for leak in leaks_in(message)]
    for path in ("Heading.body", "Button.label", "Markdown.body"):
        assert any(leak.startswith(path) for leak in found), path


# Everything that people can type.


def show(desk: Desk, screen: Screen, number: int, role: Role, **query: str) -> AppTest:
    desk.who = address_of(number, role)
    if screen is APPLICATION:
        query = {"id": str(number), **query}
    return open_popovers(desk.open(screen, **query))


@pytest.fixture
def hostile(desk: Desk) -> Desk:
    plant(desk.engine, now=desk.now)
    return desk


@pytest.mark.sampled
def test_no_page_gives_life_to_typed_text(hostile: Desk) -> None:
    """Each role sees a part of the payloads; the queue shows all of them."""
    for place, role in enumerate(Role):
        for number in every(9, NUMBERS[place :: len(Role)]):
            pending = show(hostile, APPLICATION, number, role)
            # Two of them are contacts.
            least = 17 if may(role, Act.SEE_CONTACT) else 15
            assert assert_no_leak(pending, (role, number)) >= least
            offset = APPROVED if number % 2 else REJECTED
            decided = show(hostile, APPLICATION, number, role, id=str(number + offset))
            assert assert_no_leak(decided, (role, number)) >= 17
            # Even on a platform with public profiles, such a handle gives no link.
            assert pending.get("link_button") == decided.get("link_button") == []
        for screen in (QUEUE, PROGRAM):
            assert assert_no_leak(show(hostile, screen, 4, role), (role, screen)) >= 2


ELSEWHERE: tuple[tuple[Screen, dict[str, str]], ...] = (
    (AFFILIATES, {}),
    (EXPLORE, {}),
    *((OUTBOX, {"show": part}) for part in ("parked", "waiting", "templates", "settings")),
    *((POLICY, {"part": part}) for part in ("", "draft", "history")),
    (SETTINGS, {}),
    (STAFF, {}),
    (STAFF, {"person": address_of(7, Role.ANALYST)}),
    (IMPORT, {"show": "kept"}),
    (IMPORT, {"show": "history", "import": "3"}),
    (APPLICATION, {"id": "2"}),
    (APPLICATION, {"id": "1"}),
)


SEEN_ELSEWHERE = {
    *("username", "email", "name", "handle"),
    *("view", "holiday", "old", "new", "reason", "note"),
    *("subject", "body", "recipient", "message", "error"),
    *("asked", "answer", "deferred", "why", "reopened", "to", "said", "what", "now"),
    *("override", "sent", "before", "after"),
    *("file", "map", "remark", "field", "cell", "value", "problem"),
}


# Managers see the most, and all of it; the others see a part in `make test`.
@pytest.mark.sampled
def test_no_other_page_gives_life_to_typed_text(hostile: Desk) -> None:
    plant_elsewhere(hostile.engine, now=hostile.now)
    plant_records(hostile.engine, now=hostile.now)

    seen: set[str] = set()
    for place, role in enumerate(Role):
        part = every(5, ELSEWHERE, start=0 if ALL else place)
        for screen, query in ELSEWHERE if role is Role.MANAGER else part:
            app = show(hostile, screen, 4, role, **query)
            # Their own name is in the header.
            assert assert_no_leak(app, (role, screen, query)) >= 1
            seen |= columns_seen(app) if role is Role.MANAGER else set()

    # A planted text that no page shows would prove nothing.
    assert SEEN_ELSEWHERE - seen == set()


def columns_seen(app: AppTest) -> set[str]:
    """Return the columns whose planted text a page shows."""
    cells = [str(table.value.to_dict("list")) for table in app.dataframe]
    walked = [words for message in messages(app) for _, words in strings(message)]
    return {column for words in (*walked, *cells) for column in COLUMN.findall(words)}


@pytest.mark.sampled
def test_imports_give_no_life_to_typed_text(hostile: Desk) -> None:
    """Names of fields, files and maps, and every cell: previewed, loaded, kept, and past."""
    fields = ["UID", "Social Media Account Name", "Contact Platform", "Created"]
    typed = [planted(n, "cell").replace("\r", " ").replace("\n", " ") for n in NUMBERS]
    files = every(5, NUMBERS[::7])
    for number in files:
        written = io.StringIO(newline="")
        writer = csv.writer(written)
        writer.writerow([*fields, planted(number, "field")])
        # Every second row names no account, so that it is kept.
        writer.writerows(
            # Cells with several platforms are shown part by part.
            [
                n if n % 2 else cell,
                cell,
                "x" if re.search(r"[,;|]|[^\S ]", cell) else cell,
                cell,
                cell,
            ]
            for n, cell in zip(NUMBERS, typed, strict=True)
        )
        file = (planted(number, "file") + ".csv", written.getvalue().encode(), "text/csv")
        app = show(hostile, IMPORT, 4, Role.REVIEWER)

        app = app.file_uploader[0].set_value(file).run()
        assert assert_no_leak(app) >= 1
        (load,) = (b for b in app.button if (b.key or "").startswith("form-import-load"))
        app = load.click().run()
        assert assert_no_leak(app) >= 1
        (links,) = (table.value["application"] for table in app.dataframe if "row" in table.value)
        assert all(OWN_LINK.fullmatch(link) for link in links)
    assert assert_no_leak(show(hostile, IMPORT, 4, Role.REVIEWER, show="kept")) >= 1
    past = show(hostile, IMPORT, 4, Role.REVIEWER, show="history")
    assert_no_leak(past)
    (table,) = (one.value for one in past.dataframe)
    assert set(table["file"]) == {planted(n, "file") + ".csv" for n in files}
    assert all(OWN_LINK.fullmatch(link) for link in table["import"])


def test_every_column_that_is_shown_was_walked(hostile: Desk) -> None:
    """A planted text that no page shows would prove nothing."""
    country = show(hostile, APPLICATION, 1, Role.REVIEWER)
    assert any("\\*\\_" in caption.value for caption in country.caption)
    seen: set[str] = set()
    for id_ in (7, 7 + APPROVED, 7 + REJECTED):
        app = show(hostile, APPLICATION, 7, Role.REVIEWER, id=str(id_))
        walked = [words for message in messages(app) for _, words in strings(message)]
        seen |= {mark for words in walked for mark in MARK.findall(words)}

    # Names of colleagues are there as well, with their own numbers.
    assert {mark[3:-1] for mark in seen if mark.startswith("zq7") and mark[3].isalpha()} == {
        "username",
        "mail",
        "platform",
        "handle",
        "channel",
        "contact",
        "name",
        "email",
        "body",
        "exchange",
        "source",
        "item",
        "comment",
        "kind",
        "reason",
        "rationale",
        "message",
        "override",
    }


def test_typed_text_in_cells_stays_as_it_was_typed(hostile: Desk) -> None:
    everything = [column.key for column in queue_table.COLUMNS]
    preferences.put(
        hostile.engine,
        clicks.command(
            preferences.PutPreference,
            name="queue_columns",
            value=everything,
            actor=address_of(1, Role.REVIEWER),
        ),
    )
    table = show(hostile, QUEUE, 1, Role.REVIEWER).dataframe[0].value

    assert set(table["applicant"]) == {planted(n, "username") for n in NUMBERS}
    assert set(table["handle"]) == {planted(n, "handle") for n in NUMBERS}
    assert set(table["platform"]) == {planted(n, "platform") for n in NUMBERS}


@pytest.mark.sampled
def test_names_of_views_and_holidays_and_reports_stay_text(hostile: Desk) -> None:
    for number in every(8, NUMBERS[::3]):
        actor = address_of(number, Role.MANAGER)
        if not actor.isprintable():
            # Nobody with such an address can sign in.
            continue
        with hostile.engine.begin() as conn:
            saved_view = {
                "owner": actor,
                "name": planted(number, "view"),
                "shared": True,
                "query": f"search={quote_plus(planted(number, 'search'))}",
                "created_at": hostile.now,
            }
            conn.execute(insert(tables.saved_views).values(saved_view))
            day = hostile.now.date() + timedelta(days=number)
            conn.execute(insert(tables.holidays).values(day=day, name=planted(number, "holiday")))
            refused = {
                "application_id": number,
                "done": False,
                "sentence": planted(number, "sentence"),
            }
            conn.execute(
                insert(tables.bulk_runs).values(
                    request_id=uuid.uuid4(),
                    actor=actor,
                    act="DECIDE",
                    at=hostile.now,
                    finished_at=hostile.now,
                    asked=[number],
                    results=[refused],
                )
            )
        assert assert_no_leak(show(hostile, QUEUE, number, Role.MANAGER)) >= 4
        assert assert_no_leak(show(hostile, SETTINGS, number, Role.MANAGER)) >= 1


def test_a_confirmation_of_many_stays_text(hostile: Desk) -> None:
    """Listed names, and a message with the first one's."""
    ids = tuple(NUMBERS)
    fields = {"about": "free", "message": "Hello {{username}}, {{social_handle}} is yours?"}
    app = show(hostile, QUEUE, 4, Role.MANAGER)
    app.session_state["kept-bulk"] = Chosen(
        act=Act.REQUEST_INFORMATION, ids=ids, fields=fields, filled=True
    )

    app.run()

    assert assert_no_leak(app) >= 3
    assert any("and 1" in words or "more" in words for words in (t.value for t in app.text))


def test_names_of_people_stay_text_on_the_sign_in(
    hostile: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.shell.sign_in.session_key", lambda: None)

    assert assert_no_leak(hostile.open(QUEUE)) >= 1


@pytest.mark.sampled
def test_a_search_stays_text(hostile: Desk) -> None:
    for number in every(3, NUMBERS[::4]):
        search = planted(number, "search")
        assert_no_leak(show(hostile, QUEUE, number, Role.REVIEWER, search=search))
    assert_no_leak(show(hostile, APPLICATION, 4, Role.REVIEWER, search=planted(4, "search")))


@pytest.mark.sampled
def test_a_refusal_and_the_text_it_keeps_stay_text(hostile: Desk) -> None:
    for number in every(6, NUMBERS[::4]):
        app = show(hostile, APPLICATION, number, Role.REVIEWER)
        app.button(key=f"choose-r-{number}").click().run()
        app.button(key=f"reason-other-{number}").click().run()
        for area in app.text_area:
            if area.label.startswith(("Rationale", "Override", "Message")):
                area.input(planted(number, "mine"))
        app.button(key=f"preview-{number}").click().run()
        approve_elsewhere(hostile, number)

        app.button(key=f"send-{number}").click().run()

        assert "Already" in app.error[0].value
        assert planted(number, "mine") in {code.value for code in app.code}
        assert_no_leak(app)


def approve_elsewhere(desk: Desk, number: int) -> None:
    with desk.engine.begin() as conn:
        pass_checks(conn, number)
        set_policy(conn, second_approval_for_overrides=False)
        shown = assessments.read(
            conn, number, judging.read_context(conn, now=desk.now)
        ).viewed_facts
    draft = decisions.Draft(
        outcome=Decision.APPROVED,
        rebate_rate=Decimal("0.2"),
        rationale=planted(number, "rationale"),
        message=planted(number, "message"),
        override_reason=planted(number, "override"),
    )
    command = decisions.Decide(
        application_id=number,
        draft=draft,
        shown=shown,
        actor=address_of(number, Role.MANAGER),
        at=desk.now,
        request_id=uuid.uuid4(),
    )
    decisions.submit(desk.engine, command)
