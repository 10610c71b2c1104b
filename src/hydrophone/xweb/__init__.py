"""The web endpoints behind x.com, as its own page asks them: Spaces, streams, broadcasts, people, posts.

Everything here is a question (a generator of requests) or a pure reader; `hydrophone.http` drives them.
"""
