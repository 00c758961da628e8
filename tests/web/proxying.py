"""A bridge whose proxy leads to the sandbox's apps, in this process and without sockets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from bridge.config.settings import Settings
from bridge.sandbox.apps.schemas import xsd
from bridge.sandbox.apps.state import App
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import SandboxAdapter
from bridge.sandbox.world import World
from bridge.web.app import create_app
from bridge.wiring import Overrides, prepare_database, wire
from tests.sandbox.support import Clock, Slept

BASE = "http://127.0.0.1:9"
SUM = "ttd/sandkasse-regnestykke"
OLD_SUM = "ttd/sandkasse-regnestykke-2021"
HOURS = "ttd/sandkasse-timeliste"
KEY = "a-key-for-tests-only-0123456789-abcdef"
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "application/xml"}
LINES = {"linje": [{"tekst": "Søm", "antall": 2, "pris": 10.5}, {"antall": 1, "pris": 4}]}


class Proxying:
    """The whole bridge; *routes* are route files by ``org/app``, as their lines beside ``app``."""

    def __init__(
        self,
        folder: Path,
        routes: Mapping[str, str],
        *,
        environ: Mapping[str, str] | None = None,
        mounts: Mapping[str, BaseAdapter] | None = None,
        extra: Mapping[str, Path] | None = None,
        **switches: Any,
    ) -> None:
        self.clock = Clock()
        self.world = World(self.clock, 7, Switches(**switches), sleep=Slept())
        schemas, files = folder / "schemas", folder / "routes"
        schemas.mkdir()
        files.mkdir()
        for name in ("regnestykke", "timeliste"):
            data_type = next(
                each for app in (self._app(SUM), self._app(HOURS)) for each in app.data_types if each.id == name
            )
            (schemas / f"{name}.xsd").write_text(xsd(data_type), "utf-8")
        for schema, source in (extra or {}).items():
            (schemas / schema).write_bytes(source.read_bytes())
        for number, (app, lines) in enumerate(routes.items()):
            (files / f"{number}.yaml").write_text(f"app: {app}\n{lines}", "utf-8")
        (folder / "mappings").mkdir()
        (folder / "mappings" / "one.yaml").write_text(MAPPING, "utf-8")
        self.settings = Settings.from_environ(
            {
                **sandbox_settings(self.world, BASE),
                "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite",
                "BRIDGE_MAPPINGS": str(folder / "mappings"),
                "BRIDGE_SCHEMAS": str(schemas),
                "BRIDGE_ROUTES": str(files),
                "BRIDGE_PROXY_KEY": KEY,
                **(environ or {}),
            }
        )
        prepare_database(self.settings)
        self.bridge = wire(
            self.settings,
            Overrides(clock=self.clock, mounts={"http://": SandboxAdapter(self.world, BASE), **(mounts or {})}),
        )
        self.client = create_app(self.bridge).test_client(use_cookies=False)
        self.outside = requests.Session()
        self.outside.trust_env = False
        self.outside.mount("http://", SandboxAdapter(self.world, BASE))

    def _app(self, name: str) -> App:
        org, _, app = name.partition("/")
        found = self.world.apps.find(org, app)
        assert found is not None
        return found

    def token(self, **claims: Any) -> str:
        """An Altinn token of the service owner, or of whom *claims* say."""
        about = claims or {"urn:altinn:orgNumber": self.world.owner.number}
        return issue(self.world, BASE, "platform", about, lifetime=1800)

    def send(
        self, method: str, app: str = SUM, query: str = "dataType=regnestykke", *, anonymous: bool = True, **about: Any
    ) -> TestResponse:
        """Call the proxy; anonymously unless told otherwise."""
        path = f"/{app}/v1/data{'/anonymous' if anonymous else ''}"
        return self.client.open(f"{path}?{query}" if query else path, method=method, **about)

    def straight(
        self, method: str, app: str = SUM, query: str = "dataType=regnestykke", *, anonymous: bool = True, **about: Any
    ) -> requests.Response:
        """Make the same call to the app itself."""
        path = f"{BASE}/apps/{app}/v1/data{'/anonymous' if anonymous else ''}"
        return self.outside.request(method, f"{path}?{query}" if query else path, timeout=5, **about)

    def calls(self) -> list[str]:
        """What the apps were asked, as method and the end of the path."""
        return [f"{each.method} {each.path.partition('/v1/')[2]}" for each in self.world.calls.all("apps")]

    def close(self) -> None:
        """Let go of the database."""
        self.bridge.queue.close()
        self.bridge.store.engine.dispose()


MAPPING = """\
service_resource: urn:altinn:resource:sandkasse
altinn2: {service_code: "4711", service_edition: 1}
forms:
  - {type: MainForm, data_format_id: "9001", data_format_version: "1", schema: regnestykke.xsd}
actions:
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    complete: true
    sign: true
"""
