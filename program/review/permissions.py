"""Who may do what: one table of acts and roles, used by verbs, screens and documents."""

from enum import StrEnum


class Role(StrEnum):
    """The roles of staff."""

    REVIEWER = "reviewer"
    MANAGER = "manager"
    ANALYST = "analyst"
    ADMIN = "admin"


class Act(StrEnum):
    """What a person can do. The value completes "You may not ..."."""

    READ = "read applications"
    DECIDE = "decide applications"
    WRITE_NOTE = "write notes"
    RECORD_EVIDENCE = "record evidence"
    ANSWER_CHECK = "answer the checklist"
    CLAIM = "claim applications"
    ASSIGN = "assign applications"
    REQUEST_INFORMATION = "ask applicants for information"
    RECORD_ANSWER = "record an applicant's answer"
    DEFER = "defer applications"
    DISMISS_SIGNAL = "dismiss risk signals"
    DECLARE_CONFLICT = "declare a conflict of interest"
    APPROVE_SECOND = "give the second approval"
    REOPEN = "reopen decided applications"
    UNDO = "undo what was just sent"
    SAVE_VIEW = "save views"
    KEEP_HOLIDAYS = "manage holidays"
    SEE_PROGRAM = "see the program page"
    COMPARE_REVIEWERS = "compare reviewers"
    MAIL_REPORT = "set up the weekly report"
    EXPORT = "export tables"
    READ_POLICY = "read the policy"
    EDIT_POLICY = "change the policy"
    CALIBRATE = "see how risk signals turned out"
    SEE_AFFILIATES = "see the affiliates page"
    REQUALIFY = "change an affiliate's standing"
    KEEP_OUTBOX = "manage the outbox"
    SEE_CONTACT = "see applicants' email and contact"
    IMPORT = "import applications"
    SEE_EXPORTS = "see who exported what, and who read contacts"
    SEE_LOG = "see who did what"
    MANAGE_STAFF = "manage staff"
    BIND_STAFF = "bind staff to an account of the identity provider"
    KEEP_LEAVE = "set leave dates"


_EVERYONE = frozenset(Role)
_DESK = frozenset({Role.REVIEWER, Role.MANAGER})

ALLOWED: dict[Act, frozenset[Role]] = {
    Act.READ: _EVERYONE,
    Act.DECIDE: _DESK,
    Act.WRITE_NOTE: _DESK,
    Act.RECORD_EVIDENCE: _DESK,
    Act.ANSWER_CHECK: _DESK,
    Act.CLAIM: _DESK,
    Act.ASSIGN: _DESK,
    Act.REQUEST_INFORMATION: _DESK,
    Act.RECORD_ANSWER: _DESK,
    Act.DEFER: _DESK,
    Act.DISMISS_SIGNAL: _DESK,
    Act.DECLARE_CONFLICT: _DESK,
    Act.APPROVE_SECOND: frozenset({Role.MANAGER}),
    Act.REOPEN: frozenset({Role.MANAGER}),
    Act.UNDO: _DESK,
    Act.SAVE_VIEW: _EVERYONE,
    Act.KEEP_HOLIDAYS: frozenset({Role.MANAGER, Role.ADMIN}),
    Act.SEE_PROGRAM: frozenset({Role.MANAGER, Role.ANALYST}),
    Act.COMPARE_REVIEWERS: frozenset({Role.MANAGER}),
    Act.MAIL_REPORT: frozenset({Role.MANAGER}),
    Act.EXPORT: _EVERYONE,
    Act.READ_POLICY: frozenset({Role.REVIEWER, Role.MANAGER, Role.ANALYST}),
    Act.EDIT_POLICY: frozenset({Role.MANAGER}),
    Act.CALIBRATE: frozenset({Role.MANAGER}),
    Act.SEE_AFFILIATES: frozenset({Role.REVIEWER, Role.MANAGER, Role.ANALYST}),
    Act.REQUALIFY: frozenset({Role.MANAGER}),
    Act.KEEP_OUTBOX: frozenset({Role.MANAGER, Role.ADMIN}),
    Act.SEE_CONTACT: _DESK,
    Act.IMPORT: _DESK,
    Act.SEE_EXPORTS: frozenset({Role.MANAGER}),
    Act.SEE_LOG: frozenset({Role.MANAGER, Role.ADMIN}),
    Act.MANAGE_STAFF: frozenset({Role.MANAGER, Role.ADMIN}),
    # A manager who binds a reviewer to an account of their own could approve twice.
    Act.BIND_STAFF: frozenset({Role.ADMIN}),
    Act.KEEP_LEAVE: frozenset({Role.MANAGER, Role.ADMIN}),
}
# Whose access each role may change, and which roles it may give. Managers approve second, so they
# may not make each other: nobody makes their own second approver.
MANAGES: dict[Role, frozenset[Role]] = {
    Role.REVIEWER: frozenset(),
    Role.MANAGER: frozenset({Role.REVIEWER, Role.ANALYST}),
    Role.ANALYST: frozenset(),
    Role.ADMIN: _EVERYONE,
}


def may(role: Role, act: Act) -> bool:
    """Whether ``role`` may do ``act``; the verbs check the same table."""
    return role in ALLOWED[act]
