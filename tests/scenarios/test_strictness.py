"""
The strictness property: whatever is sent in place of what was meant either does all that it says, or is refused.

A press may sign and archive, so an answer of 2xx with anything passed over signs what nobody meant. Each entrance is
asked with every generated near-miss, and what was taken is held against what the systems behind then show.
"""

import base64
import hashlib
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from lxml import etree
from werkzeug.test import Client, TestResponse

from bridge.bundled import schemas_folder
from bridge.config.mappings import read_mappings
from bridge.core.mapping import ActionMapping, FormKind, FormSource, Narrowed, ServiceMapping, Supply, Verb
from bridge.core.targets import Target
from bridge.sandbox.apps.examples import example_app, hours_app
from bridge.sandbox.apps.schemas import xsd
from bridge.steps.drivers.registry import DRIVERS
from bridge.web.app import create_app
from tests.forms.test_json_in_mappings import FORM, JSON_SCHEMA
from tests.near_misses import Miss, every_mapping, in_file, in_json, in_query, in_xml
from tests.scenarios.calculating import SUM
from tests.scenarios.stage import VALID, Case, Stage
from tests.web.proxying import LINES, Proxying
from tests.web.proxying import SUM as SUM_APP

HAL, JSON, XML, OCTETS = "application/hal+json", "application/json", "application/xml", "application/octet-stream"
MARK = "Merket AS"
PLAN = b"%PDF-1.7 new"
ELSEWHERE = frozenset({"test_any_namespace.py MAPPING", "test_json_not_taken.py MAPPING", "test_made_here.py MAPPING"})
"""Mappings of schemas and forms that only their test can make."""
TEXTS = {name: text for name, text in every_mapping().items() if name not in ELSEWHERE}
UNDOABLE = frozenset({"test_docs.py _TWO", "test_operators_faults.py MAPPING"})
"""What these mean cannot be done here: an app that is nowhere, and a value without a place. Their near-misses count."""
SIGNING = [name for name, text in TEXTS.items() if re.search(r"\bsign: true", text)]
"""Mappings with an action that says so, also beside ``complete: false``."""
FORMS = {
    "5801": (VALID, re.sub("<navn>[^<]*</navn>", f"<navn>{MARK}</navn>", VALID, count=1)),
    "9001": (SUM, SUM.replace("Strikket genser", MARK)),
}
"""By DataFormatId: the form that is held, and the one that is sent."""
Json = Any


