"""The topics of a Telegram forum, each a chat of its own.

An export names no topic at a message: it answers, directly or through others, the entry that
created its topic; what answers nothing of the kind stands in "General".

Source: `export_output_json.cpp` of telegramdesktop/tdesktop, which writes `topic_created` and
`reply_to_message_id` and nothing else of topics.
"""

from array import array
from bisect import bisect_left
from dataclasses import replace
from typing import Any

from exporters.entry import whole_number
from likeness.messages import Message

_MOST = 2**62


class Topics:
    """Follows the answers of one chat; costs nothing until a topic is created.

    Sixteen bytes an entry: entries come in the order of their ids, so that two arrays do.
    """

    def __init__(self) -> None:
        self._titles: dict[int, str] = {}
        self._ids = array("q")
        self._topics = array("q")
        self._stragglers: dict[int, int] = {}

    def note(self, entry: Any) -> None:
        """Learn which topic an entry stands in; to be told every entry, in their order."""
        if not isinstance(entry, dict):
            return
        id_ = _id(entry.get("id"))
        if entry.get("action") == "topic_created" and id_ is not None:
            title = entry.get("title")
            self._titles[id_] = title if isinstance(title, str) else str(id_)
            self._enter(id_, id_)
        elif self._titles and id_ is not None and entry.get("reply_to_peer_id") is None:
            topic = self._topic(_id(entry.get("reply_to_message_id")))
            if topic is not None:
                self._enter(id_, topic)

    def placed(self, message: Message) -> Message:
        """Return a message as one of its topic; to answer what created that is no answer."""
        topic = self._topic(_id(message.id)) if self._titles else None
        if topic is None:
            return message
        return replace(
            message,
            chat_id=f"{message.chat_id}/{topic}",
            chat=f"{message.chat} / {self._titles[topic]}",
            reply_to=None if message.reply_to == str(topic) else message.reply_to,
        )

    def _enter(self, id_: int, topic: int) -> None:
        if self._ids and id_ <= self._ids[-1]:
            self._stragglers[id_] = topic
        else:
            self._ids.append(id_)
            self._topics.append(topic)

    def _topic(self, id_: int | None) -> int | None:
        if id_ is None:
            return None
        at = bisect_left(self._ids, id_)
        if at < len(self._ids) and self._ids[at] == id_:
            return self._topics[at]
        return self._stragglers.get(id_)


def _id(value: object) -> int | None:
    found = whole_number(value)
    return found if found is not None and abs(found) < _MOST else None
