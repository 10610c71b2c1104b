"""What can be played to the outside: a file, a stream on standard input, a device, or bytes that are still coming.

The media library gets files only as open files, and no protocol to open more with: a file that is really a playlist
cannot make it fetch anything. A device is the exception, by its nature; its name is the user's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydrophone.errors import MediaError, SettingsError
from hydrophone.media.mp4 import BUFFER_BYTES, ChunkReader
from hydrophone.media.probe import SELF_CONTAINED

if TYPE_CHECKING:
    from av.container import InputContainer

#: Only formats that hold their media themselves.
FILE_OPTIONS = {
    "format_whitelist": SELF_CONTAINED["format_whitelist"] + ",flv,avi,aiff,caf,asf,mpeg,ac3,amr,w64,wv",
    "protocol_whitelist": "",
}
#: The kinds of devices that a user may name, whether or not this build of the library has them.
DEVICE_FORMATS = (
    "alsa", "avfoundation", "dshow", "fbdev", "gdigrab", "jack", "lavfi", "oss", "pulse", "sndio", "v4l2", "x11grab",
)  # fmt: skip
_DEVICE = re.compile(r"device:([a-z0-9]+):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileInput:
    """A media file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class StandardInput:
    """What comes in on standard input: any format that can be read onwards."""

    descriptor: int = 0

    @property
    def name(self) -> str:
        return "standard input"


@dataclass(frozen=True, slots=True)
class DeviceInput:
    """A camera, a microphone, a screen: `format` is the library's name for the kind, `device` that of the thing."""

    format: str
    device: str

    @property
    def name(self) -> str:
        return f"{self.format} {self.device}"


@dataclass(frozen=True, slots=True)
class ChunkInput:
    """Bytes of a known format that are produced while they are played, e.g. by a recording that is running."""

    name: str
    demuxer: str  #: ``aac`` or ``mpegts``
    chunks: Iterable[bytes]


Input = FileInput | StandardInput | DeviceInput | ChunkInput


def parse_input(text: str) -> FileInput | StandardInput | DeviceInput:
    """What a user named: ``-``, ``device:KIND:NAME`` or a file.

    Raises:
        SettingsError: there is no such kind of device, or no such file.
    """
    if text == "-":
        return StandardInput()
    if text.startswith("device:"):
        match = _DEVICE.fullmatch(text)
        if match is None or match[1] not in DEVICE_FORMATS:
            raise SettingsError(
                "a device is named as device:KIND:NAME",
                setting="source",
                advice=f"For example device:alsa:default. Kinds: {', '.join(DEVICE_FORMATS)}.",
            )
        return DeviceInput(match[1], match[2])
    path = Path(text).expanduser()
    if not path.is_file():
        raise SettingsError(f"there is no file {text!r}", setting="source")
    return FileInput(path)


def open_input(source: Input, stack: ExitStack) -> InputContainer:
    """The source, opened for reading until `stack` closes. Blocks until the library knows what is in it.

    Raises:
        MediaError: it is no media that can be read.
    """
    import av

    container: InputContainer
    try:
        match source:
            case FileInput(path):
                file: Any = stack.enter_context(path.open("rb"))
                container = av.open(file, "r", container_options=FILE_OPTIONS, buffer_size=BUFFER_BYTES)
            case StandardInput(descriptor):
                pipe: Any = RawPipe(descriptor)
                container = av.open(pipe, "r", container_options=FILE_OPTIONS)
            case DeviceInput(kind, device):
                container = av.open(device, "r", format=_device_format(kind))
            case ChunkInput(_, demuxer, chunks):
                reader: Any = ChunkReader(chunks)
                # A live source: what it is shows in its first frames, so do not wait for seconds of them.
                options = {"protocol_whitelist": "", "probesize": "65536", "analyzeduration": "1000000"}
                container = av.open(reader, "r", format=demuxer, container_options=options)
    except (av.FFmpegError, ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{source.name} cannot be read as media: {reason}") from error
    return stack.enter_context(container)


class RawPipe:
    """A descriptor that is read without Python's buffers: a thread that waits in here holds no lock at the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int) -> bytes:
        return os.read(self._descriptor, size)


def _device_format(kind: str) -> str:
    import av

    name = "video4linux2,v4l2" if kind == "v4l2" else kind
    if name not in av.formats_available:
        raise MediaError(
            f"the media library here has no devices of the kind {kind}",
            advice="Pipe the sound or picture in from another program, and name - as the source.",
        )
    return name
