"""The tokenizer of a model folder, as the prompt needs it: tags apart from text."""

from collections.abc import Sequence
from pathlib import Path

import tokenizers

from likeness.dialogue import END_OF_TURN, START, TAGS
from likeness.errors import BadCard


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
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

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
