"""Record that contacts are shown, before they are."""

from datetime import datetime

from dashboard.forms import submit
from data_access.applications import contacts
from data_access.people.staff import Person
from program.review.permissions import Act


def shows_contacts(person: Person, name: str, now: datetime) -> bool:
    """Whether a list may show contacts to this person; records that it does."""
    # What cannot be recorded is not shown.
    return person.may(Act.SEE_CONTACT) and submit.recorded(
        contacts.record_list, name=name, actor=person.email, now=now
    )
