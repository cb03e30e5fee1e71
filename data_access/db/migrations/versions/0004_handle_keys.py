"""Handles under one key: the same name however it is typed, and names that look the same.

Everything here is frozen: a change of program.handles needs a new revision that replaces the
function and builds the indexes anew, and a test says so. Down drops only what this brings.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOOK_ALIKES = {
    "a": "\u0430\u0410\u03b1\u0391\u0251\u1d00",
    "b": "\u0432\u0412\u03b2\u0392\u044c\u042c\u0299",
    "c": "\u0441\u0421\u03c2\u1d04",
    "d": "\u0501\u0500\u1d05",
    "e": "\u0435\u0415\u0454\u0404\u03b5\u0395\u212e\u1d07",
    "f": "\u03dd\u03dc\ua730",
    "g": "\u0261\u0581\u0262",
    "h": "\u04bb\u04ba\u043d\u041d\u0397\u0570\u029c",
    "j": "\u0458\u0408\u03f3\u037f\u1d0a",
    "k": "\u043a\u041a\u049b\u049a\u03ba\u039a\u1d0b",
    "l": "1i|\u0456\u0406\u0457\u0407\u04cf\u04c0\u03b9\u0399\u0131\u0130\u026a\u029f",
    "m": "\u043c\u041c\u039c\u1d0d",
    "n": "\u03b7\u039d\u0578\u0274",
    "o": "0\u043e\u041e\u03bf\u039f\u03c3\u0585\u0555\u00f8\u00d8\u1d0f",
    "p": "\u0440\u0420\u03c1\u03a1\u1d18",
    "q": "\u051b\u051a\u0566",
    "r": "\u0433\u0280",
    "s": "\u0455\u0405\u054f\ua731",
    "t": "\u0442\u0422\u03c4\u03a4\u1d1b",
    "u": "\u03c5\u057d\u054d\u1d1c",
    "v": "\u03bd\u0475\u0474\u1d20",
    "w": "\u051d\u051c\u0461\u0460\u03c9\u1d21",
    "x": "\u0445\u0425\u03c7\u03a7",
    "y": "\u0443\u0423\u04af\u04ae\u03b3\u03a5\u028f",
    "z": "\u0396\u1d22",
}
LETTERS = "".join(f"\\u{ord(sign):04x}" for signs in LOOK_ALIKES.values() for sign in signs)
MEANT = "".join(letter * len(signs) for letter, signs in LOOK_ALIKES.items())
ZERO_WIDTH = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
SPACES = r" \u0009\u000a\u000b\u000c\u000d\u001c\u001d\u001e\u001f\u0085\u1680\u2028\u2029"
ON_A_KNOWN_HOST = (
    r"^(?:https?://)?(?:www\.|m\.|mobile\.)?"
    r"(?:x\.com|twitter\.com|t\.me|telegram\.me|telegram\.dog|youtube\.com|tiktok\.com"
    r"|instagram\.com|instagr\.am|facebook\.com|fb\.com|discord\.com|discord\.gg"
    r"|wa\.me|linkedin\.com|twitch\.tv|reddit\.com)"
    r"(?:/+(?:c/|user/|users/|channel/|in/|u/|s/|add/|joinchat/|invite/"
    r"|profile\.php\?id=|intent/user\?screen_name=|intent/follow\?screen_name=)?"
    r"(?:@|%40)*([^/?#&]*).*)?$"
)
ON_ANOTHER_HOST = r"^https?://(?:www\.|m\.|mobile\.)?([^?#]*).*$"
WITHOUT_HOST = "^([^ /.?]+)[/?].*$"

# Its results are kept in indexes, so they may depend on nothing but the text: hence the
# collation, under which lower() knows ASCII alone.
FUNCTION = rf"""
create function review.handle_key(handle text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    name text collate "C" := left(handle, 2000);
    plain constant boolean := octet_length(name) = length(name);
begin
    if not plain then
        name := regexp_replace(normalize(name, NFKC), '{ZERO_WIDTH}', '', 'g');
    end if;
    name := rtrim(ltrim(lower(name), E'{SPACES}@'), E'{SPACES}/');
    -- Most handles are a bare name, in which there is nothing to find.
    if name ~ '[./?]' then
        name := regexp_replace(name, '{ON_A_KNOWN_HOST}', '\1');
        name := regexp_replace(name, '{ON_ANOTHER_HOST}', '\1');
        name := regexp_replace(name, '{WITHOUT_HOST}', '\1');
        name := rtrim(ltrim(name, E'{SPACES}@'), E'{SPACES}/');
    end if;
    if plain then
        return left(translate(name, '01i|', 'olll'), 200);
    end if;
    return left(translate(name, E'{LETTERS}', '{MEANT}'), 200);
end
$function$;
comment on function review.handle_key(text) is 'What the eye makes of a handle: the name alone, look-alike letters as one, at most 200 characters';
"""

# The time comes along so that the newest of many are found first.
INDEXES = """
create index applications_by_social_key on exchange.applications
    (review.handle_key(social_handle) collate "C", submitted_at, application_id);
create index applications_by_contact_key on exchange.applications
    (review.handle_key(contact_handle) collate "C", submitted_at, application_id);
"""


def upgrade() -> None:
    # Past SQLAlchemy, which would take the colons in the patterns for parameters.
    op.get_bind().exec_driver_sql(FUNCTION.replace("%", "%%"))
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("drop index exchange.applications_by_contact_key")
    op.execute("drop index exchange.applications_by_social_key")
    op.execute("drop function review.handle_key(text)")
