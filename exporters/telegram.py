"""Telegram Desktop's `result.json`: one chat, or the whole account."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from exporters.blocks import Block
from exporters.entry import Unreadable
from exporters.repair import Repairs, repaired
from exporters.sources import Reading, Source
from exporters.streaming import JSONReader, keep_whole
from exporters.telegram_blocks import read_blocks
from exporters.telegram_chats import Chat, clock_remark, left_out, read_chat
from exporters.telegram_entry import read_entry
from exporters.telegram_owner import Evidence
from exporters.telegram_root import LISTS, is_telegram_json, numbers_people
from exporters.telegram_topics import Topics
from likeness.messages import Message, Notice, Record, Rejected


class _Telegram:
    name = "Telegram Desktop JSON"

    def recognises(self, source: Source) -> bool:
        return is_telegram_json(source.head)

    def read(self, source: Source, reading: Reading) -> Iterator[Record | Block]:
        repairs = Repairs()
        with source.open(reading.on_bytes) as file:
            json = JSONReader(file, lambda file: repaired(file, repairs))
            export = _Export(source, reading, repairs)
            yield from keep_whole(export.records(json), source.name)


TELEGRAM = _Telegram()


class _Export:
    """One `result.json` on its way through."""

    def __init__(self, source: Source, reading: Reading, repairs: Repairs) -> None:
        self._source = source
        self._reading = reading
        self._repairs = repairs
        self._evidence = Evidence()
        self._local_times = 0
        self._is_old = cache(partial(numbers_people, source))

    def records(self, json: JSONReader) -> Iterator[Record | Block]:
        """Yield all entries; whatever happens, leave the evidence and the remarks."""
        self._reading.flavour = "one chat"
        try:
            if json.kind() == "object":
                yield from self._object(json, "")
        finally:
            self._conclude()

    def _object(self, json: JSONReader, place: str) -> Iterator[Record | Block]:
        """Read the root, or one chat of an account at a place such as `chats.list[3].`."""
        header: dict[str, Any] = {}
        for key in json.members():
            if key == "messages":
                yield from self._messages(json, f"{place}messages", header)
            elif not place and key in LISTS:
                yield from self._list(json, key)
            elif not place and key == "personal_information":
                self._evidence.note_account(json.value())
            elif json.kind() == "scalar":
                header[key] = json.value()

    def _list(self, json: JSONReader, section: str) -> Iterator[Record | Block]:
        self._reading.flavour = "a whole account"
        if json.kind() != "object":
            return
        for key in json.members():
            if key != "list" or json.kind() != "array":
                continue
            for index in json.elements():
                if json.kind() == "object":
                    yield from self._object(json, f"{section}.list[{index}].")
                else:
                    yield Rejected(f"{section}.list[{index}]", "it is not a chat")

    def _messages(
        self, json: JSONReader, place: str, header: dict[str, Any]
    ) -> Iterator[Record | Block]:
        if json.kind() != "array":
            yield Rejected(place, "it is not a list")
            return
        chat = read_chat(header, self._source.name, self._reading, self._is_old)
        in_account = place != "messages"
        reason = left_out(chat.type, chat.number, self._reading.include, in_account)
        if reason is None:
            yield from self._entries(json, place, chat)
            return
        for _ in json.elements():
            if chat.type == "saved_messages":
                self._evidence.note_saved(json.value())
            yield Notice(reason)

    def _entries(self, json: JSONReader, place: str, chat: Chat) -> Iterator[Record | Block]:
        topics = Topics()
        names: dict[str, str] = {}
        done = 0
        try:
            if self._reading.blocks:
                guess = partial(self._evidence.guess, chat)
                for block in read_blocks(json, place, chat, guess, self._repairs):
                    done += block.records
                    names.update(block.tally.keys())
                    if block.messages:
                        self._evidence.note_chat(chat.id)
                    yield block
            for index in json.elements(done):
                entry = json.value()
                topics.note(entry)
                if chat.type == "saved_messages":
                    self._evidence.note_saved(entry)
                try:
                    record = read_entry(entry, chat, index)
                except Unreadable as error:
                    yield Rejected(f"{place}[{index}]", str(error))
                    continue
                if isinstance(record, Message):
                    record = topics.placed(record)
                    names[record.speaker_id] = record.speaker
                    self._evidence.note_chat(record.chat_id)
                yield record
        finally:
            self._evidence.note_speakers(chat, names)
            self._local_times += chat.local_times

    def _conclude(self) -> None:
        self._reading.owner.update(self._evidence.found())
        self._reading.remarks.extend(self._repairs.remarks())
        if self._local_times:
            self._reading.local_times = True
            self._reading.remarks.append(clock_remark(self._local_times, self._reading.zone_name))