# A bridge, an action, and a way in


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One action of a bridge, and the client that presses it."""

    stage: Stage
    mapping: ServiceMapping
    action: ActionMapping
    client: Client

    def case(self) -> Case:
        """An element that the action fits, with a dialog."""
        spec = next(each for each in self.mapping.forms if each.kind is FormKind.MAIN)
        service = self.mapping.altinn2
        assert service is not None
        signing = self.action.form is FormSource.NONE
        # One service has one process, for all actions of its mapping.
        steps = any(each.form is FormSource.NONE for each in self.mapping.actions.values())
        about = {
            "who": self.stage.world.new_organisation().number,
            "service": {
                "code": service.service_code,
                "edition": service.service_edition,
                "signing_steps": int(steps),
            },
            "forms": [
                {
                    "data_format_id": spec.data_format_id,
                    "data_format_version": spec.data_format_version,
                    "xml": FORMS[spec.data_format_id][0],
                }
            ],
            "attachments": [{"file_name": "plan.pdf", "attachment_type": "Plan", "data": "JVBERi0xLjc="}],
            **({"state": "signing"} if signing else {}),
        }
        seeded = self.stage.control("POST", "/altinn2/elements", about)
        resource = self.mapping.service_resource
        return self.stage.dialog_for(seeded["message_id"], str(about["who"]), serviceResource=resource)

    def token(self, case: Case) -> str:
        """What opens the action, and nothing else."""
        requires = self.action.requires
        if isinstance(requires, Narrowed):
            from bridge.core.dialog_presentation import own_ids

            held = requires.token_ref or str(own_ids(case.dialog_id, self.action.name)[0])
            return self.stage.token(case, level=4, entities=[held])
        return self.stage.token(case, level=4, claims={"a": str(requires)})

    def send(
        self,
        case: Case,
        text: str | bytes | io.BytesIO,
        media_type: str,
        *,
        path: str = "",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        **about: Any,
    ) -> TestResponse:
        """Press it, or what lies below it."""
        return self.client.open(
            f"/actions/{case.dialog_id}/{self.action.name}{path}" + (f"?{query}" if query else ""),
            # What lies deeper is there already.
            method="PUT" if path.count("/") > 1 else "POST",
            data=text,
            content_type=media_type,
            headers={"Authorization": f"Bearer {self.token(case)}", **(headers or {})},
            **about,
        )

    def message(self, case: Case, *, embedded: bool) -> Json:
        """What is meant: a new form, and a new file where the action takes one."""
        (held,) = self.stage.element(case)["forms"]
        main = {
            "Type": "MainForm",
            "DataFormatId": held["data_format_id"],
            "DataFormatVersion": held["data_format_version"],
            "FormData": FORMS[held["data_format_id"]][1],
            "FormId": held["id"],
            "Remove": False,
        }
        content: dict[str, Json] = {"forms": [main]}
        if self.action.attachment_policy is not None and Supply.BODY in self.action.attachment_policy.supplies:
            coded = base64.b64encode(PLAN).decode()
            content["attachments"] = [
                {"FileName": "ny.pdf", "AttachmentType": self.action.attachment_policy.types[0], "Data": coded}
            ]
        service = self.mapping.altinn2
        assert service is not None
        head = {
            "Type": "FormTask",
            "ServiceCode": service.service_code,
            "ServiceEdition": service.service_edition,
            "MessageId": case.message_id,
        }
        return {**head, "_embedded": content} if embedded else {**head, **content}


OWN_FORMAT = 'data_format_id: "5801", data_format_version: "42001"'
"""What the shipped schema fixes."""


def bridge_with_all(folder: Path) -> Stage:
    """One bridge with every mapping, each as a service of its own, in the order of TEXTS."""
    for name in ("mappings", "bridge"):
        (folder / name).mkdir()
    schemas = shutil.copytree(schemas_folder(), folder / "schemas")
    for app in (example_app(), hours_app()):
        (schemas / f"{app.data_types[0].id}.xsd").write_text(xsd(app.data_types[0]), "utf-8")
    (schemas / "skjema.json").write_text(json.dumps(JSON_SCHEMA), "utf-8")
    for number, text in enumerate(TEXTS.values()):
        # What a test's own function fills in.
        if "{keys}" in text:
            text = text.format(keys="schema: serveringsbevilling.xsd, json_schema: skjema.json")
        if "{0}" in text:
            text = text.format("")
        text = text.replace("ALTINN3forms", "forms").replace(" KEYS}", "}")
        text = text.replace("APP", "ttd/sandkasse-regnestykke")
        text = re.sub(r"service_resource: \S+", f"service_resource: {resource(number)}", text, count=1)
        # Two processes of one service would be learnt as one.
        text = re.sub(r"service_code: [^\s,}]+", f'service_code: "{8000 + number}"', text)
        # A schema that its test makes: what is held here is the form of the shipped one.
        for name in re.findall(r"\bschema: ([\w.-]+\.xsd)", text):
            if not (schemas / name).exists():
                text = text.replace(f"schema: {name}", "schema: serveringsbevilling.xsd")
                text = re.sub(r'data_format_id: "\d+", data_format_version: "\d+"', OWN_FORMAT, text)
        path = folder / "mappings" / f"{number}.yaml"
        path.write_text(text, "utf-8")
        if read_mappings(path, schemas, targets=DRIVERS)[1]:
            path.unlink()  # A test of its own says so.
    made = Stage(
        folder / "bridge",
        BRIDGE_MAPPINGS=str(folder / "mappings"),
        BRIDGE_SCHEMAS=str(schemas),
        BRIDGE_PUBLIC_URL="https://bridge.example.no",
    )
    for number in range(len(TEXTS)):
        made.control("POST", "/dialogporten/resources", {"service_resource": resource(number)})
    return made


def resource(number: int) -> str:
    return f"urn:altinn:resource:proeve-{number}"


# What was passed over


class Doubled(ValueError):
    """A member stands twice: whichever is taken, the other is passed over."""


def once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Doubled
    return dict(pairs)


def leaves(value: Json, steps: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Give every value with its place; lists have no numbers, and what is empty is a value."""
    if isinstance(value, dict) and value:
        for name, held in value.items():
            yield from leaves(held, (*steps, name))
    elif isinstance(value, list) and value:
        for held in value:
            yield from leaves(held, steps)
    else:
        yield steps, value


