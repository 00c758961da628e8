"""
A press parses each form once in each of its stages; what one function parsed it hands on to the next.

The libraries' functions are wrapped, none of ours: ``sys.setprofile`` does not see lxml's, which are Cython's, and
tells of no C function what it was given.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import orjson
import pytest
from lxml import etree

from bridge.sandbox.apps.examples import example_app
from bridge.sandbox.apps.schemas import xsd
from bridge.steps.forms.form_passage import Converters
from tests.scenarios.calculating import LINE, SUM, held
from tests.scenarios.stage import RESOURCE, Stage

MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
altinn3: {{app: ttd/sandkasse-regnestykke, data_type: regnestykke}}
forms:
  - type: MainForm
    data_format_id: "9001"
    data_format_version: "1"
    schema: regnestykke.xsd
actions:
  held: {{requires: write, minimum_level: 3, target: altinn2, form: message, complete: false, sign: false}}
  body: {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: false, sign: false}}
  warned:
    {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: false, sign: false, validate: warn}}
  set:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    complete: false
    sign: false
    set: {{/Regnestykke/linje/tekst: Lue}}
  calculated:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    calculate: true
    results: {{sum: /Regnestykke/sum}}
    complete: false
    sign: false
  shown:
    requires: write
    minimum_level: 3
    target: altinn3
    form: body
    results: {{sum: /Regnestykke/sum}}
"""
STAGES = {
    "form_or_message": "accepted",
    "sent_content": "decoded",
    "wanted_forms": "built",
    "check_forms": "checked",
    "missing_values": "read back",
}
"""The stages of a press, by the functions that are their beginnings."""
READERS = ("bridge.forms.xml.input", "bridge.forms.xml.large", "bridge.forms.json.input")
"""The modules that have forms parsed."""
XML = {"data": SUM.encode(), "content_type": "application/xml"}
LARGE = {"data": SUM.replace(LINE, LINE * 2_500).encode(), "content_type": "application/xml"}
MESSAGE = {
    "data": json.dumps(
        {
            "Type": "FormTask",
            "_embedded": {
                "forms": [{"Type": "MainForm", "DataFormatId": "9001", "DataFormatVersion": "1", "FormData": SUM}]
            },
        }
    ),
    "content_type": "application/hal+json",
}


@dataclass
class Parses:
    """What the bridge has the libraries parse, by stage, reader and content."""

    seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def counting(self, library: str, parse: Callable[..., Any]) -> Callable[..., Any]:
        """*parse*, counted where it is a form that the bridge has it parse in one of the stages."""

        def counted(data: bytes | str, *args: Any, **named: Any) -> Any:
            asking = sys._getframe(1)
            if asking.f_globals["__name__"] in READERS:
                content = data.encode() if isinstance(data, str) else data
                stage = next((STAGES[name] for name in callers(asking) if name in STAGES), "elsewhere")
                self.seen[stage, library, hashlib.sha256(content).hexdigest()] += 1
            return parse(data, *args, **named)

        return counted

    def counts(self) -> Mapping[str, int]:
        """How often each library was asked in each stage."""
        found: Counter[str] = Counter()
        for (stage, library, _), times in self.seen.items():
            found[f"{stage}: {library}"] += times
        return dict(found)


def callers(frame: FrameType | None) -> Iterator[str]:
    """The names of the functions that are at work, the innermost first."""
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    mappings, schemas = tmp_path_factory.mktemp("mappings"), tmp_path_factory.mktemp("schemas")
    both = MAPPING.replace("schema: regnestykke.xsd", "schema: regnestykke.xsd\n    json_schema: regnestykke.json")
    (mappings / "a.yaml").write_text(both, "utf-8")
    (schemas / "regnestykke.xsd").write_text(xsd(example_app().data_types[0]), "utf-8")
    (schemas / "regnestykke.json").write_text(
        '{"type": "object", "properties": {"linje": {}}, "required": ["linje"]}', "utf-8"
    )
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(mappings), BRIDGE_SCHEMAS=str(schemas))
    yield made
    made.stop()


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Parses:
    made = Parses()
    for library, name in ((etree, "fromstring"), (orjson, "loads"), (json, "loads")):
        monkeypatch.setattr(library, name, made.counting(library.__name__, getattr(library, name)))
    return made


@pytest.mark.parametrize(
    ("action", "sent", "counts"),
    [
        pytest.param("held", {}, {"checked: lxml.etree": 1}, id="held"),
        pytest.param("body", XML, {"checked: lxml.etree": 1}, id="body"),
        pytest.param("body", LARGE, {"checked: lxml.etree": 1}, id="large"),
        pytest.param("warned", XML, {"built: lxml.etree": 1, "checked: lxml.etree": 1}, id="sent whatever is wrong"),
        pytest.param("set", XML, {"built: lxml.etree": 1, "checked: lxml.etree": 1}, id="with values of the mapping"),
        pytest.param(
            "body", MESSAGE, {"accepted: json": 1, "decoded: json": 1, "checked: lxml.etree": 1}, id="message"
        ),
        # What the app was sent and what it answered.
        pytest.param("calculated", XML, {"built: lxml.etree": 2, "checked: lxml.etree": 1}, id="calculated"),
        pytest.param("shown", XML, {"built: lxml.etree": 2, "checked: lxml.etree": 1}, id="only calculated"),
    ],
)
def test_a_press_parses_a_form_once_in_each_stage(
    stage: Stage, parses: Parses, action: str, sent: Any, counts: Mapping[str, int]
) -> None:
    """No stage parses the same bytes twice, and what came back as it was sent is not parsed at all."""
    case = held(stage)

    answer = stage.press(case, action, **sent)

    assert answer.status_code == 204, answer.get_data(as_text=True)
    assert parses.counts() == counts
    assert set(parses.seen.values()) == {1}


def test_json_is_parsed_once_for_its_schema_and_once_to_be_written_as_xml(stage: Stage, parses: Parses) -> None:
    """The first is quick and takes numbers for floats, the second keeps them as they are written."""
    case, converter = held(stage), stage.bridge.schemas.converter("regnestykke.xsd", None)
    form = converter.to_json(SUM)
    parses.seen.clear()

    answer = stage.press(case, "body", data=form, content_type="application/json")

    assert answer.status_code == 204, answer.get_data(as_text=True)
    assert parses.counts() == {
        "accepted: orjson": 1,
        "accepted: json": 1,
        "accepted: lxml.etree": 1,
        "checked: lxml.etree": 1,
        # What was sent and what is shown, which is written in another way.
        "read back: lxml.etree": 2,
    }
    assert set(parses.seen.values()) == {1}


def test_there_is_one_converter_of_a_schema(stage: Stage) -> None:
    """Whoever asks for it is given the registry's."""
    schemas = stage.bridge.schemas

    assert Converters(schemas).converter("regnestykke.xsd", None) is schemas.converter("regnestykke.xsd", None)
