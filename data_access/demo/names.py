"""Made-up people: staff, applicants, and what they type. No real person or brand."""

from collections.abc import Iterator

import numpy as np

STAFF = (
    ("ana@example.com", "Ana Duarte", "reviewer"),
    ("ben@example.com", "Ben Okafor", "reviewer"),
    ("mira@example.com", "Mira Lindqvist", "manager"),
    ("leo@example.com", "Leo Brandt", "manager"),
    ("noor@example.com", "Noor Haddad", "analyst"),
    ("ada@example.com", "Ada Kowalska", "admin"),
)
REVIEWERS = ("ana@example.com", "ben@example.com")
MANAGERS = ("mira@example.com", "leo@example.com")

ADJECTIVES = [
    "meadow",
    "quiet",
    "amber",
    "copper",
    "velvet",
    "lunar",
    "pebble",
    "maple",
    "breezy",
    "cobalt",
    "dapper",
    "ember",
    "frosty",
    "gentle",
    "hazel",
    "indigo",
    "jolly",
    "kindly",
    "lively",
    "mellow",
    "nimble",
    "opal",
    "patient",
    "rustic",
    "silver",
    "tidal",
    "umber",
    "vivid",
    "willow",
    "zesty",
    "birch",
    "cedar",
    "cosy",
    "drowsy",
    "early",
    "fabled",
    "golden",
    "humble",
    "ivory",
    "jade",
]
NOUNS = [
    "trader",
    "otter",
    "heron",
    "badger",
    "lantern",
    "harbor",
    "compass",
    "falcon",
    "acorn",
    "beacon",
    "candle",
    "drifter",
    "ferry",
    "gannet",
    "hedgehog",
    "islander",
    "juniper",
    "kestrel",
    "lighthouse",
    "marten",
    "newt",
    "orchard",
    "puffin",
    "quill",
    "raven",
    "sparrow",
    "thistle",
    "urchin",
    "vole",
    "wagtail",
    "yarrow",
    "atlas",
    "bramble",
    "cricket",
    "dune",
    "fern",
    "glade",
    "hollow",
]
EXCHANGES = ("Example Exchange A", "Example Exchange B", "Example Exchange C")

# Many countries, few of them large.
COUNTRIES = [
    "BR",
    "TR",
    "VN",
    "ID",
    "NG",
    "IN",
    "DE",
    "PL",
    "AR",
    "MX",
    "PH",
    "TH",
    "FR",
    "ES",
    "UA",
    "KR",
    "JP",
    "ZA",
]
COUNTRY_WEIGHTS = 1 / (np.arange(len(COUNTRIES)) + 2.0)
SOCIAL_PLATFORMS = ("x", "youtube", "telegram", "tiktok")
SOCIAL_WEIGHTS = np.array([0.58, 0.18, 0.14, 0.10])
CONTACT_PLATFORMS = ("telegram", "discord", "email", "whatsapp", "x")
CONTACT_WEIGHTS = np.array([0.46, 0.18, 0.18, 0.10, 0.08])

# Text that would do harm if a screen or an export read it as markup or a formula.
HOSTILE_HANDLES = ("=1+1", "<b>bold</b>", "![x](y)")


