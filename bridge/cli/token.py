"""``altinn-bridge token``: why was this dialog token refused?"""

import json
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from bridge.cli.shapes import TEXT, shape_option
from bridge.core.ids import mask_identity_numbers
from bridge.core.mapping import Requirement

if TYPE_CHECKING:  # They bring requests and cryptography, which nobody waits for who asks for help.
    from bridge.adapters.dialogporten.keys import FixedKeys
    from bridge.adapters.dialogporten.tokens import Judgement

_LONGEST_INPUT = 1024 * 1024
# A number like 1e400 becomes infinity, which JSON cannot write.
_NOT_JSON = ("inf", "-inf")


def _requirements(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Requirement, ...]:
    found = []
    for value in values:
        action, comma, attribute = value.partition(",")
        if not action or (comma and not attribute) or {",", ";", " "} & set(action + attribute):
            raise click.BadParameter(f"write ACTION or ACTION,ATTRIBUTE instead of {value!r}")
        found.append(Requirement(action=action, attribute=attribute or None))
    return tuple(found)


def _skew(_: click.Context, __: click.Parameter, value: float) -> float:
    # A range lets NaN pass, which is neither inside nor outside.
    if not 0 <= value < math.inf:
        raise click.BadParameter("write a number of seconds, 0 or more")
    return value


def _moment(_: click.Context, __: click.Parameter, value: float | None) -> datetime:
    try:
        return datetime.now(UTC) if value is None else datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter("write seconds since 1970") from None


@click.group()
def token() -> None:
    """Look into dialog tokens."""


@token.command()
@click.option("--jwks", required=True, metavar="FILE|URL", help="The issuer's keys.")
@click.option("--issuer", required=True, metavar="ISS", help="The token's iss, such as https://…/api/v1.")
@click.option("--dialog", type=click.UUID, metavar="ID", help="The dialog that the token must be for.")
@click.option(
    "--requires",
    callback=_requirements,
    multiple=True,
    metavar="ACTION[,ATTRIBUTE]",
    help="What the token must grant. May be repeated; without an attribute it is the main resource.",
)
@click.option(
    "--entity",
    "entities",
    multiple=True,
    metavar="REF",
    help="What its e must hold: the tokenRef or id of what an authorization context narrows. May be repeated.",
)
@click.option("--minimum-level", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option(
    "--clock-skew",
    type=float,
    callback=_skew,
    default=10,
    show_default=True,
    metavar="S",
    help="Seconds by which clocks may differ.",
)
@click.option("--now", type=float, callback=_moment, metavar="UNIX", help="Judge the token as of then, not as of now.")
@shape_option(*TEXT)
def verify(
    *,
    jwks: str,
    issuer: str,
    dialog: UUID | None,
    requires: tuple[Requirement, ...],
    entities: tuple[str, ...],
    minimum_level: int,
    clock_skew: float,
    now: datetime,
    shape: str,
) -> None:
    """
    Judge the dialog token on standard input, as the service does.

    Exit code 0: accepted, with its claims. 1: refused, with every reason. 2: wrong usage, or unreadable keys.
    """
    from bridge.adapters.dialogporten.tokens import Expectation, judge

    keys = _keys(jwks)
    judgement = judge(
        _read_token(),
        keys,
        Expectation(
            issuer=issuer,
            dialog_id=dialog,
            requires=requires,
            narrowed=tuple(frozenset((each,)) for each in entities),
            minimum_level=minimum_level,
            clock_skew=clock_skew,
        ),
        now=now,
    )
    click.echo(_as_json(judgement) if shape == "json" else _as_text(judgement))
    sys.exit(0 if judgement.accepted else 1)


def _keys(jwks: str) -> "FixedKeys":
    from bridge.adapters.dialogporten.keys import FixedKeys, fetch_keys, read_keys
    from bridge.adapters.http.session import new_session
    from bridge.core.errors import UpstreamError

    try:
        if jwks.startswith(("http://", "https://")):
            with new_session(pool=1) as session:
                return FixedKeys(fetch_keys(session, jwks))
        return FixedKeys(read_keys(Path(jwks).read_bytes()))
    except OSError as error:
        raise click.BadParameter(f"{error.strerror}: {jwks}", param_hint="--jwks") from None
    except ValueError as error:
        raise click.BadParameter(f"{error}: {jwks}", param_hint="--jwks") from None
    except UpstreamError as error:
        raise click.BadParameter(f"{error.detail}: {jwks}", param_hint="--jwks") from None


def _read_token() -> str:
    return sys.stdin.buffer.read(_LONGEST_INPUT).decode("utf-8", "replace").strip()


def _as_text(judgement: "Judgement") -> str:
    if judgement.reasons:
        return "\n".join(mask_identity_numbers(str(reason)) for reason in judgement.reasons)
    # Escaped to ASCII, so that no claim can steer the terminal.
    claims = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in _masked(judgement.claims).items())
    return "\n".join(["accepted", *claims])


def _as_json(judgement: "Judgement") -> str:
    from bridge.adapters.dialogporten.reasons import REASONS

    return json.dumps(
        {
            "accepted": judgement.accepted,
            "reasons": [
                {"code": reason.code, "message": REASONS[reason.code], "note": mask_identity_numbers(reason.note)}
                for reason in judgement.reasons
            ],
            "claims": _masked(judgement.claims),
        },
        indent=2,
    )


def _masked(claims: Mapping[str, object]) -> dict[str, object]:
    return {mask_identity_numbers(name): _masked_value(value) for name, value in claims.items()}


def _masked_value(value: object) -> object:
    match value:
        case None | bool():
            return value
        case int() | float():
            text = mask_identity_numbers(str(value))
            return value if text == str(value) and text not in _NOT_JSON else text
        case str():
            return mask_identity_numbers(value)
        case list() if all(isinstance(entry, str) for entry in value):
            return [mask_identity_numbers(entry) for entry in value]
        case _:
            return "(nested)"  # No claim of a dialog token is.
