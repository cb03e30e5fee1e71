"""Evidence: dated observations by those who may record them, validated and kept forever."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from data_access.db.errors import ExchangeInDoubt, Invalid, NotAllowed, NotFound, RequestReused
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import Evidence
from data_access.review import evidence, notes
from data_access.review.evidence import Entry, ExchangeAnswer
from program.policy.evidence import EvidenceKind, EvidenceMethod, doubtful
from tests.builders import NOW, STAFF, add_application, add_evidence, add_staff
from tests.data_access import clicks, crowd
from tests.databases import Databases

NUMBERS = itertools.count(1)
FOLLOWERS = Entry(
    kind=EvidenceKind.X_FOLLOWERS,
    value=Decimal(5001),
    observed_at=NOW - timedelta(days=1),
    method=EvidenceMethod.PROFILE_PAGE,
    source_url="https://x.com/meadow",
)
VOLUME = Entry(
    kind=EvidenceKind.EXTERNAL_VOLUME,
    value=Decimal("20000000.00"),
    observed_at=NOW - timedelta(days=1),
    method=EvidenceMethod.STATEMENT,
    exchange_name="ExA",
)
ENTRIES = {"followers": FOLLOWERS, "volume": VOLUME}


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Engine]:
    with crowd.town(databases, []) as engine:
        with engine.begin() as conn:
            add_staff(conn)
        yield engine


@pytest.fixture
def id_(desk: Engine) -> int:
    """An application of its own."""
    with desk.begin() as conn:
        return add_application(conn, next(NUMBERS))


def record(engine: Engine, id_: int, entry: Entry = FOLLOWERS, **given: Any) -> int:
    return evidence.record(
        engine,
        clicks.command(
            evidence.RecordEvidence,
            **{
                "application_id": id_,
                "entry": entry,
                "actor": "ana@example.com",
                "now": NOW,
                "request_id": uuid.uuid4(),
                **given,
            },
        ),
    )


def recorded(engine: Engine, id_: int) -> list[Evidence]:
    with engine.connect() as conn:
        return list(assessments.list_evidence(conn, id_))


def requests(engine: Engine) -> int:
    with engine.connect() as conn:
        found: int = conn.execute(text("select count(*) from review.requests")).scalar_one()
    return found


def refused(engine: Engine, id_: int, entry: Entry, sentence: str) -> None:
    before = requests(engine)
    with pytest.raises(Invalid, match=sentence):
        record(engine, id_, entry)
    assert (recorded(engine, id_), requests(engine)) == ([], before)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_observation_is_kept_with_who_how_and_when(desk: Engine, id_: int, entry: Entry) -> None:
    made = record(desk, id_, entry)

    assert recorded(desk, id_) == [
        Evidence(
            evidence_id=made,
            kind=entry.kind,
            value=entry.value,
            observed_at=entry.observed_at,
            exchange_name=entry.exchange_name or None,
            method=entry.method,
            source_url=entry.source_url or None,
            recorded_by="ana@example.com",
            recorded_at=NOW,
        )
    ]


@pytest.mark.parametrize("actor", [*STAFF, "nobody@example.com"])
def test_reviewers_and_managers_record_and_nobody_else(desk: Engine, id_: int, actor: str) -> None:
    before = requests(desk)
    if STAFF.get(actor) in ("reviewer", "manager"):
        record(desk, id_, actor=actor)
        assert [seen.recorded_by for seen in recorded(desk, id_)] == [actor]
        return
    with pytest.raises(NotAllowed, match=r"may not record evidence|staff list"):
        record(desk, id_, actor=actor)
    assert (recorded(desk, id_), requests(desk)) == ([], before)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("0", "0"), ("5000", "5000"), ("5001", "5001"), ("5000.0", "5000"), ("10000000000", "1E10")],
)
def test_followers_are_a_whole_number(desk: Engine, id_: int, value: str, kept: str) -> None:
    record(desk, id_, replace(FOLLOWERS, value=Decimal(value)))

    assert recorded(desk, id_)[0].value == Decimal(kept)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        *(("5000.5", "must be a whole number"), ("0.1", "must be a whole number")),
        *(("10000000001", "at most 10,000,000,000"), ("1E+30", "at most 10,000,000,000")),
    ],
)
def test_other_numbers_of_followers_are_refused(
    desk: Engine, id_: int, value: str, sentence: str
) -> None:
    refused(desk, id_, replace(FOLLOWERS, value=Decimal(value)), sentence)


@pytest.mark.parametrize("value", ["0", "0.01", "19999999.99", "1E+7", "10000000000000000.00"])
def test_volume_is_kept_to_the_cent(desk: Engine, id_: int, value: str) -> None:
    record(desk, id_, replace(VOLUME, value=Decimal(value)))

    assert recorded(desk, id_)[0].value == Decimal(value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        *(("0.001", "at most two decimals"), ("20000000.001", "at most two decimals")),
        ("10000000000000000.01", "at most 10,000,000,000,000,000"),
        ("1E+17", "at most 10,000,000,000,000,000"),
    ],
)
def test_volume_beyond_cents_or_reason_is_refused(
    desk: Engine, id_: int, value: str, sentence: str
) -> None:
    refused(desk, id_, replace(VOLUME, value=Decimal(value)), sentence)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("value", ["-1", "-0.01", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_an_invalid_or_negative_number_is_refused(
    desk: Engine, id_: int, entry: Entry, value: str
) -> None:
    refused(desk, id_, replace(entry, value=Decimal(value)), "must be zero or more")


@pytest.mark.parametrize(
    ("observed_at", "taken"),
    [
        (NOW, True),
        (NOW + timedelta(microseconds=1), False),
        (NOW + timedelta(days=1), False),
        (datetime(2015, 1, 1, tzinfo=UTC), True),
    ],
)
def test_nothing_is_observed_in_the_future(
    desk: Engine, id_: int, observed_at: datetime, taken: bool
) -> None:
    entry = replace(FOLLOWERS, observed_at=observed_at)
    if not taken:
        refused(desk, id_, entry, "is in the future")
        return
    record(desk, id_, entry)
    assert recorded(desk, id_)[0].observed_at == observed_at


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter the exchange"),
        ("   ", "Enter the exchange"),
        ("x" * 101, "under 100 characters"),
        ("Ex\0A", "not valid"),
        ("Ex\nA", "not valid"),
        ("Ex\ud800A", "not valid"),
    ],
    ids=["missing", "blank", "long", "nul", "lines", "half"],
)
def test_a_volume_names_its_exchange(desk: Engine, id_: int, name: str, sentence: str) -> None:
    refused(desk, id_, replace(VOLUME, exchange_name=name), sentence)


@pytest.mark.parametrize("name", ["E", "x" * 100, " Ex Ä ", "=ex", "'; drop table x; --"])
def test_any_printable_name_is_an_exchange(desk: Engine, id_: int, name: str) -> None:
    record(desk, id_, replace(VOLUME, exchange_name=name))

    assert recorded(desk, id_)[0].exchange_name == name.strip()


def test_followers_have_no_exchange(desk: Engine, id_: int) -> None:
    record(desk, id_, replace(FOLLOWERS, exchange_name="ExA"))

    assert recorded(desk, id_)[0].exchange_name is None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://x.com",
        "data:text/html,<b>x</b>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "//example.com/x",
        "/x",
        "x.com/meadow",
        "https://",
        "https:///x",
        "https:x.com",
        "https://[::1",
        "https://x.com/a b",
        "https://x.com/a\nb",
        "java\tscript:alert(1)",
        "https://x.com/\u202e",
        "https://x.com/\0",
        "https://x.com/" + "a" * 1990,
    ],
    ids=range(19),
)
def test_a_source_is_a_web_address(desk: Engine, id_: int, url: str) -> None:
    refused(desk, id_, replace(FOLLOWERS, source_url=url), "not a web address")


@pytest.mark.parametrize(
    "url",
    [
        "https://x.com/meadow",
        "http://example.com",
        "HTTPS://EXAMPLE.COM/A?b=c#d",
        "https://example.com:8443/%20",
        "https://пример.example/страница",
        "  https://x.com/meadow  ",
        "https://x.com/" + "a" * 1986,
    ],
    ids=range(7),
)
def test_web_addresses_are_kept(desk: Engine, id_: int, url: str) -> None:
    record(desk, id_, replace(FOLLOWERS, source_url=url))

    assert recorded(desk, id_)[0].source_url == url.strip()


def test_the_source_may_stay_empty(desk: Engine, id_: int) -> None:
    record(desk, id_, replace(FOLLOWERS, source_url="  "))

    assert recorded(desk, id_)[0].source_url is None


def test_the_same_request_again_returns_the_first_observation(desk: Engine, id_: int) -> None:
    request_id = uuid.uuid4()
    first = record(desk, id_, request_id=request_id)

    again = record(desk, id_, request_id=request_id, now=NOW + timedelta(minutes=1))

    assert first == again
    assert len(recorded(desk, id_)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"entry": replace(FOLLOWERS, value=Decimal(5002))},
        {"entry": replace(FOLLOWERS, method=EvidenceMethod.API)},
        {"entry": replace(FOLLOWERS, source_url="")},
        {"entry": replace(FOLLOWERS, observed_at=NOW)},
        {"entry": VOLUME},
        {"actor": "ben@example.com"},
    ],
)
def test_a_request_id_with_other_content_is_refused(
    desk: Engine, id_: int, changed: dict[str, Any]
) -> None:
    request_id = uuid.uuid4()
    record(desk, id_, request_id=request_id)

    with pytest.raises(RequestReused):
        record(desk, id_, request_id=request_id, **changed)
    assert len(recorded(desk, id_)) == 1


def test_a_request_id_of_another_act_is_refused(desk: Engine, id_: int) -> None:
    request_id = uuid.uuid4()
    notes.write(
        desk,
        notes.WriteNote(
            application_id=id_,
            body="a note",
            actor="ana@example.com",
            at=NOW,
            request_id=request_id,
        ),
    )

    with pytest.raises(RequestReused):
        record(desk, id_, request_id=request_id)
    assert recorded(desk, id_) == []


@pytest.mark.parametrize("missing", [0, -1, 999_999, 2**63])
def test_an_application_that_does_not_exist_is_not_found(desk: Engine, missing: int) -> None:
    with pytest.raises(NotFound, match=f"no application {missing}"):
        record(desk, missing)


def test_all_of_it_is_read_newest_observation_first_and_later_entries_first(
    desk: Engine, id_: int
) -> None:
    middle = record(desk, id_, replace(FOLLOWERS, observed_at=NOW - timedelta(days=5)))
    oldest = record(desk, id_, replace(FOLLOWERS, observed_at=NOW - timedelta(days=200)))
    newest = record(desk, id_, replace(VOLUME, observed_at=NOW))
    again = record(desk, id_, replace(FOLLOWERS, observed_at=NOW - timedelta(days=5)))

    assert [seen.evidence_id for seen in recorded(desk, id_)] == [newest, again, middle, oldest]


def test_recorded_evidence_counts_at_once(desk: Engine, id_: int) -> None:
    record(desk, id_, replace(VOLUME, value=Decimal("12000000.00")))
    record(desk, id_, replace(VOLUME, value=Decimal("8000000.00"), exchange_name="ExB"))

    with desk.connect() as conn:
        standing = assessments.read(conn, id_, judging.read_context(conn, now=NOW))
    assert standing.facts.external_volume_usd == Decimal("20000000.00")
    assert standing.assessment.track == "external"


# An exchange is counted once in any spelling.


def volume(name: str, millions: int, *, days: int = 1, answer: str | None = "unasked") -> Entry:
    """Return an entry; ``answer`` is the exchange's other name, None if there is none."""
    return replace(
        VOLUME,
        exchange_name=name,
        value=Decimal(millions * 1_000_000),
        observed_at=NOW - timedelta(days=days),
        answer=None if answer == "unasked" else ExchangeAnswer(name, answer),
    )


