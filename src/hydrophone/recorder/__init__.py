"""One take, live or replay: fetch, journal, reconcile, finish, resume."""
