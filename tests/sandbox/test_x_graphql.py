"""The GraphQL door: hosts, methods, ids, features, discovery, transaction ids."""

from __future__ import annotations

import base64
import json
import re

import pytest

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.x.operations import BY_NAME, EARLY, MIDDLE
from hydrophone.sandbox.x.transaction import read_signer
from x_visiting import SAMPLES, differences, sample, shape, visiting

SPACE = Scene.live()
OPERATION = BY_NAME["AudioSpaceById"]


@pytest.mark.parametrize("prefix", ["/i/api/graphql", "/graphql"])
@pytest.mark.parametrize("host", ["x.com", "api.x.com", "twitter.com", "api.twitter.com", "mobile.twitter.com"])
async def test_both_paths_answer_on_every_host(prefix: str, host: str) -> None:
    async with visiting(SPACE) as visitor:
        said = await visitor.space(SPACE.id, prefix=prefix, host=host)
    assert said.json["data"]["audioSpace"]["metadata"]["rest_id"] == SPACE.id


@pytest.mark.parametrize("query_id", list(OPERATION.query_ids))
async def test_every_shipped_id_answers_with_its_own_features(query_id: str) -> None:
    async with visiting(SPACE) as visitor:
        said = await visitor.space(SPACE.id, query_id=query_id)
    assert said.status == 200


@pytest.mark.parametrize("query_id", ["jyQ0_DEMZHeoluCgHJ-U5Q", "Uv5R_-Chxbn1FEkyUkSW2w", "s3V0Y5v6"])
async def test_three_old_ids_take_no_features(query_id: str) -> None:
    async with visiting(SPACE) as visitor:
        said = await visitor.space(SPACE.id, query_id=query_id, features={})
    assert said.status == 200


async def test_a_wrong_method_an_unknown_id_and_a_foreign_id_are_404_without_a_body() -> None:
    async with visiting(SPACE) as visitor:
        answers = [
            await visitor.space(SPACE.id, method="POST"),
            await visitor.graphql("AudioSpaceSearch", {"filter": "Live", "query": ""}, method="GET"),
            await visitor.space(SPACE.id, query_id="0000000000000000000000"),
            await visitor.space(SPACE.id, query_id="NTq79TuSz6fHj8lQaferJw"),
            await visitor.api("/i/api/graphql/HPEisOmj1epUNLCWTYhUWw/NoSuchQuery?variables={}"),
        ]
    assert [(said.status, said.body) for said in answers] == [(404, b"")] * 5


async def test_missing_features_are_named_all_or_the_first_few() -> None:
    async with visiting(SPACE) as visitor:
        everything = await visitor.space(SPACE.id, features={})
        await visitor.turn(features_named=2)
        some = await visitor.space(SPACE.id, features={})
    assert (everything.status, everything.error_code) == (400, 336)
    assert everything.json["errors"][0]["extensions"]["code"] == 336
    named = everything.json["errors"][0]["message"].removeprefix("The following features cannot be null: ")
    assert named.split(", ") == sorted(EARLY)
    assert some.json["errors"][0]["message"].count(",") == 1
    error = json.loads((SAMPLES / "errors" / "400_feature_missing_336.json").read_text())["body"]
    assert differences(shape(everything.json), shape(error)) == []


async def test_superfluous_features_are_ignored_and_a_null_feature_is_missing() -> None:
    features: dict[str, bool] = dict.fromkeys(EARLY | MIDDLE, False)
    async with visiting(SPACE) as visitor:
        more = await visitor.space(SPACE.id, features=features)
        features["vibe_api_enabled"] = None  # type: ignore[assignment]
        null = await visitor.space(SPACE.id, features=features)
    assert (more.status, null.status) == (200, 400)


async def test_a_new_feature_can_be_demanded_while_it_runs() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(extra_features=["post_ctas_fetch_enabled"])
        said = await visitor.space(SPACE.id)
        healed = await visitor.space(SPACE.id, features=dict.fromkeys(EARLY | {"post_ctas_fetch_enabled"}, False))
        legacy = await visitor.space(SPACE.id, query_id="Uv5R_-Chxbn1FEkyUkSW2w")
    assert (said.status, healed.status, legacy.status) == (400, 200, 200)


@pytest.mark.parametrize("query", ["variables={", "variables=[]", "features={}", "variables=%7B%7D"])
async def test_malformed_variables_are_422(query: str) -> None:
    async with visiting(SPACE) as visitor:
        said = await visitor.api(f"/i/api/graphql/Uv5R_-Chxbn1FEkyUkSW2w/AudioSpaceById?{query}")
    assert said.status == 422


# ---------------------------------------------------------------- discovery


