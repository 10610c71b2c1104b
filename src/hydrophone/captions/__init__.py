"""From chat messages, levels and microphones to a transcript: who said what, and when. Values in, values out.

`assemble` is the whole of it in one pass over the messages; the other modules are its parts, usable alone.
"""
