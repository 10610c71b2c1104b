"""Reading a multivariant playlist: the choices it offers."""

from __future__ import annotations

from collections.abc import Callable

from hydrophone.hls.addresses import EntryRule, HostCheck
from hydrophone.hls.attributes import read_attributes, read_decimal, read_size, read_whole
from hydrophone.hls.naming import MAX_SEQUENCE
from hydrophone.hls.noting import BLANKS, MAX_LINE_CHARACTERS, Problems
from hydrophone.hls.playlist import MultivariantPlaylist, Rendition, Variant

MAX_VARIANTS = 10_000


class ChoiceReader:
    """Reads one multivariant playlist, line by line."""

    def __init__(self, url: str, check: Callable[[str], bool] | None) -> None:
        self.problems = Problems()
        self._url = url
        self._hosts = None if check is None else HostCheck(check)
        self._rule = EntryRule(url)
        self._variants: dict[str, Variant] = {}
        self._renditions: list[Rendition] = []
        self._attributes: dict[str, str] | None = None

    def read(self, lines: list[str]) -> MultivariantPlaylist:
        """The playlist of these lines."""
        for number, line in enumerate(lines, 1):
            line = line.strip(BLANKS)
            if len(line) > MAX_LINE_CHARACTERS:
                self.problems.add(number, f"a line of more than {MAX_LINE_CHARACTERS} characters is left out")
            elif line.startswith("#EXT-X-STREAM-INF:"):
                self._attributes = read_attributes(line.partition(":")[2])
            elif line.startswith("#EXT-X-MEDIA:"):
                self._add_rendition(number, read_attributes(line.partition(":")[2]))
            elif line and line[0] != "#":
                if len(self._variants) >= MAX_VARIANTS:
                    self.problems.add(number, f"the list goes on after {MAX_VARIANTS} variants; the rest is left out")
                    break
                self._add_variant(number, line)
        return MultivariantPlaylist(
            url=self._url,
            variants=tuple(self._variants.values()),
            renditions=tuple(self._renditions),
            problems=self.problems.collected(),
        )

    def _resolve(self, line: int, reference: str) -> str | None:
        url, reason = self._rule.resolve(reference)
        if url is not None and self._hosts is not None and not self._hosts.allow(url):
            url, reason = None, "it leads to an address that is not allowed here"
        if url is None:
            self.problems.add(line, f"a variant is refused: {reason}")
        return url

    def _add_variant(self, line: int, reference: str) -> None:
        attributes, self._attributes = self._attributes, None
        if attributes is None:
            self.problems.add(line, "a variant without STREAM-INF")
            attributes = {}
        url = self._resolve(line, reference)
        if url is None:
            return
        if url in self._variants or url == self._url:
            self.problems.add(line, "a variant that is listed twice, or is this very playlist")
            return
        self._variants[url] = _build_variant(url, attributes)

    def _add_rendition(self, line: int, attributes: dict[str, str]) -> None:
        if len(self._renditions) >= MAX_VARIANTS:
            return
        reference = attributes.get("URI")
        url = self._resolve(line, reference) if reference else None
        if reference and url is None:
            return
        self._renditions.append(
            Rendition(
                kind=attributes.get("TYPE", ""),
                group=attributes.get("GROUP-ID", ""),
                name=attributes.get("NAME", ""),
                language=attributes.get("LANGUAGE", ""),
                url=url,
                is_default=attributes.get("DEFAULT") == "YES",
            )
        )


def _build_variant(url: str, attributes: dict[str, str]) -> Variant:
    bandwidth_bps = read_whole(attributes.get("BANDWIDTH", ""), MAX_SEQUENCE)
    width, height = read_size(attributes.get("RESOLUTION", "")) or (None, None)
    frame_rate = read_decimal(attributes.get("FRAME-RATE", ""))
    if height is not None:
        name = f"{height}p{round(frame_rate) if frame_rate and frame_rate > 30.5 else ''}"
    else:
        name = "" if bandwidth_bps is None else f"{bandwidth_bps // 1000}k"
    return Variant(
        url=url,
        bandwidth_bps=bandwidth_bps,
        width=width,
        height=height,
        frame_rate=frame_rate,
        codecs=attributes.get("CODECS", ""),
        name=name,
    )