def passed_over(text: str, shown: Mapping[str, Any], meant: Json) -> list[str]:
    """Name what *text* says and the element that was made of it does not show."""
    try:
        said = json.loads(text, object_pairs_hook=once)
    except ValueError as error:
        return [type(error).__name__]
    (form,) = shown["forms"]
    files = [each for each in shown["attachments"] if each["file_name"] != "plan.pdf"]
    known = dict(leaves(meant))
    lost = [
        "/".join(steps)
        for steps, value in leaves(said)
        if steps not in known or not (_same(value, known[steps]) or _shows(steps[-1], value, form, files))
    ]
    if MARK in text and MARK not in form["xml"]:
        lost.append("the form")
    sent = [base64.b64decode(value) for steps, value in leaves(said) if steps[-1:] == ("Data",)]
    if [hashlib.sha256(each).hexdigest() for each in sent] != [each["sha256"] for each in files]:
        lost.append("the files")
    return lost


def _same(value: Json, known: Json) -> bool:
    # Altinn 2 takes numbers as numbers and as text.
    return isinstance(value, bool) is isinstance(known, bool) and str(value) == str(known)


def _shows(name: str, value: Json, form: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether another value than the meant one was done as it was said."""
    match name:
        case "FormData":
            return bool(form["xml"] == value)
        case "FileName":
            return any(each["file_name"] == value for each in files)
        case "AttachmentType":
            return any(str(each["attachment_type"]).casefold() == str(value).casefold() for each in files)
        case "Data":
            return True  # Its digest is compared.
        case _:
            return False


Sends = Callable[[Way, Case, Miss], TestResponse]
Loses = Callable[[Case, Miss], list[str]]
Entrance = Callable[..., tuple[list[str], int]]


Misses = Sequence[Miss] | Callable[[Case], Sequence[Miss]]


def misled(way: Way, misses: Misses, send: Sends, lost: Loses) -> tuple[list[str], int]:
    """Try each near-miss: what was taken with something passed over, or was refused with an effect; and how many."""
    found: list[str] = []
    case = way.case()
    before, todo = way.stage.element(case), misses(case) if callable(misses) else misses
    for number in range(len(todo)):
        miss = todo[number]
        answer = send(way, case, miss)
        if answer.status_code == 500:
            found.append(f"{miss.what}: {answer.status_code}")
        if answer.status_code < 300:
            found += [f"{miss.what}: {answer.status_code} without {each}" for each in lost(case, miss)]
        elif (now := way.stage.element(case)) != before:
            found.append(f"{miss.what}: {answer.status_code}, and the element is {now['state']}")
        else:
            continue
        case = way.case()
        before, todo = way.stage.element(case), misses(case) if callable(misses) else misses
    return found, len(todo)


def shown(way: Way, case: Case) -> Mapping[str, Any]:
    """The element, or its archived copy."""
    element = way.stage.element(case)
    if element["archived_id"]:
        element = way.stage.control("GET", f"/altinn2/elements/{element['archived_id']}")
    assert isinstance(element, dict)
    return element


@pytest.fixture(autouse=True)
def every_fault_is_played() -> None:
    """None is planned here."""


# The entrances


def messages(way: Way, *, embedded: bool, every: int = 1) -> tuple[list[str], int]:
    """A message as Altinn 2 takes it."""
    meant: dict[str, Json] = {}

    def misses(case: Case) -> list[Miss]:
        meant[case.message_id] = way.message(case, embedded=embedded)
        return list(in_json(meant[case.message_id]))[::every]

    return misled(
        way,
        misses,
        lambda way, case, miss: way.send(case, miss.text.encode(), HAL),
        lambda case, miss: passed_over(miss.text, shown(way, case), meant[case.message_id]),
    )


def xml_forms(way: Way, *, every: int = 1) -> tuple[list[str], int]:
    """A form in XML: what Altinn 2 holds then is what was sent, element by element."""
    (held,) = way.stage.element(way.case())["forms"]
    misses = list(in_xml(FORMS[held["data_format_id"]][1]))[::every]

    def lost(case: Case, miss: Miss) -> list[str]:
        return [] if _plain(shown(way, case)["forms"][0]["xml"]) == _plain(miss.text) else ["some of the form"]

    return misled(way, misses, lambda way, case, miss: way.send(case, miss.text.encode(), XML), lost)


def _plain(xml: str) -> bytes:
    root = etree.fromstring(xml.encode(), etree.XMLParser(remove_blank_text=True))
    return etree.tostring(root, method="c14n")


def json_forms(way: Way, *, every: int = 1) -> tuple[list[str], int]:
    """A form in JSON: every value that was sent stands in what Altinn 2 holds, under its name."""
    misses = list(in_json(FORM))[::every]

    def lost(case: Case, miss: Miss) -> list[str]:
        try:
            said = json.loads(miss.text, object_pairs_hook=once, parse_float=str, parse_int=str)
        except ValueError as error:
            return [type(error).__name__]
        root = etree.fromstring(shown(way, case)["forms"][0]["xml"].encode())
        there = Counter((_path(each, root), each.text or "") for each in root.iter() if not len(each))
        there.update((_path(each, root, str(name)), str(value)) for each in root.iter() for name, value in each.items())
        # What is null, or an empty list, is not there: that is what it says.
        sent = [("/".join(steps), _text(value)) for steps, value in leaves(said) if value not in (None, [])]
        return [place for place, value in sent if not there[place, value]]

    return misled(way, misses, lambda way, case, miss: way.send(case, miss.text.encode(), JSON), lost)


def _path(node: etree._Element, root: etree._Element, *more: str) -> str:
    steps = [str(each.tag).rpartition("}")[2] for each in (node, *node.iterancestors()) if each is not root]
    return "/".join((*reversed(steps), *more))


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value == {} else str(value)


def bodies_nobody_wants(way: Way) -> tuple[list[str], int]:
    """Whatever is sent to an action that sends what Altinn 2 holds, it would be passed over."""
    kinds = [HAL, JSON, XML, OCTETS, "text/plain", ""]
    texts = ["{}", "[]", " ", "null", "x", VALID, '{"forms": []}', '{"SignatureSpec": {"FormIds": [1]}}']
    misses = [Miss(what=f"{text[:20]!r} as {kind}", text=f"{kind}\n{text}") for kind in kinds for text in texts]

    def send(way: Way, case: Case, miss: Miss) -> TestResponse:
        kind, _, text = miss.text.partition("\n")
        return way.send(case, text, kind)

    return misled(way, misses, send, lambda _case, _miss: ["all of it"])


def parameters_nobody_wants(way: Way) -> tuple[list[str], int]:
    """No action takes any."""
    misses = list(in_query({"complete": "false", "sign": "false"}))
    return misled(
        way,
        misses,
        lambda way, case, miss: way.send(case, "", "", query=miss.text),
        lambda _case, miss: [miss.text],
    )


def files_of_nothing(way: Way) -> tuple[list[str], int]:
    """No file, in the place of one that is there by its name or its id, and beside it."""
    kind = _upload_type(way)
    queries = {
        "of the name": ("", {"fileName": "plan.pdf", "attachmentType": kind}),
        "of another name": ("", {"fileName": "ny.pdf", "attachmentType": kind}),
        "in its place": ("/", {}),
    }
    misses = [replace(miss, what=f"{miss.what}, {name}") for name in queries for miss in in_file()]

    def send(way: Way, case: Case, miss: Miss) -> TestResponse:
        end, query = queries[miss.what.rpartition(", ")[2]]
        path = f"/attachments/{way.stage.element(case)['attachments'][0]['id']}" if end else "/attachments"
        ending: dict[str, Any] = {}
        if "chunks" in miss.what:
            ending = {
                "environ_overrides": {"wsgi.input_terminated": True},
                "headers": {"Transfer-Encoding": "chunked"},
            }
        elif "length 0" in miss.what:
            ending = {"headers": {"Content-Length": "0"}}
        return way.send(case, io.BytesIO(b""), OCTETS, path=path, query=urlencode(query), **ending)

    return misled(way, misses, send, lambda _case, _miss: ["the file"])


def uploads(way: Way, *, every: int = 1) -> tuple[list[str], int]:
    """A file as it is: name, type and language stand in the query."""
    kind = _upload_type(way)
    misses = list(in_query({"fileName": "ny.pdf", "attachmentType": kind, "language": "1044"}))[::every]

    def lost(case: Case, miss: Miss) -> list[str]:
        said = parse_qsl(miss.text, keep_blank_values=True)
        names = [name for name, _ in said]
        if sorted(names) != sorted(set(names)) or not {*names} <= {"fileName", "attachmentType", "language"}:
            return [miss.text]
        return _file_lost(shown(way, case), dict(said).get("fileName"), dict(said).get("attachmentType"), PLAN)

    return misled(
        way,
        misses,
        lambda way, case, miss: way.send(case, PLAN, OCTETS, path="/attachments", query=miss.text),
        lost,
    )


def coded_uploads(way: Way, *, every: int = 1) -> tuple[list[str], int]:
    """A file in base64."""
    meant = {"FileName": "ny.pdf", "AttachmentType": _upload_type(way), "Data": base64.b64encode(PLAN).decode()}
    misses = list(in_json(meant))[::every]

    def lost(case: Case, miss: Miss) -> list[str]:
        try:
            said = json.loads(miss.text, object_pairs_hook=once)
        except ValueError as error:
            return [type(error).__name__]
        if not isinstance(said, dict) or set(said) != set(meant):
            return ["a member"]
        data = base64.b64decode(said["Data"])
        return _file_lost(shown(way, case), said["FileName"], said["AttachmentType"], data)

    return misled(
        way,
        misses,
        lambda way, case, miss: way.send(case, miss.text.encode(), HAL, path="/attachments"),
        lost,
    )


def replacements(way: Way, *, every: int = 1) -> tuple[list[str], int]:
    """A file in the place of the one that is there, as it is and in base64; what is not said of it stays."""
    query = {"fileName": "ny.pdf", "attachmentType": _upload_type(way), "language": "1044"}
    meant = {"FileName": "ny.pdf", "AttachmentType": _upload_type(way), "Data": base64.b64encode(PLAN).decode()}
    misses = [replace(miss, what=f"? {miss.what}") for miss in in_query(query)]
    misses = [*misses, *in_json(meant)][::every]

    def send(way: Way, case: Case, miss: Miss) -> TestResponse:
        path = f"/attachments/{way.stage.element(case)['attachments'][0]['id']}"
        if miss.what.startswith("?"):
            return way.send(case, PLAN, OCTETS, path=path, query=miss.text)
        return way.send(case, miss.text.encode(), HAL, path=path)

    def lost(case: Case, miss: Miss) -> list[str]:
        try:
            said = (
                dict(query_once(miss.text))
                if miss.what.startswith("?")
                else json.loads(miss.text, object_pairs_hook=once)
            )
        except ValueError as error:
            return [type(error).__name__]
        names = {"fileName": "FileName", "attachmentType": "AttachmentType", "language": "language", "Data": "Data"}
        told = {names.get(name, name): value for name, value in said.items()}
        if not set(told) <= set(names.values()):
            return ["a member"]
        (there,) = shown(way, case)["attachments"]
        data = base64.b64decode(told["Data"]) if "Data" in told else PLAN
        wanted = (told.get("FileName", "plan.pdf"), str(told.get("AttachmentType", "Plan")).casefold())
        held = (there["file_name"], there["attachment_type"].casefold())
        return [] if (held, there["sha256"]) == (wanted, hashlib.sha256(data).hexdigest()) else [str(held)]

    return misled(way, misses, send, lost)


def query_once(text: str) -> dict[str, str]:
    return once([*parse_qsl(text, keep_blank_values=True)])


def _upload_type(way: Way) -> str:
    assert way.action.attachment_policy is not None
    return way.action.attachment_policy.types[0]


def _file_lost(shown: Mapping[str, Any], name: Json, kind: Json, data: bytes) -> list[str]:
    new = [each for each in shown["attachments"] if each["file_name"] != "plan.pdf"]
    there = [(each["file_name"], each["attachment_type"].casefold(), each["sha256"]) for each in new]
    wanted = [(name, str(kind).casefold(), hashlib.sha256(data).hexdigest())]
    return [] if there == wanted else [f"{wanted} in {there}"]


# The bridge as it is


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, list[Way]]]:
    """The actions of each mapping, by the mapping's name."""
    stage = bridge_with_all(tmp_path_factory.mktemp("strict"))
    client = Client(create_app(stage.bridge), use_cookies=False)
    mappings = {name: stage.bridge.mappings.get(resource(number)) for number, name in enumerate(TEXTS)}
    yield {
        name: [Way(stage=stage, mapping=each, action=action, client=client) for action in each.actions.values()]
        for name, each in mappings.items()
        if each is not None
    }
    stage.stop()


def signs(way: Way) -> bool:
    """Whether it says ``sign: true``."""
    action = way.action
    return action.after.value[1] and action.target is Target.ALTINN2 and action.verb is Verb.PUT


MAIN = "test_strict_messages.py MAPPING"


def body_way(found: Iterable[Way]) -> Way:
    return next(each for each in found if each.action.form is FormSource.BODY and signs(each))


All = Mapping[str, list[Way]]


def test_every_mapping_takes_part(ways: All) -> None:
    """One that cannot be loaded as it stands is to be filled in by ``bridge_with_all``."""
    assert set(ways) == set(TEXTS)
    assert every_mapping().keys() >= ELSEWHERE
    assert set(SIGNING) >= UNDOABLE


@pytest.mark.parametrize("embedded", [False, True])
def test_a_near_miss_of_a_message_signs_nothing_else(ways: All, embedded: bool) -> None:
    """Every seventh of them here; all of them, over all mappings, below."""
    found, tried = messages(body_way(ways[MAIN]), embedded=embedded, every=7)

    assert found == []
    assert tried > 50


@pytest.mark.parametrize(
    ("name", "entrance", "every"),
    [
        ("test_strict_messages.py MAPPING", xml_forms, 9),
        ("test_json_bodies.py MAPPING", json_forms, 25),
        ("test_cut_bodies.py MAPPING", uploads, 2),
        ("test_cut_bodies.py MAPPING", coded_uploads, 3),
        ("test_cut_bodies.py MAPPING", replacements, 7),
    ],
)
def test_a_near_miss_at_any_other_entrance_is_all_done_or_refused(
    ways: All, name: str, entrance: Entrance, every: int
) -> None:
    """Forms in XML and JSON, files as they are and in base64: some of each."""
    wrong, tried = entrance(body_way(ways[name]), every=every)

    assert wrong == []
    assert tried > 20


def test_a_file_of_nothing_takes_no_place(ways: All) -> None:
    """However its end is told, by whichever way in: the file that is there stays."""
    assert files_of_nothing(body_way(ways["test_cut_bodies.py MAPPING"])) == ([], 9)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "entrance"),
    [
        ("test_json_bodies.py MAPPING", json_forms),
        ("test_cut_bodies.py MAPPING", uploads),
        ("test_cut_bodies.py MAPPING", coded_uploads),
        ("test_cut_bodies.py MAPPING", replacements),
    ],
)
def test_every_near_miss_is_all_done_or_refused(ways: All, name: str, entrance: Entrance) -> None:
    """All of them."""
    wrong, tried = entrance(body_way(ways[name]))

    assert wrong == []
    assert tried > 50


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in SIGNING if name not in UNDOABLE])
def test_what_is_meant_is_done(ways: All, name: str) -> None:
    """Else a property about near-misses would say nothing."""
    for way in filter(signs, ways[name]):
        case = way.case()
        meant = way.message(case, embedded=True) if way.action.form is FormSource.BODY else None

        answer = way.send(case, "" if meant is None else json.dumps(meant), "" if meant is None else HAL)

        assert (way.action.name, answer.status_code) == (way.action.name, 204)
        assert meant is None or passed_over(json.dumps(meant), shown(way, case), meant) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SIGNING)
