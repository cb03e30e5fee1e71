"""The due-diligence checklist: what to check before an approval, and which items are open."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from program.policy.evidence import KIND_LABELS, EvidenceKind


class CheckOutcome(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


OUTCOME_LABELS = {
    CheckOutcome.PASSED: "Passed",
    CheckOutcome.FAILED: "Failed",
    CheckOutcome.NOT_APPLICABLE: "Not applicable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One item. Answers and policies refer to ``key``; ``hint`` says where to look.

    With ``needs`` set, the item passes only with current evidence of that kind.
    """

    key: str
    label: str
    question: str
    hint: str
    needs: EvidenceKind | None = None


ITEMS: tuple[CheckItem, ...] = (
    CheckItem(
        key="identity_and_account",
        label="Identity and account standing",
        question="Is identity verification complete and the account in good standing?",
        hint="Verification status and account age on this page; support's record of the account.",
    ),
    CheckItem(
        key="owns_social_account",
        label="Owns the social account",
        question="Does the social media account belong to the applicant?",
        hint="The username in the profile's description, or a message sent from that profile.",
    ),
    CheckItem(
        key="not_api_broker",
        label="Not an API broker",
        question="Is the account outside the API Broker program?",
        hint="The API Broker program's list of accounts; the two programs exclude each other.",
    ),
    CheckItem(
        key="no_self_referral",
        label="No self-referral",
        question="Are the referred users other people than the applicant?",
        hint="The referred users on this page: one user with most of the volume, shared contacts.",
    ),
    CheckItem(
        key="no_prior_ban",
        label="No prior ban",
        question="Was this person never banned from this program?",
        hint="Earlier and connected applications on this page; support's record of the account.",
    ),
    CheckItem(
        key="audience_real",
        label="Audience is real",
        question="Are followers and their reactions genuine?",
        hint="Reactions against followers, sudden jumps in followers, repeated comments.",
    ),
    CheckItem(
        key="promotion_methods",
        label="Promotion methods acceptable",
        question="Does the way the exchange is promoted follow the program's rules?",
        hint="Recent posts: promised returns, misleading names, unsolicited messages, adverts.",
    ),
    CheckItem(
        key="jurisdiction",
        label="Jurisdiction allowed",
        question="May the program serve the applicant's country and the audience's?",
        hint="The account's country; the language and place of the audience.",
    ),
    CheckItem(
        key="external_volume_proven",
        label="External volume proven",
        question="Is the volume on other exchanges shown by something that can be checked?",
        hint="The evidence on this page: a statement with exchange, period and volume in USD.",
        needs=EvidenceKind.EXTERNAL_VOLUME,
    ),
)
ITEMS_BY_KEY: dict[str, CheckItem] = {item.key: item for item in ITEMS}


def item(key: str) -> CheckItem:
    """Return the item with this key; for a key not in the table, an item labeled by the key."""
    words = key.replace("_", " ").capitalize()
    return ITEMS_BY_KEY.get(key) or CheckItem(key=key, label=words, question=words, hint="")


def open_items(
    checklist: Iterable[str], required: Iterable[str], answers: Mapping[str, CheckOutcome]
) -> tuple[CheckItem, ...]:
    """Return the unanswered items: required ones first, each group in the policy's order.

    A failed item is answered and not open.
    """
    ordered = dict.fromkeys((*required, *checklist))
    return tuple(item(key) for key in ordered if key not in answers)


def lacks_evidence(checked: CheckItem, established: Collection[EvidenceKind]) -> bool:
    """Whether the item cannot pass yet; ``established`` holds the kinds with current evidence."""
    return checked.needs is not None and checked.needs not in established


def passable(
    open_: Iterable[CheckItem], established: Collection[EvidenceKind]
) -> tuple[CheckItem, ...]:
    """Return the open items that may pass now."""
    return tuple(each for each in open_ if not lacks_evidence(each, established))


def why_not(
    checked: CheckItem,
    outcome: CheckOutcome,
    comment: str,
    *,
    before: CheckOutcome | None,
    established: Collection[EvidenceKind],
) -> str | None:
    """Return the sentence why an item cannot be answered so; ``None`` if it can.

    ``before`` is its newest answer, if it has one.
    """
    if outcome is CheckOutcome.FAILED and not comment:
        return "Write in the comment what was found; a failed check needs a comment."
    if outcome is CheckOutcome.PASSED and checked.needs and lacks_evidence(checked, established):
        return (
            f"{checked.label} passes only with evidence. Record it first "
            f"({KIND_LABELS[checked.needs].lower()}), or answer not applicable."
        )
    if before is CheckOutcome.FAILED and outcome is not before and not comment:
        return (
            f"{checked.label} was answered as failed. Write in the comment why that no longer "
            "applies."
        )
    return None


def obstacles(required: Iterable[str], answers: Mapping[str, CheckOutcome]) -> tuple[str, ...]:
    """Return what blocks an approval, a sentence each; empty if nothing does.

    A required item counts as done when it is passed or does not apply.
    """
    found = []
    for key in dict.fromkeys(required):
        label, outcome = item(key).label, answers.get(key)
        if outcome is None:
            found.append(f"{label}: not answered yet. Answer it before you approve.")
        elif outcome is CheckOutcome.FAILED:
            found.append(f"{label}: failed. An approval needs it passed or not applicable.")
    return tuple(found)
