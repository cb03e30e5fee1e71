"""A person is erased: their texts are in no table, dump or spool, and the history verifies."""

import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from data_access.db import embedded, tables
from data_access.db.errors import Invalid, NotAllowed, NotFound, NotInState
from data_access.exports import spool
from data_access.history import chain, erasing
from tests.builders import NOW, add_staff
from tests.conftest import CLUSTER
from tests.conftest import OTHER as ANOTHER_SERVER

WHO, ACCOUNT, APPLICATION, OTHER = "ops", 501, 71, 72
# Each occurs in the rows below and must be nowhere afterwards.
CANARY = "Zyxomma"
NAMES = {
    "username": f"{CANARY}-name",
    "email": f"{CANARY}@mail.example",
    "social_handle": f"@{CANARY}_social",
    "contact_handle": f"{CANARY}.contact",
}
ABOUT = (
    "insert into review.notes (application_id, body, author) values (71, :t, 'ana@example.com')",
    "insert into review.checks (application_id, item, outcome, comment, author) values (71, 'audience_real', 'passed', :t, 'ana@example.com')",
    "insert into review.evidence (application_id, kind, value, exchange_name, source_url, observed_at) values"
    " (71, 'external_volume', 12.50, :t, :t, now()), (71, 'external_volume', 13.50, 'Kite', null, now())",
    "insert into review.decisions (application_id, outcome, reason_code, rationale, message_to_applicant, override_reason,"
    " decided_by, policy_version, snapshot) values (71, 'rejected', 'other', :t, :t, :t, 'ana@example.com', 1, '{\"a\": 1.50}')",
    "insert into review.events (application_id, kind, actor, detail) values (71, 'rejected', 'ana@example.com',"
    " jsonb_build_object('decision_id', 1, 'reason', :t, 'to', jsonb_build_object('old', jsonb_build_array('x', :t))))",
    "insert into review.proposals (application_id, outcome, override_reason, rationale, message_to_applicant, rebate_rate, is_override,"
    " needed_for, seen, proposed_by, proposed_at) values (71, 'approved', :t, :t, :t, 0.2, false, '{}', '{}', 'ana@example.com', now())",
    "insert into review.conflicts (email, account_id, reason, recorded_by, recorded_at) values ('ana@example.com', 501, :t, 'ana@example.com', now())",
    "insert into review.affiliate_standings values (501, 'suspended', now(), 'mira@example.com', 'other', :t, 0, null)",
    "insert into review.affiliate_events (account_id, application_id, at, actor, kind, old, new, reason_code, reason, misses, silent, request_id)"
    " values (501, 71, now(), 'mira@example.com', 'suspended', 'active', 'suspended', 'other', :t, 0, true, gen_random_uuid())",
    "insert into review.risk_dismissals (account_id, signal, reason, until, actor, at)"
    " values (501, 'R01', :t, '2026-06-01', 'ana@example.com', now())",
    "insert into review.requests (request_id, act, actor, application_id, content, at) values"
    " (gen_random_uuid(), 'DECIDE', 'ana@example.com', 71, jsonb_build_object('command', 'Decide', 'draft', jsonb_build_object('rationale', :t)), now())",
    "insert into review.outbox (message_id, application_id, channel, recipient, payload, sent, last_error) values"
    " (gen_random_uuid(), 71, 'email', :t, jsonb_build_object('kind', 'rejected', 'message', :t),"
    " jsonb_build_object('route', 'mail', 'to', :t), :t)",
    "insert into review.form_imports (request_id, file_name, bytes, sha256, map, header, counts, report, imported_by, imported_at) values"
    " (gen_random_uuid(), 'form.csv', 1, '', '{}', '[\"a\"]', '{}', jsonb_build_object('columns', '{}'::jsonb, 'said', '[]'::jsonb, 'rows',"
    " jsonb_build_array(jsonb_build_object('row', 1, 'line', 2, 'outcome', 'loaded', 'application_id', 71, 'problems', '[]'::jsonb,"
    " 'said', jsonb_build_array(:t)))), 'ana@example.com', now())",
    "insert into review.kept_rows (import_id, row_number, fingerprint, cells, problems, state, application_id, settled_at) values"
    " (1, 1, 'a', jsonb_build_array(:t), jsonb_build_array(jsonb_build_object('value', :t)), 'loaded', 71, now())",
    "insert into review.kept_row_events (row_id, request_id, kind, actor, at, detail) values"
    " (1, gen_random_uuid(), 'corrected', 'ana@example.com', now(), jsonb_build_object('old', jsonb_build_array(:t)))",
    "insert into review.bulk_runs (request_id, actor, act, at, asked, results) values (gen_random_uuid(), 'ana@example.com', 'x', now(), '{71,72}',"
    " jsonb_build_array(jsonb_build_object('application_id', 71, 'done', false, 'sentence', :t)))",
)
# Names only, in records that are about nobody in particular.
SEARCHED = (
    "insert into review.exports (exported_by, dataset, format, filters, columns, row_count) values"
    " ('ana@example.com', 'applications', 'csv', jsonb_build_object('search', :name), '{}', 1)",
    "insert into review.saved_views (owner, name, query, created_at) values"
    " ('ana@example.com', 'mine', 'search=%40' || ltrim(:name, '@'), now())",
    "insert into review.kept_rows (import_id, row_number, fingerprint, cells, problems) values (1, 2, 'b', jsonb_build_array(:name), '[]')",
)


