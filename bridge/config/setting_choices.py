"""The settings that are one of a few."""

from enum import Enum


class Environment(Enum):
    """Which systems stand behind the bridge."""

    SANDBOX = "sandbox"
    TT02 = "tt02"
    PRODUCTION = "production"


class WorkerMode(Enum):
    """Whether operations run in the web process or in processes of their own."""

    EMBEDDED = "embedded"
    SEPARATE = "separate"


class Altinn2Login(Enum):
    """How the bridge logs in to Altinn 2."""

    ORGANISATION = "organisation"
    """By Maskinporten's token alone."""
    ENTERPRISE_USER = "enterprise_user"
    """By Maskinporten's token, exchanged together with an enterprise user's name and password."""
    PASSWORD = "password"  # noqa: S105 - the name of a way, not a password
    """By name and password, for a cookie."""
    CERTIFICATE = "certificate"
    """By an enterprise user's name and password together with the organisation's certificate, for a cookie."""
