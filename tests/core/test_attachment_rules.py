"""What an attachment may be."""

import pytest

from bridge.core.attachment_rules import check_attachment, check_name, extension_of, extensions_in, missing_types
from bridge.core.mapping import AttachmentRule
from bridge.core.problems import Refusal

PLAN = AttachmentRule(type="Plan", extensions=("pdf", "zip"), min_count=1, max_count=2, max_bytes=100)
ANY = AttachmentRule(type="Annet", extensions=(), min_count=0, max_count=None, max_bytes=100)


@pytest.mark.parametrize(
    ("allowed", "extensions"),
    [
        ("*.xml, zip, enc", ("xml", "zip", "enc")),
        (".xml, .doc, .pdf", ("xml", "doc", "pdf")),
        ("doc, xls, xml", ("doc", "xls", "xml")),
        ("*.PDF,*.txt,", ("pdf", "txt")),
        ("*.*", ()),
        ("", ()),
    ],
)
def test_file_types_are_read_as_they_are_written(allowed: str, extensions: tuple[str, ...]) -> None:
    """Free text, in every form that was seen."""
    assert extensions_in(allowed) == extensions


@pytest.mark.parametrize(("name", "extension"), [("a.PDF", "pdf"), ("a.b.zip", "zip"), ("a", ""), (".pdf", "")])
def test_the_extension_follows_the_last_dot(name: str, extension: str) -> None:
    """A name that is only an extension has none."""
    assert extension_of(name) == extension


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({}, None),
        ({"attachment_type": "plan", "file_name": "A.PDF"}, None),
        ({"attachment_type": "Annet", "file_name": "a.exe"}, None),
        ({"size": 100}, None),
        ({"size": 101}, "attachment_size"),
        ({"size": 60, "largest": 50}, "attachment_size"),
        ({"present": 1}, None),
        ({"present": 2}, "attachment_count"),
        ({"file_name": "a.pd"}, "attachment_extension"),
        ({"file_name": "a.pdf "}, "attachment_name"),
        ({"file_name": " a.pdf"}, "attachment_name"),
        ({"file_name": "a.pdf\u00a0"}, "attachment_name"),
        ({"file_name": "a.pdf."}, "attachment_name"),
        ({"file_name": "CON.pdf"}, "attachment_name"),
        ({"file_name": "nul .tar.pdf"}, "attachment_name"),
        ({"file_name": "com1.pdf"}, "attachment_name"),
        ({"file_name": "Lpt².pdf"}, "attachment_name"),
        ({"file_name": "console.pdf"}, None),
        ({"file_name": "com10.pdf"}, None),
        ({"file_name": "a con.pdf"}, None),
        ({"file_name": "årsoppgjør 2025 – 'kladd', side 1+2.pdf"}, None),
        ({"file_name": "年度報告.pdf"}, None),
        ({"file_name": "pdf"}, "attachment_name"),
        ({"file_name": " . "}, "attachment_name"),
        ({"file_name": "a:b.pdf"}, "attachment_name"),
        ({"file_name": "a\n.pdf"}, "attachment_name"),
        ({"file_name": "\ud800.pdf"}, "attachment_name"),
        ({"attachment_type": "Kart"}, "attachment_type"),
    ],
)
def test_each_rule_refuses_by_its_name(about: dict[str, object], code: str | None) -> None:
    """What fits passes, what does not is refused with the rule."""
    offer: dict[str, object] = {
        "attachment_type": "Plan",
        "file_name": "a.pdf",
        "size": 1,
        "present": 0,
        "largest": 1000,
    }

    refused = None
    try:
        check_attachment((PLAN, ANY), **(offer | about))  # type: ignore[arg-type]
    except Refusal as refusal:
        refused = refusal

    assert (None if refused is None else refused.code) == code
    assert refused is None or refused.facts["rule"]


@pytest.mark.parametrize("rules", [(PLAN, ANY), ()], ids=["rules", "no rules"])
def test_a_file_of_no_bytes_is_refused(rules: tuple[AttachmentRule, ...]) -> None:
    """Whatever the rules; one whose size is not known yet passes so far."""
    with pytest.raises(Refusal, match="attachment_empty"):
        check_attachment(rules, attachment_type="Plan", file_name="a.pdf", size=0, present=0, largest=1000)
    check_attachment(rules, attachment_type="Plan", file_name="a.pdf", size=None, present=0, largest=1000)


def test_too_few_are_named() -> None:
    """Types whose minimum is not reached."""
    assert missing_types((PLAN, ANY), {"annet": 1}) == ["Plan"]
    assert missing_types((PLAN, ANY), {"plan": 1}) == []


UNSEEN = {
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "right-to-left override": "\u202e",
    "right-to-left isolate": "\u2067",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "Hangul filler": "\u3164",
    "variation selector": "\ufe0f",
    "line separator": "\u2028",
    "private use": "\ue000",
    "not assigned": "\uffff",
    "control": "\x9f",
}


@pytest.mark.parametrize("name", UNSEEN)
def test_names_hold_nothing_unseen(name: str) -> None:
    """What nobody sees makes two names look alike, or one look like another."""
    with pytest.raises(Refusal) as caught:
        check_name(f"fak{UNSEEN[name]}tura.pdf")

    assert (caught.value.code, caught.value.facts) == ("attachment_name", {"rule": "characters"})