@pytest.mark.parametrize("home", ["classic", "classic7", "classic_old", "vite"])
async def test_a_rotated_id_is_found_by_way_of_the_home_page(home: str) -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(query_ids="rotated", home=home)
        gone = [await visitor.space(SPACE.id, query_id=query_id) for query_id in list(OPERATION.query_ids)[:3]]
        page = (await visitor.ask("/", cookie="auth_token=x; ct0=y")).body.decode()
        if home == "vite":
            urls = re.findall(r"https?://[\w.:-]+(/x-web/[\w./-]+\.js)", page)
        elif home == "classic_old":
            found = re.search(r'"modules.audio":"([0-9a-f]{7})"', page)
            assert found
            urls = [f"/responsive-web/client-web/modules.audio.{found[1]}a.js"]
        else:
            number = re.search(r'(\d+):"modules.audio"', page)
            assert number
            digits = re.search(number[1] + r':"([0-9a-f]{7}|[0-9a-f]{16})"', page)
            assert digits
            urls = [f"/responsive-web/client-web/modules.audio.{digits[1]}a.js"]
        scripts = [(await visitor.ask(url, service="abs")).body.decode() for url in urls]
        pattern = (
            r'queryId:"([\w-]+)",operationName:"AudioSpaceById",operationType:"(query|mutation)",'
            r"metadata:\{featureSwitches:\[([^\]]*)\],fieldToggles:\[([^\]]*)\]"
        )
        match = next(m for text in scripts if (m := re.search(pattern, text)))
        features = dict.fromkeys(re.findall(r'"(\w+)"', match[3]), False)
        healed = await visitor.space(SPACE.id, query_id=match[1], features=features)
    assert [(said.status, said.body) for said in gone] == [(404, b"")] * 3
    assert match[1] not in OPERATION.query_ids
    assert healed.json["data"]["audioSpace"]["metadata"]["rest_id"] == SPACE.id


async def test_without_cookies_the_home_page_knows_nothing_of_spaces() -> None:
    async with visiting() as visitor:
        classic = (await visitor.ask("/")).body.decode()
        await visitor.turn(home="vite")
        vite = (await visitor.ask("/")).body.decode()
    assert "modules.audio" not in classic
    assert "entry-client-logged-out" in vite
    assert "spaces-" not in vite


async def test_the_home_page_may_redirect_and_ask_for_a_form() -> None:
    async with visiting() as visitor:
        await visitor.turn(home_redirect="redirect")
        first = (await visitor.ask("/", cookie="auth_token=x")).body.decode()
        found = re.search(r'document.location = "https?://[^/]+(/[^"]+)"', first)
        assert found
        page = (await visitor.ask(found[1], cookie="auth_token=x")).body.decode()
        await visitor.turn(home_redirect="form")
        form = (await visitor.ask(found[1])).body.decode()
        fields = re.findall(r'name="(\w+)" value="(\w+)"', form)
        body = "&".join(f"{name}={value}" for name, value in fields).encode()
        sent = (await visitor.ask("/x/migrate", method="POST", body=body, cookie="auth_token=x")).body.decode()
        wrong = await visitor.ask("/x/migrate", method="POST", body=b"tok=1")
    assert "modules.audio" in page
    assert 'action="https://x.com/x/migrate" method="post"' in form
    assert "modules.audio" in sent
    assert wrong.status == 400


# ---------------------------------------------------------------- transaction ids


def test_the_signer_agrees_with_the_vectors() -> None:
    folder = SAMPLES / "discovery"
    vectors = json.loads((folder / "transaction_id.vectors.json").read_text())
    signer = read_signer((folder / "home.classic.html").read_text(), (folder / "ondemand.s.js").read_text())
    assert signer.animation_key == vectors["animation_key"]
    assert base64.b64encode(signer.key).decode() == vectors["key_base64"]
    for vector in vectors["vectors"]:
        text, method, path = vector["x-client-transaction-id"], vector["method"], vector["path"]
        seconds, byte = vector["unix_seconds"], vector["random_byte"]
        assert signer.make(method, path, unix_seconds=seconds, random_byte=byte) == text
        assert signer.accepts(text, method, path, nows=(float(seconds),))
        assert not signer.accepts(text, method, path + "x", nows=(float(seconds),))
        assert not signer.accepts(text, method, path, nows=(seconds + 9000.0,))
        assert not signer.accepts(text[:-3], method, path, nows=(float(seconds),))


async def test_a_transaction_id_is_demanded_and_a_stale_one_refused() -> None:
    path = f"/i/api/graphql/{next(iter(OPERATION.query_ids))}/AudioSpaceById"
    async with visiting(SPACE) as visitor:
        page = (await visitor.ask("/", cookie="auth_token=x")).body.decode()
        number = re.search(r'(\d+):"ondemand.s"', page)
        assert number
        digits = re.search(number[1] + r':"([0-9a-f]+)"', page)
        assert digits
        script = await visitor.ask(f"/responsive-web/client-web/ondemand.s.{digits[1]}a.js", service="abs")
        signer = read_signer(page, script.body.decode())
        now = int(visitor.world.now().timestamp())
        good = signer.make("GET", path, unix_seconds=now, random_byte=99)
        await visitor.turn(transaction_ids="404")
        without = await visitor.space(SPACE.id)
        signed = await visitor.space(SPACE.id, x_client_transaction_id=good)
        foreign = await visitor.space(SPACE.id, x_client_transaction_id=good, prefix="/graphql")
        await visitor.turn(page_generation=1, transaction_ids="401")
        stale = await visitor.space(SPACE.id, x_client_transaction_id=good)
        await visitor.turn(transaction_for=["UserByScreenName"])
        unconcerned = await visitor.space(SPACE.id)
    assert [s.status for s in (without, signed, foreign, stale, unconcerned)] == [404, 200, 404, 401, 200]


