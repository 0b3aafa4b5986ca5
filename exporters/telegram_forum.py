"""The topics of a Telegram forum that was exported as HTML: told by all of its pages together.

Source: `export_output_html.cpp` of telegramdesktop/tdesktop, which writes `… created topic «Title»`
as a line of the app, links each message to what it answers, and says nothing else of topics.
"""

import re
from contextlib import suppress
from dataclasses import replace

from exporters.folders import by_number
from exporters.sources import Source
from exporters.telegram_page import Entry, Page, is_page
from exporters.telegram_topics import Topics
from likeness.errors import DamagedSource

_TOLD = b" created topic &laquo;"
_CREATED = re.compile(r" created topic «(.*)»", re.DOTALL)
_BLOCK_BYTES = 1 << 20


class Forums:
    """Finds the topics of a page's chat; those of the latest chat are kept for its next page."""

    def __init__(self) -> None:
        self._latest: tuple[object, Topics] | None = None

    def topics(self, page: Source) -> Topics:
        """Return the topics of the chat that a page is of; there are none but in a forum.

        What a damaged page would have told is missing.
        """
        first = page.near("messages.html") or page
        # What is kept shall not keep a zip open.
        chat = page.holder, replace(first, archive=None)
        if self._latest is None or self._latest[0] != chat:
            self._latest = chat, _read(page)
        return self._latest[1]


def _read(page: Source) -> Topics:
    topics, pages = Topics(), list[Source]()
    with suppress(DamagedSource):
        pages.extend(near for near in page.all_near("messages*.html") if is_page(near.head))
    if any(map(_tells_of_topics, pages)):
        for one in sorted(pages, key=lambda page: by_number(page.name)):
            with suppress(DamagedSource), one.open() as file:
                for entry in Page(file).entries():
                    _note(entry, topics)
    return topics


def _note(entry: Entry, topics: Topics) -> None:
    created = _CREATED.search(entry.service or "")
    told = {"action": "topic_created", "title": created[1]} if created else {}
    answered = entry.reply_to and int(entry.reply_to)
    if entry.id:
        topics.note({"id": int(entry.id), "reply_to_message_id": answered, **told})


def _tells_of_topics(page: Source) -> bool:
    tail = b""
    with suppress(DamagedSource), page.open() as file:
        while block := file.read(_BLOCK_BYTES):
            if _TOLD in tail + block:
                return True
            tail = (tail + block)[-len(_TOLD) :]
    return False
