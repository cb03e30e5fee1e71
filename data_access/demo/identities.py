"""Give the planned accounts names, handles and contacts, some of them shared by two accounts."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from data_access.demo import names
from data_access.demo.plans import Account, Pattern, Turn
from program.review.workflow import Status

# These letters look like the Latin ones.
CYRILLIC_A, CYRILLIC_E, CYRILLIC_O = "\u0430", "\u0435", "\u043e"
LOOK_ALIKES = str.maketrans({"a": CYRILLIC_A, "e": CYRILLIC_E, "o": CYRILLIC_O})


def named(planned: list[Account], rng: np.random.Generator) -> list[Account]:
    """Return the same accounts with everything that an applicant types."""
    usernames = names.usernames(len(planned), rng)
    hostile, phones = iter(names.HOSTILE_HANDLES), count()
    people = [
        _person(account, username, hostile, phones, rng)
        for account, username in zip(planned, usernames, strict=True)
    ]
    _connect(people)
    return people


def _person(
    account: Account,
    username: str,
    hostile: Iterator[str],
    phones: Iterator[int],
    rng: np.random.Generator,
) -> Account:
    platform = names.CONTACT_PLATFORMS[rng.choice(5, p=names.CONTACT_WEIGHTS)]
    handle = names.social_handle(username, rng)
    if _is_plain(account):
        handle = next(hostile, handle)
    weights = names.COUNTRY_WEIGHTS / names.COUNTRY_WEIGHTS.sum()
    country = names.COUNTRIES[rng.choice(len(weights), p=weights)]
    if account.shape.pattern is Pattern.LAST_MOMENT:
        # In every demo somebody from the largest country is eligible.
        country = names.COUNTRIES[0]
    return replace(
        account,
        username=username,
        country=country,
        social_platform=names.SOCIAL_PLATFORMS[rng.choice(4, p=names.SOCIAL_WEIGHTS)],
        social_handle=handle,
        contact_platform=platform,
        contact_handle=names.contact_handle(platform, username, phones),
    )


def _is_plain(account: Account) -> bool:
    """Whether it is pending and not a boundary case; the handles of cases stay readable."""
    last = account.applications[-1]
    waits = last.status is Status.PENDING and last.turn is Turn.WAITING
    return waits and account.shape.pattern is None


def _connect(people: list[Account]) -> None:
    """Let three pending ones share something with an earlier applicant, each in another way."""
    places = range(len(people))
    waiting = [place for place in places if _is_plain(people[place])]
    rejected = [
        place for place in places if people[place].applications[-1].status is Status.REJECTED
    ]
    plain = waiting[len(names.HOSTILE_HANDLES) :]
    for number, share in enumerate(SHARES):
        new, old = plain[number], rejected[number]
        people[new], people[old] = share(people[new], people[old])


def _same_handle(new: Account, old: Account) -> tuple[Account, Account]:
    address = f"twitter.com/{old.username.title()}"
    return (
        replace(new, social_platform="x", social_handle=address),
        replace(old, social_platform="x", social_handle=f"@{old.username}"),
    )


def _handle_that_looks_alike(new: Account, old: Account) -> tuple[Account, Account]:
    handle = f"@{old.username}"
    return (
        replace(new, social_platform="telegram", social_handle=handle.translate(LOOK_ALIKES)),
        replace(old, social_platform="telegram", social_handle=handle),
    )


def _same_contact(new: Account, old: Account) -> tuple[Account, Account]:
    contact = f"@{old.username}"
    return (
        replace(new, contact_platform="telegram", contact_handle=contact),
        replace(old, contact_platform="telegram", contact_handle=contact),
    )


SHARES = (_same_handle, _handle_that_looks_alike, _same_contact)
