"""The one text-out room: every text that leaves the program for a file, a name or a screen is made here.

Values in, text out; no file, socket or clock. Remote text is data here: it is never a template, a path or a command.
"""
