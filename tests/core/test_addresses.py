"""An address that Dialogporten keeps in its own spelling is no news."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.addresses import canonical
from bridge.core.dialog_merge import merge
from bridge.core.dialog_presentation import offer
from bridge.core.dialogs import dialog_from_json
from bridge.core.mapping import Button, Priority
from bridge.core.written import Written
from bridge.sandbox.dialogporten.uris import is_readable, is_well_formed, stored
from tests.core.test_dialog_merge import DIALOG_ID, NOTHING, _body
from tests.core.test_states import SUBMIT

PARTS = st.lists(
    st.sampled_from(["a", "B", ".", "..", "", "å", "%C3%A5", "%2F", "%2f", "%41", "~", "a.b", "a%20b", ";v=1"]),
    max_size=6,
)
ADDRESSES = st.builds(
    lambda scheme, host, port, parts, rest, blanks: (
        f"{blanks}{scheme}://{host}{port}{'/'.join(['', *parts])}{rest}{blanks}"
    ),
    st.sampled_from(["https", "HTTPS", "http"]),
    st.sampled_from(["example.no", "Bridge.Example.NO", "[2001:DB8::1]"]),
    st.sampled_from(["", ":443", ":80", ":8443"]),
    PARTS,
    st.sampled_from(["", "?", "?a=%C3%A6&B=%2F", "#Del", "?q=x#del"]),
    st.sampled_from(["", " "]),
)


@given(ADDRESSES.filter(lambda each: is_readable(each) and is_well_formed(each.strip())))
def test_storing_changes_no_meaning(address: str) -> None:
    """Whatever the sandbox, which was held against the real program, keeps of it."""
    assert canonical(stored(address)) == canonical(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.no/a%2Fb", "https://example.no/a/b"),
        ("https://example.no/a", "https://example.no/A"),
        ("https://example.no/?a=%26", "https://example.no/?a=&"),
        ("https://example.no:8443/", "https://example.no/"),
        ("http://example.no/", "https://example.no/"),
    ],
)
def test_what_leads_elsewhere_is_another_address(one: str, other: str) -> None:
    """Escaped separators, letters of the path, ports and schemes count."""
    assert canonical(one) != canonical(other)


def test_a_button_in_another_spelling_is_left_alone() -> None:
    """What is stored is not what was sent: a look at it finds nothing to change."""
    button = Button(title={"nb": "Send inn"}, priority=Priority.PRIMARY)
    wanted = replace(
        NOTHING, offers=(offer(DIALOG_ID, replace(SUBMIT, button=button), public_url="https://Bro.Example.no:443"),)
    )
    sent = wanted.offers[0].button
    assert sent is not None
    kept = {**sent, "url": stored(str(sent["url"])), "priority": "Primary"}
    dialog = dialog_from_json({**_body(), "guiActions": [kept]}, revision="r")

    assert kept["url"] != sent["url"]
    assert merge(dialog, wanted, Written()).operations == ()
