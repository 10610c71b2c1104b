"""The X side of the sandbox: every endpoint behind x.com that finding and recording a Space needs.

One file per topic; `site` is the table of addresses, `gate` the way that every API request takes. It is written from
the web endpoint reference alone and shares no code with the client, so that a misreading shows on the wire.
"""

from hydrophone.sandbox.x.site import routes

__all__ = ["routes"]
