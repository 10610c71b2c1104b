"""OAuth of the Producer API: device codes that a user agrees to, codes from a browser, tokens that expire."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any

from hydrophone.sandbox.periscope.answers import HTML, moved, said, text
from hydrophone.sandbox.periscope.asking import Asked, asked_of, say
from hydrophone.sandbox.periscope.facts import broadcasts, person_by
from hydrophone.sandbox.periscope.records import flat_user
from hydrophone.sandbox.periscope.words import opaque
from hydrophone.sandbox.scene import Person, invented_number
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Device:
    """One device code: who asked from where, until when, and who agreed."""

    code: str
    user_code: str
    client_id: str
    address: str
    expires_us: int
    owner: Person | None = None
    checks: int = 0


@dataclass(frozen=True, slots=True)
class Access:
    owner: Person
    client_id: str
    expires_us: int


class Devices:
    """All codes and tokens that are out."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.access: dict[str, Access] = {}
        self.refresh: dict[str, Access] = {}
        self.codes: dict[str, tuple[Person, str, str]] = {}  #: of the browser flow: owner, client, redirect URI

    def approve(self, user_code: str, owner: Person) -> bool:
        for code, device in self.devices.items():
            if device.user_code == user_code:
                self.devices[code] = replace(device, owner=owner)
                return True
        return False


def _address(asked: Asked) -> str:
    peer = asked.exchange.transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def refused(status: int, message: str) -> Answer:
    """An error as the Producer API says it: text for people."""
    return text(status, message)


def create_code(asked: Asked) -> Answer:
    """POST /device_code/create."""
    client_id = asked.text("client_id")
    if not client_id:
        return refused(400, "client_id is required")
    devices = asked.world.room(Devices)
    code = opaque("", 50)
    user_code = f"{invented_number('device', code) % 900_000 + 100_000}"
    lifetime = int(asked.switches["device_lifetime_seconds"])
    expires_us = asked.now_us + lifetime * 1_000_000
    devices.devices[code] = Device(code, user_code, client_id, _address(asked), expires_us)
    return said(
        {
            "user_code": user_code,
            "device_code": code,
            "expires_in": lifetime,
            "interval": int(asked.switches["device_interval_seconds"]),
            "associate_url": f"{asked.places.www(is_2016=True)}/device",
        }
    )


def check_code(asked: Asked) -> Answer:
    """POST /device_code/check: one of four states. A code ends once it is associated."""
    devices = asked.world.room(Devices)
    device = devices.devices.get(asked.text("device_code"))
    if device is None or device.client_id != asked.text("client_id"):
        return refused(400, "unknown device code")
    forced = str(asked.switches["device_state"])
    if forced or device.address != _address(asked):
        return said({"state": forced or "network_changed"})
    if asked.now_us >= device.expires_us:
        return said({"state": "expired"})
    device = devices.devices[device.code] = replace(device, checks=device.checks + 1)
    owner, enough = device.owner, asked.switches["device_checks"]
    if owner is None and enough is not None and device.checks > int(enough):
        owner = usual_owner(asked)
    if owner is None:
        return said({"state": "authorization_pending"})
    del devices.devices[device.code]
    return said({"state": "associated", **_tokens(asked, owner, device.client_id)})


def usual_owner(asked: Asked) -> Person | None:
    """Who owns a device that nobody agreed to by hand."""
    handle = str(asked.switches["device_owner"])
    if handle:
        return person_by(asked.world, handle=handle)
    return next((scene.creator for scene in broadcasts(asked.world)), None)


def _tokens(asked: Asked, owner: Person, client_id: str) -> dict[str, Any]:
    devices, lifetime = asked.world.room(Devices), int(asked.switches["access_lifetime_seconds"])
    access, refresh = opaque("", 64), opaque("", 64)
    granted = Access(owner, client_id, asked.now_us + lifetime * 1_000_000)
    devices.access[access] = granted
    devices.refresh[refresh] = granted
    return {
        "access_token": access,
        "expires_in": lifetime,
        "refresh_token": refresh,
        "user": flat_user(asked, owner),
        "token_type": "Bearer",
    }


def exchange_token(asked: Asked) -> Answer:
    """POST /oauth/token: a code of the browser flow, or a refresh token, becomes an access token."""
    devices, kind = asked.world.room(Devices), asked.text("grant_type")
    if not asked.text("client_id") or not asked.text("client_secret"):
        return refused(401, "invalid client")
    if kind == "refresh_token":
        granted = devices.refresh.get(asked.text("refresh_token"))
        if granted is None or granted.client_id != asked.text("client_id"):
            return refused(400, "invalid refresh token")
        answer = _tokens(asked, granted.owner, granted.client_id)
    elif kind == "authorization_code":
        owner, client_id, redirect_uri = devices.codes.pop(asked.text("code"), (None, "", ""))
        if owner is None or client_id != asked.text("client_id") or redirect_uri != asked.text("redirect_uri"):
            return refused(400, "invalid code")
        answer = _tokens(asked, owner, client_id)
    else:
        return refused(400, "unsupported grant type")
    # This call gives the lifetime as text; the other one as a number.
    return said({**answer, "expires_in": str(answer["expires_in"])})


def bearer(asked: Asked) -> Person | None:
    """The owner of the access token that came with the request."""
    scheme, _, token = asked.exchange.header("authorization").partition(" ")
    granted = asked.world.room(Devices).access.get(token.strip())
    if scheme.lower() != "bearer" or granted is None or asked.now_us >= granted.expires_us:
        return None
    return granted.owner


# ---------------------------------------------------------------- what the user sees


def answer_device_page(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """www.periscope.tv/device: a form for the six digits. Posted with a `user_code`, somebody has agreed."""
    asked = asked_of(world, exchange)
    if exchange.method != "POST":
        form = (
            '<!doctype html><html><body><form method="post" action="/device"><input name="user_code">'
            '<input name="username"><button>OK</button></form></body></html>'
        )
        return say(world, exchange, text(200, form, HTML))
    named = asked.text("username")
    owner = person_by(world, handle=named) if named else usual_owner(asked)
    is_good = owner is not None and world.room(Devices).approve(asked.text("user_code"), owner)
    return say(world, exchange, text(200 if is_good else 404, "associated" if is_good else "unknown code"))


def answer_oauth_page(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """www.periscope.tv/oauth: the user agrees at once, and the browser goes back with a code."""
    asked = asked_of(world, exchange)
    target, owner = asked.text("redirect_uri"), usual_owner(asked)
    if not target or not asked.text("client_id") or owner is None:
        return say(world, exchange, refused(400, "client_id and redirect_uri are required"))
    code = opaque("", 24)
    world.room(Devices).codes[code] = (owner, asked.text("client_id"), target)
    joint = "&" if "?" in target else "?"
    return say(world, exchange, moved(f"{target}{joint}code={code}", 302))
