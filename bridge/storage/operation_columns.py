"""An operation as the columns of its row, and back."""

import json
import zlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bridge.core.delivery import Manifest, Phase
from bridge.core.elements import Form
from bridge.core.errors import Finding
from bridge.core.mapping import FormKind, FormSource, Verb
from bridge.core.meaning import Meaning
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.problems import Problem
from bridge.core.targets import Target
from bridge.storage.links import case_of


def columns_of(values: Mapping[str, Any]) -> dict[str, object]:
    """Some fields of an operation as columns."""
    columns: dict[str, object] = {}
    for name, value in values.items():
        if name == "held_forms":  # It lies with those that were sent.
            continue
        match value:
            case Stage() | Outcome():
                columns[name] = value.value
            case Problem():
                columns[name] = _problem_json(value)
            case Manifest():
                columns[name] = {"forms": value.forms, "files": list(value.files), "phase": value.phase.value}
            case tuple():
                columns[name] = _packed(value, values.get("held_forms", ()))
            case _:
                columns[name] = value
    return columns


def _packed(sent: tuple[Form, ...], held: tuple[Form, ...]) -> bytes | None:
    """Press forms together; XML shrinks to a tenth."""
    rows = [[_form_row(form) for form in forms] for forms in (sent, held)]
    return zlib.compress(json.dumps(rows).encode()) if sent else None


def _form_row(form: Form) -> list[object]:
    return [form.kind.value, form.data_format_id, form.data_format_version, form.data, form.form_id]


def _unpacked(packed: bytes | None) -> dict[str, tuple[Form, ...]]:
    rows = [[], []] if packed is None else json.loads(zlib.decompress(packed))
    if rows and not isinstance((rows[0] or [[]])[0], list):
        # Written before forms were kept with their ids: an operation that was under way during the upgrade.
        rows = [[[*row, None] for row in rows], []]
    sent, held = (
        tuple(
            Form(kind=FormKind(kind), data_format_id=format_id, data_format_version=version, data=data, form_id=form_id)
            for kind, format_id, version, data, form_id in forms
        )
        for forms in rows
    )
    return {"sent_forms": sent, "held_forms": held}


def operation_of(row: sa.RowMapping) -> Operation:
    """A row of ``operations``."""
    return Operation(
        id=UUID(row["id"]),
        dialog_id=UUID(row["dialog_id"]),
        sequence=row["sequence"],
        service_resource=row["service_resource"],
        action=row["action"],
        case=case_of(row),
        actor=row["actor"],
        body=row["body"],
        body_digest=row["body_digest"],
        stage=Stage(row["stage"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        problem=None if row["problem"] is None else _problem(row["problem"]),
        attempt=row["attempt"],
        tries=row["tries"],
        waiting=row["waiting"],
        holder=row["holder"],
        sending_at=row["sending_at"],
        answered_at=row["answered_at"],
        built_on=row["built_on"],
        state_after=row["state_after"],
        archived_id=row["archived_id"],
        accepted_at=row["accepted_at"],
        finished_at=row["finished_at"],
        level=row["level"],
        may_arrive_until=row["may_arrive_until"],
        uncertain_at=row["uncertain_at"],
        last_error=row["last_error"],
        manifest=None if row["manifest"] is None else _manifest(row["manifest"]),
        **_unpacked(row["sent_forms"]),
        language=row["language"] or "nb",
        results=row["results"] or {},
        differences=row["differences"] or {},
        meaning=_meaning(row),
        mapping_digest=row["mapping_digest"],
        tried_since=row["tried_since"],
        left_out=tuple(row["left_out"] or ()),
        dead_at=row["dead_at"],
        dead_stage=None if row["dead_stage"] is None else Stage(row["dead_stage"]),
        dead_why=row["dead_why"],
        dismissed_at=row["dismissed_at"],
        dismissed_why=row["dismissed_why"],
        awaits_upload_since=row["awaits_upload_since"],
        signer=row["signer"],
        left_on=row["left_on"],
    )


def meaning_columns(meaning: Meaning) -> dict[str, Any]:
    """What an operation was accepted as, in its columns."""
    return {
        "target": meaning.target.value,
        "verb": meaning.verb.value,
        "complete": meaning.complete,
        "sign": meaning.sign,
        "form": meaning.form.value,
        "meaning_digest": meaning.digest,
    }


def _meaning(row: sa.RowMapping) -> Meaning | None:
    if row["meaning_digest"] is None:
        return None
    return Meaning(
        target=Target(row["target"]),
        verb=Verb(row["verb"]),
        complete=row["complete"],
        sign=row["sign"],
        form=FormSource(row["form"]),
        digest=row["meaning_digest"],
    )


def _manifest(value: Mapping[str, Any]) -> Manifest:
    files = tuple((name, size) for name, size in value["files"])
    return Manifest(forms=value["forms"], files=files, phase=Phase(value["phase"]))


def _problem_json(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "status": problem.status,
        "facts": dict(problem.facts),
        "findings": [
            {
                "path": finding.path,
                "rule": finding.rule,
                "facts": dict(finding.facts),
                "line": finding.line,
                "column": finding.column,
            }
            for finding in problem.findings
        ],
    }


def _problem(value: Mapping[str, Any]) -> Problem:
    return Problem(
        code=value["code"],
        status=value["status"],
        facts=value["facts"],
        findings=tuple(Finding(**finding) for finding in value["findings"]),
    )
