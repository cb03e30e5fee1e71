"""People are compared by one normal form of their address, here as in the program.

What may still be changed is brought into that form. What is recorded stays as it was written; new
rows hold the form, and second persons are told apart by it.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FUNCTION = r"""
create function review.person(address text) returns text
    language sql immutable strict parallel safe
    return lower(btrim(address, E' \t\n\r\f\v') collate "C");
comment on function review.person(text) is 'The form in which a person''s address is stored and compared';
"""
CHANGEABLE = {
    "requests": ("actor",),
    "desk": ("assignee",),
    "viewers": ("email",),
    "proposals": ("proposed_by", "closed_by"),
    "saved_views": ("owner",),
    "preferences": ("email",),
    "conflicts": ("email", "recorded_by"),
    "bulk_runs": ("actor",),
    "policy_drafts": ("author", "closed_by"),
    "affiliate_standings": ("changed_by",),
    "application_courses": ("decided_by",),
    "message_templates": ("author",),
    "delivery_settings": ("author",),
    "kept_rows": ("settled_by",),
}
RECORDED = {
    "policies": ("author",),
    "evidence": ("recorded_by",),
    "notes": ("author",),
    "checks": ("author",),
    "decisions": ("decided_by", "second_approver"),
    "events": ("actor",),
    "exports": ("exported_by",),
    "policy_events": ("actor",),
    "affiliate_events": ("actor",),
    "form_maps": ("saved_by",),
    "form_imports": ("imported_by",),
    "kept_row_events": ("actor",),
}
# Of several spellings the first is kept: who looks, and columns chosen, are not worth more.
SPELLINGS = """
truncate review.viewers;
delete from review.preferences p using review.preferences other
    where review.person(p.email) = review.person(other.email) and p.name = other.name
        and p.email > other.email;
"""
SECOND_IS_ANOTHER = {
    "decisions": "review.person(second_approver) <> review.person(decided_by)",
    "proposals": "closed_as <> 'confirmed' or review.person(closed_by) <> review.person(proposed_by)",
    "policy_drafts": "closed_as is distinct from 'published' or review.person(closed_by) <> review.person(author)",
}
BEFORE = {
    "decisions": "second_approver <> decided_by",
    "proposals": "closed_as <> 'confirmed' or closed_by <> proposed_by",
    "policy_drafts": "closed_as is distinct from 'published' or closed_by <> author",
}
STAFF = """
alter table review.staff drop constraint staff_email_lower,
    add constraint staff_email_normal check (email = review.person(email) and email ~ '^[!-~]+$');
"""


def _second_is_another(table: str, told_apart: str) -> None:
    # Not asked of what is there: nobody could mend a decision that was made.
    op.execute(f"alter table review.{table} drop constraint {table}_second_is_another")
    op.execute(
        f"alter table review.{table} add constraint {table}_second_is_another "
        f"check ({told_apart}) not valid"
    )


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(STAFF)
    op.execute(SPELLINGS)
    for table, columns in CHANGEABLE.items():
        for column in columns:
            op.execute(
                f"update review.{table} set {column} = review.person({column}) "
                f"where {column} <> review.person({column})"
            )
    for table, columns in {**CHANGEABLE, **RECORDED}.items():
        same = " and ".join(f"{column} = review.person({column})" for column in columns)
        op.execute(
            f"alter table review.{table} add constraint {table}_people_normal check ({same}) not valid"
        )
    for table, told_apart in SECOND_IS_ANOTHER.items():
        _second_is_another(table, told_apart)


def downgrade() -> None:
    for table, told_apart in BEFORE.items():
        _second_is_another(table, told_apart)
    for table in {**CHANGEABLE, **RECORDED}:
        op.execute(f"alter table review.{table} drop constraint {table}_people_normal")
    op.execute(
        "alter table review.staff drop constraint staff_email_normal, "
        "add constraint staff_email_lower check (email = lower(email))"
    )
    op.execute("drop function review.person(text)")
