"""What a dialog shows in its middle: set and taken away with the state, fetched with the dialog token, and escaped."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from bridge.bundled import mappings_folder
from bridge.core.embeds import MEDIA_TYPE
from tests.scenarios.stage import ORIGIN, VALID, Case, Stage

PUBLIC = "https://bridge.example.no"
SIGNED = {"signing_steps": 1, "signing_text": "Jeg bekrefter at <b>alt</b> er riktig.\n\n* Ingen liste."}
EMBEDS = """
embeds: {minimum_level: 3}
"""
RECEIPT = """
dialog:
  receipt: {title: {nb: Søknad, nn: Søknad, en: Application}}
"""


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mappings")
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    (folder / "serveringsbevilling.yaml").write_text(text + EMBEDS + RECEIPT, "utf-8")
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(folder),
        BRIDGE_PUBLIC_URL=PUBLIC,
        BRIDGE_ALTINN2_SETTLE="0.05",
    )
    yield made
    made.stop()


@pytest.fixture
def stage(stages: Stage) -> Iterator[Stage]:
    yield stages
    stages.world.faults.clear()
    stages.world.change_switches(print_type="pdf", signingtext_shape="json")


def embed(stage: Stage, case: Case, name: str, *, token: str | None = None, **headers: str) -> TestResponse:
    token = stage.token(case, actions=["read"]) if token is None else token
    return stage.client.get(f"/embeds/{case.dialog_id}/{name}", headers={"Authorization": f"Bearer {token}", **headers})


def shown(stage: Stage, case: Case) -> str | None:
    """The name of the embed that the dialog shows now."""
    content = stage.dialog(case)["content"].get("mainContentReference")
    if content is None:
        return None
    assert content["mediaType"] == MEDIA_TYPE
    (url,) = {each["value"] for each in content["value"]}
    assert url.startswith(f"{PUBLIC}/embeds/{case.dialog_id}/")
    return str(url.rpartition("/")[2])


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def test_the_embed_follows_the_state(stage: Stage) -> None:
    """Signing text while it is to be signed, the receipt once it was, there and in the transmission."""
    case = stage.case(service=SIGNED)

    stage.press(case, "send-to-signing")
    signing = shown(stage, case)
    stage.press(case, "sign")

    assert (signing, shown(stage, case)) == ("signing-text", "receipt")
    (transmission,) = stage.dialog(case)["transmissions"]
    assert transmission["content"]["contentReference"]["mediaType"] == MEDIA_TYPE


def test_what_the_agency_shows_stays(stage: Stage) -> None:
    """A dialog whose middle is taken keeps it."""
    url = "https://etaten.example.no/egen"
    content = {
        "title": {"value": [{"languageCode": "nb", "value": "Søknad"}], "mediaType": "text/plain"},
        "mainContentReference": {"value": [{"languageCode": "nb", "value": url}], "mediaType": MEDIA_TYPE},
    }
    case = stage.case()
    own = stage.dialog_for(case.message_id, case.who, content=content)

    stage.press(own)

    assert stage.dialog(own)["content"]["mainContentReference"]["value"][0]["value"] == url


def test_the_summary_shows_the_form(stage: Stage) -> None:
    """Every place that is filled in, and the attachments, as Markdown for Arbeidsflate's origin."""
    case = stage.case()

    answer = embed(stage, case, "summary", Origin=ORIGIN, **{"Content-Type": "text/plain"})

    assert (answer.status_code, answer.mimetype) == (200, "text/markdown")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "## Virksomhet\n" in answer.text
    assert "- **Organisasjonsnummer:** 313000370" in answer.text
    assert "- **Forretningsadresse**\n  - **Adresselinje:** Eksempelveien 1" in answer.text
    assert "- **Opplysningene er riktige:** Ja" in answer.text
    assert r"## Vedlegg" in answer.text
    assert r"- plan\.pdf" in answer.text
    assert "Bydel" not in answer.text


def test_what_follows_a_part_is_not_in_it(stage: Stage) -> None:
    """A field of the form itself after a part, and a subform, are set off."""
    part = "<melding><del><a>1</a></del><sist>2</sist></melding>"
    forms = [
        {"data_format_id": "5801", "data_format_version": "42001", "xml": part},
        {
            "type": "SubForm",
            "data_format_id": "5802",
            "data_format_version": "42002",
            "xml": "<under><b>3</b></under>",
        },
    ]
    specs = [{name: value for name, value in each.items() if name != "xml"} for each in forms]
    service = {"forms": [{"type": "MainForm", **specs[0]}, specs[1]]}
    case = stage.case(service=service, forms=forms, attachments=[])

    text = embed(stage, case, "summary").text

    assert text.split() == [
        *("##", "Del", "-", "**A:**", "1", "*", "*", "*", "-", "**Sist:**", "2"),
        *("*", "*", "*", "-", "**B:**", "3"),
    ]