def external(engine: Engine, id_: int) -> tuple[Decimal | None, Decimal | None]:
    """Return the external volume as summed by the program and by the database."""
    with engine.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        added = assessments.read(conn, id_, context).established.external_volume_usd
        judged = judging.established_evidence(context, [id_])
        return added, conn.execute(select(judged.c.external_volume_usd)).scalar_one_or_none()


@pytest.mark.parametrize("other", ["okx", "ＯＫＸ", "OK X", " o.k.x", "O\u200bKX", "OK\u2011X"])
def test_the_newest_statement_of_an_exchange_counts_however_it_is_spelled(
    desk: Engine, id_: int, other: str
) -> None:
    with desk.begin() as conn:
        for name, value, days in (("OKX", 12, 2), (other, 13, 1)):
            add_evidence(
                conn,
                id_,
                kind="external_volume",
                value=value,
                exchange_name=name,
                observed_at=NOW - timedelta(days=days),
            )

    assert external(desk, id_) == (13, 13)


@pytest.mark.parametrize(
    ("first", "second"), [("OKX", "OKX.com"), ("OKX.com", "OKX"), ("Bybit", "Bybit Whales")]
)
def test_a_name_that_extends_another_must_be_confirmed_before_it_counts(
    desk: Engine, id_: int, first: str, second: str
) -> None:
    record(desk, id_, volume(first, 12, days=3))
    with pytest.raises(ExchangeInDoubt, match=f"{second} is the same exchange") as raised:
        record(desk, id_, volume(second, 13))
    assert (raised.value.name, raised.value.doubts) == (second, (first,))
    # An answer about another name does not count.
    with pytest.raises(ExchangeInDoubt):
        record(desk, id_, replace(volume(second, 13), answer=ExchangeAnswer("Other", None)))
    assert external(desk, id_) == (12_000_000, 12_000_000)

    record(desk, id_, volume(second, 13, days=2, answer=first))
    assert external(desk, id_) == (13_000_000, 13_000_000)

    record(desk, id_, volume(second, 14, days=1, answer=None))
    assert external(desk, id_) == (27_000_000, 27_000_000)
    # An answered question is not asked again, in any spelling.
    record(desk, id_, volume(second.upper(), 15, days=0))
    record(desk, id_, volume(first, 16, days=0))
    assert external(desk, id_) == (31_000_000, 31_000_000)


def test_unconfirmed_evidence_does_not_add_up_until_somebody_confirms_it(
    desk: Engine, id_: int
) -> None:
    with desk.begin() as conn:
        for name, days in (("OKX", 3), ("OKX.com", 2), ("Kraken", 2)):
            add_evidence(
                conn,
                id_,
                kind="external_volume",
                value=12_000_000,
                exchange_name=name,
                observed_at=NOW - timedelta(days=days),
            )
    assert external(desk, id_) == (24_000_000, 24_000_000)
    with desk.connect() as conn:
        assert doubtful(assessments.list_evidence(conn, id_)) == [("OKX.com", "OKX")]

    with pytest.raises(ExchangeInDoubt):
        record(desk, id_, volume("OKX.com", 12))
    record(desk, id_, volume("OKX.com", 12, answer=None))

    assert external(desk, id_) == (36_000_000, 36_000_000)
