"""A pretend X and CDN on loopback, with its own writers: shares nothing with the client but the words.

Everything is lazy: importing this package costs nothing. `hydrophone.sandbox.server` runs it, `hydrophone.testing`
is the door for tests.
"""
