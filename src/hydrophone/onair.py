"""A broadcast as the settings say: which source, which targets, and who publishes. The app's own part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydrophone.broadcasting.broadcast import BroadcastOptions, Stop, broadcast
from hydrophone.broadcasting.events import BroadcastEvent, TargetOutcome
from hydrophone.broadcasting.periscope import PeriscopeProducer
from hydrophone.broadcasting.sources import find_source
from hydrophone.broadcasting.targets import PERISCOPE, check_consent, parse_target
from hydrophone.errors import NotSignedInError, UnsafeAddressError
from hydrophone.http.policy import origin_of, parse_url
from hydrophone.media.still import load_picture
from hydrophone.periscope.producer_login import ProducerLogin
from hydrophone.periscope.session import PeriscopeSession
from hydrophone.settings import environment_name
from hydrophone.wiring import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAir:
    """What a user may say about a broadcast.

    Attributes:
        is_agreed: the user has said yes to being seen by others; without it only this machine is broadcast to.
        title: what a service calls it; "" takes the source's name.
        picture: a JPEG or PNG to show with sound alone.
        from_start: begin a recording that is still growing with its first second.
        posts_to_x: let the service write a post about it.
        speed: media seconds in a second; other than 1 only for tests.
    """

    is_agreed: bool = False
    title: str = ""
    picture: Path | None = None
    from_start: bool = False
    posts_to_x: bool = False
    speed: float = 1.0


async def go_on_air(
    parts: Parts,
    source: str,
    to: Sequence[str],
    on_air: OnAir,
    *,
    stop: Stop,
    on_event: Callable[[BroadcastEvent], None],
) -> list[TargetOutcome]:
    """Play a source to every target named. All is checked before anything is opened or sent.

    Raises:
        SettingsError: a target or the source cannot be one, or a public one lacks the user's consent.
        NotSignedInError: a service is to be broadcast at, and there is no token for it.
    """
    check_consent(to, is_agreed=on_air.is_agreed)
    targets = [parse_target(text) for text in dict.fromkeys(to) if text != PERISCOPE]
    producer = _producer(parts, on_air) if PERISCOPE in to else None
    options = BroadcastOptions(
        title=on_air.title,
        picture=load_picture(on_air.picture.expanduser()) if on_air.picture else None,
        speed=on_air.speed,
        ca_file=str(parts.settings.ca_file) if parts.settings.ca_file else None,
        allow_local_ingest=_is_sandbox(parts),
    )
    found = await asyncio.to_thread(
        find_source,
        source,
        parts.settings.archive,
        from_start=on_air.from_start,
        stopped=lambda: stop.is_finishing,
    )
    return await broadcast(found, targets, stop=stop, producer=producer, options=options, on_event=on_event)


def _producer(parts: Parts, on_air: OnAir) -> PeriscopeProducer:
    token = parts.settings.periscope_token
    if token is None:
        raise NotSignedInError(
            "broadcasting at Periscope needs an access token of its Producer API",
            endpoint="broadcast/create",
            advice=f"Set {environment_name('periscope_token')}. The service closed in 2021 and gives no new ones.",
        )
    is_sandbox = _is_sandbox(parts)
    login = ProducerLogin(token.get_secret_value(), is_api=_producer_origin(parts) if is_sandbox else None)
    session = PeriscopeSession(now=parts.clock.now)
    # A sandbox's certificate is its own; on loopback there is nobody to hide the key from.
    return PeriscopeProducer(parts.client, session, login, is_secure=not is_sandbox, posts_to_x=on_air.posts_to_x)


def _producer_origin(parts: Parts) -> Callable[[str], bool]:
    """Says whether a URL is the sandbox's own producer API: the token goes nowhere else."""
    origin = origin_of(parse_url(parts.client.endpoints.bases["producer"]))

    def is_ours(url: str) -> bool:
        try:
            return origin_of(parse_url(url)) == origin
        except UnsafeAddressError:
            return False

    return is_ours


def _is_sandbox(parts: Parts) -> bool:
    return parts.settings.provider == "sandbox"
