"""How the apps of 2015 to 2019 published: create, publish, ping, end, and what came after."""

from __future__ import annotations

from collections.abc import Awaitable

from hydrophone.sandbox.periscope.answers import NAMED, said
from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.pushes import Push, pushes_of
from hydrophone.sandbox.periscope.records import broadcast_record
from hydrophone.sandbox.periscope.sessions import signed_in
from hydrophone.sandbox.periscope.words import opaque
from hydrophone.sandbox.scene import Person, State
from hydrophone.sandbox.serving import Answer

APP = "liveorigin"


def create(asked: Asked) -> Answer | Awaitable[Answer]:
    """`createBroadcast`: where to push, and a record that does not run yet."""
    owner = signed_in(asked)
    return NAMED["401"] if owner is None else _created(asked, owner)


async def _created(asked: Asked, owner: Person) -> Answer:
    region = asked.text("region") or "eu-central-1"
    push = await pushes_of(asked.world).create(owner, region=region, app=APP, source="periscope_ios_1.61")
    record = broadcast_record(asked, push.scene)
    uploads = f"{asked.places.cdn(region)}/uploads/{push.scene.stream_key}"
    return said(
        {
            "application": APP,
            "auth_token": "-",
            "broadcast": record | {"available_for_replay": False, "stream_name": push.stream_name},
            "can_share_twitter": True,
            "channel": push.stream_name,
            "credential": opaque("1", 101),
            "host": "127.0.0.1",
            "participant_index": 0,
            "port": push.ports["rtmp"],
            "private_port": push.ports["rtmps"],
            "private_protocol": "RTMPS",
            "protocol": "RTMP",
            "publisher": "",
            "read_only": False,
            "signer_token": "-",
            "stream_name": push.stream_name,
            "subscriber": "",
            "thumbnail_upload_url": f"{uploads}/thumb.jpg",
            "upload_url": f"{uploads}/replay.mp4",
        }
    )


def _own(asked: Asked) -> Push | Answer:
    owner = signed_in(asked)
    if owner is None:
        return NAMED["401"]
    push = pushes_of(asked.world).find(asked.text("broadcast_id"))
    return NAMED["404"] if push is None or push.owner.periscope_id != owner.periscope_id else push


def publish(asked: Asked) -> Answer:
    push = _own(asked)
    if isinstance(push, Answer):
        return push
    if push.state is not State.NOT_STARTED:
        return NAMED["400"]
    push.publish(asked.text("status"), posts=False)
    return said({"success": True})


def keep_alive(asked: Asked) -> Answer:
    push = _own(asked)
    return push if isinstance(push, Answer) else said({"success": True})


async def end(asked: Asked) -> Answer:
    push = _own(asked)
    if isinstance(push, Answer):
        return push
    await push.drain()
    push.stop()
    return said({"broadcast": broadcast_record(asked, push.scene)})


def delete(asked: Asked) -> Answer:
    push = _own(asked)
    if isinstance(push, Answer):
        return push
    push.delete()
    return said({"success": True})
