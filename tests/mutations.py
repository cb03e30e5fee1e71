"""Guards of the product, each with a way to remove it and the test that must fail.

A guard that can be removed without a failing test will be lost in a later change.
"""

from dataclasses import dataclass

DECISIONS = "tests/data_access/review/test_decisions.py"
OWNERSHIP = "tests/data_access/review/test_claims.py"
DELIVERIES = "tests/data_access/messages/test_leases.py"
CONSTRAINTS = "tests/data_access/db/test_constraints.py"
SECOND = "tests/data_access/review/test_second_approvals.py"
POLICY = "tests/data_access/policy/test_drafts.py"
ACTS = "tests/data_access/applications/test_commands.py"
UNDOING = "tests/data_access/review/test_undoing.py"
CLAIMS = "tests/program/review/test_sign_in.py"
SESSIONS = "tests/data_access/people/test_sessions.py"
GATES = "tests/dashboard/shell/test_gates.py"
CHECKLIST = "tests/data_access/review/test_checklist.py"
STANDING = "tests/data_access/review/test_standing_proposals.py"
CHAIN = "tests/data_access/history/test_chain.py"
ERASING = "tests/data_access/history/test_erasing.py"
HEADS = "tests/data_access/history/test_heads.py"
ARCHIVES = "tests/data_access/archives/test_archiving.py"
HOLIDAYS = "tests/data_access/policy/test_holiday_changes.py"


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
        file="data_access/db/migrations/schema/05_review.sql",
        old="create unique index decisions_one_current_per_application",
        new="create index decisions_one_current_per_application",
        test=f"{CONSTRAINTS}::test_an_application_has_one_first_decision",
    ),
    Mutation(
        guard="A decision is superseded only once",
        file="data_access/db/migrations/schema/05_review.sql",
        old="    constraint decisions_supersedes_once unique (supersedes),\n",
        new="",
        test=f"{CONSTRAINTS}::test_a_decision_is_superseded_once_so_one_is_current",
    ),
    Mutation(
        guard="An account has one pending application",
        file="data_access/db/migrations/schema/02_exchange.sql",
        old="create unique index applications_one_pending_per_account",
        new="create index applications_one_pending_per_account",
        test=f"{CONSTRAINTS}::test_an_account_has_one_pending_application",
    ),
    Mutation(
        guard="A worker skips messages that another is leasing",
        file="data_access/messages/leases.py",
        old=".with_for_update(skip_locked=True)",
        new=".with_for_update()",
        test=f"{DELIVERIES}::test_a_worker_skips_messages_that_another_is_leasing",
    ),
    Mutation(
        guard="An expired lease changes nothing",
        file="data_access/messages/leases.py",
        old='            table.c.leased_by == bindparam("held"),\n',
        new="",
        test=f"{DELIVERIES}::test_a_leased_message_goes_to_no_other_worker_until_the_lease_expires",
    ),
    Mutation(
        guard="A dead connection in the pool is replaced",
        file="data_access/db/database.py",
        old="pool_pre_ping=True",
        new="pool_pre_ping=False",
        test="tests/data_access/db/test_database.py::test_a_connection_that_died_in_the_pool_is_replaced_unseen",
    ),
    Mutation(
        guard="The number of exports that read at once is limited",
        file="data_access/exports/worker.py",
        old="while not _takes_one(connection):",
        new="while not _takes_one(connection) and False:",
        test="tests/data_access/exports/test_files.py::test_only_so_many_exports_read_the_database_at_a_time",
    ),
    Mutation(
        guard="A repeated request returns its first result",
        file="data_access/people/commands.py",
        old="    if earlier is not None:\n        return earlier\n",
        new="",
        test=f"{DECISIONS}::test_the_same_request_again_returns_the_first_result",
    ),
    Mutation(
        guard="A request id with different content is refused",
        file="data_access/people/commands.py",
        old="        raise RequestReused\n",
        new="        pass\n",
        test=f"{DECISIONS}::test_a_request_id_with_other_content_is_refused",
    ),
    Mutation(
        guard="The command checks the role",
        file="data_access/people/commands.py",
        old='    staff.require_role(asked["role_of_actor"], command.act)\n',
        new="",
        test=f"{ACTS}::test_the_role_is_checked_where_the_rows_are_written",
    ),
    Mutation(
        guard="The application is locked before validation",
        file="data_access/applications/commands.py",
        old="    read.hold(connection, id_)\n",
        new="",
        test=f"{ACTS}::test_a_double_click_does_it_once",
    ),
    Mutation(
        guard="A person with a conflict of interest does not decide",
        file="data_access/review/decisions.py",
        old='    conflicts.require_none_for(application, command.actor, conflict["reason"])\n    transitions',
        new="    transitions",
        test="tests/data_access/review/test_conflicts.py::test_no_deciding_act_is_taken_from_somebody_with_a_conflict",
    ),
    Mutation(
        guard="Others do not decide what a colleague has claimed",
        file="data_access/review/decisions.py",
        old="    transitions.require_not_claimed_by_another(connection, application, command)\n",
        new="",
        test=f"{OWNERSHIP}::test_a_claimed_application_is_not_decided_by_others",
    ),
    Mutation(
        guard="A decision on outdated facts is refused",
        file="data_access/review/decisions.py",
        old="    assessments.require_unchanged(\n        command.shown,\n",
        new="    assessments.require_unchanged(\n        viewed_facts,\n",
        test=f"{DECISIONS}::test_facts_changed_since_the_page_was_shown_are_refused_and_named",
    ),
    Mutation(
        guard="An approval needs its checklist",
        file="data_access/review/decisions.py",
        old="    if left:\n        raise Invalid(",
        new="    if left and False:\n        raise Invalid(",
        test=f"{DECISIONS}::test_an_approval_needs_every_required_check",
    ),
    Mutation(
        guard="One person cannot decide what needs two",
        file="data_access/review/decisions.py",
        old="        if weighed.needed_for:\n            return",
        new="        if False:\n            return",
        test=f"{SECOND}::test_a_decision_for_two_people_is_proposed_and_not_made",
    ),
    Mutation(
        guard="An application claimed during the statement is not taken",
        file="data_access/review/claims.py",
        old="        where (held.assignee is null or held.claim_until <= :now)\n",
        new="        where true\n",
        test=f"{OWNERSHIP}::test_an_application_claimed_during_the_statement_is_not_taken",
    ),
    Mutation(
        guard="Nobody waits for an application that a colleague is taking",
        file="data_access/review/claims.py",
        old="for update of application skip locked",
        new="for update of application",
        test=f"{OWNERSHIP}::test_next_does_not_wait_for_an_application_being_claimed",
    ),
    Mutation(
        guard="A file link works only in the browser it was made for",
        file="dashboard/shell/export_links.py",
        old="    if not browser or not compare_digest(mark, _mark(browser)):\n        return None\n",
        new="",
        test="tests/data_access/exports/test_files.py::test_a_link_that_is_not_one_s_own_any_more_gives_a_sentence_and_reads_nothing",
    ),
    Mutation(
        guard="A sign-in link works once",
        file="data_access/people/sessions.py",
        old="on conflict do nothing\n",
        new="on conflict (session_key) do update set ended_at = null\n",
        test="tests/dashboard/shell/test_serve.py::test_a_link_signs_in_once_and_leads_back",
    ),
    Mutation(
        guard="An address bound to one account is refused to another",
        file="data_access/people/sessions.py",
        old="            email = :email and issuer is null\n",
        new="            email = :email\n",
        test=f"{SESSIONS}::test_a_bound_address_is_nobody_from_another_provider_or_account",
    ),
    Mutation(
        guard="An account that is bound takes no second address",
        file="data_access/people/sessions.py",
        old="            and not exists (select from review.staff where issuer = :issuer and subject = :subject)\n",
        new="",
        test=f"{SESSIONS}::test_whoever_is_bound_comes_in_under_any_address",
    ),
    Mutation(
        guard="Demo people stay bound to an issuer that no provider can be",
        file="data_access/db/migrations/schema/03_people.sql",
        old="    if old.issuer = 'demo' and",
        new="    if false and",
        test=f"{SESSIONS}::test_demo_people_never_come_in_through_a_provider",
    ),
    Mutation(
        guard="A changed role or access ends the sessions before it",
        file="data_access/db/migrations/schema/03_people.sql",
        old="        new.signed_in_after := clock_timestamp();\n",
        new="        null;\n",
        test=f"{SESSIONS}::test_a_session_ends_at_once",
    ),
    Mutation(
        guard="A session from before a sign-out everywhere has ended",
        file="data_access/people/sessions.py",
        old="        tables.sessions.c.begun_at > tables.staff.c.signed_in_after,\n",
        new="        tables.sessions.c.begun_at > func.now() - LONGEST,\n",
        test=f"{SESSIONS}::test_signing_out_ends_one_session_and_everywhere_ends_all",
    ),
    Mutation(
        guard="A session ends without activity",
        file="data_access/people/sessions.py",
        old="    tables.sessions.c.last_seen_at > func.now() - IDLE,\n",
        new="",
        test=f"{SESSIONS}::test_a_session_ends_by_itself",
    ),
    Mutation(
        guard="Only the boolean true verifies an address",
        file="program/review/sign_in.py",
        old='    if claims.get("email_verified") is not True and not is_left_out:\n',
        new='    if not claims.get("email_verified") and not is_left_out:\n',
        test=f"{CLAIMS}::test_only_the_boolean_true_verifies_an_address",
    ),
    Mutation(
        guard="A token from the future is refused",
        file="program/review/sign_in.py",
        old="    if issued - now > CLOCK_SKEW_S:\n",
        new="    if False:\n",
        test=f"{CLAIMS}::test_a_token_counts_from_its_time_to_twelve_hours_later",
    ),
    Mutation(
        guard="A provider speaks for its own issuer only",
        file="dashboard/shell/openid.py",
        old='    if not found and not _is_from(claims["iss"], claims.get("provider")):\n',
        new="    if False:\n",
        test="tests/dashboard/shell/test_sign_in.py::test_insufficient_openid_claims_are_refused",
    ),
    Mutation(
        guard="The local sign-in works only with the embedded database",
        file="dashboard/shell/local_sign_in.py",
        old="    if not database.is_embedded():\n        return",
        new="    if False:\n        return",
        test="tests/dashboard/shell/test_serve.py::test_the_local_sign_in_is_refused_with_an_external_database",
    ),
    Mutation(
        guard="A message that may have been sent is not undone",
        file="data_access/undoing/__init__.py",
        old="    if not waits or now >= message.next_attempt_at:",
        new="    if not waits:",
        test=f"{UNDOING}::test_undo_is_refused_from_the_moment_the_message_may_leave",
    ),
    Mutation(
        guard="Only its actor undoes an act",
        file="data_access/undoing/__init__.py",
        old="    if act.actor != command.actor:",
        new="    if act.actor != command.actor and False:",
        test=f"{UNDOING}::test_only_the_senders_own_act_can_be_undone",
    ),
    Mutation(
        guard="A message being undone is locked against the worker",
        file="data_access/undoing/__init__.py",
        old=".with_for_update()\n",
        new="\n",
        test=f"{UNDOING}::test_a_worker_passes_over_a_message_that_is_just_being_undone",
    ),
    Mutation(
        guard="A button sends only what was visible long enough",
        file="dashboard/forms/sending.py",
        old="    if sending.was_seen(shown_at, pressed_at()):",
        new="    if True:",
        test="tests/dashboard/pages/application/test_decision_form.py::test_a_press_before_anybody_could_look_sends_nothing",
    ),
    Mutation(
        guard="Only this server's own page opens the websocket",
        file="dashboard/shell/websockets.py",
        old='        if scope["path"] != STREAM or not origins.is_own(connection):',
        new='        if scope["path"] != STREAM:',
        test=f"{GATES}::test_only_a_page_of_this_server_opens_the_websocket",
    ),
    Mutation(
        guard="A message that no page sends is dropped",
        file="dashboard/shell/websockets.py",
        old='                if await _is_wanted(message["bytes"], connection):',
        new="                if True:",
        test=f"{GATES}::test_a_message_that_no_page_of_theirs_sends_is_dropped",
    ),
    Mutation(
        guard="A file is served only to its person",
        file="dashboard/shell/files.py",
        old="    theirs = (person.email, person.role) in meant_for and person.may(Act.EXPORT)",
        new="    theirs = bool(meant_for) and person.may(Act.EXPORT)",
        test=f"{GATES}::test_a_file_is_only_for_its_recipient_while_person_and_role_are_unchanged",
    ),
    Mutation(
        guard="Only people who may import upload files",
        file="dashboard/shell/files.py",
        old="        if person is None or not person.may(Act.IMPORT):",
        new="        if person is None:",
        test=f"{GATES}::test_uploads_need_permission_to_import_and_a_page_of_this_server",
    ),
    Mutation(
        guard="People are compared by one normal form",
        file="program/review/people.py",
        old="    text = address.strip(BLANKS).translate(_SMALL)",
        new="    text = address.strip(BLANKS)",
        test="tests/data_access/people/test_identities.py::test_nobody_is_their_own_second_person_by_another_spelling",
    ),
    Mutation(
        guard="The second person is not the first",
        file="data_access/review/second_approvals.py",
        old='    if command.actor == proposal.proposed_by:\n        raise NotAllowed("You proposed this yourself; another',
        new='    if False:\n        raise NotAllowed("You proposed this yourself; another',
        test=f"{SECOND}::test_the_second_is_never_the_first_manager_or_not",
    ),
    Mutation(
        guard="A changed result ends a proposal",
        file="data_access/review/second_approvals.py",
        old="        if differs.changed:\n            lapse(connection, application, proposal, differs, command)\n            return",
        new="        if False:\n            return",
        test=f"{SECOND}::test_a_change_in_between_lapses_it_and_the_lapse_stays",
    ),
    Mutation(
        guard="Nobody publishes their own policy",
        file="data_access/policy/drafts.py",
        old='        if command.actor == kept.author:\n            raise NotAllowed("You proposed this yourself; another',
        new='        if False:\n            raise NotAllowed("You proposed this yourself; another',
        test=f"{POLICY}::test_nobody_confirms_or_declines_their_own_proposal",
    ),
    Mutation(
        guard="Nobody withdraws a policy alone",
        file="data_access/policy/withdrawals.py",
        old='        if command.actor == found.proposed_by:\n            raise NotAllowed("You proposed this yourself; another',
        new='        if False:\n            raise NotAllowed("You proposed this yourself; another',
        test=f"{POLICY}::test_nobody_withdraws_alone",
    ),
    Mutation(
        guard="A day that has begun becomes a holiday only after confirmation",
        file="data_access/policy/holiday_changes.py",
        old="        if effect is not None and effect != command.confirmed:",
        new="        if False:",
        test=f"{HOLIDAYS}::test_a_day_that_has_begun_shows_its_effect_first",
    ),
    Mutation(
        guard="A check that needs evidence passes only with it",
        file="data_access/review/checklist.py",
        old="    if why is not None:\n        raise Invalid(why)\n",
        new="",
        test=f"{CHECKLIST}::test_a_check_that_needs_evidence_passes_only_with_what_counts",
    ),
    Mutation(
        guard="Passing all passes only listed open items",
        file="data_access/review/checklist.py",
        old="            if key not in passing:\n                raise Invalid(_not_open(key, given))\n",
        new="",
        test=f"{CHECKLIST}::test_an_item_answered_in_the_meantime_is_not_passed",
    ),
    Mutation(
        guard="Unestablished facts are rejected only knowingly",
        file="data_access/review/decisions.py",
        old="    if not draft.knowingly:",
        new="    if False:",
        test="tests/data_access/review/test_rejecting.py::test_a_reason_that_asserts_the_unknown_needs_evidence_or_an_explicit_word",
    ),
    Mutation(
        guard="No cell starts a formula",
        file="data_access/explore/cells.py",
        old="        (begins, func.concat(csv_guard.GUARD, value)),\n",
        new="",
        test="tests/data_access/explore/test_datasets.py::test_text_that_a_spreadsheet_would_run_is_led_by_a_quote",
    ),
    Mutation(
        guard="Database settings do not change what is read",
        file="data_access/db/database.py",
        old='    "DateStyle": "ISO, MDY",\n',
        new="",
        test="tests/data_access/db/test_database.py::test_no_setting_of_the_database_or_the_environment_changes_what_is_read",
    ),
    Mutation(
        guard="A webhook is never at a link-local address",
        file="data_access/messages/channels/hosts.py",
        old="        if odd or one.is_link_local or",
        new="        if odd or",
        test="tests/data_access/messages/test_webhook_hosts.py::test_no_endpoint_is_at_an_address_of_the_machine_s_own_network",
    ),
    Mutation(
        guard="Recorded rows are append-only",
        file="data_access/db/migrations/schema/05_review.sql",
        old="before delete or update or truncate on review.notes",
        new="before update or truncate on review.notes",
        test="tests/data_access/db/test_migrate.py::test_recorded_rows_cannot_be_changed",
    ),
    Mutation(
        guard="A month with undelivered days is never missed",
        file="data_access/eligibility/delivered.py",
        old="    return {**values, **added_up}",
        new="    return dict(values)",
        test="tests/data_access/affiliates/test_requalification.py::test_a_month_with_missing_days_is_met_or_unknown_but_never_missed",
    ),
    Mutation(
        guard="Days that arrive later recompute a period of the outcomes",
        file="data_access/affiliates/cohort_outcomes.py",
        old=" or missing_days is distinct from missing\n",
        new=" or missing_days is null\n",
        test="tests/data_access/affiliates/test_cohort_outcomes.py::test_a_period_with_missing_days_is_met_or_unknown_and_recomputed_later",
    ),
    Mutation(
        guard="One writer at a time adds to the history",
        file="data_access/db/migrations/schema/10_history.sql",
        old="    select * into strict head from review.history_head for update;",
        new="    select * into strict head from review.history_head;",
        test=f"{CHAIN}::test_concurrent_writers_never_fork_it_and_never_wait_in_a_circle",
    ),
    Mutation(
        guard="The history waits for its head last",
        file="data_access/db/migrations/schema/10_history.sql",
        old="    deferrable initially deferred for each row execute function review.link_entry();",
        new="    for each row execute function review.link_entry();",
        test=f"{CHAIN}::test_the_head_is_free_until_a_transaction_commits",
    ),
    Mutation(
        guard="Hashes do not depend on the session's time zone",
        file="data_access/db/migrations/schema/10_history.sql",
        old="create function review.chain_rows() returns trigger language plpgsql security definer\n    set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$",
        new="create function review.chain_rows() returns trigger language plpgsql security definer\n    set search_path = pg_catalog, pg_temp as $$",
        test=f"{CHAIN}::test_the_session_time_zone_changes_no_hash",
    ),
    Mutation(
        guard="Verifying compares each row with its hash",
        file="data_access/db/migrations/schema/10_history.sql",
        old="substring(entry.row_hashes from (written.place::int - 1) * 32 + 1 for 32) is distinct from\n",
        new="substring(entry.row_hashes from (written.place::int - 1) * 32 + 1 for 32) is null and null <>\n",
        test=f"{CHAIN}::test_tampering_is_named",
    ),
    Mutation(
        guard="Verifying finds rows that were added past the chain",
        file="data_access/history/chain.py",
        old="        if row_id is not None:\n",
        new="        if False:\n",
        test=f"{CHAIN}::test_tampering_is_named",
    ),
    Mutation(
        guard="A kept head finds a cut tail",
        file="data_access/history/chain.py",
        old="    if kept.position > end.position:\n",
        new="    if False:\n",
        test=f"{CHAIN}::test_a_tail_cut_cleanly_is_found_by_a_kept_head",
    ),
    Mutation(
        guard="A head counts only with the key's signature",
        file="data_access/history/heads.py",
        old="        key.verify(signature[4:], body.encode())\n",
        new="",
        test=f"{HEADS}::test_a_head_that_was_changed_or_signed_by_another_is_refused",
    ),
    Mutation(
        guard="An erased text counts only while nothing is in its place",
        file="data_access/db/migrations/schema/10_history.sql",
        old="        when digest is not null and review.is_erased(value) then digest",
        new="        when digest is not null then digest",
        test=f"{ERASING}::test_what_is_left_of_an_erased_row_stays_provable",
    ),
    Mutation(
        guard="Erasing deletes the salts",
        file="data_access/db/migrations/schema/12_erasing.sql",
        old="    where gone.erasure_id = erasure and gone.table_name",
        new="    where false and gone.table_name",
        test=f"{ERASING}::test_a_persons_texts_are_nowhere_and_the_history_verifies",
    ),
    Mutation(
        guard="A legal hold forbids erasing",
        file="data_access/db/migrations/schema/12_erasing.sql",
        old="hold_id desc limit 1) = 'placed' then",
        new="hold_id desc limit 1) = 'never' then",
        test=f"{ERASING}::test_a_legal_hold_refuses_it_until_it_is_lifted",
    ),
    Mutation(
        guard="A load does not bring an erased person back",
        file="data_access/db/migrations/schema/12_erasing.sql",
        old="    if back <> '{}' then\n        update exchange.accounts",
        new="    if false then\n        update exchange.accounts",
        test=f"{ERASING}::test_a_later_load_does_not_bring_them_back",
    ),
    Mutation(
        guard="Append-only rows change in an erasure only",
        file="data_access/db/migrations/schema/10_erasures.sql",
        old="    return exists (select from review.erasures where transaction_id = pg_current_xact_id_if_assigned()::text);",
        new="    return true;",
        test=f"{ERASING}::test_outside_of_an_erasure_the_guards_hold",
    ),
    Mutation(
        guard="Activity that is still read day by day is not archived",
        file="data_access/archives/archiving.py",
        old="    if months_later(command.last_month, 1) > needed:",
        new="    if months_later(command.last_month, 1) > date.max:",
        test=f"{ARCHIVES}::test_what_is_still_read_day_by_day_is_refused_with_the_oldest_such_day",
    ),
    Mutation(
        guard="A month's file is proven before its partition goes",
        file="data_access/archives/month_file.py",
        old="        if read_back(own) != sent:",
        new="        if sent is None:",
        test=f"{ARCHIVES}::test_a_file_that_does_not_read_back_equal_keeps_the_month",
    ),
    Mutation(
        guard="A month's file never takes the place of another",
        file="data_access/archives/month_file.py",
        old="            os.link(own, path)",
        new="            os.replace(own, path)",
        test=f"{ARCHIVES}::test_two_databases_that_archive_into_one_folder_leave_each_other_their_files",
    ),
    Mutation(
        guard="A month's file and its name are on the disk before its partition goes",
        file="data_access/archives/month_file.py",
        old="            _keep_names(path)",
        new="            path.stat()",
        test=f"{ARCHIVES}::test_a_partition_goes_once_its_file_and_every_name_that_leads_to_it_are_on_the_disk",
    ),
    Mutation(
        guard="Figures of archived months stay",
        file="data_access/rollups/plan.py",
        old="for month in self.months if month not in self.archived)",
        new="for month in self.months)",
        test=f"{ARCHIVES}::test_every_figure_is_the_same_after_a_full_count_of_what_is_left",
    ),
    Mutation(
        guard="An archived month comes back whole",
        file="data_access/loading/archived_facts.py",
        old="        if not _is_whole(arrival, one):",
        new="        if one is None:",
        test=f"{ARCHIVES}::test_activity_of_an_archived_month_comes_back_whole_or_not_at_all",
    ),
    Mutation(
        guard="An archived month comes back from its own file",
        file="data_access/loading/archived_facts.py",
        old="    return one.sha256 in arrival.sha256s and tuple(staged) == sums",
        new="    return tuple(staged) == sums",
        test=f"{ARCHIVES}::test_a_file_with_the_sums_of_an_archived_month_is_not_the_month",
    ),
    Mutation(
        guard="A restored table is compared with the backup",
        file="deploy/restore.sh",
        old='if ! diff "$folder/digests" "$found"; then',
        new="if false; then",
        test="tests/deploy/test_restore.py::test_a_restored_backup_is_the_same_desk_with_the_same_history",
    ),
)
