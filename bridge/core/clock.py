"""Time as an argument."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the present moment in UTC, with its zone."""
