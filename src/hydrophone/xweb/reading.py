"""How answers of the web endpoints are read: the words of `hydrophone.http.reading`, which other services share."""

from hydrophone.http.reading import MAX_DEPTH, Node, clean_text, read_json

__all__ = ["MAX_DEPTH", "Node", "clean_text", "read_json"]
