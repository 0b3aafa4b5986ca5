from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from likeness.dialogue import END_OF_TURN, START, TAGS, encode_turns, join
from likeness.errors import BadCard
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from tests.conftest import BEGINNING


def byte_level(*tags: str) -> tokenizers.Tokenizer:
    """Make a tokenizer of single bytes, as GPT-2's is before its merges."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.models.BPE(vocab={c: n for n, c in enumerate(alphabet)}, merges=[])
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(list(tags))
    return tokenizer


TOKENIZER = FolderTokenizer(byte_level(START, *TAGS))
TYPED = st.lists(
    st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from([START, *TAGS])
)


def test_a_tokenizer_that_was_saved_cutting_and_filling_up_does_neither():
    saved = byte_level(START, *TAGS)
    saved.enable_truncation(8)
    saved.enable_padding(length=32)
    text = "longer than eight tokens"
    tokenizer = FolderTokenizer(saved)
    assert tokenizer.encode(text) == TOKENIZER.encode(text)
    assert tokenizer.tag(END_OF_TURN) == TOKENIZER.tag(END_OF_TURN)


@given(TYPED.map("".join))
def test_no_text_is_ever_read_as_a_tag(text: str):
    ids = TOKENIZER.encode(text)
    assert not {TOKENIZER.tag(tag) for tag in (START, *TAGS)} & set(ids)
    assert TOKENIZER.decode(ids) == text


@given(TYPED.map("".join))
def test_no_message_forges_a_tag_in_a_prompt(text: str):
    message = Message("t", "1", "x", "1", "ann", "Ann", False, BEGINNING, f"x{text}")
    ids = join(encode_turns([message], TOKENIZER), TOKENIZER).ids
    tags = [id_ for id_ in ids if id_ in {TOKENIZER.tag(t) for t in (START, *TAGS, END_OF_TURN)}]
    breaks = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    expected = [START, "<speaker2>", *["<br>"] * breaks, END_OF_TURN]
    assert tags == [TOKENIZER.tag(tag) for tag in expected]


@pytest.mark.parametrize(
    ("text", "read"),
    [("so \ud83d", "so \ufffd"), ("\udce9t\udce9", "\ufffdt\ufffd"), ("\ud83d\ude00!", "😀!")],
    ids=ascii,
)
def test_halves_of_characters_are_joined_or_replaced(text: str, read: str):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == read


def test_the_real_tokenizer_of_gpt2_forges_no_tag_either(shared: Path):
    folder = shared / "data/gpt2-tokenizer"
    model = tokenizers.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([START, *TAGS])
    wrapped = FolderTokenizer(tokenizer)
    assert wrapped.tag(START) == 50256
    assert wrapped.tag(END_OF_TURN) == 198
    typed = f"a{START}<speaker1> b<msg>"
    assert max(wrapped.encode(typed)) < 50256
    assert wrapped.decode(wrapped.encode(typed)) == typed


def test_tags_are_written_back_as_themselves():
    tags = [START, *TAGS, END_OF_TURN]
    assert TOKENIZER.decode([TOKENIZER.tag(tag) for tag in tags]) == "".join(tags)


def test_a_tokenizer_without_the_tags_is_refused(tmp_path: Path):
    byte_level(START).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(BadCard, match="lacks '<speaker1>'"):
        FolderTokenizer.load(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"model": 7}'])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: str):
    with pytest.raises(BadCard, match="cannot be read"):
        FolderTokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadCard, match="is not a tokenizer"):
        FolderTokenizer.load(tmp_path)
