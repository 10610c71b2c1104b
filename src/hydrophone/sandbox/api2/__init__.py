"""The official API of the sandbox (v2): Spaces, users, usage, events, webhooks, broadcasts, and the token endpoints.

One file per topic; `site` is the table of addresses, `gate` the way that every request takes. It is written from the
reference of that API alone and shares no code with the client, so that a misreading shows on the wire. The scenes of
the world are its Spaces; a *stage* (`stage`) adds facts that no scene has: accounts, posts, buyers, tokens.
"""

from hydrophone.sandbox.api2.site import routes

__all__ = ["routes"]
