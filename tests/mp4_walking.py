"""A reader of MP4 files that shares no line with the writer: it walks the boxes and finds each sample by offset."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

CONTAINERS = {"moov", "trak", "mdia", "minf", "dinf", "stbl", "udta", "ilst", "tref", "gmhd"}


@dataclass
class Node:
    kind: str
    at: int
    size: int
    body: bytes
    children: list[Node] = field(default_factory=list)

    def all(self, path: str) -> list[Node]:
        first, _, rest = path.partition("/")
        found = [child for child in self.children if child.kind == first]
        return [node for child in found for node in child.all(rest)] if rest else found

    def one(self, path: str) -> Node:
        (node,) = self.all(path)
        return node


def walk(data: bytes) -> Node:
    """The whole file as a tree. Every byte belongs to exactly one box, or an assertion fails."""
    root = Node("file", 0, len(data), data)
    root.children = _boxes(data, 0, len(data), inside="file")
    return root


def _boxes(data: bytes, begin: int, end: int, inside: str) -> list[Node]:
    nodes = []
    while begin < end:
        assert end - begin >= 8, f"{end - begin} stray bytes in {inside}"
        size, name = struct.unpack_from(">I4s", data, begin)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, begin + 8)[0], 16
        assert size >= header, f"{name!r} claims {size} bytes"
        assert begin + size <= end, f"{name!r} sticks out of {inside}"
        kind = name.decode("latin-1")
        node = Node(kind, begin, size, data[begin + header : begin + size])
        if kind in CONTAINERS or inside == "ilst":
            node.children = _boxes(data, begin + header, begin + size, inside=kind)
        elif kind == "meta":
            node.children = _boxes(data, begin + header + 4, begin + size, inside=kind)
        nodes.append(node)
        begin += size
    assert begin == end
    return nodes


def table(node: Node, form: str) -> list[tuple[int, ...]]:
    """The rows of a full box that opens with their count."""
    (count,) = struct.unpack_from(">I", node.body, 4)
    rows = list(struct.iter_unpack(">" + form, node.body[8:]))
    assert len(rows) == count
    return rows


def sample_sizes(track: Node) -> list[int]:
    body = track.one("mdia/minf/stbl/stsz").body
    uniform, count = struct.unpack_from(">II", body, 4)
    assert uniform == 0
    sizes = [size for (size,) in struct.iter_unpack(">I", body[12:])]
    assert len(sizes) == count
    return sizes


def samples(data: bytes, track: Node) -> list[bytes]:
    """Every sample of a track, found the way a player finds it: chunk by chunk."""
    stbl = track.one("mdia/minf/stbl")
    wide = stbl.all("co64")
    offsets = [o for (o,) in (table(wide[0], "Q") if wide else table(stbl.one("stco"), "I"))]
    runs = table(stbl.one("stsc"), "III")
    sizes = iter(sample_sizes(track))
    found = []
    for number, offset in enumerate(offsets, 1):
        per_chunk = [count for first, count, _ in runs if first <= number][-1]
        for _ in range(per_chunk):
            size = next(sizes)
            found.append(data[offset : offset + size])
            offset += size
    assert next(sizes, None) is None, "samples without a chunk"
    return found
