"""Accounts as the web API writes them, in both shapes, and the stubs that stand for them in a roster.

Source: web endpoint reference, "Two shapes of a user" and "participants".
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from hydrophone.sandbox.scene import Person, invented_number
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.ids import SNOWFLAKE_EPOCH_MS


def user_record(person: Person, shape: str, addresses: Addresses) -> dict[str, Any]:
    """A whole account. `shape` is ``"core"`` (since 2025) or ``"legacy"`` (before)."""
    head = {
        "__typename": "User",
        "id": graph_id(person.user_id),
        "rest_id": person.user_id,
        "affiliates_highlighted_label": {},
    }
    return head | (_legacy_shape(person, addresses) if shape == "legacy" else _core_shape(person, addresses))


def unavailable_user(reason: str) -> dict[str, Any]:
    """What stands in place of a suspended or protected account."""
    return {"__typename": "UserUnavailable", "message": f"User is {reason.lower()}", "reason": reason}


def participant(person: Person, addresses: Addresses, *, start_ms: int | None, is_muted: bool) -> dict[str, Any]:
    """A member of the roster: the flat fields are the person, the user beside them is a stub."""
    member: dict[str, Any] = {"periscope_user_id": person.periscope_id}
    if start_ms is not None:
        member["start"] = start_ms
    return (
        member | _face(person, addresses) | {"is_muted_by_admin": False, "is_muted_by_guest": is_muted} | _stub(person)
    )


def own_listener(person: Person, addresses: Addresses) -> dict[str, Any]:
    """The signed-in account as it shows among the listeners: no start, no mute flags, an id of its own."""
    return {"periscope_user_id": f"tw-{person.user_id}"} | _face(person, addresses) | _stub(person)


def graph_id(user_id: str) -> str:
    return base64.b64encode(f"User:{user_id}".encode()).decode()


def created_text(user_id: str) -> str:
    """When the account was made, in the service's own spelling."""
    milliseconds = (int(user_id) >> 22) + SNOWFLAKE_EPOCH_MS if user_id.isdigit() else SNOWFLAKE_EPOCH_MS
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    # strftime would follow the machine's locale.
    return f"{days[instant.weekday()]} {months[instant.month - 1]} {instant:%d %H:%M:%S} +0000 {instant.year}"


def _face(person: Person, addresses: Addresses) -> dict[str, Any]:
    return {
        "twitter_screen_name": person.handle,
        "display_name": person.name,
        "avatar_url": addresses.picture(person.avatar_url),
        "is_verified": person.is_verified,
    }


def _stub(person: Person) -> dict[str, Any]:
    return {
        "user_results": {
            "rest_id": person.user_id,
            "result": {
                "__typename": "User",
                "identity_profile_labels_highlighted_label": {},
                "has_nft_avatar": False,
                "is_blue_verified": person.is_verified,
                "legacy": {},
            },
        }
    }


def _counts(person: Person) -> dict[str, Any]:
    chance = invented_number("counts", person.user_id)
    return {
        "default_profile": True,
        "default_profile_image": False,
        "description": f"{person.name} does not exist.",
        "entities": {"description": {"urls": []}},
        "fast_followers_count": 0,
        "favourites_count": chance % 5000,
        "followers_count": person.followers,
        "friends_count": chance % 900,
        "has_custom_timelines": True,
        "is_translator": False,
        "listed_count": chance % 60,
        "media_count": chance % 300,
        "normal_followers_count": person.followers,
        "pinned_tweet_ids_str": [],
        "possibly_sensitive": False,
        "profile_interstitial_type": "",
        "statuses_count": chance % 4000,
        "translator_type": "none",
        "want_retweets": False,
        "withheld_in_countries": [],
    }


def _core_shape(person: Person, addresses: Addresses) -> dict[str, Any]:
    return {
        "avatar": {"image_url": addresses.picture(person.avatar_url)},
        "core": {
            "created_at": created_text(person.user_id),
            "name": person.name,
            "screen_name": person.handle,
        },
        "dm_permissions": {"can_dm": True},
        "has_graduated_access": True,
        "is_blue_verified": person.is_verified,
        "legacy": _counts(person),
        "location": {"location": "North Pier"},
        "media_permissions": {"can_media_tag": True},
        "parody_commentary_fan_label": "None",
        "profile_image_shape": "Circle",
        "privacy": {"protected": person.is_protected},
        "relationship_perspectives": {"following": False},
        "tipjar_settings": {},
        "verification": {"verified": False},
    }


def _legacy_shape(person: Person, addresses: Addresses) -> dict[str, Any]:
    legacy = {
        "can_dm": True,
        "can_media_tag": True,
        "created_at": created_text(person.user_id),
        **_counts(person),
        "location": "North Pier",
        "name": person.name,
        "profile_banner_url": addresses.picture(f"https://pbs.twimg.com/profile_banners/{person.user_id}/1693000000"),
        "profile_image_url_https": addresses.picture(person.avatar_url),
        "screen_name": person.handle,
        "verified": False,
    }
    if person.is_protected:
        legacy["protected"] = True
    return {
        "has_graduated_access": True,
        "is_blue_verified": person.is_verified,
        "profile_image_shape": "Circle",
        "legacy": legacy,
    }
