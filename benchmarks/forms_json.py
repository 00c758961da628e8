"""
JSON forms and converting, against bare libraries in the same run: ``python -m benchmarks.forms_json``.

Baselines: for checking ``json.loads`` and ``is_valid`` of ``jsonschema_rs``; for converting ``to_dict`` and
``to_etree`` of ``xmlschema``, each with its text. Figures are milliseconds for one form, the median of the rounds.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import xmlschema

from bridge.forms.conversion.converter import Converter
from bridge.forms.diff import differences
from bridge.forms.json.registry import JsonSchemaRegistry

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="melding">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="ansatt" type="Ansatt" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attribute name="dataFormatId" type="xs:string" use="required" fixed="5801"/>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="Ansatt">
    <xs:sequence>
      <xs:element name="navn" type="xs:string"/>
      <xs:element name="kode"><xs:simpleType><xs:restriction base="xs:string">
        <xs:pattern value="[A-Z]{2}[0-9]{6}"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="ansattFra" type="xs:date"/>
      <xs:element name="stilling"><xs:simpleType><xs:restriction base="xs:string">
        <xs:enumeration value="fast"/><xs:enumeration value="vikar"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="heltid" type="xs:boolean"/>
      <xs:element name="merknad" type="xs:string" nillable="true" minOccurs="0"/>
      <xs:element name="beloep" minOccurs="0" maxOccurs="unbounded">
        <xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
          <xs:attribute name="orid" type="xs:positiveInteger" use="required"/>
        </xs:extension></xs:simpleContent></xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
</xs:schema>
"""
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "dataFormatId": {"const": "5801"},
        "ansatt": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Ansatt"}},
    },
    "required": ["dataFormatId", "ansatt"],
    "$defs": {
        "Ansatt": {
            "type": "object",
            "properties": {
                "navn": _TEXT,
                "kode": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{6}$"},
                "ansattFra": {"type": "string", "format": "date"},
                "stilling": {"enum": ["fast", "vikar"]},
                "heltid": {"type": "boolean"},
                "merknad": _TEXT,
                "beloep": {"type": "array", "items": {"$ref": "#/$defs/Beloep"}},
            },
            "required": ["navn", "kode", "ansattFra", "stilling", "heltid"],
            "additionalProperties": False,
        },
        "Beloep": {
            "type": "object",
            "properties": {"value": {"type": "number"}, "orid": {"type": "integer", "minimum": 1}},
            "required": ["value", "orid"],
            "additionalProperties": False,
        },
    },
}


def form(people: int, *, nulls: bool) -> bytes:
    """Write a form of about 500 bytes for each of *people*, as Altinn 3 writes JSON."""
    ansatt = [
        {
            "navn": f"Øystein Prøve {number}",
            "kode": f"AB{number:06}",
            "ansattFra": f"20{number % 25:02}-03-{number % 28 + 1:02}",
            "stilling": "fast" if number % 2 else "vikar",
            "heltid": number % 3 == 0,
            **({"merknad": None} if nulls else {}),
            "beloep": [{"value": number * 10 + row + 0.5, "orid": 33316 + row} for row in range(7)],
        }
        for number in range(people)
    ]
    return json.dumps({"dataFormatId": "5801", "ansatt": ansatt}, ensure_ascii=False).encode()


def milliseconds(*calls: Callable[[], object], rounds: int) -> list[float]:
    """Time the *calls* in turn, round by round, so that what disturbs one disturbs all; give each one's median."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for spent, call in zip(times, calls, strict=True):
            start = time.perf_counter()
            call()
            spent.append((time.perf_counter() - start) * 1000)
    return [statistics.median(spent) for spent in times]


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Measure forms of 2 KB, 50 KB and 5 MB."""
    (folder / "melding.xsd").write_text(XSD, encoding="utf-8")
    (folder / "melding.json").write_text(json.dumps(JSON_SCHEMA), encoding="utf-8")
    registry = JsonSchemaRegistry(folder)
    registry.load(["melding.json"])
    bare = jsonschema_rs.validator_for(JSON_SCHEMA, validate_formats=True)
    converter = Converter.from_schema(folder / "melding.xsd")
    slow = xmlschema.XMLSchema10(str(folder / "melding.xsd"))
    result: dict[str, Any] = {}
    for name, people, share in (("2 KB", 5, 1.0), ("50 KB", 125, 1.0), ("5 MB", 12_500, 0.02)):
        data, with_nulls = form(people, nulls=False), form(people, nulls=True)
        some = max(3, int(rounds * share))
        if registry.check("melding.json", data) or not bare.is_valid(json.loads(data)):
            raise SystemExit("the benchmark's own form is not valid")

        def baseline(data: bytes = data) -> bool:
            return bare.is_valid(json.loads(data))

        def ours(data: bytes = data) -> object:
            return registry.check("melding.json", data)

        def ours_with_nulls(data: bytes = with_nulls) -> object:
            return registry.check("melding.json", data)

        check = milliseconds(baseline, ours, ours_with_nulls, rounds=some)
        xml = converter.to_xml(data)
        own_json = converter.to_json(xml)

        def to_json(xml: bytes = xml) -> str:
            return converter.to_json(xml)

        def to_xml(own: str = own_json) -> bytes:
            return converter.to_xml(own)

        def compare(xml: bytes = xml) -> object:
            return differences(xml, xml, converter=converter)

        def slow_to_json(xml: bytes = xml) -> str:
            return json.dumps(slow.to_dict(xml.decode(), validation="skip"), default=str)

        def slow_to_xml(value: Any = slow.to_dict(xml.decode())) -> object:  # noqa: B008 - bound once, on purpose
            return xmlschema.etree_tostring(slow.to_etree(value, validation="skip"))

        convert = milliseconds(to_json, to_xml, slow_to_json, slow_to_xml, compare, rounds=max(3, some // 4))
        result[name] = {
            "bytes_json": len(data),
            "bytes_xml": len(xml),
            "baseline_check": check[0],
            "check": check[1],
            "check_with_nulls": check[2],
            "check_ratio": check[0] / check[1],
            "xml_to_json": convert[0],
            "json_to_xml": convert[1],
            "xmlschema_to_json": convert[2],
            "xmlschema_to_xml": convert[3],
            "round_trip_ratio": (convert[2] + convert[3]) / (convert[0] + convert[1]),
            "losses": convert[4],
        }
    return result


@click.command()
@click.option("--rounds", default=200, show_default=True, help="How often the small forms are measured.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for machines.")
def main(rounds: int, as_json: bool) -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), rounds)
    if as_json:
        print(json.dumps(result, indent=2))
        return
    print("| form | check | bare | ratio | with nulls | XML→JSON | JSON→XML | xmlschema both | ratio | losses |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, one in result.items():
        print(
            f"| {name} | {one['check']:.2f} ms | {one['baseline_check']:.2f} ms | {one['check_ratio']:.2f}"
            f" | {one['check_with_nulls']:.2f} ms | {one['xml_to_json']:.2f} ms | {one['json_to_xml']:.2f} ms"
            f" | {one['xmlschema_to_json'] + one['xmlschema_to_xml']:.1f} ms | {one['round_trip_ratio']:.1f}"
            f" | {one['losses']:.2f} ms |"
        )


if __name__ == "__main__":
    main()
