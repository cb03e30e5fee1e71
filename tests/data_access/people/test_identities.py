"""A person is the same in any spelling of their address."""

import importlib
import inspect
import pkgutil
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

import data_access
from data_access.applications import read
from data_access.db.errors import NotAllowed
from data_access.explore import saved_views
from data_access.people import identities as drilldown
from data_access.people import preferences, staff
from data_access.policy import drafts
from data_access.review import claims, conflicts, proposals
from program.review import people
from program.review.drilldown import Slice
from program.review.queue_filters import Filters
from tests.builders import NOW, add_application, add_refresh, add_staff, pass_checks
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, MIRA
from tests.data_access.policy.test_drafts import confirm, own, propose, written

SPELLINGS = ("MIRA@EXAMPLE.COM", " mira@Example.com\n", "\tMira@example.com ")
# Columns with a person's address, in the normal form of `review.person` that checks require.
PEOPLE = {
    "staff": ("email",),
    "staff_events": ("email", "actor"),
    "leave": ("email",),
    "policies": ("author",),
    "requests": ("actor",),
    "evidence": ("recorded_by",),
    "notes": ("author",),
    "checks": ("author",),
    "decisions": ("decided_by", "second_approver"),
    "events": ("actor",),
    "exports": ("exported_by",),
    "desk": ("assignee",),
    "standings": ("assignee",),
    "viewers": ("email",),
    "proposals": ("proposed_by", "closed_by"),
    "saved_views": ("owner",),
    "preferences": ("email",),
    "conflicts": ("email", "recorded_by"),
    "bulk_runs": ("actor",),
    "jobs": ("person",),
    "policy_drafts": ("author", "closed_by"),
    "policy_events": ("actor",),
    "policy_withdrawals": ("proposed_by", "closed_by"),
    "affiliate_standings": ("changed_by",),
    "affiliate_events": ("actor",),
    "application_courses": ("decided_by",),
    "outcome_counts": ("decided_by",),
    "message_templates": ("author",),
    "delivery_settings": ("author",),
    "report_mail_settings": ("author",),
    "report_mails": ("colleague",),
    "form_maps": ("saved_by",),
    "form_imports": ("imported_by",),
    "kept_rows": ("settled_by",),
    "kept_row_events": ("actor",),
    "holds": ("actor",),
    "erasures": ("actor",),
    "contact_reads": ("email",),
    "risk_dismissals": ("actor",),
    "risk_digests": ("manager",),
    "holiday_changes": ("actor",),
    "delivery_proposals": ("proposed_by", "closed_by"),
}
# Names that only columns of people have; so does every name ending in `_by`.
NAMED = {name for columns in PEOPLE.values() for name in columns} - {"email"}


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        conn.execute(text("update review.staff set role = 'manager' where email = :e"), {"e": BEN})
        add_refresh(conn)
        add_application(conn, 1)
        pass_checks(conn, 1)
    return engine


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_python_and_postgres_make_the_same_form(conn: Connection, typed: str) -> None:
    form = people.normal(typed)
    in_sql = text("select review.person(:typed), review.person(:form)")
    made, again = conn.execute(in_sql, {"typed": typed, "form": form}).one()

    assert again == people.normal(form) == form
    # Postgres has no other form for a domain beyond ASCII.
    assert made == form or not typed.rpartition("@")[2].isascii()


