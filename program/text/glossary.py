"""The terms that screens, documents and code share: the help panel and docs/glossary.md."""

# In alphabetical order, one sentence each. Code is between backticks.
TERMS: dict[str, str] = {
    "affiliate": "An account with a current approval.",
    "alert": "A risk signal of an approved affiliate that was not flagged when it was measured "
    "before.",
    "application": "A request by an account to become an affiliate.",
    "assessment": "The eligibility of an application with the values and minimums behind it.",
    "assigned": "Given to a reviewer by a colleague; an assignment does not expire.",
    "bulk run": "The same act on many selected applications or affiliates, with a result for each.",
    "business day": "A whole UTC day that is neither a weekend day nor a holiday.",
    "claim": "A reservation of an application by a reviewer, which expires without activity; "
    '"claim next" claims the first unassigned one of a view.',
    "conflict of interest": "A link between a person and an applicant that bars the person from "
    "deciding.",
    "criterion": "One measured value with its minimum.",
    "current decision": "The newest decision of an application that was not reopened.",
    "data-through day (T)": "The newest day with trading activity before today, UTC.",
    "deferred": "Set aside until a date, or until a criterion's result changes.",
    "delivered day": "A day on which upstream delivered activity of anybody; other days are "
    "unknown, not zero.",
    "draft": "A policy version that is not published yet.",
    "drill-down": "The list of applications behind a KPI.",
    "due": "The end of the review time, counted in business days.",
    "eligibility": "`met`, `not_met` or `unknown`: whether an application meets either track.",
    "event": "A record on the timeline of who did what, with old and new values.",
    "evidence": "A recorded observation of followers or of volume on another exchange.",
    "external track": "The track for reach or volume elsewhere; either criterion is enough.",
    "kept row": "A row of an import that could not be loaded and waits for a correction.",
    "KPI": "A measured value of the program page.",
    "near miss": "A value within a tenth of its minimum.",
    "on-exchange track": "The track for volume, active users and new users; all three are needed.",
    "outbox": "The table and page of messages to applicants and affiliates.",
    "override": "A decision against the computed eligibility.",
    "policy": "The versioned minimums and settings of the program.",
    "priority": "The points by which the queue is ordered, at most 100.",
    "proposal": "A change or decision that waits for a second person.",
    "rebate": "The share of net trading fees that is paid to an affiliate.",
    "refresh": "The computation of the rollups up to the data-through day.",
    "requalification": "The monthly test of affiliates against the minimums.",
    "review clock": "The business time of an application, which stops while the applicant owes "
    "information.",
    "risk level": "The highest severity of an affiliate's risk signals: `clear`, `warn`, `high` "
    "or `not_enough_data`.",
    "risk signal": "A question about the figures of an affiliate, measured after each refresh; it "
    "never decides.",
    "rollup": "A table of sums that a refresh keeps.",
    "saved view": "Named filters, columns and order, private or shared.",
    "second approval": "The confirmation of a proposed decision by a manager other than the "
    "proposer.",
    "silent": "A mode in which no messages are sent.",
    "snapshot": "The values, minimums and results that a decision was based on, stored with it.",
    "standing": "An affiliate's state: active, on notice, suspended or terminated.",
    "step": "A change of an affiliate's standing.",
    "track": "One of the two ways to meet the minimums.",
    "unassigned": "Neither claimed by nor assigned to anybody.",
    "undeliverable": "A message whose delivery stopped until somebody retries or cancels it "
    "(`parked` in the data).",
    "undo": "Taking back an act within ten seconds, before its message is sent.",
    "unknown": "Not established, because nobody looked, it is too old, or data are missing.",
    "upstream": "The exchange's backend, which owns the facts in the schema `exchange`.",
    "what-if": "A comparison of a draft with the policy in force over the same facts.",
    "window": "The days over which the criteria are measured.",
    "withheld": "A message that the settings kept from being sent.",
}