@pytest.fixture
def person(engine: Engine) -> Engine:
    """A database with a person, about whom there is a text in every column that can have one."""
    with engine.begin() as conn:
        add_staff(conn)
        for account, application, names in (
            (ACCOUNT, APPLICATION, NAMES),
            (502, OTHER, dict.fromkeys(NAMES, "Quiet")),
        ):
            conn.execute(
                text(
                    "insert into exchange.accounts (account_id, username, email, country_code, created_at) values (:a, :username, :email, 'BR', now())"
                ),
                {"a": account, **names},
            )
            conn.execute(
                text(
                    "insert into exchange.applications (application_id, account_id, social_handle, contact_platform, contact_handle, submitted_at, status)"
                    " values (:i, :a, :social_handle, 'telegram', :contact_handle, '2026-03-10Z', 'rejected')"
                ),
                {"a": account, "i": application, **names},
            )
        for statement in ABOUT:
            typed = text(statement.replace(":t", "cast(:t as text)"))
            conn.execute(typed, {"t": f"typed about {CANARY}"})
        for statement in SEARCHED:
            named = text(statement.replace(":name", "cast(:name as text)"))
            conn.execute(named, {"name": NAMES["social_handle"]})
        conn.execute(
            text(
                "insert into review.notes (application_id, body, author) values (72, 'another person', 'ana@example.com')"
            )
        )
    return engine


def command(kind: type[Any] = erasing.Erase, **given: Any) -> Any:
    given = {
        "account_id": ACCOUNT,
        "reason": "Asked for it",
        "actor": WHO,
        "at": NOW,
        "request_id": uuid4(),
        **given,
    }
    return kind(**given)


def places(engine: Engine) -> set[str]:
    """Return the tables in which the canary is found, statistics included."""
    with engine.connect() as conn:
        names = [table.fullname for table in tables.metadata.sorted_tables] + ["pg_stats"]
        return {
            name
            for name in names
            if conn.execute(
                text(f"select exists (select from {name} t where t::text ~* :c)"), {"c": CANARY}
            ).scalar_one()
        }


def test_every_kind_of_text_was_there_before(person: Engine) -> None:
    with person.connect() as conn:
        ruled = conn.execute(
            text(
                "select distinct table_name from review.text_rules where treatment in ('erased', 'keys')"
            )
        ).scalars()
        assert {*ruled} <= places(person)


