"""What the service states about rates, as data, and how it is made to hold in the budgets of the port."""

from __future__ import annotations

from collections.abc import Mapping

from hydrophone.http.budgets import Budgets
from hydrophone.http.rules import BudgetRule
from hydrophone.xapi.credentials import APP_PREFIX, USER_PREFIX

SPACE = "xapi/space"
SPACES = "xapi/spaces"
CREATORS = "xapi/creators"
SEARCH = "xapi/search"
BUYERS = "xapi/buyers"
SPACE_POSTS = "xapi/space posts"
USER = "xapi/user"
USER_NAME = "xapi/user by name"
ME = "xapi/me"
USAGE = "xapi/usage"
CREDITS = "xapi/credits"
STREAM = "xapi/activity stream"
SUBSCRIPTIONS = "xapi/subscriptions"
WEBHOOKS = "xapi/webhooks"
WEBHOOK_REPLAY = "xapi/webhook replay"
BROADCASTS = "xapi/broadcasts"
TOKENS = "xapi/tokens"

_EACH_SPACES = BudgetRule(limit=300)
#: One per second is allowed; the way to the service may shorten what lies between two requests.
_CREATORS = BudgetRule(limit=300, interval_seconds=1.5)

#: Requests in 15 minutes by endpoint, for the token of an app and for that of a user. Stated in August 2026.
DOCUMENTED: Mapping[str, tuple[BudgetRule | None, BudgetRule | None]] = {
    SPACE: (_EACH_SPACES, _EACH_SPACES),
    SPACES: (_EACH_SPACES, _EACH_SPACES),
    CREATORS: (_CREATORS, _CREATORS),
    SEARCH: (_EACH_SPACES, _EACH_SPACES),
    BUYERS: (None, _EACH_SPACES),
    SPACE_POSTS: (_EACH_SPACES, _EACH_SPACES),
    USER: (BudgetRule(limit=300), BudgetRule(limit=900)),
    USER_NAME: (BudgetRule(limit=300), BudgetRule(limit=900)),
    ME: (None, BudgetRule(limit=75)),
    USAGE: (BudgetRule(limit=50), None),
    CREDITS: (BudgetRule(limit=50), None),
    STREAM: (BudgetRule(limit=450), None),
    SUBSCRIPTIONS: (BudgetRule(limit=500), BudgetRule(limit=500)),
    WEBHOOKS: (BudgetRule(limit=450), None),
    WEBHOOK_REPLAY: (BudgetRule(limit=100), None),
    # Not published; what the Spaces endpoints have.
    BROADCASTS: (None, BudgetRule(limit=300)),
}


def declare_limits(budgets: Budgets) -> None:
    """Make the documented limits hold, also before any answer has named them."""
    for endpoint, (app, user) in DOCUMENTED.items():
        if app is not None:
            budgets.declare(endpoint, app, credential=APP_PREFIX)
        if user is not None:
            budgets.declare(endpoint, user, credential=USER_PREFIX)