# ---------------------------------------------------------------- other operations


async def test_search_gives_ids_only() -> None:
    live, ended = Scene.live("harbour"), Scene.ended("harbour past")
    soon = Scene.live("harbour soon", started=None, scheduled=600.0)
    async with visiting(live, ended, soon) as visitor:
        said = {
            name: await visitor.graphql("AudioSpaceSearch", {"filter": name, "query": "harbour"})
            for name in ("Live", "Upcoming", "Top")
        }
        nothing = await visitor.graphql("AudioSpaceSearch", {"filter": "Live", "query": "no such words"})
        await visitor.turn(search_is_null=True)
        null = await visitor.graphql("AudioSpaceSearch", {"filter": "Live", "query": ""})

    def found(name: str) -> list[str]:
        grouped = said[name].json["data"]["search_by_raw_query"]["audio_spaces_grouped_by_section"]
        return [item["space"]["rest_id"] for section in grouped["sections"] for item in section["items"]]

    assert (found("Live"), found("Upcoming"), found("Top")) == ([live.id], [soon.id], [live.id, soon.id])
    assert differences(shape(said["Live"].json), shape(sample("audio_space_search.live"))) == []
    assert nothing.json == sample("audio_space_search.nothing")
    assert null.json == {"data": {"search_by_raw_query": None}}


async def test_users_by_name_and_id_in_both_shapes() -> None:
    core, legacy = Scene.live(), Scene.live(user_shape="legacy")
    creator = core.creator
    for scene, name in ((core, "core"), (legacy, "legacy")):
        async with visiting(scene) as visitor:
            by_name = await visitor.graphql("UserByScreenName", {"screen_name": creator.handle.upper()})
            by_id = await visitor.graphql("UserByRestId", {"userId": creator.user_id})
        assert differences(shape(by_name.json), shape(sample(f"user_by_screen_name.{name}"))) == []
        assert by_name.json == by_id.json


async def test_missing_suspended_and_backup_users() -> None:
    scene = Scene.live(extra={"suspended": ["otto_reed"]})
    async with visiting(scene) as visitor:
        missing = await visitor.graphql("UserByScreenName", {"screen_name": "nobody_here"})
        suspended = await visitor.graphql("UserByScreenName", {"screen_name": "otto_reed"})
        backup = await visitor.graphql("ProfileSpotlightsQuery", {"screen_name": "lena_marsh"})
    assert missing.json == {"data": {}}
    assert suspended.json["data"]["user"]["result"]["__typename"] == "UserUnavailable"
    assert differences(shape(backup.json), shape(sample("profile_spotlights"))) in (
        [],
        [".data.user_result_by_screen_name.result.profilemodules.v1 is empty on one side"],
    )


async def test_names_and_topics() -> None:
    async with visiting(SPACE) as visitor:
        ids = [person.user_id for person in SPACE.people[:2]]
        names = await visitor.graphql("liveAtomsUserQuery", {"userIds": [*ids, "1"]})
        many = await visitor.graphql("liveAtomsUserQuery", {"userIds": ["1"] * 51})
        topics = await visitor.graphql("BrowseSpaceTopics", {})
    assert differences(shape(names.json), shape(sample("live_atoms_users"))) == []
    assert [user["result"]["rest_id"] for user in names.json["data"]["users"]] == ids
    assert many.status == 422
    assert differences(shape(topics.json), shape(sample("browse_space_topics"))) == []


async def test_reminders_and_pinned_posts_show_in_the_record() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.graphql("SubscribeToScheduledSpace", {"id": SPACE.id})
        pin = {"audio_space_id": SPACE.id, "sharing": {"shared_tweet": {"tweet_id": "2028908671529910349"}}}
        await visitor.graphql("AudioSpaceAddSharing", pin)
        pinned = (await visitor.space(SPACE.id)).json["data"]["audioSpace"]
        await visitor.graphql(
            "AudioSpaceDeleteSharing",
            {"audio_space_id": SPACE.id, "sharing_id": pinned["sharings"]["items"][0]["sharing_id"]},
        )
        await visitor.graphql("UnsubscribeFromScheduledSpace", {"id": SPACE.id})
        lingering = (await visitor.space(SPACE.id)).json["data"]["audioSpace"]
        visitor.world.clock.advance(6.0)
        gone = (await visitor.space(SPACE.id)).json["data"]["audioSpace"]
        wrong = await visitor.graphql("AudioSpaceAddSharing", {"id": SPACE.id, "twitterUserIds": []})
    assert pinned["is_subscribed"] is True
    assert len(lingering["sharings"]["items"]) == 1
    assert (gone["is_subscribed"], gone["sharings"]["items"]) == (False, [])
    assert wrong.status == 422