def test_a_persons_texts_are_nowhere_and_the_history_verifies(
    person: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "SPOOL", tmp_path)
    file = tmp_path / "server-a" / "export-b" / "file"
    file.parent.mkdir(parents=True)
    file.write_text(NAMES["email"])
    with person.begin() as conn:
        conn.execute(text("analyze"))
    before = chain.verify(person)

    done = erasing.erase(person, command())

    assert places(person) == set()
    assert not file.exists()
    assert done.mentions == {}
    after = chain.verify(person, before.head)
    assert after.erased == 7
    with person.connect() as conn:
        salted = text(
            "select count(*) from review.history_salts where (table_name, row_id) in (select table_name, row_id from review.history_erased)"
        )
        assert conn.execute(salted).scalar_one() == 0
    with person.connect() as conn:
        decision = conn.execute(
            text("select outcome, reason_code, snapshot, rationale from review.decisions")
        ).one()
        evidence = conn.execute(
            text("select value, exchange_name from review.evidence order by 1")
        ).all()
        event = conn.execute(
            text("select actor, detail from review.events order by event_id desc limit 1")
        ).one()
        message = conn.execute(
            text("select stopped_as, payload ->> 'kind' from review.outbox")
        ).one()
        other = conn.execute(
            text("select body from review.notes where application_id = 72")
        ).scalar_one()
    assert tuple(decision) == ("rejected", "other", {"a": 1.5}, "[erased]")
    assert [(str(row.value), row.exchange_name) for row in evidence] == [
        ("12.50", "[erased 1]"),
        ("13.50", "[erased 2]"),
    ]
    assert tuple(event) == (WHO, {"erasure_id": done.erasure_id})
    assert tuple(message) == ("cancelled", "rejected")
    assert other == "another person"


def test_a_dump_does_not_hold_them(person: Engine) -> None:
    assert CANARY.lower() in dump(person).lower()

    erasing.erase(person, command())

    assert CANARY.lower() not in dump(person).lower()


@pytest.mark.skipif(ANOTHER_SERVER is not None, reason="another server's log is its own")
def test_the_databases_log_does_not_hold_them(person: Engine) -> None:
    """Not even that of an error whose values are theirs."""
    view = text(
        "insert into review.saved_views (owner, name, query, created_at)"
        " values ('ana@example.com', :name, '', now())"
    )
    for _ in range(2):
        with suppress(IntegrityError), person.begin() as conn:
            conn.execute(view, {"name": NAMES["username"]})

    erasing.erase(person, command())

    log = (CLUSTER.pgdata / "server.log").read_text(errors="replace").lower()
    assert 'duplicate key value violates unique constraint "saved_views' in log
    assert CANARY.lower() not in log


