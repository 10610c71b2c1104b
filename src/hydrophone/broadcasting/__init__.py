"""Going on air: one source, played in real time, to any number of RTMP addresses at once.

A room of the level of `recorder`: it needs the archive (a recording that is still growing can be the source), the media
library and a service's producer questions, and none of its neighbours. RTMP leaves through the media library's own
sockets and not through `http`, which speaks HTTP alone; so the rules about where it may go stand in `targets`.
"""