def test_no_mapping_signs_what_was_not_meant(ways: All, name: str) -> None:
    """Each action that signs, of each mapping: messages, forms, bodies and parameters that it does not take."""
    pressed = 0
    for way in filter(signs, ways[name]):
        if way.action.form is FormSource.BODY:
            tries = [messages(way, embedded=each) for each in (False, True)]
            if not way.action.calculates and not way.action.set_values:
                tries.append(xml_forms(way, every=13))
        else:
            tries = [bodies_nobody_wants(way)]
        for wrong, tried in (*tries, parameters_nobody_wants(way)):
            assert (way.action.name, wrong) == (way.action.name, [])
            pressed += tried
    assert pressed


# The calculation proxy


@pytest.fixture(scope="module")
def proxying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    made = Proxying(tmp_path_factory.mktemp("proxy"), {SUM_APP: "token: caller\nanonymous: true\n"})
    yield made
    made.close()


def test_the_proxy_answers_what_the_app_answers_or_refuses(proxying: Proxying) -> None:
    """Near-misses of the query and of the form: what goes through means there what it would mean without the bridge."""
    body = json.dumps(LINES)
    asked = [(miss.what, miss.text, body) for miss in in_query({"dataType": "regnestykke"})]
    asked += [(miss.what, "dataType=regnestykke", miss.text) for miss in in_json(LINES)]
    # Without a form, POST asks for an empty one here, whatever it means to the app's generation.
    asked = [each for each in asked if each[2]]
    wrong = []
    passed = 0
    for what, query, data in asked:
        about: dict[str, Any] = {"data": data.encode(), "headers": {"Content-Type": JSON}}
        through = proxying.send("POST", query=query, **about)
        straight = proxying.straight("POST", query=query, **about)
        if through.mimetype == "application/problem+json":
            continue
        passed += 1
        if (through.status_code, through.data) != (straight.status_code, straight.content):
            wrong.append(f"{what}: {through.status_code}, and {straight.status_code} without the bridge")

    assert wrong == []
    assert passed > 100