def test_a_form_cannot_write_markdown(stage: Stage) -> None:
    """Tags, links and headings that somebody typed are shown as they were typed."""
    evil = "&lt;script&gt;alert(1)&lt;/script&gt; [x](https://evil.example) # h"
    case = stage.case(VALID.replace("Egne midler og et lån på 100 000 kroner.", evil))

    text = embed(stage, case, "summary").text

    assert "<" not in text
    assert r"&lt;script&gt;alert\(1\)&lt;\/script&gt; \[x\]\(https\:\/\/evil\.example\) \# h" in text


def test_an_embed_is_never_too_large(stage: Stage) -> None:
    """100 KB at most, whole lines, and a word about the rest."""
    line = "Egne midler og et lån på 100 000 kroner."
    case = stage.case(VALID.replace(line, line * 4000))

    answer = embed(stage, case, "summary", **{"Accept-Language": "en"})

    assert len(answer.data) <= 100_000
    assert answer.text.rstrip().endswith("See the whole form in Altinn\\.*")


@pytest.mark.parametrize("shape", ["json", "text", "html"])
def test_the_signing_text_is_all_there(stage: Stage, shape: str) -> None:
    """As it must be seen by who signs: its words, and no markup of its own; nothing while nothing is to be signed."""
    case = stage.case(service=SIGNED)
    stage.world.change_switches(signingtext_shape=shape)

    before = embed(stage, case, "signing-text")
    stage.press(case, "send-to-signing")
    after = embed(stage, case, "signing-text")

    assert (before.status_code, before.data, after.status_code) == (204, b"", 200)
    assert "Jeg bekrefter at alt er riktig\\." in after.text
    assert "\\* Ingen liste\\." in after.text


@pytest.mark.parametrize(
    ("prefer", "zone", "hour"),
    [
        ({}, None, 0),
        ({"Prefer": 'timezone="Europe/Oslo"'}, "Europe/Oslo", 0),
        ({"Prefer": 'respond-async, timezone="Atlantic/Reykjavik"; x=y'}, "Atlantic/Reykjavik", 1),
        ({"Prefer": 'timezone="../../etc/passwd"'}, None, 0),
        ({"Prefer": "timezone=Nowhere/Else"}, None, 0),
    ],
    ids=["none", "Oslo", "Reykjavik", "a path", "unknown"],
)
def test_times_are_told_where_the_reader_is(stage: Stage, prefer: dict[str, str], zone: str | None, hour: int) -> None:
    """By Prefer, which is said to be applied where it is; else in Norway."""
    case = stage.case()
    stage.press(case)

    answer = embed(stage, case, "receipt", **prefer)
    norwegian = embed(stage, case, "receipt")

    times = [re.search(r"kl\\\. (\d\d)", each.text) for each in (answer, norwegian)]
    assert times[0] is not None
    assert times[1] is not None
    assert (int(times[1][1]) - int(times[0][1])) % 24 in ((hour,) if hour == 0 else (1, 2))
    assert answer.headers.get("Preference-Applied") == (None if zone is None else f'timezone="{zone}"')
    assert "Prefer" in answer.headers["Vary"]


def test_the_receipt_is_there_once_it_was_sent(stage: Stage) -> None:
    """204 before; then reference, time, attachments and a link to the print, in the reader's language."""
    case = stage.case()

    before = embed(stage, case, "receipt")
    stage.press(case)
    after = embed(stage, case, "receipt", **{"Accept-Language": "en"})

    assert before.status_code == 204
    assert (after.status_code, after.headers["Content-Language"]) == (200, "en")
    assert re.search(r"- \*\*Reference:\*\* AR\d+", after.text)
    assert "## Attachments" in after.text
    assert f"(<{PUBLIC}/prints/" in after.text


@pytest.mark.parametrize("name", ["summary", "signing-text", "receipt"])
def test_an_embed_is_for_who_may_read_the_dialog(stage: Stage, name: str) -> None:
    """The dialog's token, the right to read, the mapping's level; errors carry CORS headers, too."""
    case, other = stage.case(), stage.case()
    tokens = {
        "no right": (stage.token(case, actions=["write"]), 403),
        "too low": (stage.token(case, actions=["read"], level=2), 403),
        "another dialog's": (stage.token(other, actions=["read"]), 403),
        "none": ("", 401),
    }

    answers = {why: embed(stage, case, name, token=token, Origin=ORIGIN) for why, (token, _) in tokens.items()}

    assert {why: each.status_code for why, each in answers.items()} == {why: s for why, (_, s) in tokens.items()}
    assert all(each.headers["Access-Control-Allow-Origin"] == ORIGIN for each in answers.values())
    assert all(case.message_id not in each.path for each in stage.world.calls.all("altinn2"))


@pytest.mark.parametrize("name", ["none", "summar", "SUMMARY"])
def test_there_is_no_other_embed(stage: Stage, name: str) -> None:
    """404, as for a service without embeds."""
    answer = embed(stage, stage.case(), name)

    assert (answer.status_code, code(answer)) == (404, "unknown_embed")


