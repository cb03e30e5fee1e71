"""Normal forms of people's addresses, for the parameters of verbs and in SQL."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func
from sqlalchemy.types import Text

from program.review import people

Verb = TypeVar("Verb", bound=Callable[..., Any])
# Names of parameters that hold a person's address; a test requires `known_by` for each.
PARAMETERS = ("actor", "viewer", "email", "assignee", "owner", "author", "exported_by", "person")


def known_by(*names: str) -> Callable[[Verb], Verb]:
    """Decorate a function to convert the addresses in these parameters to normal form."""

    def decorate(verb: Verb) -> Verb:
        at = {name: list(signature(verb).parameters).index(name) for name in names}

        @wraps(verb)
        def with_normal_forms(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - any verb's own
            args = list(given)
            for name, place in at.items():
                if isinstance(named.get(name), str):
                    named[name] = people.normal(named[name])
                elif place < len(args) and isinstance(args[place], str):
                    args[place] = people.normal(args[place])
            return verb(*args, **named)

        with_normal_forms.people = names  # type: ignore[attr-defined]
        return with_normal_forms  # type: ignore[return-value]

    return decorate


def person(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the normal form of a stored address, for rows older than the check constraint."""
    return func.review.person(column, type_=Text)
