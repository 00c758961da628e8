"""The world as Altinn 2 sees it."""

from bridge.sandbox.altinn2.state import Altinn2State
from bridge.sandbox.core.world import CoreWorld


class Altinn2World(CoreWorld):
    """A world with elements, services and reportees in it, and the key that callers of Altinn 2 need."""

    altinn2: Altinn2State
    altinn2_api_key: str
