"""What is no JSON that we take stops before the schema."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.forms.json.input import UNSURE, Number, read_exact, read_quickly, read_values
from bridge.forms.xml.input import Limits, Unreadable

LIMITS = Limits(max_bytes=10_000, max_markup=2_000, max_depth=50)


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        ("", "empty_document"),
        (b" \n", "empty_document"),
        ('{"a": 1', "not_json"),
        ('{"a": 1}}', "not_json"),
        ('{"a": 1,}', "not_json"),
        ("{'a': 1}", "not_json"),
        ('{"a": 01}', "not_json"),
        ('{"a": "\n"}', "not_json"),
        ('{"a": /* x */ 1}', "not_json"),
        ('{"a": 1, "b": 2, "a": 1}', "duplicate_member"),
        ('{"a": 1, "\\u0061": 2}', "duplicate_member"),
        ('{"a" : 1, "a": "\\u003a"}', "duplicate_member"),
        ('{"a": NaN}', "not_a_number"),
        ('{"a": -Infinity}', "not_a_number"),
        ('{"a": 1e400}', "number_range"),
        ('{"a": -1E+999999999}', "number_range"),
        ('{"a": 1e-400}', "number_range"),
        ('{"a": 0.' + "0" * 400 + "1}", "number_range"),
        ('{"a": ' + "9" * 5_000 + "}", "number_range"),
        ('{"a": "\\ud800"}', "lone_surrogate"),
        ('{"\\uDC00": 1}', "lone_surrogate"),
        ("[" * 51 + "]" * 51, "too_complex"),
        ("[" * 4_000 + "]" * 4_000, "too_complex"),
        ('{"a":' * 51 + "1" + "}" * 51, "too_complex"),
        ("[" + "0," * 2_000 + "0]", "too_complex"),
        ('"' + "x" * 10_000 + '"', "too_large"),
        ("\ufeff{}", "byte_order_mark"),
        (b"\xef\xbb\xbf{}", "byte_order_mark"),
        ('{"a": "æ"}'.encode("latin-1"), "encoding"),
        ('{"a": 1}'.encode("utf-16"), "encoding"),
        ('{"a": 1}'.encode("utf-16-be"), "encoding"),
        ('{"a": 1}'.encode("utf-32-le"), "encoding"),
        (b'{"a": "\xed\xa0\x80"}', "encoding"),
    ],
)
def test_what_is_no_form_is_refused(form: bytes | str, rule: str):
    """Each kind has its rule, by every way of reading but the quick one, which leaves it to them."""
    with pytest.raises(Unreadable) as caught:
        read_values(form, LIMITS)

    assert caught.value.finding.rule == rule
    assert read_quickly(form, LIMITS) is UNSURE
    if rule != "number_range" or "e" in str(form).lower() or "." in str(form):
        with pytest.raises(Unreadable):
            read_exact(form, LIMITS)


def test_the_place_of_broken_json_is_told():
    """Line and column, without a word of the form."""
    with pytest.raises(Unreadable) as caught:
        read_values('{"a": 1,\n  secret}', LIMITS)

    assert (caught.value.finding.line, caught.value.finding.column) == (2, 3)
    assert "secret" not in str(caught.value)


def test_a_doubled_name_is_told_by_its_place():
    """A pointer, a line and a column, also deep inside and beside texts that look like names."""
    form = '{"x": "\\"a\\": {,",\n "b": [1, {"a~/": 1, "c": [],\n   "a~/": 2}]}'

    with pytest.raises(Unreadable) as caught:
        read_values(form, LIMITS)

    found = caught.value.finding
    assert (found.path, found.line, found.column) == ("/b/1/a~0~1", 3, 4)


def test_numbers_keep_every_digit():
    """As they were written, or as values of that many digits."""
    form = "[1.10, 12345678901234567890123, -0, 1E5, 0.00000001]"

    exact, values = read_exact(form, LIMITS), read_values(form, LIMITS)

    assert exact == ["1.10", "12345678901234567890123", "-0", "1E5", "0.00000001"]
    assert {type(number) for number in exact} == {Number}
    assert values == [Decimal("1.10"), 12345678901234567890123, 0, Decimal(100_000), Decimal("0.00000001")]


@pytest.mark.parametrize("form", ["1e5", "[12345678901234567]", "[0.12345678901234567]", '"\\u00e6"'])
def test_what_quick_reading_could_blur_is_left_to_the_thorough_one(form: str):
    """Exponents, long numbers and escapes."""
    assert read_quickly(form, LIMITS) is UNSURE


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(max_size=5)
    | st.sampled_from([":", '":', "{"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_both_ways_of_reading_agree(value: object, indent: int | None, ascii_only: bool):
    """What the quick way gives is what the thorough way gives."""
    form = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    quick = read_quickly(form, LIMITS)

    assert quick is UNSURE or quick == read_values(form, LIMITS) == value


@given(st.lists(st.tuples(st.sampled_from("abæ:"), st.integers(0, 3)), min_size=2, max_size=5), st.booleans())
def test_a_doubled_name_never_slips_through(members: list[tuple[str, int]], spaced: bool):
    """Whatever stands around it."""
    colon = " : " if spaced else ":"
    form = "{" + ",".join(f'"{name}"{colon}{number}' for name, number in members) + "}"
    double = len({name for name, _ in members}) < len(members)

    quick = read_quickly(form, LIMITS)

    assert (quick is UNSURE) == double
