"""Guards of the product, each with a way to take it out and the test that must notice.

A guard that can be removed without any test turning red is one that the next change loses.
"""

from dataclasses import dataclass

DECISIONS = "tests/data_access/test_decisions.py"
OWNERSHIP = "tests/data_access/test_ownership.py"
DELIVERIES = "tests/data_access/test_deliveries.py"
CONSTRAINTS = "tests/data_access/test_constraints.py"
SECOND = "tests/data_access/test_second_approvals.py"
POLICY = "tests/data_access/test_policy_drafts.py"
ACTS = "tests/data_access/test_acts.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """``old`` in ``file`` is replaced by ``new``; ``test`` must fail then."""

    guard: str
    file: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        guard="An application has one first decision",
        file="data_access/migrations/versions/0001_facts_and_judgments.py",
        old="create unique index decisions_one_current_per_application",
        new="create index decisions_one_current_per_application",
        test=f"{CONSTRAINTS}::test_an_application_has_one_first_decision",
    ),
    Mutation(
        guard="A decision is superseded once",
        file="data_access/migrations/versions/0001_facts_and_judgments.py",
        old="    constraint decisions_supersedes_once unique (supersedes),\n",
        new="",
        test=f"{CONSTRAINTS}::test_a_decision_is_superseded_once_so_one_of_them_stands",
    ),
    Mutation(
        guard="An account has one pending application",
        file="data_access/migrations/versions/0001_facts_and_judgments.py",
        old="create unique index applications_one_pending_per_account",
        new="create index applications_one_pending_per_account",
        test=f"{CONSTRAINTS}::test_an_account_has_one_pending_application",
    ),
    Mutation(
        guard="A worker passes over what another is just taking",
        file="data_access/deliveries.py",
        old=".with_for_update(skip_locked=True)",
        new=".with_for_update()",
        test=f"{DELIVERIES}::test_a_worker_passes_over_what_another_is_just_taking",
    ),
    Mutation(
        guard="A taking that lapsed changes nothing",
        file="data_access/deliveries.py",
        old='            table.c.leased_by == bindparam("held"),\n',
        new="",
        test=f"{DELIVERIES}::test_what_one_took_no_other_gets_until_the_lease_lapses",
    ),
    Mutation(
        guard="A connection that died in the pool is replaced",
        file="data_access/database.py",
        old="pool_pre_ping=True",
        new="pool_pre_ping=False",
        test="tests/data_access/test_database.py::test_a_connection_that_died_in_the_pool_is_replaced_unseen",
    ),
    Mutation(
        guard="Only so many exports read at a time",
        file="data_access/export_worker.py",
        old="while not _takes_one(connection):",
        new="while not _takes_one(connection) and False:",
        test="tests/data_access/test_export_files.py::test_only_so_many_exports_read_the_database_at_a_time",
    ),
    Mutation(
        guard="A repeated request returns its first result",
        file="data_access/acts.py",
        old="        if earlier is not None:\n            return earlier\n",
        new="",
        test=f"{DECISIONS}::test_the_same_request_again_returns_the_first_result",
    ),
    Mutation(
        guard="A request id with other content is refused",
        file="data_access/requests.py",
        old="        raise RequestReused\n",
        new="        pass\n",
        test=f"{DECISIONS}::test_a_request_id_with_other_content_is_refused",
    ),
    Mutation(
        guard="The role is asked in the verb",
        file="data_access/acts.py",
        old="        staff.require(connection, form.actor, form.act)\n",
        new="",
        test=f"{ACTS}::test_the_role_is_asked_where_the_rows_are_written",
    ),
    Mutation(
        guard="The application is locked before anything is checked",
        file="data_access/acts.py",
        old="now=form.at, lock=True)",
        new="now=form.at, lock=False)",
        test=f"{ACTS}::test_a_double_click_does_it_once",
    ),
    Mutation(
        guard="Who has a conflict of interest does not decide",
        file="data_access/decisions.py",
        old="    conflicts.require_none(connection, application, form.actor)\n",
        new="",
        test="tests/data_access/test_conflicts.py::test_no_deciding_act_is_taken_from_somebody_with_a_conflict",
    ),
    Mutation(
        guard="What a colleague works on is not decided by others",
        file="data_access/decisions.py",
        old="    desk.require_not_claimed_by_another(application, form)\n",
        new="",
        test=f"{OWNERSHIP}::test_what_somebody_works_on_is_not_decided_by_others",
    ),
    Mutation(
        guard="What changed since the page was shown is refused",
        file="data_access/decisions.py",
        old="    assessments.require_unchanged(shown, standing.seen)\n",
        new="",
        test=f"{DECISIONS}::test_what_changed_since_the_page_was_shown_is_refused_and_named",
    ),
    Mutation(
        guard="An approval needs its checklist",
        file="data_access/decisions.py",
        old="    if left:\n        raise Invalid(",
        new="    if left and False:\n        raise Invalid(",
        test=f"{SECOND}::test_a_check_that_failed_meanwhile_stands_in_the_way",
    ),
    Mutation(
        guard="What needs two people is not decided by one",
        file="data_access/decisions.py",
        old="        if weighed.needed_for:\n            raise SecondApprovalNeeded(",
        new="        if weighed.needed_for and False:\n            raise SecondApprovalNeeded(",
        test=f"{SECOND}::test_one_person_alone_is_refused_and_told_what_to_do",
    ),
    Mutation(
        guard="Nobody takes what was claimed under the statement",
        file="data_access/ownership.py",
        old="        where (held.assignee is null or held.claim_until <= :now)\n",
        new="        where true\n",
        test=f"{OWNERSHIP}::test_what_changed_under_the_statement_is_not_taken",
    ),
    Mutation(
        guard="Nobody waits for what a colleague is just taking",
        file="data_access/ownership.py",
        old="for update of application skip locked",
        new="for update of application",
        test=f"{OWNERSHIP}::test_nobody_waits_for_the_one_that_a_colleague_is_just_taking",
    ),
    Mutation(
        guard="A link to a file is for the browser it was made for",
        file="dashboard/links.py",
        old="    if not browser or not compare_digest(mark, _mark(browser)):\n        return None\n",
        new="",
        test="tests/data_access/test_export_files.py::test_a_link_that_is_not_one_s_own_any_more_gives_a_sentence_and_reads_nothing",
    ),
    Mutation(
        guard="A sign-in link counts once",
        file="dashboard/local_sign_in.py",
        old="    _used.add(once)\n",
        new="",
        test="tests/test_serve.py::test_a_link_signs_in_once_and_leads_back",
    ),
    Mutation(
        guard="The local sign-in works with the embedded database only",
        file="dashboard/local_sign_in.py",
        old="    if not database.is_embedded():\n        return",
        new="    if False:\n        return",
        test="tests/test_serve.py::test_the_local_sign_in_is_refused_with_a_database_of_ones_own",
    ),
)
