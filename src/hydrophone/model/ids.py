"""Ids with a type of their own. All are text, even those that look like numbers."""

from __future__ import annotations

from typing import NewType

SpaceId = NewType("SpaceId", str)  #: 13 characters, e.g. ``"1hydroPhoneXZ"``; the same namespace as BroadcastId
BroadcastId = NewType("BroadcastId", str)  #: 13 characters
UserId = NewType("UserId", str)  #: decimal, up to 19 digits
PeriscopeUserId = NewType("PeriscopeUserId", str)  #: 13 characters, an old small number, or ``tw-<user id>``
MediaKey = NewType("MediaKey", str)  #: ``28_<snowflake>``: the web API's handle to a stream
PostId = NewType("PostId", str)  #: snowflake of a post (tweet)
EventId = NewType("EventId", str)  #: digits of an event page