def test_a_domain_is_one_in_both_of_its_alphabets(desk: Engine) -> None:
    ascii_form, written = "zoe@xn--bcher-kva.example", "zoe@bücher.example"
    for spelling in (
        written,
        "ZOE@BÜCHER.example ",
        "zoe@bu\u0308cher.example",
        ascii_form.upper(),
    ):
        assert people.normal(spelling) == ascii_form
    assert people.spellings(written) == (ascii_form, written)
    assert people.spellings("zoe@xn--.example") == ("zoe@xn--.example",)
    with desk.begin() as conn:
        conn.execute(
            text("update review.staff set email = :new where email = :old"),
            {"new": ascii_form, "old": ANA},
        )
        for id_, email in ((11, written), (12, ascii_form), (13, "zoe@büche.example")):
            add_application(conn, id_)
            conn.execute(
                text(
                    "update exchange.accounts set email = :email where account_id = "
                    "(select account_id from exchange.applications where application_id = :id)"
                ),
                {"email": email, "id": id_},
            )
        conn.execute(
            text("update exchange.applications set status = 'withdrawn' where application_id = 1")
        )

    with desk.connect() as conn:
        assert staff.find(conn, written) == staff.find(conn, ascii_form)
        assert staff.find(conn, written) is not None
        own_ones = [
            id_
            for id_ in (11, 12, 13)
            if conflicts.refusal(conn, read.read(conn, id_, now=NOW), written)
        ]
    assert own_ones == [11, 12]
    # The next one is nobody's own either.
    for expected in (13, None):
        taken = claims.take_next(
            desk, claims.TakeNext(filters=Filters(), actor=written, at=NOW, request_id=uuid4())
        ).application_id
        assert taken == expected


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        (" ANA@Example.com\n", "ana@example.com"),
        ("ANA+x@example.com", "ana+x@example.com"),
        # Look-alike letters, and those with ambiguous case, stay as they are.
        ("\N{KELVIN SIGN}ai@example.com", "\N{KELVIN SIGN}ai@example.com"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}da@example.com",) * 2,
        ("ÄNNE@example.com", "Änne@example.com"),
        ("\N{NO-BREAK SPACE}ana@example.com",) * 2,
    ],
)
def test_only_characters_that_python_and_sql_fold_alike_are_folded(typed: str, form: str) -> None:
    assert people.normal(typed) == form


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        ("ana@example.com", True),
        ("ANA@EXAMPLE.COM ", True),
        ("", False),
        (" ", False),
        ("a" * 254, True),
        ("a" * 255, False),
        ("ana b@example.com", False),
        ("anä@example.com", False),
        ("ana\0@example.com", False),
        ("ana\u200b@example.com", False),
    ],
)
def test_addresses_of_staff_are_validated(desk: Engine, typed: str, is_one: bool) -> None:
    assert (people.fault(typed) is None) == is_one
    with desk.connect() as conn:
        found = staff.find(conn, typed)
    assert (found is not None) == (is_one and people.same(typed, ANA))


def test_every_function_that_takes_a_person_takes_them_in_any_spelling() -> None:
    missed = []
    for module in pkgutil.walk_packages(data_access.__path__, "data_access."):
        if ".demo" in module.name or ".migrations" in module.name or "__main__" in module.name:
            continue
        for name, verb in inspect.getmembers(importlib.import_module(module.name)):
            if not inspect.isfunction(verb) or verb.__module__ != module.name or name[0] == "_":
                continue
            takes = {
                one.name
                for one in inspect.signature(verb).parameters.values()
                if one.name in drilldown.PARAMETERS and one.annotation in (str, str | None)
            }
            if takes - set(getattr(verb, "people", ())):
                missed.append(f"{module.name}.{name}: {takes}")

    assert missed == []


def test_a_command_holds_everybody_in_it_in_their_normal_form() -> None:
    request = clicks.command(
        claims.Assign, application_id=1, actor=" MIRA@Example.com", assignee="BEN@example.com\n"
    )

    assert (request.actor, request.assignee) == (MIRA, BEN)


