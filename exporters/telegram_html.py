"""Telegram Desktop's HTML: `messages.html`, `messages2.html` and so on, a thousand entries a page.

Every page is read by itself, as each begins anew. What JSON tells better is left to it: where
`result.json` stands beside the pages, they are not read.
"""

from collections.abc import Iterator

from exporters.entry import Unreadable
from exporters.owner import BY_ACCOUNT
from exporters.sources import Reading, Source
from exporters.streaming import keep_whole
from exporters.telegram_chats import left_out
from exporters.telegram_clock import PageClock
from exporters.telegram_folder import PageChat, find_chat
from exporters.telegram_forum import Forums
from exporters.telegram_page import Entry, Page, is_page
from exporters.telegram_root import is_telegram_json
from exporters.telegram_topics import Topics
from likeness.errors import DamagedSource
from likeness.messages import Kind, Message, Notice, Record, Rejected

_BETTER = ("result.json", "../../result.json")
_SENDS_CODES = frozenset({"Telegram", "Verification Codes"})
_FROM_BOTS = frozenset({"media_game", "media_invoice"})
_LOWEST_DAY_LINE = -900_000_000
"""Day lines are numbered -1, -2, …; what stood in a group before it moved, from -999,999,999 up."""


class _TelegramHTML:
    name = "Telegram Desktop HTML"

    def __init__(self) -> None:
        self._forums = Forums()

    def recognises(self, source: Source) -> bool:
        return is_page(source.head) and not any(map(_is_export, map(source.near, _BETTER)))

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        chat = find_chat(source)
        reading.flavour = "a page of a whole account" if chat.listed else "a page of one chat"
        pages = _Pages(chat, self._forums.topics(source), reading, source.name)
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(pages.records(Page(file)), source.name)


TELEGRAM_HTML = _TelegramHTML()


def _is_export(near: Source | None) -> bool:
    return near is not None and is_telegram_json(near.head)


class _Pages:
    """One page on its way through."""

    def __init__(self, chat: PageChat, topics: Topics, reading: Reading, name: str) -> None:
        self._chat = chat
        self._topics = topics
        self._ids = {chat.id}
        self._reading = reading
        self._name = name
        self._clock = PageClock(reading)
        self._speakers: set[str] = set()
        self._above: Entry | None = None

    def records(self, page: Page) -> Iterator[Record]:
        """Yield all entries; whatever happens, leave the evidence and the remarks.

        Raises:
            DamagedSource: The last one breaks off.
        """
        reason = left_out(self._chat.type, None, self._reading.include, self._chat.listed)
        broken: Entry | None = None
        try:
            for entry in page.entries():
                if broken:
                    yield Rejected(f"message {broken.id}", "its end is missing")
                broken = None if entry.whole else entry
                if broken is None:
                    yield self._record(entry) if reason is None else Notice(reason)
            if broken:
                raise DamagedSource(f"{self._name} breaks off.")
            if not page.ended:
                self._reading.remarks.append("The page has no end mark: the export was cut short.")
        finally:
            self._conclude()

    def _record(self, entry: Entry) -> Record:
        if entry.service is not None:
            self._above = None
            return Notice(_service(entry))
        said = self._above if entry.joined else entry
        if not entry.joined:
            self._above = entry
        try:
            if said is None or not said.speaker:
                raise Unreadable("it does not say who sent it")
            return self._message(entry, said)
        except Unreadable as error:
            return Rejected(f"message {entry.id}", str(error))

    def _message(self, entry: Entry, said: Entry) -> Message | Notice:
        if said.speaker == self._chat.name and said.speaker in _SENDS_CODES:
            return Notice("a verification code")
        if entry.media == "media_call":
            return Notice("phone call")
        text = entry.text or entry.sticker
        if entry.media == "media_poll" and not text:
            return Notice("a poll")
        if not entry.id:
            raise Unreadable("it has no number")
        moment = self._clock.utc(entry.date)
        self._speakers.add(said.speaker)
        message = Message(
            platform="telegram",
            chat_id=self._chat.id,
            chat=self._chat.name,
            id=entry.id,
            speaker_id=said.speaker,
            speaker=said.speaker,
            outgoing=None,
            sent_at=moment,
            text=text,
            reply_to=entry.reply_to,
            kind=self._kind(entry, said, text),
        )
        placed = self._topics.placed(message)
        self._ids.add(placed.chat_id)
        return placed

    def _kind(self, entry: Entry, said: Entry, text: str) -> Kind:
        if entry.forwarded:
            return "forwarded"
        by_bot = self._chat.type == "bot_chat" and said.speaker == self._chat.name
        if said.via_bot or by_bot or (text and entry.media in _FROM_BOTS):
            return "automated"
        return "text" if text and not entry.media else "media"

    def _conclude(self) -> None:
        """Tell who is me: the account's owner, or who in a chat of two does not bear its name."""
        self._reading.remarks.extend(self._clock.remarks())
        others = self._speakers - {self._chat.name}
        of_two = self._chat.type in ("", "personal_chat") and len(self._speakers) == 2
        if not self._speakers:
            return
        if self._chat.owner is not None:
            who = self._chat.owner, BY_ACCOUNT
        elif of_two and len(others) == 1:
            who = others.pop(), "the other one bears the chat's name"
        else:
            return
        self._reading.owner.update(dict.fromkeys(self._ids, who))


def _service(entry: Entry) -> str:
    """Return what kind of service entry it is; its words hold names."""
    number = int(entry.id or 0)
    if _LOWEST_DAY_LINE < number < 0:
        return "day line"
    unsupported = (entry.service or "").startswith("This message is not supported")
    return "unsupported by the exporting app" if unsupported else "service message"
