"""Pages and scripts of both generations are searched as text, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.xweb.discovery import (
    list_scripts,
    read_feature_values,
    read_migrate_form,
    read_operations,
    read_redirect,
)
from hydrophone.xweb.operations import shipped_operations
from xweb.talk import SAMPLES

CLASSIC, VITE, REDIRECT, FORM, SCRIPT = (
    (SAMPLES / "discovery" / name).read_text()
    for name in ("home.classic.html", "home.vite.html", "home.redirect.html", "migrate.form.html", "modules.audio.js")
)
BASE = "https://abs.twimg.com/responsive-web/client-web/"


def test_classic_scripts_are_put_together_from_two_maps() -> None:
    assert list_scripts(CLASSIC) == [
        BASE + "modules.audio.5d0c9ab1e2f3a4b5a.js",
        BASE + "main.77c0f1e2d3b4a596a.js",
        BASE + "bundle.AudioSpaceDetail.0123456789abcdefa.js",
    ]


@pytest.mark.parametrize("page", ['{"modules.audio":"0a1b2c3"}', '{7:"modules.audio"}+{17:"fffffff",7:"0a1b2c3"}'])
def test_older_pages_name_scripts_in_other_ways(page: str) -> None:
    assert list_scripts(page) == [BASE + "modules.audio.0a1b2c3a.js"]


def test_vite_scripts_are_all_listed_and_spaces_first() -> None:
    found = list_scripts(VITE)

    assert len(found) == 3
    assert "spaces-" in found[0]


def test_operations_come_with_exact_features() -> None:
    found = read_operations(SCRIPT, {"spaces_2022_h2_clipping": True})

    form = found["AudioSpaceById"]
    assert form.query_id == "HpEisOmSampleQueryId00"
    assert form.features["spaces_2022_h2_clipping"] is True
    assert form.features["rweb_video_timestamps_enabled"] is False
    assert form.field_toggles == {"withArticleRichContentState": False}


def test_relay_bundles_give_at_least_the_id() -> None:
    assert (
        read_operations('{id:"abc-1_2",metadata:{},name:"AudioSpaceById"}', {})["AudioSpaceById"].query_id == "abc-1_2"
    )


def test_the_users_own_switches_go_before_the_defaults() -> None:
    values = read_feature_values(CLASSIC)

    assert values["rweb_video_timestamps_enabled"] is False
    assert values["spaces_2022_h2_clipping"] is True


@pytest.mark.parametrize(
    "state",
    ["", "{", "[" * 100_000, "5", '{"featureSwitch":5}', '{"featureSwitch":{"defaultConfig":{"a":{"value":"x"}}}}'],
)
def test_odd_states_give_no_switches(state: str) -> None:
    assert read_feature_values("window.__INITIAL_STATE__=" + state) == {}


def test_redirect_and_form_are_read() -> None:
    assert read_redirect(REDIRECT) == "https://x.com/x/migrate?tok=c2FtcGxl"
    assert read_redirect('<meta http-equiv="refresh" content="0; url = https://x.com/x/migrate?tok=1&amp;a=2">') == (
        "https://x.com/x/migrate?tok=1&a=2"
    )
    assert read_migrate_form(FORM) == ("https://x.com/x/migrate", {"tok": "c2FtcGxl", "data": "ZGF0YQ"})
    assert read_redirect(CLASSIC) is None
    assert read_migrate_form(CLASSIC) is None


@given(st.integers(0, len(CLASSIC)), st.integers(0, 500), st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_damaged_pages_never_fail(cut: int, length: int, junk: str) -> None:
    for page in (CLASSIC, VITE, FORM, SCRIPT):
        damaged = page[:cut] + junk + page[cut + length :]
        list_scripts(damaged)
        read_feature_values(damaged)
        read_redirect(damaged)
        read_migrate_form(damaged)
        read_operations(damaged, {})


def test_unfinished_operations_do_not_make_the_search_slow() -> None:
    unfinished = 'queryId:"a",operationName:"b",operationType:"query",metadata:{featureSwitches:["'

    assert read_operations(unfinished * 100_000, {}) == {}


def test_shipped_operations_are_complete() -> None:
    operations = shipped_operations()

    spaces = operations["AudioSpaceById"]
    assert [form.query_id for form in spaces.forms][:2] == ["HPEisOmj1epUNLCWTYhUWw", "CSzFYPoVPLfqWFAJDsYZxQ"]
    assert [len(form.features) for form in spaces.forms][:3] == [10, 35, 21]
    assert len(spaces.forms) == 17
    assert operations["AudioSpaceSearch"].method == "POST"
    assert {name for name, operation in operations.items() if not operation.allows_guests} == {
        "AudioSpaceSearch",
        "AudiospaceByRestId",
        "BrowseSpaceTopics",
    }
