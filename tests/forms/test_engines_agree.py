"""Our verdict, which is libxml2's, and xmlschema's are the same of every form."""

import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
import xmlschema
from lxml import etree

from bridge.bundled import schemas_folder
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.schemas import read_schema_files
from tests.forms.instances import Maker, mutate

REAL = Path(__file__).parents[3] / "shared" / "forms"


def accepts(schema: Any, root: etree._Element) -> bool:
    """xmlschema's verdict; where it gives up (a year of twenty digits) it has not accepted."""
    try:
        return bool(schema.is_valid(root))
    except ArithmeticError:
        return False


def disagreements(folder: Path, name: str, count: int, seed: int) -> tuple[list[bytes], Counter[bool]]:
    """Make *count* forms, two thirds of them changed, and hold them against both engines."""
    files = read_schema_files(folder, name)
    first = SchemaRegistry(folder)
    first.load([name])
    second: Any = xmlschema.XMLSchema10(files.texts[name].decode())
    random = Random(seed)
    roots = list(second.elements.values())
    verdicts: Counter[bool] = Counter()
    different = []
    for number in range(count):
        root = Maker(random, whole=False).make(random.choice(roots))
        for _ in range(number % 3):
            mutate(root, random)
        form = etree.tostring(root)
        verdict = not first.check(name, form)
        verdicts[verdict] += 1
        if verdict != accepts(second, etree.fromstring(form)):
            different.append(form)
    return different, verdicts


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_engines_agree_on_ten_thousand_forms() -> None:
    """Of forms made and changed by chance, none is accepted by the one and refused by the other."""
    different, verdicts = disagreements(schemas_folder(), "serveringsbevilling.xsd", 10_000, seed=1)

    assert different == []
    assert min(verdicts[True], verdicts[False]) > 2_000


@pytest.mark.contract
@pytest.mark.timeout(900)
@pytest.mark.skipif(not REAL.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here")
@pytest.mark.parametrize("form", sorted(path.parent.name for path in REAL.glob("*/schema.xsd")) or ["not here"])
def test_both_engines_agree_on_real_schemas(form: str) -> None:
    """The same for the schemas beside the project."""
    different, verdicts = disagreements(REAL / form, "schema.xsd", 500, seed=2)

    assert different == []
    assert min(verdicts[True], verdicts[False]) > 10
