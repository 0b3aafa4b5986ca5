"""The tokenizer of a model folder, as the prompt needs it: tags apart from text."""

from collections.abc import Sequence
from pathlib import Path

import tokenizers

from likeness.dialogue import END_OF_TURN, START, TAGS
from likeness.errors import BadCard
from likeness.texts import whole


class FolderTokenizer:
    """Any fast tokenizer of transformers (`tokenizer.json`) that knows START and all TAGS.

    `encode_special_tokens` makes the library read a typed `<speaker1>` as the characters it is;
    tags come in by `tag` alone.

    Source: tokenizers' `Tokenizer.encode_special_tokens`, checked by a property test.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        """Wrap a tokenizer that has the tags.

        Raises:
            BadCard: It lacks a tag.
        """
        # A base may have been saved with both; every message would be cut and filled up.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True
        found = {tag: tokenizer.token_to_id(tag) for tag in (START, *TAGS)}
        found[END_OF_TURN] = newline_id(tokenizer)
        self._tags = {tag: id_ for tag, id_ in found.items() if id_ is not None}
        missing = [tag for tag in found if tag not in self._tags]
        if missing:
            raise BadCard(f"the tokenizer lacks {', '.join(map(repr, missing))}")

    @property
    def writable(self) -> frozenset[int]:
        """The ids that a reply may hold: words and our tags, no other special token."""
        added = self._tokenizer.get_added_tokens_decoder().items()
        special = {id_ for id_, token in added if token.special}
        return frozenset(self._tokenizer.get_vocab().values()) - special | {*self._tags.values()}

    @property
    def fragments(self) -> dict[int, bytes]:
        """The bytes of the tokens that are no whole characters, such as the half of an emoji."""
        vocabulary = self._tokenizer.get_vocab()
        byte_of = _bytes_of_letters()
        if all(letter in vocabulary for letter in byte_of):
            return {
                id_: made
                for piece, id_ in vocabulary.items()
                if not piece.replace("\u0120", "").isascii()
                and (made := _broken(piece, byte_of)) is not None
            }
        bytes_ = {vocabulary.get(f"<0x{byte:02X}>"): bytes([byte]) for byte in range(128, 256)}
        return {id_: byte for id_, byte in bytes_.items() if id_ is not None}

    @classmethod
    def load(cls, folder: Path) -> "FolderTokenizer":
        """Read `tokenizer.json` from a model folder.

        Raises:
            BadCard: It is missing, cannot be read, or lacks a tag.
        """
        path = folder / "tokenizer.json"
        try:
            return cls(tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8")))
        except BadCard as error:
            raise BadCard(f"{path}: {error}: train the model with `likeness train`.") from error
        except OSError as error:
            raise BadCard(f"{path} cannot be read: {error.strerror}.") from error
        except Exception as error:  # the library raises no narrower one
            raise BadCard(f"{path} is not a tokenizer.") from error

    def encode(self, text: str) -> list[int]:
        """Return the ids of ordinary text; a tag that somebody typed is ordinary text too."""
        return list(self._tokenizer.encode(whole(text), add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, tags included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def tag(self, tag: str) -> int:
        """Return the id of START, END_OF_TURN or one of TAGS."""
        return self._tags[tag]


def newline_id(tokenizer: tokenizers.Tokenizer) -> int | None:
    """Return the one id that stands for a newline, None if the tokenizer has none."""
    added = tokenizer.token_to_id(END_OF_TURN)
    if added is not None:
        return int(added)
    ids = tokenizer.encode(END_OF_TURN, add_special_tokens=False).ids
    alone = len(ids) == 1 and tokenizer.decode(ids, skip_special_tokens=False) == END_OF_TURN
    return int(ids[0]) if alone else None


def _bytes_of_letters() -> dict[str, int]:
    """Return which byte each letter of a byte-level vocabulary stands for.

    Source: GPT-2's `bytes_to_unicode`: printable bytes stand for themselves, the others for the
    letters from U+0100 on; compared by a test with `ByteLevel.alphabet`.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    moved = {chr(0x100 + number): byte for number, byte in enumerate(others)}
    return {chr(byte): byte for byte in printable} | moved


def _broken(piece: str, byte_of: dict[str, int]) -> bytes | None:
    """Return the bytes of a token of a byte-level vocabulary if they are no whole characters."""
    if not all(letter in byte_of for letter in piece):  # a tag
        return None
    made = bytes(byte_of[letter] for letter in piece)
    try:
        made.decode()
    except UnicodeDecodeError:
        return made
    return None