def test_every_column_that_names_a_person_holds_the_normal_form(desk: Engine) -> None:
    with desk.begin() as conn:
        columns = conn.execute(
            text(
                "select table_name, column_name from information_schema.columns"
                " join information_schema.tables using (table_schema, table_name)"
                " where table_schema = 'review' and data_type = 'text'"
                " and table_type = 'BASE TABLE'"
            )
        ).all()
        checks = {
            str(table): str(defined)
            for table, defined in conn.execute(
                text(
                    "select conrelid::regclass::text, string_agg(pg_get_constraintdef(oid), ' ')"
                    " from pg_constraint where contype = 'c' group by 1"
                )
            )
        }
    named = {
        (table, column) for table, column in columns if column in NAMED or column.endswith("_by")
    }
    held = {(table, column) for table, names in PEOPLE.items() for column in names}

    assert named <= held
    for table, column in held:
        assert f"{column} = review.person({column})" in checks[f"review.{table}"], (table, column)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nobody_is_their_own_second_person_by_another_spelling(desk: Engine, spelling: str) -> None:
    clicks.ask_second(desk, 1, actor=MIRA)

    for verb in (clicks.confirm, clicks.decline):
        with pytest.raises(NotAllowed, match="yourself"):
            verb(desk, 1, actor=spelling)
    clicks.cancel(desk, 1, actor=spelling)
    clicks.ask_second(desk, 1, actor=spelling)
    with pytest.raises(NotAllowed, match="yourself"):
        clicks.confirm(desk, 1, actor=MIRA)

    with desk.connect() as conn:
        assert proposals.history(conn, 1)[0].proposed_by == MIRA


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nobody_publishes_their_own_policy_by_another_spelling(desk: Engine, spelling: str) -> None:
    kept = written(desk, by=spelling)
    propose(desk, kept, spelling)
    with pytest.raises(NotAllowed, match="yourself"):
        confirm(desk, own(desk, MIRA), spelling)

    with desk.connect() as conn:
        assert drafts.own(conn, spelling) == drafts.own(conn, MIRA)


def test_claims_views_and_preferences_belong_to_a_person_in_any_spelling(desk: Engine) -> None:
    loud = MIRA.upper()
    clicks.claim(desk, 1, actor=loud)
    view = {"name": "Mine", "view": Filters(), "shared": False, "actor": loud}
    saved_views.save(desk, clicks.command(saved_views.SaveView, **view))
    chosen = {"name": "columns", "value": ["due"], "actor": loud}
    preferences.put(desk, clicks.command(preferences.PutPreference, **chosen))
    with desk.connect() as conn:
        assert clicks.read(desk, 1).desk.assignee(NOW) == MIRA
        assert [view.owner for view in saved_views.listed(conn, viewer=MIRA)] == [MIRA]
        assert preferences.read(conn, email=MIRA, name="columns") == ["due"]


def test_an_applicant_who_works_here_is_known_by_any_spelling(desk: Engine) -> None:
    with desk.begin() as conn:
        conn.execute(text("update exchange.accounts set email = E' Mira@EXAMPLE.com\\n'"))

    with pytest.raises(NotAllowed, match="You are the applicant"):
        clicks.ask_second(desk, 1, actor=MIRA)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            "insert into review.decisions (application_id, outcome, reason_code, rationale,"
            " decided_by, second_approver, policy_version, snapshot)"
            " values (1, 'rejected', 'other', 'why', 'ana@example.com', 'ANA@example.com', 1, '{}')",
            "decisions_second_is_another|decisions_people_normal",
        ),
        (
            "insert into review.notes (application_id, body, author) values (1, 'x', 'ANA@e.com')",
            "notes_people_normal",
        ),
        ("insert into review.staff values ('Eve@e.com', 'Eve', 'reviewer', true)", "staff_email"),
        ("insert into review.staff values ('évé@e.com', 'Eve', 'reviewer', true)", "staff_email"),
    ],
)
def test_the_database_refuses_another_spelling(
    desk: Engine, statement: str, constraint: str
) -> None:
    with desk.connect() as conn, pytest.raises(IntegrityError, match=constraint):
        conn.execute(text(statement))


def test_a_reviewers_figures_lead_to_their_list_in_any_spelling() -> None:
    query = {"scope": "decided", "reviewer": "ANA@example.com"}

    assert Slice.from_query(query).reviewer == Slice.from_query({**query, "reviewer": ANA}).reviewer