# That the property can fail


class Tolerant:
    """A reader as there was one: it takes the members that it knows, and passes over the rest."""

    def __init__(self, app: Any, *, without_forms: str) -> None:
        self._app, self._instead = app, without_forms

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Hand on what it understood; without any form, what Altinn 2 holds is sent."""
        understood = self._understood(environ["wsgi.input"].read())
        path, data = environ["PATH_INFO"], b""
        if "forms" in understood:
            data = json.dumps(understood).encode()
        else:
            path = f"{path.rpartition('/')[0]}/{self._instead}"
        about = {"PATH_INFO": path, "wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}
        return self._app({**environ, **about}, start_response)

    def _understood(self, body: bytes) -> dict[str, Json]:
        try:
            said = json.loads(body)
        except ValueError:
            said = {}
        content = said.get("_embedded", said) if isinstance(said, dict) else {}
        members = {"Type", "DataFormatId", "DataFormatVersion", "FormData", "FileName", "AttachmentType", "Data"}
        understood = {}
        for name in ("forms", "attachments"):
            listed = content.get(name) if isinstance(content, dict) else None
            if isinstance(listed, list) and listed and all(isinstance(each, dict) for each in listed):
                understood[name] = [{key: each[key] for key in each if key in members} for each in listed]
        return understood


def test_a_tolerant_reader_is_found_out(ways: All) -> None:
    """With one in front of the same bridge, the property names what it passes over."""
    way = body_way(ways[MAIN])
    held = next(each.action.name for each in ways[MAIN] if each.action.form is FormSource.MESSAGE and signs(each))
    mutant = replace(way, client=Client(Tolerant(create_app(way.stage.bridge), without_forms=held), use_cookies=False))

    found, _ = messages(mutant, embedded=True, every=11)

    for what in ("_embedded: is called", "_embedded/forms: is called", "twice", "ServiceCode: is", "attachments: is"):
        assert any(what in each and "without" in each for each in found), what


def test_a_tolerant_query_is_found_out(ways: All) -> None:
    """A reader of parameters that takes the last of two, in any case, and passes over the rest."""
    known = {"filename": "fileName", "attachmenttype": "attachmentType"}

    def tolerant(app: Any) -> Any:
        def read(environ: dict[str, Any], start_response: Any) -> Any:
            pairs = parse_qsl(environ["QUERY_STRING"])
            given = {known[name.lower()]: value for name, value in pairs if name.lower() in known}
            return app({**environ, "QUERY_STRING": urlencode(given)}, start_response)

        return read

    way = body_way(ways["test_cut_bodies.py MAPPING"])
    mutant = replace(way, client=Client(tolerant(create_app(way.stage.bridge)), use_cookies=False))

    wrong, _ = uploads(mutant)

    for what in ("is called", "twice", "unknown"):
        assert any(what in each and "without" in each for each in wrong), what
