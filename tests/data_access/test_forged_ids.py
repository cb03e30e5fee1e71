"""A forged id is answered alike, whether it is absent or another's, and changes nothing."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.applications.read import possible_id
from data_access.db.errors import NotFound, NotInState, Refusal
from data_access.explore import saved_views
from data_access.messages import resend
from data_access.people import jobs as people_jobs
from data_access.policy import drafts
from program.affiliates.filters import BoardFilters
from program.policy.drafts import Draft
from program.policy.policy import Policy
from program.reports.views import View
from program.review.queue_filters import Filters
from tests.builders import add_application, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, BEN, MIRA, NOOR

ABSENT = (0, -1, 4_711, 2**31, 2**63 - 1, 2**63, 10**30, -(10**30))
THEIRS = 1
LEO = "leo@example.com"
NOBODY = "nobody@example.com"
# As in an address: huge, signed, spaced, in other digits, and text.
TYPED = (
    *("", " ", "0", "-1", "+1", "1.0", "1e3", " 1", "1 ", "1_0", "0x1", "01" * 40, "9" * 400),
    *("١", "１", "²", "1\u200b", "\u202e1", "NaN", "null", "None", "true", "[]", "1,2", "1;2"),
    *("1'--", "1 or 1=1", "%27", "../1", "\x00", "1\x00", "\r\n1", "<b>1</b>", "\U0001f600", "🯱"),
    *(str(2**63), str(-(2**63)), str(2**64), "9223372036854775808000"),
)
VERBS: dict[str, Callable[..., object]] = {
    "claim": clicks.claim,
    "take over": clicks.take_over,
    "release": clicks.release,
    "assign": clicks.assign,
    "ask": clicks.ask_applicant,
    "record answer": clicks.record_answer,
    "stop waiting": clicks.stop_waiting,
    "defer": clicks.defer,
    "bring back": clicks.bring_back,
    "note": clicks.note,
    "evidence": clicks.record_evidence,
    "check": clicks.check,
    "conflict": clicks.declare_conflict,
    "reopen": clicks.reopen,
    "confirm": lambda engine, id_, **given: clicks.confirm(engine, id_, proposal_id=7, **given),
    "decline": lambda engine, id_, **given: clicks.decline(engine, id_, proposal_id=7, **given),
    "cancel": lambda engine, id_, **given: clicks.cancel(engine, id_, proposal_id=7, **given),
}


@pytest.fixture
def desk(engine: Engine) -> Iterator[Engine]:
    with engine.begin() as connection:
        add_staff(connection)
        connection.execute(
            text(
                "insert into review.staff (email, display_name, role, active) "
                "values (:leo, 'Leo', 'manager', true)"
            ),
            {"leo": LEO},
        )
        add_application(connection, THEIRS)
    return engine


def answer(act: Callable[[], object]) -> tuple[str, str]:
    """Return the refusal's name and sentence; fails for a result or another error."""
    with pytest.raises(Refusal) as refused:
        act()
    return type(refused.value).__name__, str(refused.value)


