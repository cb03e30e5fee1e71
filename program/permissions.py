"""Who may do what: one table of acts and roles, asked by verbs and by screens."""

from enum import StrEnum


class Role(StrEnum):
    """The people of the program."""

    REVIEWER = "reviewer"
    MANAGER = "manager"
    ANALYST = "analyst"
    ADMIN = "admin"


class Act(StrEnum):
    """What a person can do here. The value completes "You may not ..."."""

    READ = "read applications"
    DECIDE = "decide applications"
    WRITE_NOTE = "write notes"
    RECORD_EVIDENCE = "record evidence"
    SEE_PROGRAM = "see the program page"
    EXPORT = "export tables"


_EVERYONE = frozenset(Role)
_DESK = frozenset({Role.REVIEWER, Role.MANAGER})

ALLOWED: dict[Act, frozenset[Role]] = {
    Act.READ: _EVERYONE,
    Act.DECIDE: _DESK,
    Act.WRITE_NOTE: _DESK,
    Act.RECORD_EVIDENCE: _DESK,
    Act.SEE_PROGRAM: frozenset({Role.MANAGER, Role.ANALYST}),
    Act.EXPORT: _EVERYONE,
}


def may(role: Role, act: Act) -> bool:
    """Whether ``role`` may do ``act``; the verb's check asks the same table."""
    return role in ALLOWED[act]