@pytest.mark.parametrize(("how", "status"), [({"status": 503}, 503), ({"status": 404}, 410)])
def test_an_embed_that_cannot_be_made_is_explained(stage: Stage, how: dict[str, Any], status: int) -> None:
    """A problem document, and never half an embed."""
    case = stage.case()
    stage.fault("altinn2", "GET", f"{case.message_id}/forms", **how)

    answer = embed(stage, case, "summary")

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


# Links to prints


def link(stage: Stage, case: Case) -> str:
    answer = stage.press(case, "submit/print", token=stage.token(case, actions=["read"]))
    assert answer.status_code == 201
    assert answer.headers["Location"] == answer.get_json()["url"]
    described = stage.client.get("/openapi.json").get_json()
    schema = {"$ref": "#/components/schemas/PrintLink", "components": described["components"]}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(answer.get_json())
    return str(answer.get_json()["url"].removeprefix(PUBLIC))


def test_a_print_opens_once_by_its_link(stage: Stage) -> None:
    """Without a token, as a download that nobody keeps; a second time the link is used up, and a page says so."""
    case = stage.case()
    stage.press(case)
    address = link(stage, case)

    head = stage.client.head(address)
    first, second = stage.client.get(address), stage.client.get(address, headers={"Accept": "text/html"})

    assert head.status_code == 405
    assert (first.status_code, first.mimetype) == (200, "application/pdf")
    assert first.data.startswith(b"%PDF")
    assert re.fullmatch(r"attachment; filename=AR\d+\.pdf", first.headers["Content-Disposition"])
    assert (first.headers["Cache-Control"], first.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (second.status_code, second.mimetype) == (410, "text/html")
    assert "Lenken er brukt eller utløpt" in second.text
    assert address.rpartition("/")[2] not in second.text


def test_a_link_is_good_for_a_short_time(stage: Stage) -> None:
    """After BRIDGE_PRINT_LINK it opens nothing; nor does one that was made up."""
    from datetime import timedelta

    from bridge.storage.tables import print_links

    case = stage.case()
    address = link(stage, case)
    with stage.bridge.store.engine.begin() as connection:
        connection.execute(print_links.update().values(expires_at=stage.bridge.clock() - timedelta(milliseconds=1)))

    answers = [stage.client.get(address), stage.client.get("/prints/" + "x" * 43)]

    assert [(each.status_code, code(each)) for each in answers] == [(410, "print_link_used")] * 2
    assert all(each.get_json()["instance"] == "/prints" for each in answers)


def test_a_link_that_gave_nothing_can_be_used_again(stage: Stage) -> None:
    """Altinn 2 is away: the reload works."""
    case = stage.case()
    address = link(stage, case)
    stage.fault("altinn2", "GET", f"{case.message_id}/print", status=500)

    first, second, third = (stage.client.get(address).status_code for _ in range(3))

    assert (first, second, third) == (503, 200, 410)


def test_nobody_reads_a_link_out_of_the_store(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    """What is kept is a digest, and no log line has the address."""
    from bridge.storage.tables import print_links

    case = stage.case()
    address = link(stage, case)
    secret = address.rpartition("/")[2]
    with stage.bridge.store.engine.connect() as connection:
        rows = [str(row) for row in connection.execute(print_links.select())]
    stage.client.get(address)

    assert len(secret) >= 43
    assert rows
    assert all(secret not in row for row in rows)
    assert secret not in capfd.readouterr().out


@pytest.mark.parametrize(("about", "status"), [({"actions": ["write"]}, 403), ({"level": 2}, 403)])
def test_a_link_is_made_for_who_may_look(stage: Stage, about: dict[str, Any], status: int) -> None:
    """The same rules as for the print itself."""
    case = stage.case()

    answer = stage.press(case, "submit/print", token=stage.token(case, **about))

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("name", "skip"), [("summary", 0), ("summary", 1), ("receipt", 0)], ids=["summary", "its forms", "receipt"]
)
def test_a_level_that_is_too_low_calls_an_operator(stage: Stage, name: str, skip: int) -> None:
    """Where Altinn 2 says so in words, as for every other look: it knows the bridge's level only."""
    case = stage.case()
    stage.fault("altinn2", "GET", case.message_id, status=401, reason="Authentication level too low", skip=skip)

    with capture_logs() as lines:
        answer = embed(stage, case, name)

    assert (answer.status_code, code(answer)) == (403, "altinn_level_too_low")
    assert [each["event"] for each in lines if each["log_level"] == "error"] == [
        "a service is out of the bridge's reach"
    ]


@pytest.mark.parametrize("name", ["summary", "receipt"])
def test_an_element_out_of_reach_has_no_embed(stage: Stage, name: str) -> None:
    """Said as everywhere else, and not as a system that is away for a while."""
    stage.bridge.services._known = {}
    case = stage.case(service={"security_level": 4})

    answer = embed(stage, case, name, token=stage.token(case, actions=["read"], level=4))
    stage.bridge.services._known = {}

    assert (answer.status_code, code(answer)) == (409, "service_out_of_reach")
