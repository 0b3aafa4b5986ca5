"""The Discord adapter: discord.py in process against SimCord's model of Discord."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
import simcord

from bot.access import EVERYONE, Access
from bot.adapters.delivery import Patience
from bot.adapters.discord_client import LikenessClient
from bot.commands import COMMANDS
from bot.conversation import Conversation
from bot.pace import Manner
from bot.reception import Reception
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]


def talk(history: FakeHistory, engine: Any) -> Conversation:
    """Make a conversation that minds no age, as SimCord's clock stands in the past."""
    return Conversation(history, engine, manner=Manner(answer_within_seconds=100 * 366 * 86_400))


def door(conversation: Conversation) -> Reception:
    """Let everybody in."""
    return Reception(conversation, Access("discord", conversation.history, allowed=[EVERYONE]))


@pytest.fixture
def running(history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which the bot runs; it gives SimCord's world."""

    @asynccontextmanager
    async def running(*scripts: Any, **options: Any) -> AsyncIterator[simcord.Env]:
        client = LikenessClient(door(talk(history, fake_engine(*scripts))), hasty)
        async with simcord.run(client, **options) as world:
            yield world

    return running


def place(world: simcord.Env) -> tuple[simcord.ChannelHandle, simcord.MemberActor]:
    guild = world.create_guild("The band")
    return guild.create_text_channel("drums"), guild.add_member(world.create_user("Ann"))


def words(channel: simcord.ChannelHandle, world: simcord.Env) -> list[str]:
    return [
        message.content for message in channel.history() if message.author.id == world.bot.user.id
    ]


def mention(world: simcord.Env) -> str:
    return str(world.bot.user.mention)


async def test_it_answers_a_private_message(running: Run, history: FakeHistory) -> None:
    async with running(["hi", "how are you?"]) as world:
        ann = world.create_user("Ann")
        await ann.send_dm("hello 👋🏽")
        assert words(ann.dm_channel, world) == ["hi", "how are you?"]
        assert history.texts("discord", ann.dm_channel.id) == ["hello 👋🏽", "hi", "how are you?"]
        assert ann.dm_channel.last_message.reference is None


async def test_in_a_server_it_answers_mentions_and_hears_the_rest(
    running: Run, history: FakeHistory
) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, "who brings the drums?")
        assert words(channel, world) == []
        asked = await ann.send(channel, f"{mention(world)} you?")
        assert words(channel, world) == ["ok"]
        assert channel.last_message.reference.message_id == asked.id
        name = world.bot.user.name
        assert history.texts("discord", channel.id) == [
            "who brings the drums?",
            f"@{name} you?",
            "ok",
        ]


async def test_in_a_server_it_answers_replies_to_it(running: Run) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, f"{mention(world)} you?")
        mine = channel.last_message
        hers = await ann.send(channel, "and", reply_to=mine)
        assert words(channel, world) == ["ok", "ok"]
        await ann.send(channel, "me", reply_to=hers)
        assert words(channel, world) == ["ok", "ok"]


async def test_a_thread_is_a_chat_of_its_own(running: Run, history: FakeHistory) -> None:
    async with running() as world:
        channel, ann = place(world)
        started = await ann.send(channel, "about the drums")
        thread = await world.bot.get_channel(channel.id).create_thread(
            name="drums", message=started
        )
        await ann.send(channel.threads[0], f"{mention(world)} you?")
        assert words(channel, world)[-1:] != ["ok"]
        assert words(channel.threads[0], world) == ["ok"]
        assert history.texts("discord", channel.id, thread.id)[-1] == "ok"
        assert history.texts("discord", channel.id) == ["about the drums"]


async def test_bots_webhooks_and_notices_are_not_answered(
    running: Run, history: FakeHistory
) -> None:
    async with running() as world:
        channel, ann = place(world)
        beeper = channel.guild.add_member(world.create_user("beeper", bot=True))
        await beeper.send(channel, f"{mention(world)} beep")
        await channel.guild.create_webhook(channel).send(f"{mention(world)} news")
        channel.guild.create_system_message(
            channel, discord.MessageType.premium_guild_subscription.value, author=ann.user
        )
        await world.settle()
        assert words(channel, world) == []
        assert not history.chats


async def test_an_edit_is_not_answered(running: Run) -> None:
    async with running() as world:
        ann = world.create_user("Ann")
        message = await ann.send_dm("helo")
        await ann.edit(message, "hello")
        assert words(ann.dm_channel, world) == ["ok"]


async def test_a_picture_without_words_is_heard_but_not_answered(
    running: Run, history: FakeHistory
) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, f"{mention(world)} you?")
        picture = {"reply_to": channel.last_message, "attachments": [("drums.png", b"x")]}
        await ann.send(channel, **picture)
        assert words(channel, world) == ["ok"]
        await ann.send(channel, "my drums", **picture)
        assert words(channel, world) == ["ok", "ok"]
    [heard] = history.chats.values()
    assert [(message.text, message.kind) for message in heard[2:]] == [
        ("", "media"),
        ("my drums", "media"),
        ("ok", "text"),
    ]


async def test_nobody_is_pinged_by_what_the_model_writes(running: Run) -> None:
    async with running(["@everyone look"]) as world:
        channel, ann = place(world)
        await ann.send(channel, f"{mention(world)} you?")
        [sent] = [call for call in world.http_requests if call.path.endswith("/messages")]
        assert sent.json["allowed_mentions"] == {"parse": []}
        assert not channel.last_message.mention_everyone


async def test_a_long_answer_is_cut_into_messages_that_discord_takes(
    running: Run, history: FakeHistory
) -> None:
    long = " ".join(["drums"] * 700)
    async with running([long]) as world:
        ann = world.create_user("Ann")
        await ann.send_dm("hello")
        sent = words(ann.dm_channel, world)
        assert len(sent) == 3
        assert " ".join(sent) == long
        assert history.texts("discord", ann.dm_channel.id) == ["hello", *sent]


