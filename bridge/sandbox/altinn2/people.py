"""Who there is in Altinn 2: reportees, users with passwords, and their sessions (facts/altinn2.md 1.2, 1.6, 6)."""

import hmac
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.sandbox.core import identities

ACTIONS = ("Read", "Write", "Sign", "ArchiveRead", "ArchiveDelete")
PERSON, ORGANISATION = "Person", "Foretak"
_WINDOW, _LOCKED, _ALLOWED = timedelta(hours=2), timedelta(hours=1), 10


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Party:
    """Somebody on whose behalf things are done; *rights* are what users may do for it."""

    number: str
    name: str
    kind: str
    reportee_id: int = 0
    rights: frozenset[str] = frozenset(ACTIONS)

    @property
    def reportee(self) -> str:
        """The id with its letter."""
        return f"r{self.reportee_id}"

    @property
    def names(self) -> frozenset[str]:
        """Every way to say it in an address."""
        return frozenset({self.number, self.reportee})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class User:
    """
    Somebody who logs in with a password.

    *party* is the number of what ``my`` means; *represents* are the numbers of others. *enterprise* users belong to
    an organisation and log in at level 3; one without *profile* was never in the portal.
    """

    name: str
    password: str
    party: str
    represents: frozenset[str] = frozenset()
    enterprise: bool = False
    profile: bool = True
    created: datetime | None = None

    @property
    def level(self) -> int:
        """The level of a login."""
        return 3 if self.enterprise else 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Session:
    """A login; *cookie* is its secret."""

    cookie: str
    user: User
    begun: datetime
    ends: datetime


class LockedOut(Exception):
    """Too many logins failed: the user waits an hour."""


class WrongPassword(Exception):
    """No user has this name and password."""


class People:
    """Parties, users and sessions; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parties: dict[str, Party] = {}
        self._users: dict[str, User] = {}
        self._sessions: dict[str, Session] = {}
        self._failed: dict[str, list[datetime]] = {}
        self._number = 50_000_000

    def know(self, number: str, name: str = "", *, rights: Iterable[str] | None = None) -> Party | None:
        """Register who has *number*, a person or an organisation; None where it is no such number."""
        if identities.is_person_number(number):
            kind = PERSON
        elif len(number) == 9 and number.isascii() and number.isdecimal():
            kind = ORGANISATION
        else:
            return None
        with self._lock:
            known = self._parties.get(number)
            if known is None:
                self._number += 1
                known = Party(number=number, name=f"SANDKASSE {kind.upper()}", kind=kind, reportee_id=self._number)
            given = known.rights if rights is None else frozenset(rights)
            self._parties[number] = replace(known, name=name or known.name, rights=given)
            return self._parties[number]

    def parties(self) -> tuple[Party, ...]:
        """Everybody."""
        with self._lock:
            return tuple(self._parties.values())

    def party(self, who: str) -> Party | None:
        """Who is meant by a number or a reportee id."""
        return self._parties.get(who) or next((each for each in self.parties() if each.reportee == who), None)

    def register(self, user: User) -> None:
        """Add or replace a user."""
        for number in (user.party, *sorted(user.represents)):
            self.know(number)
        with self._lock:
            self._users[user.name.lower()] = user

    def enterprise_users(self, number: str) -> tuple[User, ...]:
        """The enterprise users of an organisation."""
        with self._lock:
            return tuple(each for each in self._users.values() if each.enterprise and each.party == number)

    def proven(self, name: str, password: str, *, now: datetime) -> User:
        """
        The user with this name and password. Ten failures within two hours lock for an hour.

        Raises:
            LockedOut: Even the right password does not help now.
            WrongPassword: There is none; it counts as a failure.
        """
        with self._lock:
            key = name.lower()
            failed = [each for each in self._failed.get(key, ()) if now - each < _WINDOW]
            if len(failed) >= _ALLOWED and now - failed[-1] < _LOCKED:
                raise LockedOut
            if len(failed) >= _ALLOWED:
                failed = []
            user = self._users.get(key)
            if user is None or not hmac.compare_digest(user.password.encode(), password.encode()):
                self._failed[key] = [*failed, now]
                raise WrongPassword
            self._failed.pop(key, None)
            return user

    def begin(self, cookie: str, user: User, *, now: datetime, lifetime: timedelta) -> Session:
        """Remember a login."""
        session = Session(cookie=cookie, user=user, begun=now, ends=now + lifetime)
        with self._lock:
            self._sessions[cookie] = session
        return session

    def session(self, cookie: str, *, now: datetime) -> Session | None:
        """The login of a cookie, None where it has run out."""
        found = self._sessions.get(cookie)
        return found if found is not None and now < found.ends else None


@dataclass(slots=True)
class Library:
    """What a test puts in place: code lists by name and version, look-ups by service."""

    code_lists: dict[tuple[str, int], list[Mapping[str, str]]] = field(default_factory=dict)
    lookups: dict[tuple[str, int], str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
