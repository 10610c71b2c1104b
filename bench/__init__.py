"""The bench: Hydrophone beside other recorders, on a bed that it makes itself. ``make bench`` runs `run`."""
