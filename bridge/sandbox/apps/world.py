"""The world as Altinn 3 apps see it."""

from bridge.sandbox.apps.state import AppsState
from bridge.sandbox.core.world import CoreWorld


class AppsWorld(CoreWorld):
    """A world with apps in it."""

    apps: AppsState
