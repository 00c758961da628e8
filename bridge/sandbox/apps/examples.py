"""The apps that ship with the sandbox: a sum with tax, in two versions of the library, and a list of hours."""

from decimal import Decimal
from typing import Any

from bridge.sandbox.apps.model import Member, Model
from bridge.sandbox.apps.state import PARTY, App, Calculate, DataType

_CENT = Decimal("0.01")


def example_apps() -> tuple[App, ...]:
    """All of them."""
    return (example_app(), old_app(), hours_app())


def example_app() -> App:
    """Lines with quantity and price, summed up with tax."""
    return App(
        org="ttd",
        name="sandkasse-regnestykke",
        title="Regnestykke",
        data_types=(_sum_type(_summed), DataType(id="pdf")),
    )


def old_app() -> App:
    """The same before 4.7.0: POST creates and PUT calculates. It rounds the tax down to whole kroner."""
    return App(
        org="ttd",
        name="sandkasse-regnestykke-2021",
        title="Regnestykke",
        data_types=(_sum_type(_summed_in_2021),),
        version="4.6.1",
    )


def hours_app() -> App:
    """
    Hours by employee, with what OR forms and Altinn Studio's forms have beside plain fields.

    A namespace, fixed attributes, values with an ``orid``, rows in rows, and a date that may be nil.
    """
    sender = Member(name="Innsender", kind="group", members=(Member(name="navn"), Member(name="organisasjonsnummer")))
    form = DataType(
        id="timeliste",
        root="Timeliste",
        class_name="Sandbox.Models.Timeliste",
        namespace="urn:sandkasse:timeliste",
        members=(
            Member(name="skjemanummer", kind="number", attribute=True, fixed="7100"),
            sender,
            _employee(),
            Member(name="sumTimer", kind="number"),
            Member(name="antallAnsatte", kind="number"),
        ),
        calculate=_added_up,
        prefill={"innsender.navn": "Sandkasse AS", "innsender.organisasjonsnummer": PARTY},
        query_parameters={"navn": "Innsender.navn"},
        refuse_prefill=lambda values: ("nei", "Ikke nei") if "nei" in values.values() else None,
    )
    return App(org="ttd", name="sandkasse-timeliste", title="Timeliste", data_types=(form,))


def _employee() -> Member:
    """A row with rows of its own, the days."""
    hours = Member(
        name="Timer-datadef-7103",
        kind="group",
        members=(
            Member(name="orid", kind="number", attribute=True, fixed="7103"),
            Member(name="value", kind="number", content=True),
        ),
    )
    day = Member(
        name="Dag-grp-7102",
        kind="group",
        many=True,
        members=(Member(name="dato", nillable=True), hours, Member(name="overtid", kind="boolean")),
    )
    return Member(
        name="Ansatt-grp-7101",
        kind="group",
        many=True,
        members=(Member(name="ansattnummer"), Member(name="stilling"), day, Member(name="sumTimer", kind="number")),
    )


def _sum_type(calculate: Calculate) -> DataType:
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
    return DataType(
        id="regnestykke",
        root="Regnestykke",
        class_name="Sandbox.Models.Regnestykke",
        members=members,
        calculate=calculate,
    )


def _summed(model: Model, language: str | None) -> Model:
    """Calculate again and again: the same form gives the same sums. A remark of ``kast`` makes it break."""
    if str(model["merknad"] or "").startswith("kast"):
        raise RuntimeError("the form says so")
    total = Decimal(0)
    for line in model["linje"] or []:
        if line is not None and line["antall"] is not None and line["pris"] is not None:
            line["belop"] = line["antall"] * line["pris"]
            total += line["belop"]
    model["sats"] = 25 if model["sats"] is None else model["sats"]
    model["sum"] = total
    model["avgift"] = (total * model["sats"] / 100).quantize(_CENT)
    model["merknad"] = {"en": "Calculated"}.get(language or "", "Beregnet")
    return model


def _summed_in_2021(model: Model, language: str | None) -> Model:
    del language  # Known since 8.0.
    model = _summed(model, None)
    model["avgift"] = Decimal(int(model["avgift"]))
    return model


def _added_up(model: Model, language: str | None) -> Model:
    del language
    employees: list[Any] = [each for each in model["Ansatt-grp-7101"] or [] if each is not None]
    for employee in employees:
        hours = [(day or {}).get("Timer-datadef-7103") for day in employee["Dag-grp-7102"] or []]
        values = [each["value"] for each in hours if each is not None and each["value"] is not None]
        employee["sumTimer"] = sum(values, Decimal(0))
    model["sumTimer"] = sum((each["sumTimer"] for each in employees), Decimal(0))
    model["antallAnsatte"] = len(employees)
    return model
