"""The issuer's keys are fetched, kept through an outage, and looked for again no faster than it helps."""

import io
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import requests
from requests.adapters import BaseAdapter

from bridge.adapters.dialogporten.keys import KeyStore, read_keys
from bridge.adapters.dialogporten.tokens import verify
from bridge.adapters.http.session import new_session
from bridge.core.errors import Unreachable
from bridge.core.problems import Refusal
from tests.adapters.test_dialog_tokens import (
    DIALOG,
    FOREIGN,
    HEADER,
    ISSUER,
    NEW,
    NOW,
    OLD,
    b64,
    jwk,
    jwks,
    raw_public,
    token,
)


def test_usable_keys_are_taken_and_others_passed_over() -> None:
    """One key that we cannot read does not cost us the others."""
    document = jwks(
        jwk("old", OLD),
        jwk("lower", NEW, alg="eddsa"),
        jwk("bare", NEW, alg=None, use=None),
        jwk("encryption", NEW, use="enc"),
        jwk("other-alg", NEW, alg="ES256"),
        jwk("other-curve", NEW, crv="Ed448"),
        jwk("rsa", NEW, kty="RSA"),
        jwk("short", NEW, x="AAAA"),
        jwk("padded", NEW, x=b64(raw_public(NEW)) + "="),
        jwk("no-x", NEW, x=None),
        jwk("private", NEW, d=b64(b"\x02" * 32)),
        jwk("", NEW),
        jwk("old", FOREIGN),
        "not a key",
        None,
    )

    keys = read_keys(document)

    assert set(keys) == {"old", "lower", "bare"}
    assert keys["old"] == OLD.public_key()


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b"[]", b"{}", b'{"keys":{}}', jwks(), jwks(jwk("a", OLD, kty="RSA")), b"\xff", b"[" * 100_000],
    ids=["nothing", "html", "list", "no keys", "keys an object", "empty", "unusable", "no text", "deep"],
)
def test_a_document_without_usable_keys_is_refused(document: bytes) -> None:
    """An answer that is no key set is an error, not an empty key set."""
    with pytest.raises(ValueError, match=r"^(not JSON|no list of keys|no usable Ed25519 key)$"):
        read_keys(document)


class Published(BaseAdapter):
    """The issuer's key set; *before* runs inside each fetch."""

    def __init__(self, body: bytes = jwks(jwk("old", OLD))) -> None:
        super().__init__()
        self.body, self.status = body, 200
        self.urls: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self.urls.append(request.url or "")
        self.before()
        response = requests.Response()
        response.status_code, response.raw, response.url = self.status, io.BytesIO(self.body), request.url or ""
        return response

    def close(self) -> None:
        """Hold nothing."""


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def store(published: Published, watch: Watch) -> KeyStore:
    session = new_session(pool=4, mounts={"https://dialogporten.test/": published})
    return KeyStore(session, issuer=ISSUER, clock=watch)


def test_keys_are_fetched_where_the_issuer_keeps_them() -> None:
    """Start fetches once, and a known key costs nothing after that."""
    published, watch = Published(), Watch()
    keys = store(published, watch)

    keys.start()
    caller = verify(token(), keys, issuer=ISSUER, now=NOW)

    assert caller.dialog_id == DIALOG
    assert published.urls == [f"{ISSUER}/.well-known/jwks.json"]


def test_a_failed_start_is_told_and_recovers() -> None:
    """The first fetch may fail loudly; the first token after that tries again."""
    published, watch = Published(), Watch()
    published.status = 503
    keys = store(published, watch)

    with pytest.raises(Unreachable):
        keys.start()
    before = keys.ready
    published.status = 200
    key = keys.find("old")

    assert (before, keys.ready) == (False, True)
    assert key == OLD.public_key()


def test_without_keys_nobody_is_judged() -> None:
    """A token that cannot be checked is neither good nor bad: 503, with a time to come back."""
    published = Published()
    published.status = 500

    with pytest.raises(Refusal) as caught:
        verify(token(), store(published, Watch()), issuer=ISSUER, now=NOW)

    assert (caught.value.code, caught.value.status) == ("keys_unavailable", 503)
    assert caught.value.retry_after is not None