def dump(engine: Engine) -> str:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return subprocess.run(
        [embedded.binaries() / "pg_dump", "--dbname", url],
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def test_what_is_left_of_an_erased_row_stays_provable(person: Engine) -> None:
    erasing.erase(person, command())

    for change in (
        "update review.evidence set value = 99 where evidence_id = 1",
        "update review.notes set body = 'Put back' where note_id = 1",
        "update review.history_erased set digests = '{}' where table_name = 'notes'",
        "delete from review.history_erased where table_name = 'notes'",
    ):
        with person.connect() as conn:
            for table in ("evidence", "notes", "history_erased"):
                conn.execute(text(f"alter table review.{table} disable trigger append_only"))
            conn.execute(text(change))
            for table in ("evidence", "notes", "history_erased"):
                conn.execute(text(f"alter table review.{table} enable always trigger append_only"))
            with pytest.raises(chain.Broken, match="was changed since it was recorded"):
                chain.verify_on(conn)
            conn.rollback()


def test_a_change_before_the_erasure_is_not_hidden_by_it(person: Engine) -> None:
    with person.begin() as conn:
        conn.execute(text("alter table review.notes disable trigger append_only"))
        conn.execute(text("update review.notes set body = 'Forged' where note_id = 1"))
        conn.execute(text("alter table review.notes enable always trigger append_only"))

    erasing.erase(person, command())

    with pytest.raises(chain.Broken, match=r"Row 1 of review\.notes was changed"):
        chain.verify(person)


def test_a_repeat_returns_the_first_erasure(person: Engine) -> None:
    asked = command()
    first = erasing.erase(person, asked)

    assert erasing.erase(person, asked).erasure_id == first.erasure_id
    assert erasing.erase(person, command()).erasure_id != first.erasure_id
    chain.verify(person)


def test_a_legal_hold_refuses_it_until_it_is_lifted(person: Engine) -> None:
    erasing.hold(person, command(erasing.Hold, reason="Court order"))

    with pytest.raises(NotAllowed, match="under a legal hold"):
        erasing.erase(person, command())
    with pytest.raises(DBAPIError, match="under a legal hold"), person.begin() as conn:
        conn.execute(
            text("select review.erase_person(501, 'why', 'eve', now(), gen_random_uuid())")
        )
    with pytest.raises(NotInState, match="is already"):
        erasing.hold(person, command(erasing.Hold))
    erasing.hold(person, command(erasing.Hold, lifted=True))
    with pytest.raises(NotInState, match="is not"):
        erasing.hold(person, command(erasing.Hold, lifted=True))

    erasing.erase(person, command())
    chain.verify(person)


def test_an_open_application_refuses_it(person: Engine) -> None:
    with person.begin() as conn:
        conn.execute(
            text("update exchange.applications set status = 'pending' where application_id = 71")
        )

    with pytest.raises(NotInState, match="Application 71 is still open"):
        erasing.erase(person, command())
    with pytest.raises(DBAPIError, match="open application"), person.begin() as conn:
        conn.execute(
            text("select review.erase_person(501, 'why', 'eve', now(), gen_random_uuid())")
        )


def test_an_unknown_account_and_an_empty_reason_are_refused(person: Engine) -> None:
    with pytest.raises(NotFound, match="no account 9"):
        erasing.erase(person, command(account_id=9))
    with pytest.raises(Invalid, match="reason is empty"):
        erasing.erase(person, command(reason=" "))


def test_records_about_others_that_name_the_person_are_reported(person: Engine) -> None:
    with person.begin() as conn:
        conn.execute(
            text(
                "insert into review.notes (application_id, body, author) values (72, :t, 'ana@example.com')"
            ),
            {"t": f"The same as {NAMES['social_handle']}, surely"},
        )

    done = erasing.erase(person, command())

    assert done.mentions == {"review.notes.body": 1}
    assert "look at review.notes.body (1)" in str(done)


UPSTREAM = (
    "insert into exchange.accounts (account_id, username, email, created_at) values (501, :username, :email, now())"
    " on conflict (account_id) do update set username = excluded.username, email = excluded.email",
    "insert into exchange.applications (application_id, account_id, social_handle, contact_handle, submitted_at, status)"
    " values (71, 501, :social_handle, :contact_handle, now(), 'rejected') on conflict (application_id)"
    " do update set social_handle = excluded.social_handle, contact_handle = excluded.contact_handle",
)


def test_a_later_load_does_not_bring_them_back(person: Engine) -> None:
    erasing.erase(person, command())

    with person.begin() as conn:
        for statement in UPSTREAM:
            conn.execute(text(statement), NAMES)

    assert places(person) - {"pg_stats"} == set()


def test_whoever_applies_again_is_known_again(person: Engine) -> None:
    erasing.erase(person, command())
    with person.begin() as conn:
        conn.execute(
            text(
                "insert into exchange.applications (application_id, account_id, social_handle, submitted_at)"
                " values (80, 501, '@back', :at)"
            ),
            {"at": NOW + timedelta(days=1)},
        )
        conn.execute(text(UPSTREAM[0]), {**NAMES, "username": "back"})

    with person.connect() as conn:
        names = conn.execute(
            text("select username from exchange.accounts where account_id = 501")
        ).scalar_one()
        handles = (
            conn.execute(
                text(
                    "select social_handle from exchange.applications where account_id = 501 order by 1"
                )
            )
            .scalars()
            .all()
        )
    assert names == "back"
    assert handles == ["@back", "[erased 71]"]


def test_outside_of_an_erasure_the_guards_hold(person: Engine) -> None:
    erasing.erase(person, command())

    with pytest.raises(DBAPIError, match="append-only"), person.begin() as conn:
        conn.execute(text("update review.notes set body = '[erased]' where note_id = 2"))
