"""Messages to turns to token ids and loss weights: the only place that knows the prompt's form.

    <|endoftext|><speaker2> are you there?<msg> hello??
    <speaker1> sorry<msg> was on the bus<br> no signal
    <after:hours><speaker3> lunch?
    <speaker1>

`<speaker1>` is me, the others get `<speaker2>` to `<speaker8>` by first appearance; a ninth shares
the tag of whoever of them spoke least recently. A newline ends a turn, `<msg>` parts the messages
of one, `<br>` is a newline inside a message. `<after:…>` says how long the silence before a message
was: before the speaker's tag where a turn begins, after `<msg>` inside one.

Training encodes with `encode_turns` and `join`; the bot asks with `prompt`, which is made of the
same two, and reads the answer with `ReplyReader`.
"""

from likeness.dialogue.prompts import (
    context,
    newest_that_fit,
    prompt,
    steady_window,
    turn_tokens,
)
from likeness.dialogue.tags import (
    END_OF_TURN,
    LINE_BREAK,
    ME,
    NEXT_MESSAGE,
    PROMPT_VERSION,
    SILENCES,
    SPEAKERS,
    START,
    TAGS,
    CharacterTokenizer,
    Tokenizer,
    silence_tag,
)
from likeness.dialogue.texts import Part, ReplyReader, read_prompt, spans
from likeness.dialogue.turns import (
    Encoded,
    Turn,
    decode_text,
    encode_newest,
    encode_turns,
    join,
    parts,
    split_conversations,
)

__all__ = [
    "END_OF_TURN",
    "LINE_BREAK",
    "ME",
    "NEXT_MESSAGE",
    "PROMPT_VERSION",
    "SILENCES",
    "SPEAKERS",
    "START",
    "TAGS",
    "CharacterTokenizer",
    "Encoded",
    "Part",
    "ReplyReader",
    "Tokenizer",
    "Turn",
    "context",
    "decode_text",
    "encode_newest",
    "encode_turns",
    "join",
    "newest_that_fit",
    "prompt",
    "read_prompt",
    "silence_tag",
    "spans",
    "steady_window",
    "parts",
    "split_conversations",
    "turn_tokens",
]