def usernames(count: int, rng: np.random.Generator) -> list[str]:
    """Return ``count`` different names, the friendliest pair first."""
    pairs = [f"{a}_{n}" for a in ADJECTIVES for n in NOUNS if f"{a}_{n}" != "meadow_trader"]
    rng.shuffle(pairs)
    pairs = ["meadow_trader", *(pair for pair in pairs if pair != "meadow_trader")]
    rounds = range(-(-count // len(pairs)))
    return [pair if turn == 0 else f"{pair}_{turn + 1}" for turn in rounds for pair in pairs][
        :count
    ]


def social_handle(username: str, rng: np.random.Generator) -> str:
    """Return the handle as an applicant would type it, in varying forms."""
    forms = (
        f"@{username}",
        username,
        f"@{username.replace('_', '')}",
        f"@{username}_fx",
        f"{username} signals",
    )
    return forms[rng.choice(len(forms), p=[0.55, 0.12, 0.15, 0.12, 0.06])]


def contact_handle(platform: str, username: str, phones: Iterator[int]) -> str:
    """Return contact information for ``platform``; phone numbers are from a range for fiction."""
    if platform == "email":
        return f"{username}@example.com"
    if platform == "whatsapp":
        return f"+44 7700 900{next(phones) % 1000:03d}"
    return username if platform == "discord" else f"@{username}"


NOTES = (
    "Spoke on the contact channel; answers quickly and knows the rules.",
    "Runs two community channels, about 300 people each, mostly spot traders.",
    "Asked for a statement of the last 30 days from the other exchange.",
    "Profile is public and older than two years. Posts every trading day.",
    "Many comments under the posts look alike; looked at a sample of fifty.",
    "Volume comes mostly from three users; all have finished verification.",
    "Applied before. Numbers are better now, growth looks steady.",
    "Sign-ups cluster around one live stream, which the applicant announced in public.",
    "Said that a video series starts next month and expects more users then.",
    "No answer on the contact channel after two days, wrote again.",
    "Shares part of the commission with followers; explained that this is allowed.",
    "Country and language of the audience fit the account.",
    "The handle belongs to the applicant: posted the word we agreed on.",
    "Weekend volume is low, weekdays are regular. Nothing unusual.",
    "Screenshot was cropped; asked for the full page.",
    "Two users trade the same amounts on the same days. Wait for the second look.",
)
RATIONALES = {
    "on_exchange": (
        "All three on-exchange minimums are met and the activity is spread over many users.",
        "Volume, active users and new users are above the minimums for the second month.",
        "Meets the on-exchange minimums; audience and contact confirmed.",
    ),
    "external": (
        "Reach confirmed on the public profile; on-exchange activity has begun and grows.",
        "Volume on other exchanges confirmed by statement, a good fit for the program.",
    ),
    "both": ("Meets both tracks with room to spare.",),
    "override": (
        "Just below the minimums, but growth is steady and the audience is a good fit.",
        "Below on one criterion in a slow month; three earlier months were above.",
    ),
    "unproven": (
        "Reach is not documented yet, but the audience is known here and fits the program.",
        "No statement so far; the channels and their size were looked at in a call.",
    ),
    "below_minimums": (
        "On-exchange minimums are not reached; neither reach nor volume elsewhere makes up for it.",
        "Volume is far from the minimum and few users are active.",
        "Reach is below the minimum and there is no volume elsewhere. Invited to apply again.",
    ),
    "evidence_missing": (
        "No public profile and no statement after two requests.",
        "The profile named cannot be found, and the volume elsewhere is not documented.",
    ),
    "account_not_in_order": ("Identity verification is not finished.",),
    "audience_not_genuine": (
        "The same amounts on the same days between pairs of users; not genuine.",
        "Nearly all of the volume comes from one user who signed up the day before.",
    ),
    "api_broker": ("Takes part in the API Broker program.",),
    "self_referral": ("Most of the referred users share the applicant's contact data.",),
}
# By the reason of the rejection, or by what an approval overrides.
OVERRIDE_REASONS = {
    "override": (
        "Just below in a slow month; three months before were above, and the audience fits.",
        "The fourth month in a row within a few percent of the minimums, and still growing.",
    ),
    "unproven": (
        "The statement is late, but three large communities name the applicant as their host.",
        "The community moves here next month, and the first users have signed up already.",
    ),
    "audience_not_genuine": (
        "The minimums are met on paper only: what brings them is not genuine.",
    ),
    "api_broker": ("The two programs exclude each other, whatever the numbers are.",),
    "self_referral": ("Meets the minimums through accounts that belong to the applicant.",),
    "account_not_in_order": ("Without identity verification the numbers do not count.",),
    "cost": ("Brings more in fees than the rate costs, by a wide margin.",),
}
FAILED_CHECKS = {
    "identity_and_account": "Identity verification was not finished.",
    "not_api_broker": "On the list of API brokers.",
    "no_self_referral": "Contact data of several referred users are the applicant's own.",
    "audience_real": "The same comments under most posts, from accounts of the same week.",
}
ANSWERS = {
    "profile_proof": "Done, my username is in the profile's description since this morning.",
    "external_statement": "The statement is attached: Example Exchange A, the last 30 days.",
}
DEFERRALS = (
    "Close to the minimums and growing; worth another look then.",
    "The applicant said that a video series starts soon. Look again when it has run.",
    "Waiting for the statement of the month that is still running.",
)
REOPENED = "Support confirms that the account was mixed up with another one."
# Owner, name, whether colleagues see it, and the query parameters.
VIEWS = (
    ("mira@example.com", "Met, unassigned", True, "eligibility=met&owner=unassigned"),
    ("leo@example.com", "Overdue", True, "due=overdue"),
    ("ana@example.com", "Mine, due first", False, "owner=mine&sort=due"),
)
# Month, day and name.
HOLIDAYS = (
    (1, 1, "New Year's Day"),
    (5, 1, "Labour Day"),
    (12, 25, "Christmas Day"),
    (12, 26, "Second Day of Christmas"),
)
