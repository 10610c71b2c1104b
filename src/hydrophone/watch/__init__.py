"""Who goes live, what is scheduled: one kind of event (`model.Sighting`), whichever source tells it.

Import what you need from `hydrophone.watch.following` and `hydrophone.watch.rounds`.
"""
