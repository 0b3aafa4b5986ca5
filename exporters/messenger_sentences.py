"""Sentences that Messenger and Instagram write themselves, in the account's language.

Nothing marks them but their words. English is known by its wordings; in other languages they are
known by beginning with the sender's whole name, or by standing under several attachments alike.

Source: published downloads, and the lists of those who filter them.
"""

import re
from collections.abc import Iterable

_MOST_CHARACTERS = 200
_LEAST_CHARACTERS = 10
_STOPS = (".", "。", "।", "۔")
_EDITED = " (edited)"
_CALL = r"(?:audio call|voice call|video call|video chat|call)"
_ALONE = {
    "reaction": re.compile(
        r"liked a message|reacted \S{1,20} to (?:your|a|their) message"
        r"|hat eine nachricht mit .gefällt mir. markiert"
        r"|hat mit \S{1,20} auf (?:deine|eine) nachricht reagiert"
        r"|a aimé un message|a réagi avec \S{1,20} à (?:votre|ton|un) message"
        r"|le gust(?:a|ó) un mensaje|reaccionó con \S{1,20} a tu mensaje"
        r"|curtiu uma mensagem|reagiu com \S{1,20} à sua mensagem"
        r"|ha messo .mi piace. a un messaggio|ha reagito con \S{1,20} al tuo messaggio",
        re.IGNORECASE,
    ),
    "call": re.compile(
        rf"(?:the )?{_CALL} (?:has )?ended\.|missed {_CALL}\.?"
        rf"|you missed an? {_CALL} (?:from|with) .{{1,100}}\.",
        re.IGNORECASE,
    ),
    "group or chat event": re.compile(
        r"you (?:are|'re) now connected on messenger\.?|say hi to your new facebook friend.*"
        r"|you can now (?:message and call|call) each other.*",
        re.IGNORECASE,
    ),
}
"""What stands alone, by what it announces."""

_OF_CALLS = rf"(?:missed (?:your|an?) {_CALL}|(?:started|joined) (?:an?|the) {_CALL})"
_OF_EVENTS = (
    r"(?:named the group|changed the (?:group|chat|theme|photo)|set the (?:emoji|quick|nickname)"
    r"|(?:set|cleared) (?:your|his|her|their|the) (?:own )?nickname"
    r"|(?:added|removed) .+ (?:to|from) the (?:group|chat)|made .+ an admin|is now an admin"
    r"|(?:left|joined) the (?:group|chat)|created (?:the group|a poll|a plan|an event)|voted for"
    r"|(?:changed|removed) (?:his|her|their|your) vote|(?:un)?pinned a message|unsent a message"
    r"|waved at|turned (?:on|off) |mentioned you in |sent an? (?:attachment|location|live location)"
    r"|started sharing|shared an? )"
)
"""What the sender did, by the app's account of it."""


class Sentences:
    """Knows the app's sentences of one chat.

    Args:
        people: Who takes part, by name.
        often: What stands by several attachments of the chat.
    """

    def __init__(self, people: Iterable[str], often: frozenset[str]) -> None:
        self._people = "|".join(re.escape(name) for who in people for name in _names(who)) or "you"
        self._often = often
        self._known: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {}

    def announced(self, text: str, speaker: str) -> str | None:
        """Return what an entry without an attachment announces, None if a person wrote it."""
        sentence = text.strip()
        if not sentence or len(sentence) > _MOST_CHARACTERS or "\n" in sentence:
            return None
        for reason, pattern in _ALONE.items():
            if pattern.fullmatch(sentence):
                return reason
        if not sentence.endswith(_STOPS):
            return None
        calls, events = self._patterns(speaker)
        if calls.match(sentence):
            return "call"
        named = events.match(sentence) or _names_its_sender(sentence, speaker)
        return "group or chat event" if named else None

    def by_attachment(self, text: str, speaker: str) -> bool:
        """Tell whether the app wrote what stands by an attachment."""
        sentence = text.strip()
        if not sentence.endswith(_STOPS) or "\n" in sentence or "://" in sentence:
            return False
        begins = sentence.startswith(("You ", *(f"{name} " for name in _names(speaker))))
        return begins or (text in self._often and len(sentence) >= _LEAST_CHARACTERS)

    def _patterns(self, speaker: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Return what the app writes of this speaker's calls, and of what else he does."""
        if speaker not in self._known:
            who = "|".join(map(re.escape, ("You", *_names(speaker))))
            called = rf"called (?:you|{self._people})\."
            self._known[speaker] = (
                re.compile(rf"(?:{who}) (?:{_OF_CALLS}|{called})"),
                re.compile(rf"(?:{who}) {_OF_EVENTS}"),
            )
        return self._known[speaker]


def without_edit_mark(text: str) -> str:
    """Return a text without what Instagram puts behind an edited one."""
    return text.removesuffix(_EDITED)


def _names(person: str) -> tuple[str, ...]:
    """Return how the app names a person: by the whole name, or by the first."""
    return person, *person.split()[:1]


def _names_its_sender(sentence: str, speaker: str) -> bool:
    """Tell whether a sentence speaks of its sender by all his names, as nobody does of himself."""
    return " " in speaker and sentence.startswith(f"{speaker} ")
