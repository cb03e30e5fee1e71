"""Approved affiliates: the requalification board, outcomes of approvals, alerts, near misses."""

from dashboard.pages.affiliates import alerts, board, near_misses, outcomes
from dashboard.pages.affiliates import filters as affiliates_filters
from dashboard.shell import sign_in
from dashboard.ui import address, states
from program.affiliates.filters import QUERY_NAMES, AffiliatesPart, BoardFilters
from program.review.permissions import Act


def main() -> None:
    """Draw the choice of the part, then the part."""
    person = sign_in.require(Act.SEE_AFFILIATES)
    query = address.read(QUERY_NAMES)
    filters = BoardFilters.from_query(query)
    states.left_out(filters.left_out(query))
    affiliates_filters.hold(filters)
    PARTS[filters.part](filters, person)


PARTS = {
    AffiliatesPart.REQUALIFICATION: board.draw,
    AffiliatesPart.OUTCOMES: outcomes.draw,
    AffiliatesPart.ALERTS: alerts.draw,
    AffiliatesPart.NEAR_MISSES: near_misses.draw,
}


main()