def everything(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        names = connection.execute(
            text(
                "select format('%I.%I', schemaname, tablename) from pg_tables "
                "where schemaname in ('review', 'exchange') order by 1"
            )
        ).scalars()
        return [
            (name, connection.execute(text(f"select count(*), max(t::text) from {name} t")).one())
            for name in names
        ]


def test_an_application_that_is_absent_is_answered_alike_by_every_act(desk: Engine) -> None:
    before = everything(desk)
    for name, act in VERBS.items():
        for id_ in ABSENT:
            said = answer(lambda act=act, id_=id_: act(desk, id_, actor=MIRA))
            assert said == ("NotFound", f"There is no application {id_}."), name
    assert everything(desk) == before


def test_who_may_not_act_learns_nothing_of_which_applications_exist(desk: Engine) -> None:
    before = everything(desk)
    for name, act in VERBS.items():
        for who in (NOOR, ADA, NOBODY):
            said = {
                answer(lambda act=act, id_=id_, who=who: act(desk, id_, actor=who))
                for id_ in (THEIRS, *ABSENT)
            }
            assert len(said) == 1, (name, who, said)
            assert said.pop()[0] == "NotAllowed", (name, who)
    assert everything(desk) == before


def test_a_message_of_another_application_is_as_absent_as_any(desk: Engine) -> None:
    said = set()
    for kind, verb in ((resend.Retry, resend.retry), (resend.CancelMessage, resend.cancel)):
        given = {"reason": "Wrong"} if kind is resend.CancelMessage else {}
        for id_ in (THEIRS, *ABSENT):
            command = clicks.command(
                kind, application_id=id_, message_id=uuid.uuid4(), actor=MIRA, **given
            )
            said.add(answer(lambda verb=verb, command=command: verb(desk, command))[0])
    assert said <= {"NotFound", "NotInState"}


def test_a_colleagues_private_view_is_answered_like_an_absent_one(desk: Engine) -> None:
    theirs = saved_views.save(
        desk,
        clicks.command(saved_views.SaveView, name="Mine", view=Filters(), shared=False, actor=BEN),
    )

    said = {
        answer(
            lambda id_=id_: saved_views.remove(
                desk, clicks.command(saved_views.RemoveView, view_id=id_, actor=ANA)
            )
        )
        for id_ in (theirs, *ABSENT)
    }

    assert said == {("NotFound", "This view no longer exists, or it belongs to a colleague.")}
    with desk.connect() as connection:
        assert saved_views.listed(connection, viewer=ANA) == []
        (kept,) = saved_views.listed(connection, viewer=BEN)
    assert kept.view_id == theirs


def test_a_colleagues_draft_is_answered_like_an_absent_one(desk: Engine) -> None:
    draft = Draft(policy=replace(Policy(), min_new_users=9), note="Quiet", base_version=1)
    new = {"draft": draft, "draft_id": None, "revision": None}
    theirs = drafts.save(desk, clicks.command(drafts.SaveDraft, actor=MIRA, **new))
    shut = drafts.save(desk, clicks.command(drafts.SaveDraft, actor=LEO, **new))
    drafts.discard(desk, clicks.command(drafts.DiscardDraft, actor=LEO, draft_id=shut))
    own_ones = (
        (drafts.save, drafts.SaveDraft, {"draft": draft, "revision": 1}),
        (drafts.discard, drafts.DiscardDraft, {}),
        (drafts.propose, drafts.ProposeDraft, {"revision": 1}),
        (drafts.cancel, drafts.CancelProposal, {}),
    )
    proposals = (
        (drafts.confirm, drafts.ConfirmDraft, {"revision": 1}),
        (drafts.decline, drafts.DeclineDraft, {"revision": 1, "reason": "No"}),
    )
    for verbs, refusal in ((own_ones, NotFound), (proposals, NotInState)):
        for verb, kind, given in verbs:
            said = {
                answer(
                    lambda verb=verb, kind=kind, given=given, id_=id_: verb(
                        desk, clicks.command(kind, actor=LEO, draft_id=id_, **given)
                    )
                )
                for id_ in (theirs, *ABSENT)
            }
            assert len(said) == 1, (kind.__name__, said)
            assert said.pop()[0] == refusal.__name__
    with desk.connect() as connection:
        assert drafts.own(connection, MIRA) is not None


def test_a_colleagues_job_cannot_be_told_from_an_absent_one(desk: Engine) -> None:
    theirs = uuid.uuid4()
    with desk.begin() as connection:
        connection.execute(
            text(
                "insert into review.jobs (job_id, kind, person, request, lease, lease_until, begun_at) "
                "values (:id, 'export', :ben, '{}', gen_random_uuid(), now() + interval '1 hour', now())"
            ),
            {"id": theirs, "ben": BEN},
        )

    for id_ in (theirs, *(uuid.uuid4() for _ in range(50))):
        assert people_jobs.ask_to_cancel(desk, id_, actor=ANA) is False
    with desk.connect() as connection:
        asked = connection.execute(text("select cancel_asked_at from review.jobs")).scalar_one()
    assert asked is None


def test_forged_parameters_of_addresses_are_left_out() -> None:
    """Whatever stands in an address gives a page with its defaults, and no error."""
    names = {"page", "sort", "search", "status", "assignee", "min_volume", "since", "columns"}
    records = (Filters, BoardFilters)
    for record in records:
        names |= set(record().to_query())
    tried = 0
    for typed in TYPED:
        assert possible_id(typed) in (None, 0)
        for name in sorted(names):
            for record in records:
                record.from_query({name: typed}).to_query()
                tried += 1
            View.from_query({"dataset": "applications", name: typed}, personal=False)
            View.from_query({"dataset": typed, name: "1"}, personal=False)
            tried += 2
    assert tried > 1_000
