"""Documented limits of a service, for budgets that must hold before its answers say anything.

Headers tell what is left of a window; only a description tells how large the first one is, and that a second must lie
between two requests.
"""

from __future__ import annotations

from dataclasses import dataclass

_BROKEN_SECONDS = 60.0  #: after a refusal without any usable instant, doubled each time
_LONGEST_BROKEN_SECONDS = 900.0
_LATE_SECONDS = 2.0  #: a window is over a moment after its reset
_TOO_FAST_SECONDS = (2.0, 5.0, 10.0)  #: after refusals although requests were left


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRule:
    """What a service states about one endpoint.

    `limit` requests in a fixed window that opens with the first of them; `interval_seconds` lie between two requests.
    """

    limit: int
    window_seconds: float = 900.0
    interval_seconds: float = 0.0


def refusal_seconds(rule: BudgetRule, *, remaining: int | None, reset_in_seconds: float | None, refusals: int) -> float:
    """How long to stay away after the refusal number `refusals` (from 1) in a row.

    Args:
        remaining: requests that the refusal itself says are left; then it was about pace, not about the window.
        reset_in_seconds: until the window ends by the service's clock; None where it does not say.
    """
    if remaining:
        return _TOO_FAST_SECONDS[min(refusals, len(_TOO_FAST_SECONDS)) - 1]
    # A reset in the past or beyond any window is no information, and asking at once makes it worse.
    if reset_in_seconds is not None and 0.0 < reset_in_seconds <= rule.window_seconds + 60.0:
        return reset_in_seconds + _LATE_SECONDS
    doubled: float = _BROKEN_SECONDS * 2.0 ** min(refusals - 1, 10)
    return min(doubled, _LONGEST_BROKEN_SECONDS)
