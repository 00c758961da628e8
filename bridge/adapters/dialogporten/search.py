"""Searching dialogs, a page at a time: as service owner, as end user, and by GraphQL (facts/dialogporten.md 2.9, 4)."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase

from bridge.adapters.dialogporten.errors import SYSTEM, failure, json_or_none
from bridge.adapters.http.call import Answer, call, renewing
from bridge.core.clock import Clock
from bridge.core.dialog_queries import DialogQuery, Side
from bridge.core.errors import CredentialsRefused, Rejected, Unreachable
from bridge.core.ids import mask_identity_numbers

_PAGE_BYTES = 64 * 1024 * 1024
_TRIES, _LONGEST_WAIT = 4, 30.0
_QUERY = """
query Search($input: SearchDialogInput!) {
  searchDialogs(input: $input) {
    hasNextPage
    continuationToken
    errors { message }
    items {
      id org serviceResource serviceResourceType party progress process precedingProcess guiAttachmentCount
      extendedStatus externalReference createdAt updatedAt contentUpdatedAt dueAt status hasUnopenedContent isApiOnly
      fromServiceOwnerTransmissionsCount fromPartyTransmissionsCount isContentSeen
      content {
        title { mediaType value { value languageCode } }
        summary { mediaType value { value languageCode } }
        senderName { mediaType value { value languageCode } }
        extendedStatus { mediaType value { value languageCode } }
      }
      latestActivity { id createdAt type description { value languageCode } }
      endUserContext { revision systemLabels }
    }
  }
}
"""


class SearchRefused(Rejected):
    """Dialogporten refused the search; *findings* are its words by key, without identity numbers."""

    def __init__(self, detail: str, *, status: int | None, findings: Sequence[tuple[str, str]]) -> None:
        super().__init__(SYSTEM, detail, status=status, reason="invalid", keys=[key for key, _ in findings])
        self.findings = tuple((key, mask_identity_numbers(text)) for key, text in findings)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Page:
    """One page as it came. *token* is where the next one begins; it is there on the last page as well."""

    items: Sequence[Mapping[str, object]]
    has_next: bool
    token: str | None
    order: str | None = None


class DialogSearch:
    """
    The three searches.

    *base_url* is what stands before ``/api/v1``. *auth* adds the bearer token. A page that cannot be had is asked for
    again, at most three times, after the wait that Dialogporten asked for or a doubling one; *sleep* passes it.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        auth: AuthBase,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 30.0,
    ) -> None:
        self._session, self._auth, self._clock, self._sleep, self._timeout = session, auth, clock, sleep, timeout
        self._base = base_url.rstrip("/")

    def items(self, query: DialogQuery, *, total: int | None = None) -> Iterator[Mapping[str, object]]:
        """
        What the search finds, one by one, at most *total*; one page is held at a time.

        Raises:
            SearchRefused, Rejected, Unreachable: As for ``pages``.
        """
        for page in self.pages(query, total=total):
            yield from page.items

    def pages(self, query: DialogQuery, *, total: int | None = None) -> Iterator[Page]:
        """
        Follow the continuation tokens to the end, or until *total* items came.

        Raises:
            SearchRefused: Dialogporten does not take the search, and says why.
            Rejected: Not allowed to search (``forbidden``), or no page came (``unreadable``, ``paging_stuck``).
            CredentialsRefused: The token, or its scopes.
            Unreachable: No page could be had, also after the repeats.
        """
        token, order, left = query.token, None, total
        while left is None or left > 0:
            size = query.page if left is None else min(query.page, left)
            page = self._patiently(query, size, token=token, order=order)
            yield page
            if not page.has_next:
                return
            if not page.items or page.token in (None, token):
                # Another round would ask for the same again, for ever.
                detail = "the search says that there is more, and its token does not lead there"
                raise Rejected(SYSTEM, detail, reason="paging_stuck")
            token, order = page.token, page.order
            left = None if left is None else left - len(page.items)

    def _patiently(self, query: DialogQuery, size: int, *, token: str | None, order: str | None) -> Page:
        for tried in range(1, _TRIES + 1):
            try:
                match query.side:
                    case Side.GRAPHQL:
                        return self._by_graphql(query, size, token)
                    case _:
                        return self._by_rest(query, size, token=token, order=order)
            except Unreachable as error:
                if tried == _TRIES or isinstance(error, CredentialsRefused):
                    raise
                wait = None if error.retry_after is None else error.retry_after.total_seconds()
                self._sleep(min(2.0 ** (tried - 1) if wait is None else wait, _LONGEST_WAIT))
        raise AssertionError("unreachable")

    def _by_rest(self, query: DialogQuery, size: int, *, token: str | None, order: str | None) -> Page:
        api = "serviceowner" if query.side is Side.OWNER else "enduser"
        # The order of the answer goes back with the token, unchanged (facts/dialogporten.md 2.9).
        parameters = [*query.as_parameters(), ("orderBy", order or query.order_text()), ("limit", str(size))]
        if token is not None:
            parameters.append(("continuationToken", token))
        answer = self._call("GET", f"{self._base}/api/v1/{api}/dialogs?{urlencode(parameters)}", None)
        return _page(_object(answer))

    def _by_graphql(self, query: DialogQuery, size: int, token: str | None) -> Page:
        variables = {**query.as_input(), "limit": size, **({} if token is None else {"continuationToken": token})}
        answer = self._call("POST", f"{self._base}/graphql", {"query": _QUERY, "variables": {"input": variables}})
        document = _object(answer)
        data = document.get("data")
        found = data.get("searchDialogs") if isinstance(data, Mapping) else None
        errors = document.get("errors") or (found.get("errors") if isinstance(found, Mapping) else None)
        if errors:
            texts = [str(each.get("message")) for each in errors if isinstance(each, Mapping)]
            raise SearchRefused("the search was refused", status=200, findings=[("", text) for text in texts])
        if not isinstance(found, Mapping):
            raise _unreadable(answer)
        return _page({**found, "orderBy": None})

    def _call(self, method: str, url: str, body: object) -> Answer:
        def once() -> Answer:
            return call(
                self._session,
                method,
                url,
                system=SYSTEM,
                writes=False,
                headers={
                    "Accept": "application/json",
                    **({} if body is None else {"Content-Type": "application/json"}),
                },
                data=None if body is None else json.dumps(body).encode(),
                auth=self._auth,
                deadline_seconds=self._timeout,
                max_bytes=_PAGE_BYTES,
            )

        answer = renewing(self._auth, once)
        if answer.status in (400, 422):
            raise _refused(answer)
        if not 200 <= answer.status < 300:
            raise failure(answer, writes=False, clock=self._clock)
        return answer


