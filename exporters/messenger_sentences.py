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
        rf"(?:the )?{_CALL} (?:has )?ended\.|(?:audio|voice|video) (?:call|chat) ended"
        rf"|missed {_CALL}\.?"
        rf"|you missed an? {_CALL} (?:from|with) .{{1,100}}\.",
        re.IGNORECASE,
    ),
    "group or chat event": re.compile(
        r"you (?:are|'re) now connected on messenger\.?|say hi to your new facebook friend.*"
        r"|you can now (?:message and call|call) each other.*|sent \d+ attachments?\.",
        re.IGNORECASE,
    ),
}
"""What stands alone, by what it announces."""

_OF_CALLS = rf"(?:missed (?:your|an?) {_CALL}|(?:started|joined) (?:an?|the) {_CALL})"
_OF_EVENTS = (
    r"(?:named the group|changed the (?:group|chat|theme|photo)|set the (?:emoji|quick|nickname)"
    r"|(?:set|cleared) (?:your|his|her|their|the) (?:own )?nickname"
    r"|(?:added|removed) .+ (?:to|from) the (?:group|chat)|made .+ an admin|is now an admin"
    r"|created (?:the group|a poll|a plan|an event)|voted for|mentioned you in "
    r"|(?:changed|removed) (?:his|her|their|your) vote|(?:un)?pinned a message|unsent a message"
    r"|sent (?:an?|\d+) (?:attachment|location|live location))"
)
"""What the sender did, by the app's account of it."""

_OF_THEMES = r"changed the (?:group |chat )?theme to .{1,60}"
"""What Instagram writes without a full stop, as it does of calls."""

_OF_NAMED = (
    r"(?:(?:left|joined) the (?:group|chat)|waved at|turned (?:on|off) |started sharing"
    r"|shared an? )"
)
"""What people say as well, though not of themselves by name."""

_OF_YOU = (
    r"(?:(?:left|joined) the (?:group|chat)(?:\.| (?:by|through|using|via) )"
    r"|waved at (?:everyone|each other|{people})"
    r"|turned (?:on|off) .*\b(?:approval|messages?|mode|notifications?|receipts|sharing)\b"
    r"|started sharing (?:an? |your )?(?:live |screen|location|video)"
    r"|shared an? (?:contact|event|link|live|location|memory|page|photo|post|product|profile|reel"
    r"|song|story|video)\b)"
)
"""The same in the narrower words of the app, to whose download it is."""


class Sentences:
    """Knows the app's sentences of one chat.

    Args:
        people: Who takes part, by name.
        often: What stands by several attachments of the chat.
        owner: Whose download it is, as far as the chat tells; of others the app never says "You".
    """

    def __init__(self, people: Iterable[str], often: frozenset[str], owner: str = "") -> None:
        self._people = "|".join(re.escape(name) for who in people for name in _names(who)) or "you"
        self._often = often
        self._owner = owner
        self._known: dict[str, tuple[re.Pattern[str], ...]] = {}

    def announced(self, text: str, speaker: str) -> str | None:
        """Return what an entry without an attachment announces, None if a person wrote it."""
        sentence = text.strip()
        if not sentence or len(sentence) > _MOST_CHARACTERS or "\n" in sentence:
            return None
        for reason, pattern in _ALONE.items():
            if pattern.fullmatch(sentence):
                return reason
        calls, events, themes = self._patterns(speaker)
        if not sentence.endswith(_STOPS):
            if calls.fullmatch(sentence):
                return "call"
            return "group or chat event" if themes.fullmatch(sentence) else None
        if calls.match(sentence):
            return "call"
        named = events.match(sentence) or _names_its_sender(sentence, speaker)
        return "group or chat event" if named else None

    def by_attachment(self, text: str, speaker: str) -> bool:
        """Tell whether the app wrote what stands by an attachment."""
        sentence = text.strip()
        if not sentence.endswith(_STOPS) or "\n" in sentence or "://" in sentence:
            return False
        begins = sentence.startswith(tuple(f"{name} " for name in self._called(speaker)))
        alone = any(pattern.fullmatch(sentence) for pattern in _ALONE.values())
        return begins or alone or (text in self._often and len(sentence) >= _LEAST_CHARACTERS)

    def _patterns(self, speaker: str) -> tuple[re.Pattern[str], ...]:
        """Return what the app writes of this speaker's calls, of what else he does, and themes."""
        if speaker not in self._known:
            called = rf"called (?:you|{self._people})\."
            named = "|".join(map(re.escape, _names(speaker)))
            who = "|".join(map(re.escape, self._called(speaker)))
            of_you = _OF_YOU.replace("{people}", self._people)
            self._known[speaker] = (
                re.compile(rf"(?:{who}) (?:{_OF_CALLS}|{called})"),
                re.compile(
                    rf"(?:{who}) {_OF_EVENTS}|(?:{named}) {_OF_NAMED}"
                    + (rf"|You {of_you}" if "You" in self._called(speaker) else "")
                ),
                re.compile(rf"(?:{who}) {_OF_THEMES}"),
            )
        return self._known[speaker]

    def _called(self, speaker: str) -> tuple[str, ...]:
        """Return what the app's sentences about a sender may begin with."""
        you = () if self._owner and speaker != self._owner else ("You",)
        return (*you, *_names(speaker))


def without_edit_mark(text: str) -> str:
    """Return a text without what Instagram puts behind an edited one."""
    return text.removesuffix(_EDITED)


def _names(person: str) -> tuple[str, ...]:
    """Return how the app names a person: by the whole name, or by the first."""
    return person, *person.split()[:1]


def _names_its_sender(sentence: str, speaker: str) -> bool:
    """Tell whether a sentence speaks of its sender by all his names, as nobody does of himself."""
    return " " in speaker and sentence.startswith(f"{speaker} ")
