"""The apps of the sandbox: stateless data types, each with its model and its calculation."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from bridge.sandbox.app_model import Member, Model

Calculate = Callable[[Model, str | None], Model]
"""Takes a model that it may change and the caller's language; gives the calculated model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataType:
    """A data type; without *members* it has no form (as a PDF has none), and cannot be calculated."""

    id: str
    root: str = ""
    class_name: str = ""
    members: tuple[Member, ...] = ()
    calculate: Calculate = lambda model, language: model  # noqa: ARG005 - the identity


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One app of one service owner."""

    org: str
    name: str
    title: str
    data_types: tuple[DataType, ...]
    version: str = "8.12.7.0"

    def data_type(self, data_type_id: str) -> DataType | None:
        """Find a data type by its exact id."""
        return next((each for each in self.data_types if each.id == data_type_id), None)


class AppsState:
    """The apps by org and name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apps: dict[tuple[str, str], App] = {}

    def register(self, app: App) -> None:
        """Add or replace an app."""
        with self._lock:
            self._apps[app.org, app.name] = app

    def find(self, org: str, name: str) -> App | None:
        """Find an app."""
        return self._apps.get((org, name))


def example_app() -> App:
    """Give the app that ships with the sandbox: lines with quantity and price, summed up with tax."""
    line = Member(
        name="linje",
        kind="group",
        many=True,
        members=(
            Member(name="tekst"),
            Member(name="antall", kind="number"),
            Member(name="pris", kind="number"),
            Member(name="belop", kind="number"),
        ),
    )
    members = (
        Member(name="dataFormatProvider", attribute=True, fixed="SANDBOX"),
        Member(name="dataFormatId", attribute=True, fixed="9001"),
        Member(name="dataFormatVersion", attribute=True, fixed="1"),
        line,
        Member(name="sats", kind="number"),
        Member(name="sum", kind="number"),
        Member(name="avgift", kind="number"),
        Member(name="merknad"),
    )
    form = DataType(
        id="regnestykke",
        root="Regnestykke",
        class_name="Sandbox.Models.Regnestykke",
        members=members,
        calculate=_summed,
    )
    return App(org="ttd", name="sandkasse-regnestykke", title="Regnestykke", data_types=(form, DataType(id="pdf")))


def _summed(model: Model, language: str | None) -> Model:
    """Calculate again and again: the same form gives the same sums."""
    total = Decimal(0)
    for line in model["linje"] or []:
        if line is not None and line["antall"] is not None and line["pris"] is not None:
            line["belop"] = line["antall"] * line["pris"]
            total += line["belop"]
    model["sats"] = 25 if model["sats"] is None else model["sats"]
    model["sum"] = total
    model["avgift"] = (total * model["sats"] / 100).quantize(Decimal("0.01"))
    model["merknad"] = {"en": "Calculated"}.get(language or "", "Beregnet")
    return model