def _page(body: Mapping[str, object]) -> Page:
    items, token, order = body.get("items") or [], body.get("continuationToken"), body.get("orderBy")
    if not isinstance(items, list) or not all(isinstance(each, Mapping) for each in items):
        raise Rejected(SYSTEM, "the page cannot be read", reason="unreadable")
    return Page(
        items=items,
        has_next=body.get("hasNextPage") is True,
        token=token if isinstance(token, str) else None,
        order=order if isinstance(order, str) else None,
    )


def _refused(answer: Answer) -> SearchRefused:
    """What a problem document tells, or GraphQL's errors."""
    document = json_or_none(answer.body)
    errors = document.get("errors") if isinstance(document, Mapping) else None
    findings: list[tuple[str, str]] = []
    if isinstance(errors, Mapping):
        for key, texts in errors.items():
            findings += [(str(key), str(text)) for text in (texts if isinstance(texts, list) else [texts])]
    elif isinstance(errors, list):
        findings += [("", str(each.get("message"))) for each in errors if isinstance(each, Mapping)]
    return SearchRefused(f"{answer.status} the search was refused", status=answer.status, findings=findings)


def _object(answer: Answer) -> Mapping[str, Any]:
    document = json_or_none(answer.body)
    if not isinstance(document, Mapping):
        raise _unreadable(answer)
    return document


def _unreadable(answer: Answer) -> Rejected:
    return Rejected(SYSTEM, "the answer is not a page of dialogs", status=answer.status, reason="unreadable")
