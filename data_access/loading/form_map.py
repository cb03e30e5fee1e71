"""Form maps: which field is which column, and what its words and dates mean.

A map is TOML in a file, and the same structure as JSON under a name in the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_access.loading import form_dates
from data_access.loading.form_dates import DateStyle
from data_access.loading.form_text import DELIMITERS, ENCODINGS
from data_access.loading.kinds import KINDS
from data_access.loading.problems import LoadRefused, Problem
from data_access.loading.sources import read_toml

# A form may name the account by id, by username, or by either in one field.
WHO = ("account_id", "username", "account")
TARGETS = (*KINDS["applications"].by_name, "username", "account")
STATUSES = KINDS["applications"].by_name["status"].words
PARTS = {
    "fields": TARGETS,
    "platforms": None,
    "statuses": None,
    "dates": ("format", "zone"),
    "file": ("encoding", "delimiter"),
}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "application_id": ("Application ID",),
    "account_id": ("Account ID", "UID", "User ID", "Exchange UID", "Exchange Account ID"),
    "username": ("Username", "User Name", "Account Name", "Exchange Username"),
    "account": ("Account", "Exchange Account"),
    "social_platform": ("Social Media Platform", "Social Platform"),
    "social_handle": (
        "Social Media Account Name",
        "Social Media Account",
        "Social Media Handle",
        "Social Handle",
    ),
    "contact_platform": ("Contact Platform", "Preferred Contact Platform"),
    "contact_handle": ("Contact Information", "Contact Info", "Contact Handle"),
    "submitted_at": ("Created", "Created Time", "Submitted At", "Submitted", "Submission Time"),
}
PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "x": ("x", "twitter", "x (twitter)", "twitter (x)", "x/twitter", "twitter/x", "x / twitter"),
    "telegram": ("telegram", "tg"),
    "discord": ("discord",),
    "email": ("email", "e-mail", "mail"),
    "whatsapp": ("whatsapp", "whats app"),
    "youtube": ("youtube", "you tube"),
    "instagram": ("instagram", "ig"),
    "tiktok": ("tiktok", "tik tok"),
    "facebook": ("facebook", "fb"),
    "wechat": ("wechat", "we chat"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormMap:
    """A map over the defaults. ``content`` is its own part, as in TOML or JSON."""

    content: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: FIELDS)
    platforms: Mapping[str, str] = field(
        default_factory=lambda: {
            word: platform for platform, words in PLATFORMS.items() for word in words
        }
    )
    statuses: Mapping[str, str] = field(default_factory=dict)
    dates: DateStyle | None = None
    encoding: str = ""
    delimiter: str = ""

    @property
    def field_names(self) -> list[str]:
        """All field names that the map looks for."""
        return [name for names in self.fields.values() for name in names]


def read(path: Path | None) -> FormMap:
    """Read a map from a TOML file, over the defaults; raises LoadRefused."""
    if path is None:
        return FormMap()
    return parse(read_toml(path), path.name)


def parse(content: Mapping[str, Any], name: str) -> FormMap:
    """Parse a map from TOML or JSON content, over the defaults; raises LoadRefused."""
    for part in PARTS:
        if not isinstance(content.get(part, {}), dict):
            raise _refused(name, f"has {part} that are no table; write [{part}]")
    _require_texts(content, name)
    unknown = [str(key) for key in content if key not in PARTS]
    unknown += [
        str(key)
        for part, known in PARTS.items()
        for key in content.get(part, {})
        if known is not None and key not in known
    ]
    if unknown:
        raise _refused(
            name,
            f"names {', '.join(unknown)}; under [fields] it may name {', '.join(TARGETS)}, and "
            "beside it there may be [platforms], [statuses], [dates] and [file]",
        )
    return _over_defaults(content, name)


def _require_texts(content: Mapping[str, Any], name: str) -> None:
    for part in PARTS:
        for key, value in content.get(part, {}).items():
            if not isinstance(value, str):
                raise _refused(name, f"says {key} = {value}; write it in quotes")
            if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in key + value):
                raise _refused(name, f"has a damaged character at {key!r}; type it again")


def _over_defaults(content: Mapping[str, Any], name: str) -> FormMap:
    chosen = {column: (str(title),) for column, title in content.get("fields", {}).items() if title}
    taken = {title for titles in chosen.values() for title in titles}
    # Naming one way to the account removes the defaults of the others.
    replaced = {
        *content.get("fields", {}),
        *(WHO if any(who in chosen for who in WHO) else ()),
    }
    defaults = {
        column: tuple(title for title in titles if title not in taken)
        for column, titles in FIELDS.items()
        if column not in replaced
    }
    return FormMap(
        content=content,
        fields={**defaults, **chosen},
        platforms={**FormMap().platforms, **_words(content.get("platforms", {}))},
        statuses=_statuses(content, name),
        dates=_dates(content.get("dates", {}), name),
        encoding=_one_of(content, "encoding", ENCODINGS, name),
        delimiter=_one_of(content, "delimiter", DELIMITERS, name),
    )


def _words(content: Mapping[str, Any]) -> dict[str, str]:
    return {" ".join(str(word).lower().split()): str(meant) for word, meant in content.items()}


def _statuses(content: Mapping[str, Any], name: str) -> dict[str, str]:
    words = _words(content.get("statuses", {}))
    wrong = [meant for meant in words.values() if meant not in STATUSES]
    if wrong:
        raise _refused(
            name, f"has statuses {', '.join(wrong)}; those here are {', '.join(STATUSES)}"
        )
    return words


def _dates(content: Mapping[str, Any], name: str) -> DateStyle | None:
    if not content:
        return None
    if len(content) == 1:
        raise _refused(name, "has dates with only one of format and zone; write both")
    try:
        return form_dates.style(str(content["format"]), str(content["zone"]))
    except ValueError as error:
        raise _refused(name, str(error)) from error


def _one_of(content: Mapping[str, Any], key: str, known: Mapping[str, str], name: str) -> str:
    value = str(content.get("file", {}).get(key, ""))
    if value and value.lower() not in known:
        listed = ", ".join(repr(one) for one in known)
        raise _refused(name, f"has the {key} {value!r}; write one of {listed}")
    return value.lower()


def _refused(name: str, reason: str) -> LoadRefused:
    return LoadRefused((Problem(file=name, reason=reason),))