@pytest.mark.parametrize("status", [403, 500])
async def test_a_forbidden_typing_sign_does_not_matter(running: Run, status: int) -> None:
    async with running() as world:
        world.inject_error("POST", "/channels/*/typing", status=status, times=None)
        ann = world.create_user("Ann")
        await ann.send_dm("hello")
        assert words(ann.dm_channel, world) == ["ok"]


async def test_it_shows_a_typing_sign(running: Run) -> None:
    async with running() as world:
        ann = world.create_user("Ann")
        await ann.send_dm("hello")
        paths = [call.path for call in world.http_requests if call.method == "POST"]
        assert [path.rsplit("/", 1)[1] for path in paths if "channels/" in path] == [
            "typing",
            "messages",
        ]


async def test_a_message_that_could_not_be_sent_is_sent_again_with_the_same_nonce(
    running: Run,
) -> None:
    async with running() as world:
        world.inject_error("POST", "/channels/*/messages", status=503, times=2)
        ann = world.create_user("Ann")
        await ann.send_dm("hello")
        await world.advance_time(0.5)
        assert words(ann.dm_channel, world) == ["ok"]
        tries = [call.json for call in world.http_requests if call.path.endswith("/messages")]
        assert len(tries) == 3
        assert len({call["nonce"] for call in tries}) == 1
        assert all(call["enforce_nonce"] for call in tries)


async def test_a_channel_that_forbids_sending_costs_one_try_and_one_line(
    running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as world:
        world.inject_error("POST", "/channels/*/messages", status=403, code=50013)
        ann = world.create_user("Ann")
        await ann.send_dm("hello")
        assert caplog.text.count("an answer could not be sent: Forbidden") == 1
        await ann.send_dm("still there?")
        assert words(ann.dm_channel, world) == ["ok"]


async def test_a_reply_does_not_insist_on_a_message_that_was_deleted(running: Run) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, f"{mention(world)} you?")
        [sent] = [call for call in world.http_requests if call.path.endswith("/messages")]
        assert sent.json["message_reference"]["fail_if_not_exists"] is False


@pytest.mark.parametrize("command", ["start", "help"])
async def test_start_and_help_say_that_it_is_a_bot(running: Run, command: str) -> None:
    async with running() as world:
        channel, ann = place(world)
        result = await ann.slash(channel, command)
        [first, *_] = [call for call in world.http_requests if "/interactions/" in call.path]
        assert first.json["type"] == discord.InteractionResponseType.deferred_channel_message.value
        assert result.ephemeral
        told = [message.content for message in (result.response, *result.followups) if message]
        assert "I am a bot. I imitate how Robin writes" in "".join(told)


async def test_reset_starts_over_before_everybody(running: Run, history: FakeHistory) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, "my name is Ann")
        result = await ann.slash(channel, "reset")
        assert not result.ephemeral
        [chat] = history.chats
        assert await history.recent(chat, 9) == []


async def test_again_gives_another_answer_and_undo_forgets_the_last(
    running: Run, history: FakeHistory
) -> None:
    async with running(["one"], ["another"]) as world:
        channel, ann = place(world)
        await ann.send(channel, f"{mention(world)} hello")
        await ann.slash(channel, "again")
        await world.settle()
        assert [text for text in words(channel, world) if text] == [
            "one",
            "Let me try again.",
            "another",
        ]
        [chat] = history.chats
        assert [found.text for found in await history.recent(chat, 9)][1:] == ["another"]
        await ann.slash(channel, "undo")
        assert await history.recent(chat, 9) == []


async def test_commands_are_registered_only_when_they_changed(
    running: Run, history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    def registered(world: simcord.Env) -> int:
        return [call.method for call in world.http_requests].count("PUT")

    async with running() as world:
        assert registered(world) == 1
        channel, ann = place(world)
        assert set(ann.available_commands(channel)) == set(COMMANDS)
        await world.restart_bot(LikenessClient(door(talk(history, fake_engine())), hasty))
        assert registered(world) == 1


async def test_commands_that_cannot_be_registered_do_not_keep_it_from_answering(
    history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    client = LikenessClient(door(talk(history, fake_engine())), hasty)
    world = simcord.Env(client)
    world.inject_error("PUT", "/applications/*/commands", status=500)
    await world.start()
    ann = world.create_user("Ann")
    await ann.send_dm("hello")
    assert words(ann.dm_channel, world) == ["ok"]
    await world.shutdown()


async def test_a_message_that_comes_again_after_a_resume_is_answered_once(
    running: Run, history: FakeHistory
) -> None:
    async with running() as world:
        ann = world.create_user("Ann")
        message = await ann.send_dm("hello")
        world.bot.dispatch("message", message)
        await world.settle()
        assert words(ann.dm_channel, world) == ["ok"]


async def test_words_and_names_are_never_logged(
    running: Run, history: FakeHistory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "bot")
    async with running(["a secret answer"], [RuntimeError("a secret word")]) as world:
        world.inject_error("POST", "/channels/*/messages", status=403, message="a secret channel")
        zoe = world.create_user("Zoe-secret")
        await zoe.send_dm("a secret question")
        await zoe.send_dm("another secret")
        history.faults.append(RuntimeError("a secret database"))
        await zoe.send_dm("a third secret")
        assert [str(error) for error in world.errors] == ["a secret database"]
    assert "an answer could not be sent: Forbidden" in caplog.text
    assert "The model failed" in caplog.text
    assert "on_message failed: RuntimeError" in caplog.text
    assert "secret" not in caplog.text
