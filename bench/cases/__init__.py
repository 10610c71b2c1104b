"""The cases of the bench, one file each; every one has a `run` that takes a `Stage` and gives sections of the page."""
