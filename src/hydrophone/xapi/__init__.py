"""The official X API v2: look-up, search and discovery of Spaces, push events, own broadcasts, and what they cost.

Everything here is a question (a generator of requests), a pure core or a pure reader; `hydrophone.http` drives them.
The exceptions are named by their files: `ledgerfile` and `tokenfile` touch the disk, `loopback` listens on loopback.
"""