def test_a_rotated_key_is_found_at_once() -> None:
    """The first token of a new key fetches it, between two refreshes."""
    published, watch = Published(), Watch()
    keys = store(published, watch)
    keys.start()
    published.body = jwks(jwk("old", OLD), jwk("new", NEW))

    caller = verify(token(header={**HEADER, "kid": "new"}, key=NEW), keys, issuer=ISSUER, now=NOW)

    assert caller.dialog_id == DIALOG


def test_a_withdrawn_key_opens_nothing() -> None:
    """A key that the issuer took back is gone after the next refresh."""
    published, watch = Published(jwks(jwk("old", OLD), jwk("new", NEW))), Watch()
    keys = store(published, watch)
    keys.start()
    published.body = jwks(jwk("new", NEW))

    refreshed = keys.refresh()

    assert refreshed
    assert keys.find("old") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [(503, b""), (200, b"<html>"), (200, jwks()), (200, jwks(jwk("old", FOREIGN, kty="RSA"))), (302, b"")],
    ids=["unavailable", "html", "empty", "unusable", "redirect"],
)
def test_old_keys_serve_through_an_outage(status: int, body: bytes) -> None:
    """Neither an error nor an answer without keys empties the store, for a day and no longer."""
    published, watch = Published(), Watch()
    keys = store(published, watch)
    keys.start()
    published.status, published.body = status, body

    watch.forward(hours=24)
    refreshed = keys.refresh()
    during = keys.find("old")
    watch.forward(seconds=1)
    with pytest.raises(Refusal) as caught:
        keys.find("old")

    assert (refreshed, during, caught.value.code) == (False, OLD.public_key(), "keys_unavailable")


def test_unknown_keys_fetch_once_a_minute() -> None:
    """A flood of tokens with invented key ids is one fetch a minute for the issuer."""
    published, watch = Published(), Watch()
    keys = store(published, watch)
    keys.start()

    found = [keys.find(f"invented-{n}") for n in range(200)]
    watch.forward(seconds=59.9)
    found.append(keys.find("invented"))
    within = len(published.urls)
    watch.forward(seconds=0.1)
    found.append(keys.find("invented"))

    assert set(found) == {None}
    assert (within, len(published.urls)) == (2, 3)


def test_a_clock_set_back_does_not_stop_fetching() -> None:
    """After a jump of an hour, new keys are not an hour away."""
    published, watch = Published(), Watch()
    keys = store(published, watch)
    keys.start()
    keys.find("invented")
    watch.forward(hours=-1)

    keys.find("invented")

    assert len(published.urls) == 3


def test_nobody_waits_for_an_unknown_key() -> None:
    """While one request fetches, known keys answer, and further unknown ones are refused without a wait."""
    published, watch = Published(), Watch()
    keys = store(published, watch)
    keys.start()
    entered, release = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        release.wait(30)

    published.before = hold
    published.body = jwks(jwk("new", NEW))
    found: list[object] = []
    asking = threading.Thread(target=lambda: found.append(keys.find("new")))
    asking.start()
    assert entered.wait(30)

    known, unknown, refreshed = keys.find("old"), keys.find("new"), keys.refresh()
    release.set()
    asking.join(30)

    assert (known, unknown, refreshed) == (OLD.public_key(), None, False)
    assert found == [NEW.public_key()]
    assert len(published.urls) == 2


def test_a_crowd_with_an_unknown_key_fetches_once() -> None:
    """Threads that meet the same new key at the same moment send one request."""
    published, watch = Published(), Watch()
    keys = store(published, watch)
    keys.start()
    together = threading.Barrier(16)

    def ask() -> None:
        together.wait(30)
        keys.find("invented")

    crowd = [threading.Thread(target=ask) for _ in range(16)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(30)

    assert len(published.urls) == 2
