"""The parts put together as the settings say: endpoints, port, session, clock, stores.

Only `app` uses this; it is apart from it so that one file shows what is connected to what, and the other what can be
done with it.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydrophone.archive import SECRET_MODE, StreamStore, Syncer, make_directory, remove_orphans, write_file
from hydrophone.archive.durable import Disk
from hydrophone.errors import DiskError, SettingsError, UnreachableError
from hydrophone.http import AsyncClient, Budgets, Endpoints, HostKind, HttpSettings, Request
from hydrophone.logins import FoundLogin, find_login, secret_file
from hydrophone.periscope.session import PeriscopeLogin, PeriscopeSession
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.resolving import Resolver
from hydrophone.recorder.turns import Turns
from hydrophone.settings import Settings
from hydrophone.xweb.session import WebSession

if TYPE_CHECKING:
    from hydrophone.recorder.recorder import Recorder
    from hydrophone.xapi.session import ApiSession

log = logging.getLogger("hydrophone.wiring")

#: Where a browser comes back to after signing in to the X API.
DEFAULT_REDIRECT = "http://127.0.0.1:8721/callback"


class _UnwaitedDisk(Disk):
    """A disk whose system decides when bytes are on the medium."""

    def sync(self, fd: int) -> None:
        pass

    def sync_directory(self, path: Path) -> None:
        pass


class StateFile:
    """Small JSON values between two runs, in one private file.

    All of it can be had again: a damaged file is an empty one, and a disk that takes nothing gives a warning, once. So
    a power cut may take it, while waiting for a busy disk, in the event loop, would hold up every recording.
    """

    _disk = _UnwaitedDisk()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_warned = False

    def get(self, key: str) -> Any:
        return self._load().get(key)

    def put(self, key: str, value: Any) -> None:
        try:
            make_directory(self._path.parent, disk=self._disk)
            text = json.dumps({**self._load(), key: value}, indent=1)
            write_file(self._path, text, mode=SECRET_MODE, disk=self._disk)
        except DiskError as error:
            if not self._has_warned:
                log.warning("what was learnt from X cannot be kept across restarts: %s", error.message)
            self._has_warned = True

    def _load(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            found = json.loads(self._path.read_bytes())
            return found if isinstance(found, dict) else {}
        return {}


@dataclass(slots=True)
class Parts:
    """Everything that is connected, for as long as the app is open."""

    settings: Settings
    client: AsyncClient
    clock: Clock
    session: WebSession
    periscope: PeriscopeSession
    login: FoundLogin | None
    resolver: Resolver
    syncer: Syncer
    state_dir: Path
    is_api: Callable[[str], bool]
    make_recorder: Callable[[], Recorder]
    _recorder: Recorder | None = None
    _api: ApiSession | None = None

    @property
    def recorder(self) -> Recorder:
        """The one for all recordings, made when the first is asked for: loading it takes longer than most answers."""
        if self._recorder is None:
            self._recorder = self.make_recorder()
        return self._recorder

    @property
    def api(self) -> ApiSession:
        """The memory of the X API's client; recordings never need it, so it is made when it is asked for.

        Raises:
            SettingsError: a token cannot be one, or others may read the file.
        """
        if self._api is None:
            from hydrophone.apilogin import api_session

            self._api = api_session(self.settings, self.state_dir, is_api=self.is_api, now=self.clock.now)
        return self._api


async def connect(settings: Settings) -> Parts:
    """Put the parts together.

    Raises:
        SettingsError: a setting cannot be used.
        UnreachableError: a sandbox was asked for, and none answers.
    """
    http = HttpSettings(
        proxy=settings.proxy, ca_file=settings.ca_file, cdn_connections=_affordable(max(256, settings.connections * 4))
    )
    state_dir = settings.state_dir
    endpoints, clock = Endpoints.production(), Clock()
    if settings.provider == "sandbox":
        endpoints, clock = await _sandbox(settings, http)
        # What a sandbox says must never be taken for what X says.
        state_dir = state_dir / "sandbox"
    elif settings.endpoints:
        endpoints = Endpoints(bases={**endpoints.bases, **settings.endpoints})
    for folder in {settings.state_dir, state_dir}:
        remove_orphans(folder)  # what a killed process was writing, tokens among it
    budgets = Budgets(state_dir / "budgets.json", clock=lambda: clock.now().timestamp())
    client = AsyncClient(endpoints, settings=http, budgets=budgets, sleep=clock.sleep)
    login = find_login(settings)
    session = WebSession(
        store=StateFile(state_dir / "web.json"), is_api=endpoints.is_api, now=clock.now, user_agent=http.user_agent
    )
    if login is not None:
        login.login.on_rotation = secret_file(settings).remember_rotation
        session.use_login(login.login)
    periscope = PeriscopeSession(login=_periscope_login(settings, endpoints), now=clock.now)
    syncer = Syncer(interval_seconds=settings.sync_seconds)
    resolver = Resolver(client, session, clock.now, periscope)

    def make_recorder() -> Recorder:
        from hydrophone.recorder.caretaker import Caretaker
        from hydrophone.recorder.recorder import Recorder
        from hydrophone.recorder.recording import Tools

        tools = Tools(
            client=client,
            clock=clock,
            streams=StreamStore(state_dir / "streams.jsonl"),
            credential=login.login if login else None,
            periscope=periscope.login,
            own_ids=session.own_user_ids,
            syncer=syncer,
            turns=Turns(clock, budgets),
        )
        return Recorder(tools, resolver, caretaker=Caretaker())

    return Parts(
        settings=settings,
        client=client,
        clock=clock,
        session=session,
        periscope=periscope,
        login=login,
        resolver=resolver,
        syncer=syncer,
        state_dir=state_dir,
        is_api=endpoints.is_api,
        make_recorder=make_recorder,
    )


def _affordable(connections: int) -> int:
    """So many connections at once that half of the file descriptors are left for files; macOS begins with 256."""
    try:
        import resource
    except ImportError:  # Windows, where sockets are no files
        return connections
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if limit == resource.RLIM_INFINITY else max(2, min(connections, limit // 2))


def _periscope_login(settings: Settings, endpoints: Endpoints) -> PeriscopeLogin | None:
    sid = settings.periscope_sid
    return PeriscopeLogin(sid.get_secret_value(), is_api=endpoints.is_periscope_api) if sid else None


async def _sandbox(settings: Settings, http: HttpSettings) -> tuple[Endpoints, Clock]:
    """The addresses of a running sandbox, and its clock."""
    if settings.endpoints:
        return Endpoints.sandbox(settings.endpoints), Clock()
    if settings.sandbox is None:
        raise SettingsError(
            "the provider is sandbox, and no sandbox is named",
            setting="sandbox",
            advice="start one with `hydrophone sandbox` and set HYDROPHONE_SANDBOX to the control URL it prints",
        )
    control = Endpoints.sandbox({"control": settings.sandbox})
    async with AsyncClient(control, settings=http) as client:
        request = Request("GET", settings.sandbox.rstrip("/") + "/healthz", service="control", kind=HostKind.API)
        try:
            facts = (await client.send(request)).json()
        except UnreachableError as error:
            raise UnreachableError(
                f"no sandbox answers at {settings.sandbox}",
                host=error.host,
                advice="start one with `hydrophone sandbox`",
            ) from error
    return Endpoints.sandbox(_bases(facts)), Clock(
        speed=float(facts.get("speed", 1.0)), origin_at=datetime.fromisoformat(facts["now"])
    )


def _bases(facts: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(base) for name, base in facts["bases"].items()}
