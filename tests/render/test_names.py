"""Output templates: look-up only, total, and never out of the archive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import SettingsError
from hydrophone.model import Broadcast, BroadcastId, Space, SpaceId, SpaceState, User, UserId
from hydrophone.render.names import DATE_CODES, FIELDS, NameFacts, OutputTemplate, facts_of, item_folder_name
from hydrophone.render.safenames import safe_name

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
STARTED = datetime(2026, 1, 22, 18, 5, 9, tzinfo=UTC)
ANN = User(id=UserId("1001"), handle="ann_nobody", name="Ann Nobody")
FACTS = NameFacts(
    id="1hydroPhoneXZ", kind="space", title="Whales", creator=ANN, state="ended", language="en", started_at=STARTED
)


def one(template: str, facts: NameFacts = FACTS) -> str:
    (part,) = OutputTemplate(template).parts(facts)
    return part


def test_item_folder_is_creator_date_title_and_id() -> None:
    assert item_folder_name(FACTS) == ("@ann_nobody", "2026-01-22 Whales [1hydroPhoneXZ]")


def test_item_folder_of_an_unknown_creator_at_an_unknown_time() -> None:
    assert item_folder_name(NameFacts(id="1x", kind="space")) == ("@unknown", "undated NA [1x]")


def test_a_long_title_gives_way_and_the_id_stays() -> None:
    facts = NameFacts(id="1hydroPhoneXZ", kind="space", title="鯨" * 300, creator=ANN, started_at=STARTED)

    name = item_folder_name(facts)[1]

    assert name.startswith("2026-01-22 鯨鯨")
    assert name.endswith("鯨… [1hydroPhoneXZ]")
    assert 195 <= len(name.encode()) <= 200


def test_facts_come_from_spaces_and_broadcasts_alike() -> None:
    space = Space(id=SpaceId("1a"), state=SpaceState.ENDED, creator=ANN, started_at=STARTED)
    broadcast = Broadcast(id=BroadcastId("1b"), state=SpaceState.LIVE, title="Harbour", broadcaster=ANN)

    assert item_folder_name(facts_of(space)) == ("@ann_nobody", "2026-01-22 Ann Nobody's Space [1a]")
    assert facts_of(broadcast).kind == "broadcast"
    assert one("%(title)s %(state)s", facts_of(broadcast)) == "Harbour live"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("%(id)s", "1hydroPhoneXZ"),
        ("%(uploader)s (%(uploader_id)s)", "Ann Nobody (ann_nobody)"),
        ("%(upload_date)s", "20260122"),
        ("%(release_date>%Y-%m-%d)s", "2026-01-22"),
        ("%(date>%d %B %Y, %A %H.%M.%S)s", "22 January 2026, Thursday 18.05.09"),
        ("%(date>%j-%y-%b-%a-%u-%V-%G-%F-%s-%%)s", "022-26-Jan-Thu-4-04-2026-2026-01-22-1769105109-%"),
        ("%(timestamp)d", "1769105109"),
        ("%(timestamp)012d", "001769105109"),
        ("%(title).3s", "Wha"),
        ("%(title)10s|%(id)s", "Whales｜1hydroPhoneXZ"),
        ("[%(title)-8s]%(title)8s", "[Whales]Whales"),
        ("%(scheduled_date)s %(id)s", "NA 1hydroPhoneXZ"),
        ("%(scheduled_date|never)s %(id)s", "never 1hydroPhoneXZ"),
        ("%(scheduled_date,title)s", "Whales"),
        ("%(title)s.%(ext)s", "Whales"),
        ("100%% %(title)s", "100% Whales"),
        ("%(title)s 50%%", "Whales 50%"),
        ("%(title)S", "Whales"),
        ("%(extractor)s-%(language)s-%(kind)s-%(user_id)s", "twitter：spaces-en-space-1001"),
    ],
)
def test_the_forms_that_users_of_yt_dlp_know(template: str, name: str) -> None:
    assert one(template) == name


def test_slashes_of_the_template_make_folders_and_those_of_a_title_do_not() -> None:
    facts = NameFacts(id="1x", kind="space", title="../../etc/passwd", creator=ANN, started_at=STARTED)

    assert OutputTemplate("%(uploader)s/%(date>%Y)s/%(title)s").parts(facts) == (
        "Ann Nobody",
        "2026",
        "⧸..⧸etc⧸passwd",
    )


def test_dates_are_utc_whatever_the_zone() -> None:
    late = datetime(2026, 1, 22, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

    assert one("%(date>%Y-%m-%d %H%M)s", NameFacts(id="1x", kind="space", started_at=late)) == "2026-01-23 0430"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("%(tilte)s", "no field 'tilte'"),
        ("%(title.__class__)s", "no field"),
        ("%(0)s", "no field"),
        ("%()s", "no field"),
        ("%(title", "no form"),
        ("%(title)", "no form"),
        ("%(title)r", "no form"),
        ("%s %(id)s", "no form"),
        ("%(title)99999999999s", "no form"),
        ("%(date>%Q)s", "no date code"),
        ("%(date>%)s", "no date code"),
        ("fixed", "names no field"),
        ("", "names no field"),
        ("/srv/%(id)s", "stay below"),
        ("../%(id)s", "stay below"),
        ("a/../%(id)s", "stay below"),
        ("..\\%(id)s", "stay below"),
        ("a//%(id)s", "stay below"),
        ("C:\\%(id)s", "stay below"),
        ("~/%(id)s", "stay below"),
        ("%(id)s\0", "NUL"),
        ("%(id)s/" * 20 + "x", "deep"),
        ("%(id)s" * 1000, "too long"),
    ],
)
def test_a_bad_template_is_refused_by_name(template: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        OutputTemplate(template)
    assert caught.value.setting == "output"


def test_an_unknown_field_comes_with_the_list_of_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        OutputTemplate("%(nme)s")
    assert all(name in caught.value.advice for name in FIELDS)


@given(title=ANYTHING, handle=ANYTHING, name=ANYTHING, key=ANYTHING)
def test_remote_text_never_leaves_the_archive_or_names_nothing(title: str, handle: str, name: str, key: str) -> None:
    creator = User(id=UserId("1"), handle=handle, name=name)
    facts = NameFacts(id=key, kind="space", title=title, creator=creator, started_at=STARTED)

    for template in ("@%(creator|unknown)s/%(title)s [%(id)s]", "%(title)s", "%(uploader)s%(title)s%(id)s/%(title)s"):
        parts = OutputTemplate(template).parts(facts)
        assert len(parts) == template.count("/") + 1
        for part in parts:
            assert safe_name(part) == part
            assert len(part.encode()) <= 200


@given(st.text("%()abdefilt>|,.0123456789sSd-/\\ ~Ym", max_size=60))
def test_any_template_is_read_or_refused(template: str) -> None:
    try:
        parts = OutputTemplate(template).parts(FACTS)
    except SettingsError:
        return
    assert all(safe_name(part) == part for part in parts)


def test_titles_that_look_like_templates_are_just_titles() -> None:
    facts = NameFacts(id="1x", kind="space", title="%(id)s {0.__class__} %s %n", creator=ANN, started_at=STARTED)

    assert one("%(title)s", facts) == "%(id)s {0.__class__} %s %n"


def test_every_field_and_every_date_code_works() -> None:
    for name in FIELDS:
        assert one(f"%({name})s x %(id)s")
    for code in DATE_CODES:
        assert one(f"%(date>%{code})s x %(id)s")
