"""Packaging: verified local bytes become files that every player opens, with tags, cover and chapters.

Nothing here fetches anything, and PyAV is imported only where video or probing needs it.
"""
