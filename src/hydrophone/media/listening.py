"""How a local speech recogniser is to listen: settings alone, so that naming them loads nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperOptions:
    """How to listen.

    Attributes:
        language: as the record names it (``en``, ``pt-BR``); "" lets the model guess from the first half minute.
        device: ``cpu``, ``cuda`` or ``auto``.
        compute_type: e.g. ``int8``; ``default`` is what the weights were saved in.
        threads: 0 for as many as the machine has cores.
        skips_silence: leave out what holds no voice; much quicker for long pauses and for inserted silence.
    """

    language: str = ""
    device: str = "auto"
    compute_type: str = "default"
    threads: int = 0
    beam_size: int = 5
    skips_silence: bool = True
