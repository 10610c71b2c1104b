"""A GraphQL question heals itself: query ids, features, transaction ids, discovery, cookies, guests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hydrophone.errors import (
    AccountLockedError,
    BlockedError,
    FaultyServiceError,
    HydrophoneError,
    NotSignedInError,
    RateLimitedError,
    UnreachableError,
    WireError,
)
from hydrophone.http.messages import Headers, Reply, Request
from hydrophone.model import SpaceId, UserId
from hydrophone.xweb.graphql import read_missing_features
from hydrophone.xweb.login import Login
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import space_by_id
from xweb.talk import (
    ACTIVATION,
    AUTH_TOKEN,
    CT0,
    EMPTY_404,
    NOW,
    SAMPLES,
    Clock,
    Talk,
    error_sample,
    guest,
    json_reply,
    sample,
    signed_in,
    text_reply,
)

ID = SpaceId("1hydroPhoneXZ")
FIRST, SECOND = "HPEisOmj1epUNLCWTYhUWw", "CSzFYPoVPLfqWFAJDsYZxQ"
GOOD = sample("audiospace_by_id.running.json")
SHIPPED = 17


def page(name: str) -> Reply:
    return text_reply((SAMPLES / "discovery" / name).read_text())


NO_PAGE = ("x:/", text_reply("", 500))

# ---------------------------------------------------------------- query ids


def test_a_query_id_that_is_gone_gives_way_to_the_next_and_is_not_asked_again() -> None:
    session, talk = signed_in(), Talk((FIRST, EMPTY_404), ("AudioSpaceById", GOOD), NO_PAGE)

    talk.ask(space_by_id(session, ID))
    before = len(talk.requests)
    talk.ask(space_by_id(session, ID))

    assert session.last_good["AudioSpaceById"] == SECOND
    assert len(talk.requests) == before + 1
    assert SECOND in talk.requests[-1].target


def test_each_query_id_comes_with_its_own_features() -> None:
    talk = Talk((FIRST, EMPTY_404), ("AudioSpaceById", GOOD), NO_PAGE)
    talk.ask(space_by_id(signed_in(), ID))
    first, second = (json.loads(request.params["features"]) for request in talk.asked("AudioSpaceById"))

    assert (len(first), len(second)) == (10, 35)


def test_missing_features_are_added_as_false_and_remembered() -> None:
    session, talk = signed_in(), Talk(("AudioSpaceById", [error_sample("400_feature_missing_336"), GOOD]))

    talk.ask(space_by_id(session, ID))
    talk.ask(space_by_id(session, ID))

    assert len(talk.requests) == 3
    for request in talk.requests[1:]:
        features = json.loads(request.params["features"])
        assert features["rweb_video_timestamps_enabled"] is False
        assert features["post_ctas_fetch_enabled"] is False
        assert FIRST in request.target


def test_features_are_healed_at_most_five_times_for_one_query_id() -> None:
    def ask_for_one_more(request: Request) -> Reply:
        missing = f"new_{len(json.loads(request.params['features']))}"
        return json_reply(
            {"errors": [{"code": 336, "message": f"The following features cannot be null: {missing}"}]}, 400
        )

    talk = Talk((FIRST, ask_for_one_more), ("AudioSpaceById", GOOD), NO_PAGE)
    talk.ask(space_by_id(signed_in(), ID))

    assert len(talk.asked(FIRST)) == 6
    assert len(talk.asked(SECOND)) == 1


def test_features_that_were_sent_but_are_still_missing_end_the_query_id() -> None:
    stubborn = json_reply({"errors": [{"code": 336, "message": "features cannot be null: vibe_api_enabled"}]}, 400)
    talk = Talk((FIRST, stubborn), ("AudioSpaceById", GOOD), NO_PAGE)
    talk.ask(space_by_id(signed_in(), ID))

    assert len(talk.asked(FIRST)) == 1


def test_long_lists_of_missing_features_are_read_whole_and_hostile_ones_bounded() -> None:
    names = [f"feature_number_{number}" for number in range(60)]
    message = "The following features cannot be null: " + ", ".join(names)
    assert read_missing_features(json_reply({"errors": [{"code": 336, "message": message}]}, 400)) == set(names)
    assert len(read_missing_features(text_reply("features cannot be null: " + "a, " * 10**6, 400))) <= 1
    assert read_missing_features(text_reply("something else", 400)) == set()


def test_when_all_is_gone_the_service_is_asked_no_more_for_a_while() -> None:
    clock = Clock()
    session, talk = signed_in(clock), Talk(("AudioSpaceById", EMPTY_404), NO_PAGE)

    for _ in range(5):
        with pytest.raises(WireError) as caught:
            talk.ask(space_by_id(session, ID))
    assert len(talk.asked("AudioSpaceById")) == SHIPPED
    assert caught.value.endpoint == "AudioSpaceById"
    assert "Update" in caught.value.advice

    clock.advance(minutes=6)
    Talk(("AudioSpaceById", GOOD)).ask(space_by_id(session, ID))


def test_what_was_learned_survives_a_restart() -> None:
    store = Store()
    new = json_reply({"errors": [{"code": 336, "message": "features cannot be null: brand_new_enabled"}]}, 400)
    talk = Talk((FIRST, EMPTY_404), (SECOND, [new, GOOD]), NO_PAGE)
    talk.ask(space_by_id(signed_in(store=store), ID))
    talk = Talk(("AudioSpaceById", GOOD))
    talk.ask(space_by_id(signed_in(store=Store(json.loads(json.dumps(store.values)))), ID))

    assert SECOND in talk.requests[0].target
    assert "brand_new_enabled" in talk.requests[0].params["features"]
    assert CT0 not in json.dumps(store.values)
    assert AUTH_TOKEN not in json.dumps(store.values)


class Store:
    def __init__(self, values: dict[str, Any] | None = None) -> None:
        self.values = values or {}

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def put(self, key: str, value: Any) -> None:
        self.values[key] = value


@pytest.mark.parametrize("junk", [5, [], {"schema": 2}, {"schema": 1, "last_good": 5, "guest": {"token": "a b"}}])
def test_a_damaged_state_is_no_state(junk: object) -> None:
    Talk(("AudioSpaceById", GOOD)).ask(space_by_id(signed_in(store=Store({"xweb": junk})), ID))


# ---------------------------------------------------------------- discovery


def is_rotated(request: Request) -> Reply:
    return GOOD if "HpEisOmSampleQueryId00" in request.target else EMPTY_404


CLASSIC = [("modules.audio.5d0c9ab1e2f3a4b5a.js", page("modules.audio.js")), ("ondemand.s", page("ondemand.s.js"))]


def test_a_rotated_query_id_is_discovered_in_the_classic_build() -> None:
    session = signed_in()
    talk = Talk(("AudioSpaceById", is_rotated), *CLASSIC, ("x:/", page("home.classic.html")))

    talk.ask(space_by_id(session, ID))

    assert session.last_good["AudioSpaceById"] == "HpEisOmSampleQueryId00"
    asked = json.loads(talk.asked("AudioSpaceById")[-1].params["features"])
    assert asked == {
        "spaces_2022_h2_clipping": True,
        "spaces_2022_h2_spaces_communities": True,
        "rweb_video_timestamps_enabled": False,
        "verified_phone_label_enabled": False,
    }
    script = talk.asked("modules.audio")[0]
    assert (script.service, script.target) == ("abs", "/responsive-web/client-web/modules.audio.5d0c9ab1e2f3a4b5a.js")
    assert script.credential is None
    assert script.max_bytes == 16 * 1024 * 1024
    assert "AudioSpaceSearch" in session.discovered


def test_a_rotated_query_id_is_discovered_in_the_vite_build() -> None:
    session = signed_in()
    talk = Talk(
        ("AudioSpaceById", is_rotated),
        ("sign.o-Ee81kq2z.js", page("ondemand.s.js")),
        ("spaces-Ck2aPq77.js", page("spaces-vite.js")),
        ("abs:", text_reply("export{}")),
        ("x:/", page("home.vite.html")),
    )

    talk.ask(space_by_id(session, ID))

    assert session.last_good["AudioSpaceById"] == "HpEisOmSampleQueryId00"
    assert session.transaction_ids is not None


def test_redirect_and_migrate_form_before_the_page_are_passed() -> None:
    talk = Talk(
        ("AudioSpaceById", is_rotated),
        *CLASSIC,
        ("POST x:/x/migrate", page("home.classic.html")),
        ("x:/x/migrate?tok=c2FtcGxl", page("migrate.form.html")),
        ("x:/", page("home.redirect.html")),
    )
    talk.ask(space_by_id(signed_in(), ID))
    form = next(request for request in talk.requests if request.method == "POST")

    assert form.body == b"tok=c2FtcGxl&data=ZGF0YQ"
    assert form.service == "x"


def test_a_page_that_leads_to_another_site_is_not_followed() -> None:
    away = text_reply('<script>document.location = "https://evil.example/x/migrate?tok=1"</script>')
    talk = Talk(("AudioSpaceById", EMPTY_404), ("x:/", away))

    with pytest.raises(WireError):
        talk.ask(space_by_id(signed_in(), ID))
    assert all("evil" not in target for target in talk.targets())


def test_discovery_happens_at_most_once_an_hour() -> None:
    clock = Clock()
    session, talk = signed_in(clock), Talk(("AudioSpaceById", EMPTY_404), ("x:/", text_reply("no scripts here")))

    for _ in range(9):
        with pytest.raises(WireError):
            talk.ask(space_by_id(session, ID))
        clock.advance(minutes=6)
    pages_for_signatures = 9
    assert len([target for target in talk.targets() if target == "/"]) <= 1 + pages_for_signatures
    assert session.discovered_at == NOW


def test_scripts_that_cannot_be_had_do_not_end_discovery() -> None:
    lost = UnreachableError("lost", host="abs.twimg.com")
    talk = Talk(
        ("AudioSpaceById", is_rotated),
        ("modules.audio", lost),
        ("abs:", page("modules.audio.js")),
        ("x:/", page("home.classic.html")),
    )

    talk.ask(space_by_id(signed_in(), ID))


def test_a_gatekeeper_before_the_page_stops_everything_for_minutes() -> None:
    clock = Clock()
    session, talk = signed_in(clock), Talk(("AudioSpaceById", EMPTY_404), ("x:/", error_sample("403_cloudflare")))

    with pytest.raises(BlockedError):
        talk.ask(space_by_id(session, ID))
    count = len(talk.requests)
    with pytest.raises(BlockedError):
        talk.ask(space_by_id(session, ID))
    assert len(talk.requests) == count
    clock.advance(minutes=6)
    assert session.trouble is None


# ---------------------------------------------------------------- transaction ids


def test_a_404_that_wants_a_transaction_id_gets_one() -> None:
    def wants_signature(request: Request) -> Reply:
        return GOOD if len(request.headers.get("x-client-transaction-id", "")) == 94 else EMPTY_404

    session = signed_in()
    talk = Talk(("AudioSpaceById", wants_signature), *CLASSIC, ("x:/", page("home.classic.html")))
    talk.ask(space_by_id(session, ID))
    talk.ask(space_by_id(session, ID))

    assert len(talk.asked("AudioSpaceById")) == 3
    assert all(FIRST in request.target for request in talk.asked("AudioSpaceById"))
    assert talk.targets().count("/") == 1


def test_a_provider_of_ones_own_is_used_from_the_start() -> None:
    class Mine:
        def make(self, method: str, path: str, unix_seconds: int) -> str:
            return f"{method} {path} {unix_seconds}"

    talk = Talk(("AudioSpaceById", GOOD))
    talk.ask(space_by_id(signed_in(transaction_ids=Mine()), ID))

    request = talk.requests[0]
    assert request.headers["x-client-transaction-id"] == f"GET {request.target} {int(NOW.timestamp())}"


# ---------------------------------------------------------------- ct0


def ct0_of(request: Request) -> str:
    assert request.credential is not None
    return request.credential.headers("GET", "https://x.com/i/api/1.1/a")["x-csrf-token"]


def test_a_rotated_ct0_is_adopted_kept_and_the_request_repeated_once() -> None:
    kept: list[str] = []
    login = Login(AUTH_TOKEN, CT0, on_rotation=lambda login: kept.append(login.secret_values()[1]))
    talk = Talk(("AudioSpaceById", [error_sample("403_353_with_new_ct0"), GOOD]))

    talk.ask(space_by_id(WebSession(login=login, now=Clock()), ID))

    assert len(talk.requests) == 2
    assert ct0_of(talk.requests[1]).startswith("b0c2558a")
    assert kept == [ct0_of(talk.requests[1])]


@pytest.mark.parametrize(
    "replies",
    [
        [error_sample("403_353")],
        [error_sample("403_353_with_new_ct0"), error_sample("403_353")],
        [error_sample("403_353_with_new_ct0"), error_sample("403_353_with_new_ct0")],
    ],
)
def test_a_second_csrf_refusal_or_one_without_cookie_means_a_dead_login(replies: list[Reply]) -> None:
    talk = Talk(("AudioSpaceById", list(replies)))

    with pytest.raises(NotSignedInError):
        talk.ask(space_by_id(signed_in(), ID))
    assert len(talk.requests) == len(replies)


def test_a_ct0_that_comes_with_a_success_is_adopted_too() -> None:
    session = signed_in()
    rotating = Reply(200, Headers([("Set-Cookie", "ct0=abc123; Path=/; Domain=.x.com")]), GOOD.body)
    talk = Talk(("AudioSpaceById", rotating))
    talk.ask(space_by_id(session, ID))

    assert session.login is not None
    assert session.login.secret_values()[1] == "abc123"


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize("name", ["401_32", "401_89"])
def test_a_dead_login_is_asked_once_and_looked_at_again_after_a_while(name: str) -> None:
    clock = Clock()
    session, talk = signed_in(clock), Talk(("AudioSpaceById", error_sample(name)))

    for _ in range(4):
        with pytest.raises(NotSignedInError):
            talk.ask(space_by_id(session, ID))
    assert len(talk.requests) == 1

    clock.advance(minutes=11)
    Talk(("AudioSpaceById", GOOD)).ask(space_by_id(session, ID))


@pytest.mark.parametrize("name", ["403_326", "403_64", "429_88_with_budget_left"])
def test_a_locked_account_is_not_used_until_its_owner_says_so(name: str) -> None:
    clock = Clock()
    session, talk = signed_in(clock), Talk(("AudioSpaceById", error_sample(name)))

    for _ in range(3):
        with pytest.raises(AccountLockedError) as caught:
            talk.ask(space_by_id(session, ID))
        clock.advance(days=2)
    assert len(talk.requests) == 1
    assert "not asked" in caught.value.message
    assert caught.value.advice
    assert isinstance(session.trouble, AccountLockedError)

    session.clear_trouble()
    Talk(("AudioSpaceById", GOOD)).ask(space_by_id(session, ID))


def test_another_login_ends_the_trouble_of_the_one_before() -> None:
    session = signed_in()
    with pytest.raises(NotSignedInError):
        Talk(("AudioSpaceById", error_sample("401_32"))).ask(space_by_id(session, ID))

    session.use_login(Login("another" * 5, CT0, user_id=UserId("77")))

    Talk(("AudioSpaceById", GOOD)).ask(space_by_id(session, ID))
    assert UserId("77") in session.own_user_ids


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (error_sample("429_graphql"), RateLimitedError),
        (error_sample("200_loadshed"), FaultyServiceError),
        (text_reply("", 503), FaultyServiceError),
    ],
)
def test_a_busy_service_does_not_cost_the_query_id(reply: Reply, error: type[HydrophoneError]) -> None:
    session = signed_in()
    with pytest.raises(error):
        Talk(("AudioSpaceById", reply)).ask(space_by_id(session, ID))
    talk = Talk(("AudioSpaceById", GOOD))
    talk.ask(space_by_id(session, ID))

    assert FIRST in talk.requests[0].target


# ---------------------------------------------------------------- guests


def test_a_guest_is_activated_once_and_again_when_the_pass_is_old() -> None:
    clock = Clock()
    session, talk = guest(clock), Talk(ACTIVATION, ("AudioSpaceById", GOOD))

    talk.ask(space_by_id(session, ID))
    talk.ask(space_by_id(session, ID))
    clock.advance(minutes=50)
    talk.ask(space_by_id(session, ID))

    assert len(talk.asked("activate")) == 2
    assert talk.asked("activate")[0].body == b""
    credential = talk.asked("AudioSpaceById")[0].credential
    assert credential is not None
    assert credential.headers("GET", "https://api.x.com/graphql/a/b")["x-guest-token"] == "1500000000000000000"


def test_a_guest_pass_survives_a_restart() -> None:
    store = Store()
    Talk(ACTIVATION, ("AudioSpaceById", GOOD)).ask(space_by_id(guest(store=store), ID))
    talk = Talk(("AudioSpaceById", GOOD))

    talk.ask(space_by_id(guest(store=store), ID))

    assert len(talk.requests) == 1


def test_a_bad_guest_token_is_renewed_once() -> None:
    talk = Talk(ACTIVATION, ("AudioSpaceById", [error_sample("403_239"), GOOD]))
    talk.ask(space_by_id(guest(), ID))
    assert len(talk.asked("activate")) == 2

    hopeless = Talk(ACTIVATION, ("AudioSpaceById", error_sample("403_239")))
    with pytest.raises(NotSignedInError):
        hopeless.ask(space_by_id(guest(), ID))
    assert len(hopeless.asked("activate")) == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (error_sample("429_rest_88"), RateLimitedError),
        (text_reply("", 404), NotSignedInError),
        (json_reply({"guest_token": None}), WireError),
        (json_reply({"guest_token": "a\r\nb"}), NotSignedInError),
        (error_sample("403_cloudflare"), BlockedError),
    ],
)
def test_a_refused_activation_is_a_typed_error(reply: Reply, error: type[HydrophoneError]) -> None:
    with pytest.raises(error):
        Talk(("activate", reply)).ask(space_by_id(guest(), ID))
