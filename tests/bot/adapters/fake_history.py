"""A history in memory, which passes the same tests as the database."""

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from bot.access import Guest, Standing
from bot.history import MY_ID, ONE_OF_SEVERAL, ChatId, Counts, Draft, Place, Question, speakers_of
from bot.pace import Customs
from likeness.messages import Kind, Message


@dataclass(slots=True)
class Kept:
    """A message as a history keeps it."""

    message: Message
    asks: bool
    hidden: bool = False

    def erase(self, speaker_id: str = "") -> None:
        nobody = {"speaker_id": speaker_id, "speaker": "", "text": "", "kind": "deleted"}
        self.message = replace(self.message, **nobody)  # type: ignore[arg-type]
        self.hidden, self.asks = True, False


class FakeHistory:
    """Keeps messages in memory; a `bot.history.History`."""

    def __init__(self) -> None:
        self.kept: defaultdict[ChatId, list[Kept]] = defaultdict(list)
        self.planned: defaultdict[ChatId, list[Draft]] = defaultdict(list)
        self.kinds: dict[int, Kind] = {}
        self.faults: list[Exception] = []
        self.numbers = itertools.count(1)
        self.shared = False
        self.settings: defaultdict[ChatId, Customs] = defaultdict(Customs)
        self.signed: dict[tuple[str, str], Guest] = {}
        self.stopped = False

    @property
    def chats(self) -> dict[ChatId, list[Message]]:
        return {chat: [found.message for found in kept] for chat, kept in self.kept.items() if kept}

    def texts(self, platform: str, chat: object, thread: object = "") -> list[str]:
        found = self.kept[ChatId(platform, str(chat), str(thread))]
        return [kept.message.text for kept in found]

    @asynccontextmanager
    async def claimed(self, chat: ChatId) -> AsyncIterator[bool]:  # noqa: ARG002 (it is alone)
        yield True

    async def lead(self, name: str, work: Callable[[], Awaitable[None]]) -> None:  # noqa: ARG002
        await work()

    async def add(self, chat: ChatId, message: Message, *, asks: bool = False) -> bool:
        if self.faults:
            raise self.faults.pop(0)
        if any(message.id == known.message.id for known in self.kept[chat]):
            return False
        self.kept[chat].append(Kept(message, asks and not self.stopped))
        return True

    async def edit(self, chat: ChatId, message_id: str, text: str, speaker_id: str) -> None:
        for kept in self.kept[chat]:
            theirs = speaker_id == kept.message.speaker_id and not kept.message.outgoing
            if kept.message.id == message_id and theirs and kept.message.kind != "deleted":
                kept.message = replace(kept.message, text=text)

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        return [kept.message for kept in self.kept[chat] if not kept.hidden][-limit:]

    async def mark(self, chat: ChatId) -> int:
        return len(self.kept[chat])

    async def forget(self, chat: ChatId, *, through: int | None = None) -> None:
        said = self.kept[chat]
        last = len(said) if through is None else through
        while last < len(said) and said[last].message.outgoing:
            last += 1
        for kept in said[:last]:
            kept.hidden, kept.asks = True, False
        self.planned[chat].clear()

    async def hide_last(self, chat: ChatId, *, question: bool) -> bool:
        if self.stopped and not question:
            return False
        seen = [kept for kept in self.kept[chat] if not kept.hidden]
        while seen and not seen[-1].message.outgoing:
            seen.pop()
        if not seen or (not question and all(kept.message.outgoing for kept in seen)):
            return False
        answered = seen[-1].message.reply_to or ""
        self.planned[chat] = [one for one in self.planned[chat] if one.answers != answered]
        while seen and seen[-1].message.outgoing:
            seen.pop().hidden = True
        if seen and not question:
            seen[-1].asks = True
            here = self.settings[chat]
            self.settings[chat] = replace(here, attempts=here.attempts + 1)
        while question and seen and not seen[-1].message.outgoing:
            asked = seen.pop()
            asked.hidden = not asked.asks
        return True

    async def move(self, chat: ChatId, to: ChatId) -> None:
        for kept in self.kept[chat]:
            kept.message = replace(
                kept.message, chat_id=to.chat, id=f"{chat.chat}:{kept.message.id}"
            )
        self.kept[to] = self.kept.pop(chat) + self.kept[to]
        self.planned[to] = self.planned.pop(chat, []) + self.planned[to]

    async def question(self, chat: ChatId) -> Question | None:
        asking = [kept.message for kept in self.kept[chat] if kept.asks and not self.stopped]
        return Question(asking[-1].id, asking[-1].speaker_id) if asking else None

    async def plan(
        self,
        chat: ChatId,
        through: str,
        texts: Sequence[str],
        kind: Kind,
        answers: str | None = None,
    ) -> list[Draft]:
        ids = (through, answers or through)
        regarded = [kept for kept in self.kept[chat] if kept.message.id in ids]
        if not self.kept[chat] or any(kept.hidden for kept in regarded):
            return []
        for kept in self.kept[chat]:
            kept.asks = False
            if kept.message.id == through:
                break
        to = through if answers is None else answers
        new = [Draft((n := next(self.numbers)), text, str(n), to) for text in texts]
        self.planned[chat] += new
        self.kinds |= {draft.id: kind for draft in new}
        return new

    async def drafts(self, chat: ChatId) -> list[Draft]:
        return list(self.planned[chat])

    async def stands(self, draft: Draft) -> bool:
        return any(draft.id == left.id for left in itertools.chain(*self.planned.values()))

    async def sent(self, draft: Draft, message_id: str, speaker: str, at: datetime) -> None:
        for chat, planned in self.planned.items():
            if draft in planned:
                planned.remove(draft)
                said = Message(
                    platform=chat.platform,
                    chat_id=chat.chat,
                    chat="",
                    id=message_id,
                    speaker_id=MY_ID,
                    speaker=speaker,
                    outgoing=True,
                    sent_at=at,
                    text=draft.text,
                    kind=self.kinds[draft.id],
                    reply_to=draft.answers or None,
                )
                self.kept[chat].append(Kept(said, asks=False))

    async def withdraw(self, chat: ChatId) -> None:
        self.planned[chat].clear()

    async def owed(
        self, platform: str, since: datetime, limit: int, busy: Collection[ChatId] = ()
    ) -> list[Place]:
        found = []
        for chat, kept in self.kept.items():
            asking = [one for one in kept if one.asks and one.message.sent_at >= since]
            waits = (asking or self.planned[chat]) and chat not in busy
            if chat.platform == platform and waits:
                found.append(Place(chat, asking[-1].message.id if asking else ""))
        return found[: max(0, limit)]

    async def asking(self, chats: Collection[ChatId]) -> list[Place]:
        found = [(chat, await self.question(chat)) for chat in chats]
        return [Place(chat, one.message_id) for chat, one in found if one is not None]

    async def newest(self, platform: str, limit: int) -> list[Place]:
        found = []
        for chat, kept in self.kept.items():
            others = [one.message.id for one in kept if not one.message.outgoing]
            if chat.platform == platform and others:
                found.append(Place(chat, others[-1]))
        return found[:limit]

    async def release(self, chat: ChatId | None = None) -> None:
        for place in list(self.kept) if chat is None else [chat]:
            self.planned[place].clear()
            for kept in self.kept[place]:
                kept.asks = False

    async def drop(self, platform: str, id_: str) -> None:
        for chat in [one for one in self.kept if one.platform == platform]:
            here, names = id_ in (chat.chat, chat.thread), speakers_of(id_)
            said = [one for one in self.kept[chat] if here or one.message.speaker_id in names]
            for kept in said:
                kept.asks = False
            ids, left = [kept.message.id for kept in said], [] if here else self.planned[chat]
            self.planned[chat] = [one for one in left if one.answers not in ids]

    async def stop(self) -> None:
        self.stopped = True
        await self.release()

    async def go(self) -> None:
        self.stopped = False

    async def counts(self) -> Counts:
        kept = [one for place in self.kept.values() for one in place]
        return Counts(len(self.chats), len(kept), sum(one.asks for one in kept), self.stopped)

    async def customs(self, chat: ChatId) -> Customs:
        return self.settings[chat]

    async def set_customs(self, chat: ChatId, customs: Customs) -> None:
        self.settings[chat] = replace(customs, attempts=self.settings[chat].attempts)

    def alone(self, platform: str, speaker_id: str) -> list[ChatId]:
        def others(chat: ChatId) -> set[str]:
            said = [one.message for one in self.kept[chat]]
            return {message.speaker_id for message in said if not message.outgoing}

        here = [chat for chat in self.kept if chat.platform == platform]
        return [chat for chat in here if speaker_id in others(chat) <= {speaker_id, ""}]

    def of(self, platform: str, speaker_id: str) -> list[Kept]:
        alone = self.alone(platform, speaker_id)
        return [
            one
            for chat, kept in self.kept.items()
            for one in kept
            if chat.platform == platform
            and (chat in alone or one.message.speaker_id == speaker_id)
            and one.message.kind != "deleted"
        ]

    async def of_person(self, platform: str, speaker_id: str) -> list[Message]:
        return [kept.message for kept in self.of(platform, speaker_id)]

    async def alone_with(self, platform: str, speaker_id: str) -> list[ChatId]:
        return self.alone(platform, speaker_id)

    async def erase(self, platform: str, speaker_id: str) -> int:
        erased, alone = self.of(platform, speaker_id), self.alone(platform, speaker_id)
        for chat in self.kept:
            theirs = [kept for kept in self.kept[chat] if any(kept is one for one in erased)]
            ids = [kept.message.id for kept in theirs]
            self.planned[chat] = [one for one in self.planned[chat] if one.answers not in ids]
            for kept in theirs:
                kept.erase("" if chat in alone else ONE_OF_SEVERAL)
        return len(erased)

    async def delete(
        self, platform: str, place: str, message_ids: Collection[str] | None = None
    ) -> None:
        for chat, said in self.kept.items():
            if chat.platform != platform or place not in (chat.chat, chat.thread):
                continue
            for kept in said:
                if message_ids is None or kept.message.id in message_ids:
                    kept.erase()
            left = [] if message_ids is None else self.planned[chat]
            self.planned[chat] = [one for one in left if one.answers not in (message_ids or ())]

    async def standings(self, platform: str, ids: Collection[str]) -> dict[str, Standing]:
        known = {id_: self.signed.get((platform, id_)) for id_ in ids}
        return {id_: guest.standing for id_, guest in known.items() if guest is not None}

    async def sign(self, guest: Guest) -> None:
        before = self.signed.pop((guest.platform, guest.id), None)
        name = guest.name or (before.name if before else "")
        self.signed[guest.platform, guest.id] = replace(guest, name=name)

    async def knock(self, guest: Guest, most: int) -> bool:
        waiting = [one for one in self.signed.values() if one.standing == guest.standing]
        if len(waiting) >= most or (guest.platform, guest.id) in self.signed:
            return False
        self.signed[guest.platform, guest.id] = guest
        return True

    async def strike(self, platform: str, id_: str) -> None:
        self.signed.pop((platform, id_), None)

    async def guests(
        self, standing: Standing, limit: int, platform: str | None = None
    ) -> list[Guest]:
        found = [
            guest
            for guest in reversed(self.signed.values())
            if guest.standing == standing and platform in (None, guest.platform)
        ]
        return found[:limit]
