"""WhatsApp's faster ways give what the careful ones give, whatever the file holds."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import find_exporter
from exporters.cuts import Cuts
from exporters.sources import sources_in
from exporters.whatsapp import WHATSAPP
from tests.exporters.test_blocks import told
from tests.exporters.test_whatsapp_properties import BEGINNING, SHAPES

SAMPLES = sorted((Path(__file__).parent / "samples" / "whatsapp").glob("*.txt"))
BODIES = [
    "hello", "", " ", "\u200eimage omitted", "<Media omitted>", "a: b", "two\nlines", "x (y)",
    "This message was deleted", "https://maps.google.com/?q=1,2", "12/03/2024, 10:00 - Bo: pasted",
    "Messages and calls are end-to-end encrypted. Nobody outside reads them. Tap to learn.",
]  # fmt: skip


def told_carefully(path):
    """Read a file with the pattern of its heads alone, message by message."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cuts, "cut", lambda *_: None)
        return told(path, blocks=False, exporter=WHATSAPP)[0]


def agree(path):
    found, count = told(path, blocks=True, exporter=WHATSAPP)
    careful = told_carefully(path)
    assert found == careful
    assert told(path, blocks=False, exporter=WHATSAPP)[0] == careful
    return count


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_read_as_with_care(path):
    assert agree(path) >= 1


def test_exports_of_others_are_read_as_with_care(shared):
    read = 0
    for path in sorted((shared / "fixtures" / "whatsapp").glob("*.txt")):
        (source,) = sources_in(path, path.name)
        if find_exporter(source) is WHATSAPP:
            agree(path)
            read += 1
    assert read > 20


bits = st.sampled_from(
    [" ", "\u200e", "\u202f", "\u00a0", "-", ":", "[", "]", ", ", "7", "AM", "\r"]
)
heads = st.tuples(
    st.integers(0, 400 * 24 * 60 * 60),
    st.sampled_from(["Ann", "Bo: C", "~\u202fCy", "\u200eDo", "1 2"]),
    st.sampled_from(BODIES),
)


@given(st.sampled_from(sorted(SHAPES)), st.lists(heads, min_size=3, max_size=12), st.data())
@settings(max_examples=80, deadline=None)
def test_any_text_is_read_as_with_care(tmp_path_factory, shape, found, data):
    render, _ = SHAPES[shape]
    when = [BEGINNING + timedelta(seconds=seconds) for seconds, *_ in found]
    if data.draw(st.booleans()):
        when.sort()
    text = "".join(
        f"{render(moment)}{name}: {body}\n"
        for moment, (_, name, body) in zip(when, found, strict=True)
    )
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(bits) + text[at + data.draw(st.integers(0, 2)) :]
    path = tmp_path_factory.mktemp("text") / "_chat.txt"
    path.write_text(text, encoding="utf-8", newline="")
    agree(path)
