"""Addresses with a broken scheme or full stop name whom they mean, and words for nobody name nobody.

Frozen like 0018, whose other functions and patterns stay: a change of program.links or
program.handles needs a new revision.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WEB = r"\A(?:https?[:;]*/+|[:;]?//)([^/?#]*)(.*)\Z"
BARE = r"\A((?:[a-z0-9_-]+\.)+[a-z]{2,})\.?(?::[0-9]+)?([/?#].*)?\Z"
MAIL_LINK = r"\Amailto:[/ ]*"
TWO_NAMES = r"\A[^/?]*[,;]"
FULL_STOP = "\u3002"
DOORS = (r"\A(?:(?:www[0-9]?|m|mobile|web|touch|mbasic|business|old|new|np|amp|ptb|canary|gaming|"
        r"[a-z]{2}|[a-z]{2}-[a-z]{2})\.)+"
)
NOBODY = (
    *("none", "null", "nil", "n/a", "not applicable", "nothing", "nobody", "unknown", "same"),
    *("same as above", "no account", "no contact", "yok", "нет", "ninguno", "ninguna", "nenhum"),
    *("nenhuma", "aucun", "keine", "keiner", "没有", "沒有", "なし", "無し", "없음", "لا يوجد"),
)

AT_HOST = """
create or replace function review.identity_at_host(host text, rest text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    here constant text collate "C" := lower(host collate "C");
    found constant text := review.identity_at(here, rest);
begin
    if found is not null then
        return found;
    end if;
    if here ~ '{SUBDOMAIN}' then
        return review.identity_named('telegram', (regexp_match(here, '{SUBDOMAIN}'))[1]);
    end if;
    return review.identity_at(regexp_replace(here, '{DOORS}', ''), rest);
end
$function$;
"""
IN_LINK = """
create or replace function review.identity_in_link(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    link constant text collate "C" := typed;
    part text[] := regexp_match(link, '{WEB}', 'i');
    found text;
begin
    if part is not null then
        found := regexp_replace(regexp_replace(part[1], '\\A.*@', ''), '{PORT}', '');
        return coalesce(review.identity_at_host(found, part[2]), '');
    end if;
    part := regexp_match(link, '{APP}', 'i');
    if part is not null then
        found := coalesce(review.identity_at(lower(part[1] collate "C"), part[3]), '');
        return case when part[2] is not null or found <> '' then found end;
    end if;
    part := regexp_match(link, '{BARE}', 'i');
    if part is null then
        return null;
    end if;
    found := review.identity_at_host(part[1], coalesce(part[2], ''));
    return case when found is null and strpos(part[2], '/') > 0 then '' else found end;
end
$function$;
"""
KEY = """
create or replace function review.identity_key(platform text, handle text) returns text
language plpgsql immutable parallel safe
as $function$
declare
    typed text collate "C" := left(handle, 2000);
    key text collate "C" := review.platform_key(coalesce(platform, ''));
    part text[];
    found text;
begin
    if handle is null then
        return null;
    end if;
    if octet_length(typed) <> length(typed) then
        typed := replace(regexp_replace(normalize(typed, NFKC), '{ZERO_WIDTH}', '', 'g'), '{FULL_STOP}', '.');
    end if;
    typed := review.without_quotes(typed);
    -- Nobody's words are short, and most handles are longer or have a digit.
    if length(typed) < 20 and review.folded(typed) in ({NOBODY}) then
        return '';
    end if;
    -- Most handles are a bare name, in which there is nothing to find.
    if typed ~ '\\A[A-Za-z_][A-Za-z0-9_]*\\Z' then
        return review.identity_named(key, typed);
    end if;
    if typed ~* '{MAIL_LINK}' then
        typed := replace(regexp_replace(typed, '{MAIL_LINK}', '', 'i'), '%40', '@');
    end if;
    part := regexp_match(typed, '{ADDRESS}', 'i');
    if part is not null then
        return left('email:' || review.look_of(review.folded(review.unescaped(part[1]))), 200);
    end if;
    found := review.identity_in_link(typed);
    if found is null then
        part := regexp_match(typed, '{LABELLED}');
        if review.platform_key(part[1]) in ({PLATFORMS}) then
            key := review.platform_key(part[1]);
            typed := review.without_quotes(part[2]);
            found := review.identity_in_link(typed);
        end if;
    end if;
    if found is not null then
        return found;
    end if;
    found := translate(typed, '{DIGITS}', '{VALUES}');
    if found ~ '{PHONE}' and (left(found, 1) = '+' or key in ({PHONED})) then
        found := review.phone_digits(found);
        if found <> '' then
            return '+' || found;
        end if;
    end if;
    if typed ~ '[/?]' then
        return case when strpos(typed, ':') > 0 or typed ~ '{TWO_NAMES}' then ''
            else coalesce(review.identity_at(case key {MAIN_HOSTS} end, typed), '') end;
    end if;
    return review.identity_named(key, typed);
end
$function$;
"""
INDEXES = """
reindex index exchange.applications_by_social_identity;
reindex index exchange.applications_by_contact_identity;
"""


def upgrade() -> None:
    before = op.get_context().script.get_revision("0018").module
    values = {
        **{name: getattr(before, name) for name in ("SUBDOMAIN", "PORT", "APP", "ADDRESS")},
        **{name: getattr(before, name) for name in ("ZERO_WIDTH", "LABELLED", "DIGITS", "PHONE")},
        "PLATFORMS": before._listed(before.PLATFORMS),
        "PHONED": before._listed(before.PHONED),
        "VALUES": "0123456789" * len(before.ZEROS),
        "MAIN_HOSTS": before._main_hosts(),
        **{"WEB": WEB, "BARE": BARE, "MAIL_LINK": MAIL_LINK, "TWO_NAMES": TWO_NAMES},
        **{"FULL_STOP": FULL_STOP, "DOORS": DOORS, "NOBODY": before._listed(NOBODY)},
    }
    # Past SQLAlchemy, which would take the colons in the patterns for parameters.
    for function in (AT_HOST, IN_LINK, KEY):
        op.get_bind().exec_driver_sql(function.format(**values).replace("%", "%%"))
    op.execute(INDEXES)


def downgrade() -> None:
    before = op.get_context().script.get_revision("0018").module
    statements = before.FUNCTIONS.split("\ncreate function ")
    for name in ("identity_at_host", "identity_in_link", "identity_key"):
        found = next(one for one in statements if one.startswith(f"review.{name}("))
        op.get_bind().exec_driver_sql(f"create or replace function {found}".replace("%", "%%"))
    op.execute(INDEXES)
