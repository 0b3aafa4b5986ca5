"""Illegal JSON is made legal on the way, and nothing else is touched."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import repair
from exporters.repair import Repairs, repaired
from tests.examples import examples


def read(data, repairs=None):
    return repaired(io.BytesIO(data), repairs or Repairs()).read()


@pytest.fixture(params=[1, 7, 65_536])
def block(request, monkeypatch):
    """Blocks so small that every border falls inside something, and the real ones."""
    monkeypatch.setattr(repair, "_BLOCK_BYTES", request.param)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [None, 1])
@settings(max_examples=examples(40))
@given(value=st.recursive(st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_legal_json_passes_unchanged(layout, value):
    data = json.dumps({"document_id": value}, ensure_ascii=False, indent=layout)
    data = data.encode(errors="surrogatepass")
    repairs = Repairs()
    assert read(data, repairs) == data
    assert list(repairs.remarks()) == []


@settings(max_examples=examples(60))
@given(words=st.lists(st.sampled_from(["\\", "\x0b", "x0B", "\n", '"', "a", "\x1f"])))
def test_every_character_below_a_blank_comes_back(words):
    text = "".join(words)
    wrong = json.dumps([text]).replace("\\u00", "\\x")
    repairs = Repairs()
    for size in (1, 5, 65_536):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repair, "_BLOCK_BYTES", size)
            patch.setattr(repair, "_LONGEST_LINE", 4 * size)
            repairs = Repairs()
            assert json.loads(read(wrong.encode(), repairs)) == [text]
    assert repairs.escapes == text.count("\x0b") + text.count("\x1f")


def test_an_id_without_quotes_gets_them(block):
    wrong = b"""{
 "document_id": video_files/sticker (2).webm
}"""
    repairs = Repairs()
    assert json.loads(read(wrong, repairs)) == {"document_id": "video_files/sticker (2).webm"}
    assert list(repairs.remarks()) == ["1 id without quotes was repaired."]


@pytest.mark.parametrize("value", ["null", "12345678901234567890", '"new.webp"', "[1]"])
def test_a_legal_id_stays_as_it_is(block, value):
    legal = f'{{\n "document_id": {value}\n}}'.encode()
    assert read(legal) == legal


def test_several_repairs_are_counted():
    repairs = Repairs()
    read(rb'["\x01", "\\x02", "\x03 \x0b"]', repairs)
    assert list(repairs.remarks()) == ["3 illegal escapes were repaired."]
    read(b'[{"document_id": a.webp\n}, {"document_id": null.webp,\n}]', repairs)
    assert repairs.ids == 2


def test_an_endless_line_of_backslashes_is_read_in_pieces():
    data = b'["' + b"\\" * 3_000_001 + b'x0B"]'
    assert read(data) == data[:-6] + b'\\u000B"]'
