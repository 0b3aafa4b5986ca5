"""What DiscordChatExporter itself says of system messages, where nothing else tells them apart.

Source: `PlainTextMessageExtensions.cs`, and for HTML `MessageGroupTemplate.cshtml`, whose
sentences begin with a small letter and differ in three places.
"""

import re

_SENTENCES = {
    "RecipientAdd": r"Added (?:a recipient|[^\n]{1,64} to the group)\.",
    "RecipientRemove": r"Left the group\.|Removed (?:a recipient|[^\n]{1,64} from the group)\.",
    "Call": r"Started a call that lasted [\d.,'’\s]{1,12} minutes\.?",
    "ChannelNameChange": r"Changed the channel name(?:\.|: [^\n]{1,200})",
    "ChannelIconChange": r"Changed the channel icon\.",
    "ChannelPinnedMessage": r"Pinned a message(?: to this channel)?\.",
    "ThreadCreated": r"Started a thread\.",
    "GuildMemberJoin": r"Joined the server\.",
}
_SENTENCE = re.compile("|".join(f"(?P<{kind}>{told})" for kind, told in _SENTENCES.items()))


def system_kind(text: str) -> str | None:
    """Return the kind of system message that a whole text is, None if a person may have said it."""
    found = _SENTENCE.fullmatch(text)
    return found.lastgroup if found else None
