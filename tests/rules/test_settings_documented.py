"""What is written about settings is what the code does."""

import dataclasses
import re
from pathlib import Path

from bridge.config.settings import VARIABLES, Settings, settings_table

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_document_lists_every_setting():
    """The table in the document is the one that the code writes."""
    written = re.search(r"<!-- table -->\n(.*)\n<!-- /table -->", DOCUMENT.read_text("utf-8"), re.DOTALL)

    assert written is not None
    assert written[1] == settings_table()


def test_every_variable_fills_one_field():
    """No setting is read for nothing, and no field is left to chance."""
    names = [variable.field for variable in VARIABLES]

    assert sorted(names) == sorted(field.name for field in dataclasses.fields(Settings))
