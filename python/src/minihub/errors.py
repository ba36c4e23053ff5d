"""What can go wrong."""

from __future__ import annotations


class HubError(Exception):
    """The hub refused something, or did not start.

    ``status`` is the HTTP status, 0 when there is none; ``message`` and ``hint`` are the hub's own words.
    """

    def __init__(self, message: str, status: int = 0, hint: str = "") -> None:
        super().__init__(f"{status} {message}".strip() + (f" ({hint})" if hint else ""))
        self.status, self.message, self.hint = status, message, hint


class NotSupported(HubError):
    """The hub under test cannot do this: time, faults and snapshots are minihub's own."""
