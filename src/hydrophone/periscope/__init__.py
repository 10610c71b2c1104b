"""Periscope, as its web client, its apps and its Producer API spoke: calls, questions and readers.

The service closed in 2021. What is left of it is asked here in the same words as when it lived, saved copies of its
answers are read, and so are the files that people get from X as the export of their data.
"""
