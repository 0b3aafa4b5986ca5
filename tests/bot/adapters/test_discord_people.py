"""Who may talk to the Discord bot, and what they may order, with buttons: against SimCord."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
import simcord

from bot.access import EVERYONE, Access, Guest, Standing
from bot.adapters.delivery import Patience
from bot.adapters.discord_chats import extras
from bot.adapters.discord_client import LikenessClient
from bot.conversation import Conversation
from bot.history import ChatId
from bot.outlet import Reply
from bot.owner import buttons
from bot.pace import Manner
from bot.reception import Reception
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]

NO_AGE = Manner(answer_within_seconds=100 * 366 * 86_400)
"""SimCord's clock stands in the past."""


class Door:
    """A door whose owner and guests are known only once SimCord has made them."""

    def __init__(self, history: FakeHistory, engine: Any) -> None:
        self.conversation = Conversation(history, engine, manner=NO_AGE)
        self.reception = Reception(self.conversation, Access("discord", history), aliases=["Bob"])

    def let_in(self, owners: Collection[Any] = (), allowed: Collection[Any] = ()) -> None:
        ids = [[str(one) for one in group] for group in (owners, allowed)]
        self.reception.access = Access("discord", self.conversation.history, *ids)


@pytest.fixture
def running(history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which the bot runs; it gives SimCord's world and the door."""

    @asynccontextmanager
    async def running(*scripts: Any) -> AsyncIterator[tuple[simcord.Env, Door]]:
        door = Door(history, fake_engine(*scripts))
        patience = replace(hasty, again_seconds=0.05)
        async with simcord.run(LikenessClient(door.reception, patience)) as world:
            yield world, door

    return running


def texts(channel: simcord.ChannelHandle) -> list[str]:
    return [message.content for message in channel.history()]


def shows(result: simcord.InteractionResult) -> list[Any]:
    return [message for message in (result.response, *result.followups) if message]


async def test_a_stranger_is_let_in_by_a_button_and_answered_from_then_on(
    running: Run, history: FakeHistory
) -> None:
    async with running() as (world, door):
        olga, ann = world.create_user("Olga"), world.create_user("Ann")
        door.let_in(owners=[olga.id])
        await olga.send_dm("hi")
        await ann.send_dm("hello")
        await world.settle()
        assert "I only talk with people whom my owner has let in." in texts(ann.dm_channel)[-1]
        question = olga.dm_channel.last_message
        assert question.content == f"Ann ({ann.id}) wants to talk to me."
        await olga.click(question, custom_id=f"allow discord:{ann.id}")
        await world.settle()
        assert olga.dm_channel.last_message.content == f"I talk with discord:{ann.id} now."
        assert not olga.dm_channel.last_message.components
        assert texts(ann.dm_channel)[-1] == "My owner has let you in: write to me!"
        await ann.send_dm("may I?")
        assert texts(ann.dm_channel)[-1] == "ok"
        assert history.texts("discord", ann.dm_channel.id) == ["may I?", "ok"]


@pytest.mark.parametrize(("path", "times"), [("channels/*/messages", 4), ("users/@me/channels", 9)])
async def test_the_owner_is_asked_about_a_stranger_sooner_or_later(
    running: Run, path: str, times: int
) -> None:
    async with running() as (world, door):
        olga = world.create_user("Olga")
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        ann = guild.add_member(world.create_user("Ann"))
        door.let_in(owners=[olga.id])
        world.inject_error("POST", f"/{path}", status=503, times=times)
        await ann.send(channel, f"{world.bot.user.mention} hello")
        async with asyncio.timeout(10):
            while not olga.dm_channel.history():
                await world.settle()
                await asyncio.sleep(0.01)
        asked = olga.dm_channel.last_message.content
        assert asked == f"Ann ({ann.id}) wants to talk to me in The band."


@pytest.mark.parametrize("what", ["channel", "server"])
async def test_nothing_is_owed_any_more_in_a_place_that_is_shut_out(
    running: Run, history: FakeHistory, message: Callable[..., Message], what: str
) -> None:
    async with running() as (world, door):
        olga = world.create_user("Olga")
        door.let_in(owners=[olga.id])
        guild, elsewhere = world.create_guild("The band"), world.create_guild("The other band")
        channels = [one.create_text_channel("drums") for one in (guild, elsewhere)]
        chats = [ChatId("discord", str(one.id), thread) for one in channels for thread in ("", "9")]
        for chat in chats:
            await history.add(chat, message("hi"), asks=True)
        await olga.slash("deny", who=str({"channel": channels[0], "server": guild}[what].id))
        asking = [place.chat for place in await history.asking(chats)]
    assert asking == chats[2:]


@pytest.mark.slow
async def test_a_button_works_after_a_restart(
    running: Run, history: FakeHistory, hasty: Patience
) -> None:
    async with running() as (world, door):
        olga, ann = world.create_user("Olga"), world.create_user("Ann")
        door.let_in(owners=[olga.id])
        await ann.send_dm("hello")
        await world.settle()
        await world.restart_bot(LikenessClient(door.reception, hasty))
        question = olga.dm_channel.history()[-1]
        await olga.click(question, custom_id=f"allow discord:{ann.id}")
        await world.settle()
        assert history.signed["discord", str(ann.id)].standing == "allowed"


async def test_settings_are_changed_by_buttons(running: Run, history: FakeHistory) -> None:
    async with running() as (world, door):
        door.let_in(allowed=[EVERYONE])
        ann = world.create_user("Ann")
        [shown] = shows(await ann.slash("settings"))
        await ann.click(shown, custom_id="settings temperature 0.5")
        await world.settle()
        assert history.settings[ChatId("discord", str(ann.dm_channel.id))].temperature == 0.5


async def test_whoever_may_not_press_a_button_is_told_so_and_the_panel_stays(running: Run) -> None:
    async with running() as (world, door):
        door.let_in(allowed=[EVERYONE])
        ann = world.create_user("Ann")
        [shown] = shows(await ann.slash("settings"))
        door.let_in(owners=[1])
        result = await ann.click(shown, custom_id="settings temperature 0.5")
        await world.settle()
        [told] = [one for one in result.followups if one]
        assert told.content.endswith("I only talk with people whom my owner has let in.")
        await ann.click(shown, custom_id="settings temperature 0.5")  # was told already
        await world.settle()
        assert shown.components


@pytest.mark.parametrize("what", ["person", "channel", "server", "role"])
async def test_people_channels_servers_and_roles_may_be_let_in(running: Run, what: str) -> None:
    async with running() as (world, door):
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        role = guild.create_role("drummers")
        ann = guild.add_member(world.create_user("Ann"), roles=[role])
        eve = guild.add_member(world.create_user("Eve"))
        ids = {"person": ann.id, "channel": channel.id, "server": guild.id, "role": role.id}
        door.let_in(allowed=[ids[what]])
        await ann.send(channel, f"{world.bot.user.mention} you?")
        assert texts(channel)[-1] == "ok"
        await eve.send(channel, f"{world.bot.user.mention} you?")
        await world.settle()
        answered = "ok" if what in ("channel", "server") else "whom my owner has let in."
        assert texts(channel)[-1].endswith(answered)


async def test_who_waits_in_a_server_leaves_no_words(running: Run, history: FakeHistory) -> None:
    async with running() as (world, door):
        door.let_in(owners=[1])
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        eve = guild.add_member(world.create_user("Eve"))
        await eve.send(channel, "nothing for the bot")
        assert not history.signed
        await eve.send(channel, f"{world.bot.user.mention} you?")
        await world.settle()
        assert not history.chats
        assert [guest.name for guest in history.signed.values()] == ["Eve"]


async def test_whoever_has_the_code_of_the_log_owns_the_bot(
    running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (world, _):
        code = caplog.text.partition("/start ")[2].split()[0]
        olga = world.create_user("Olga")
        result = await olga.slash("start", code=code)
        told = [message.content for message in shows(result)]
        assert "You are my owner now." in "".join(told)
        await olga.send_dm("hi")
        assert texts(olga.dm_channel)[-1] == "ok"


async def test_mydata_is_a_file_and_forgetme_deletes_it_once_confirmed(
    running: Run, history: FakeHistory
) -> None:
    async with running() as (world, door):
        door.let_in(allowed=[EVERYONE])
        ann = world.create_user("Ann")
        await ann.send_dm("my name is Ann")
        result = await ann.slash("mydata")
        [sent] = shows(result)
        assert "2 messages" in sent.content
        assert [file.filename for file in sent.attachments] == ["mydata.jsonl"]
        [shown] = shows(await ann.slash("forgetme"))
        await ann.click(shown, custom_id=f"forgetme {ann.id}")
        await world.settle()
        assert history.texts("discord", ann.dm_channel.id) == ["", ""]


async def test_the_owner_s_commands_are_the_owner_s(running: Run, history: FakeHistory) -> None:
    async with running() as (world, door):
        olga, ann = world.create_user("Olga"), world.create_user("Ann")
        door.let_in(owners=[olga.id], allowed=[EVERYONE])
        await ann.slash("stop")
        assert not history.stopped
        await olga.slash("stop")
        assert history.stopped
        await ann.send_dm("hello?")
        assert "ok" not in texts(ann.dm_channel)
        await olga.slash("go")
        await ann.send_dm("and now?")
        assert texts(ann.dm_channel)[-1] == "ok"
        result = await olga.slash("status")
        told = [message.content for message in shows(result)]
        assert "Model: fake, as Robin" in "".join(told)


@pytest.mark.parametrize(("standing", "line"), [("waiting", "allow"), ("allowed", "deny")])
async def test_a_long_list_of_guests_has_a_button_for_each(
    running: Run, history: FakeHistory, standing: Standing, line: str
) -> None:
    async with running() as (world, door):
        olga = world.create_user("Olga")
        door.let_in(owners=[olga.id])
        for number in range(1, 10):
            await history.sign(Guest("discord", str(number), f"guest {number}", standing))
        [shown] = shows(await olga.slash(line))
        await olga.click(shown, custom_id=f"{line} discord:2")  # the last of eight
        await world.settle()
        known = await history.standings("discord", ["2"])
        assert known == {"2": "allowed" if line == "allow" else "denied"}


async def test_the_pair_of_buttons_for_a_guest_stands_in_one_row() -> None:
    guests = [Guest("discord", str(number), "", "waiting") for number in range(9)]
    view = extras(Reply("", tuple(map(buttons, guests))))["view"]
    rows: dict[int, str] = defaultdict(str)
    for button in view.children:
        rows[button.row] += button.custom_id.partition(":")[2]
    assert list(rows.values()) == ["0011", "2233", "4455", "6677", "88"]


async def test_in_a_server_it_answers_to_its_names(running: Run) -> None:
    async with running() as (world, door):
        door.let_in(allowed=[EVERYONE])
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        ann = guild.add_member(world.create_user("Ann"))
        for text, answers in (("bobsleigh?", 0), ("Bob, lunch?", 1), ("robin!", 2)):
            await ann.send(channel, text)
            assert texts(channel).count("ok") == answers


async def test_a_command_that_comes_too_late_is_one_line_in_the_log(
    running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (world, door):
        door.let_in(allowed=[EVERYONE])
        world.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062)
        ann = world.create_user("Ann")
        with suppress(AssertionError, RuntimeError):  # nothing was shown, as to a person
            await ann.slash("help")
        assert caplog.text.count("a command came too late or twice: NotFound") == 1
        await ann.send_dm("hello")
        assert texts(ann.dm_channel)[-1] == "ok"
