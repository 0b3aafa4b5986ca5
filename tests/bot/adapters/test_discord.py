"""The Discord adapter: discord.py in process against SimCord's model of Discord."""

import logging
from collections.abc import Callable
from typing import Any

import discord
import pytest

from bot.adapters.delivery import Patience
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.simcord_world import mention, place, running_in_simcord, words
from tests.discord_marks import SEEN

Run = Callable[..., Any]


@pytest.fixture
def running(history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which the bot runs; it gives SimCord's world."""
    return running_in_simcord(history, hasty, fake_engine)


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


@pytest.mark.slow
async def test_emoji_and_times_are_kept_as_people_see_them(
    running: Run, history: FakeHistory
) -> None:
    async with running() as world:
        channel, ann = place(world)
        for text in SEEN:
            await ann.send(channel, text)
        message = await ann.send(channel, "?")
        await ann.edit(message, "<:pepe:1>!")
        assert history.texts("discord", channel.id) == [*SEEN.values(), ":pepe:!"]


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
