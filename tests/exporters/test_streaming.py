"""JSON is read value by value, whole up to its damage."""

import io
import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.streaming import BrokenJSON, JSONReader, beginning

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False).map(str)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


def reader(text):
    return JSONReader(io.BytesIO(text.encode() if isinstance(text, str) else text))


@given(values)
def test_a_value_is_what_json_says_it_is(value):
    assert reader(json.dumps(value)).value() == value


@pytest.mark.slow
@given(st.lists(values), st.sets(st.integers(0, 20)))
def test_elements_left_alone_are_skipped_whole(items, taken):
    json_ = reader(json.dumps(items))
    found = {index: json_.value() for index in json_.elements() if index in taken}
    assert found == {index: item for index, item in enumerate(items) if index in taken}


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from("abcdef"), values), st.sets(st.sampled_from("abcdef")))
def test_members_left_alone_are_skipped_whole(members, taken):
    json_ = reader(json.dumps(members))
    found = {key: json_.value() for key in json_.members() if key in taken}
    assert found == {key: value for key, value in members.items() if key in taken}


@given(st.lists(st.integers(0, 9), min_size=1), st.data())
def test_a_cut_file_gives_what_is_whole(items, data):
    text = json.dumps(items)
    cut = data.draw(st.integers(0, len(text) - 1))
    json_, found = reader(text[:cut]), []
    with suppress(BrokenJSON):
        for _ in json_.elements():
            found.append(json_.value())  # noqa: PERF401  # what came before the end must stay
        raise AssertionError("a cut file was taken for a whole one")
    assert found == items[: len(found)]
    assert len(found) >= text[:cut].count(",")


def listed(text, *, one_by_one):
    """Return the values under `messages`, up to where the file breaks off, and whether it does."""
    json_, found = reader(text), []
    try:
        for key in json_.members():
            if key == "messages" and json_.kind() == "array":
                if one_by_one:
                    for index in json_.elements():
                        found.append((index, json_.value()))  # noqa: PERF401
                else:
                    found.extend(json_.values())
    except BrokenJSON:
        return found, True
    return found, False


objects = st.dictionaries(st.sampled_from(["a", "messages", "}"]), values | st.floats(), max_size=3)


@given(st.lists(objects | values, max_size=6), st.sampled_from([None, 1, "\t"]), st.data())
def test_values_in_slices_are_those_one_by_one(items, indent, data):
    text = json.dumps({"messages": items, "more": {"messages": items}}, indent=indent).encode()
    assert listed(text, one_by_one=False) == listed(text, one_by_one=True)
    at = data.draw(st.integers(0, len(text)))
    hurt = (
        text[:at] + data.draw(st.sampled_from([b"", b"\xff", b"\n", b"{", b"}"])) + text[at + 3 :]
    )
    assert listed(hurt, one_by_one=False) == listed(hurt, one_by_one=True)


def test_kinds_are_told_before_they_are_read():
    json_ = reader('[{}, [], "a", 1.5, null]')
    kinds = [(json_.kind(), json_.value()) for _ in json_.elements()]
    assert [kind for kind, _ in kinds] == ["object", "array", "scalar", "scalar", "scalar"]
    assert kinds[3][1] == Decimal("1.5")


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.4", b'{"a": "\xff"}', b'{"a": 1e' + b"9" * 30, b"\0"]
)
def test_what_is_no_json_breaks(data):
    with pytest.raises(BrokenJSON):
        reader(data).value()


def test_the_beginning_of_a_file_tells_what_it_holds_so_far():
    assert beginning(b'\xef\xbb\xbf{"a": 1, "b": [1, 2, {"c": "long te') == {
        "a": 1,
        "b": [1, 2, {}],
    }
    assert beginning(b"%PDF-1.4") is None


@pytest.mark.slow
def test_ever_deeper_brackets_do_no_harm():
    beginning(b"[" * 60_000)
    with pytest.raises(BrokenJSON):
        reader(b"[" * 60_000).value()
