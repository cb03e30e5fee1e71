"""Names of views and maps compared by one normal form; the form that saved a view is known.

The function is frozen here, as in 0017: a change of program.folding needs a new revision.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SPACES = r"[ \u0009-\u000d\u001c-\u001f\u0085\u1680\u2028\u2029]+"
FUNCTION = rf"""
create function review.name_key(typed text) returns text
language sql immutable strict parallel safe
return btrim(regexp_replace(review.folded(typed) collate "C", '{SPACES}', ' ', 'g'), ' ');
comment on function review.name_key(text) is 'What a name that somebody gave is compared by: folded, with single spaces inside';
"""

# Of several views whose names are one now, the later ones get a number, which keeps within what
# can be typed. Two maps cannot be told from two versions of one, so the hidden one is kept anew.
NUMBERED = """
create function review.numbered(name text, number integer) returns text
language sql immutable
return left(name, 40 - length(format(' (%s)', number))) || format(' (%s)', number);

do $$
declare
    later record;
    number integer;
begin
    for later in
        select view_id, owner, screen, name from review.saved_views view
        where exists (select from review.saved_views earlier
                      where (earlier.owner, earlier.screen) = (view.owner, view.screen)
                        and review.name_key(earlier.name) = review.name_key(view.name)
                        and earlier.view_id < view.view_id)
        order by view_id
    loop
        number := 2;
        while exists (select from review.saved_views
                      where (owner, screen) = (later.owner, later.screen)
                        and review.name_key(name)
                            = review.name_key(review.numbered(later.name, number))) loop
            number := number + 1;
        end loop;
        update review.saved_views set name = review.numbered(later.name, number)
        where view_id = later.view_id;
    end loop;

    for later in
        select * from (
            select *, row_number() over (
                partition by review.name_key(name) order by map_id desc) as place
            from (select distinct on (lower(name)) * from review.form_maps
                  order by lower(name), map_id desc) newest) same
        where place > 1 and not is_retired
        order by map_id
    loop
        number := 2;
        while exists (select from review.form_maps
                      where review.name_key(name)
                            = review.name_key(review.numbered(later.name, number))) loop
            number := number + 1;
        end loop;
        insert into review.form_maps (name, content, is_retired, saved_by, saved_at)
        values (review.numbered(later.name, number), later.content, false, later.saved_by, later.saved_at);
    end loop;
end
$$;
drop function review.numbered(text, integer);
"""
UP = """
drop index review.saved_views_one_name_per_owner;
create unique index saved_views_one_name_per_owner
    on review.saved_views (owner, screen, review.name_key(name));
alter table review.saved_views add column request_id uuid not null default gen_random_uuid();
comment on column review.saved_views.request_id is 'The form that saved it last; a repeat returns it, and another replaces it knowingly';
drop index review.form_maps_by_name;
create index form_maps_by_name on review.form_maps (review.name_key(name), map_id);
comment on column review.form_maps.name is 'The map''s name; the same in any case and with any spaces';
"""
DOWN = """
comment on column review.form_maps.name is 'The map''s name; the same in any case';
drop index review.form_maps_by_name;
create index form_maps_by_name on review.form_maps (lower(name), map_id);
alter table review.saved_views drop column request_id;
drop index review.saved_views_one_name_per_owner;
create unique index saved_views_one_name_per_owner on review.saved_views (owner, screen, lower(name));
drop function review.name_key(text);
"""


def upgrade() -> None:
    # Past SQLAlchemy, which would take the colons in the code for parameters.
    for statements in (FUNCTION, NUMBERED, UP):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    op.execute(DOWN)
