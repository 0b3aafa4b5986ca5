"""At the door: who is let in, who owns the bot, who is asked about, what is too much."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from bot.access import EVERYONE, Access, Guest, Visitor
from bot.conversation import Conversation
from bot.history import ChatId
from bot.owner import LET_IN
from bot.reception import KNOCKS_A_MINUTE, NOT_YET, TOO_MUCH, Reception
from bot.settings import Settings
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.conftest import ANN, NOON

OLGA = Visitor("telegram", "1", "user1", "Olga")
ADAM = Visitor("telegram", "7", "user7", "Adam")
GROUP = ChatId("telegram", "-100")
Make = Callable[..., Message]


def in_group(who: Visitor) -> Visitor:
    return Visitor(
        who.platform, who.id, who.speaker_id, who.name, ("-100",), "The band", group=True
    )


@pytest.fixture
def door(history: FakeHistory, fake_engine: Any) -> Callable[..., Reception]:
    """Make a door that Olga owns."""

    def make(*allowed: str, owners: tuple[str, ...] = ("1",), **more: Any) -> Reception:
        talk = Conversation(history, fake_engine(), clock=lambda: NOON)
        access = Access("telegram", history, owners, allowed)
        return Reception(talk, access, **more)

    return make


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


async def test_a_stranger_gets_one_line_and_the_owner_is_asked_and_nothing_said_is_kept(
    door: Any, history: FakeHistory, message: Make
) -> None:
    reception = door()
    respond, reply = await reception.hear(ADAM, ANN, message("my secret"), addressed=True)
    assert not respond
    assert "I am a bot" in reply.text
    assert reply.text.endswith(NOT_YET)
    [(told, question)] = reply.tells
    assert told == "1"
    assert "Adam (7)" in question.text
    [[yes, no]] = question.buttons
    assert (yes.line, no.line) == ("allow telegram:7", "deny telegram:7")
    for id_ in ("2", "3"):
        again = await reception.hear(ADAM, ANN, message("hello?", id=id_), addressed=True)
        assert again == (False, None)
    assert not history.chats
    assert await history.guests("waiting", 9) == [Guest("telegram", "7", "Adam", "waiting")]


async def test_who_is_let_in_by_a_button_is_told_and_answered_from_then_on(
    door: Any, message: Make
) -> None:
    reception = door()
    await reception.hear(ADAM, ANN, message("hi"), addressed=True)
    reply = await reception.obey(OLGA, ChatId("telegram", "1"), "allow telegram:7")
    [(told, word)] = reply.tells
    assert (told, word.text) == ("7", LET_IN)
    assert await reception.hear(ADAM, ANN, message("hi", id="2"), addressed=True) == (True, None)
    await reception.obey(OLGA, ChatId("telegram", "1"), "deny telegram:7")
    assert await reception.hear(ADAM, ANN, message("hi", id="3"), addressed=True) == (False, None)


@pytest.mark.parametrize("line", ["allow telegram:7", "deny 1", "stop", "go", "status"])
async def test_only_the_owner_is_obeyed_in_what_is_the_owner_s(
    door: Any, history: FakeHistory, line: str
) -> None:
    reception = door("7")
    reply = await reception.obey(ADAM, ANN, line)
    assert reply.text == "Only my owner can tell me that."
    assert not history.stopped
    assert not history.signed
    assert await reception.obey(in_group(Visitor("telegram", "9", "u", "Eve")), ANN, line) != reply
    assert not history.stopped


async def test_an_owner_is_never_shut_out(door: Any, message: Make) -> None:
    reception = door()
    reply = await reception.obey(OLGA, ANN, "deny 1")
    assert reply.text == "That is my owner."
    assert (await reception.hear(OLGA, ANN, message("hi"), addressed=True))[0]


@pytest.mark.parametrize("order", ["allow", "deny"])
async def test_an_owner_elsewhere_who_knew_the_code_stays_the_owner(
    door: Any, history: FakeHistory, order: str
) -> None:
    await history.sign(Guest("discord", "55", "Olga", "owner"))
    reply = await door().obey(OLGA, ANN, f"{order} discord:55")
    assert reply.text == "That is my owner."
    assert await history.standings("discord", ["55"]) == {"55": "owner"}


@pytest.mark.parametrize("who", ["telegram:7", "Telegram:7", " telegram: 7", "7"])
async def test_whoever_is_named_is_shut_out_however_a_phone_spells_it(door: Any, who: str) -> None:
    reception = door(EVERYONE)
    reply = await reception.obey(OLGA, ANN, f"deny {who}")
    assert reply.text == "I no longer talk with telegram:7."
    assert await reception.access.standing(ADAM) == "denied"


async def test_a_platform_that_is_none_is_not_said_to_be_shut_out(
    door: Any, history: FakeHistory
) -> None:
    reply = await door(EVERYONE).obey(OLGA, ANN, "deny telegran:7")
    assert reply.text == "Tell me an id, such as /deny telegram:42."
    assert not history.signed


@pytest.mark.parametrize("allowed", ["7", "-100", EVERYONE])
async def test_people_places_or_everyone_may_be_let_in_from_the_start(
    door: Any, message: Make, allowed: str
) -> None:
    reception = door(allowed)
    assert (await reception.hear(in_group(ADAM), GROUP, message("hi"), addressed=True))[0]
    await reception.obey(OLGA, ANN, "deny telegram:7")
    assert not (await reception.hear(in_group(ADAM), GROUP, message("x", id="2"), addressed=True))[
        0
    ]


async def test_in_a_group_that_was_not_let_in_strangers_are_not_kept_and_friends_are_answered(
    door: Any, history: FakeHistory, message: Make
) -> None:
    reception = door("7")
    eve = in_group(Visitor("telegram", "9", "user9", "Eve"))
    assert await reception.hear(eve, GROUP, message("pst"), addressed=False) == (False, None)
    assert not history.signed
    assert (await reception.hear(in_group(ADAM), GROUP, message("hi", id="2"), addressed=True))[0]
    assert history.texts("telegram", -100) == ["hi"]
    _, reply = await reception.hear(eve, GROUP, message("hi bot", id="3"), addressed=True)
    lines = [button.line for row in reply.tells[0][1].buttons for button in row]
    assert lines == [
        "allow telegram:9",
        "deny telegram:9",
        "allow telegram:-100",
        "deny telegram:-100",
    ]


async def test_the_owner_is_not_flooded_with_strangers(door: Any, message: Make) -> None:
    reception, asked = door(), 0
    for number in range(100, 100 + 3 * KNOCKS_A_MINUTE):
        stranger = Visitor("telegram", str(number), f"user{number}", "Eve")
        _, reply = await reception.hear(stranger, ANN, message("hi"), addressed=True)
        asked += len(reply.tells)
    assert asked == KNOCKS_A_MINUTE


async def test_whoever_knows_the_code_owns_the_bot_and_nobody_after_them(
    door: Any, caplog: pytest.LogCaptureFixture
) -> None:
    reception = door(owners=())
    await reception.open()
    [code] = [word for word in caplog.text.split() if len(word) == 12 and word.isupper()]
    assert "NOT" not in code
    wrong = await reception.obey(ADAM, ANN, "start WRONGWRONG22")
    assert wrong.text.endswith(NOT_YET)
    right = await reception.obey(OLGA, ANN, f"start {code.lower()}")
    assert right.text.startswith("You are my owner now.")
    assert await reception.access.owners() == ["1"]
    assert await reception.obey(ADAM, ANN, f"start {code}") is None
    caplog.clear()
    await reception.open()
    assert not caplog.text


async def test_any_process_takes_the_code_that_another_logged(
    history: FakeHistory, fake_engine: Any
) -> None:
    def started(token: str) -> Reception:
        settings = Settings(telegram_token=SecretStr(token), discord_token=SecretStr(token))
        return Reception.of("telegram", settings, Conversation(history, fake_engine()))

    code = await started("1:secret").access.code()
    assert code
    assert await started("1:another").access.code() != code
    assert (await started("1:another").obey(OLGA, ANN, f"start {code}")).text.endswith(NOT_YET)
    reply = await started("1:secret").obey(OLGA, ANN, f"start {code}")
    assert reply.text.startswith("You are my owner now.")


async def test_who_asks_too_much_is_told_once_and_heard_all_the_same(
    door: Any, history: FakeHistory, message: Make
) -> None:
    reception = door("7", person_rate=2)
    heard = [
        await reception.hear(ADAM, ANN, message(str(n), id=str(n)), addressed=True)
        for n in range(5)
    ]
    assert [respond for respond, _ in heard] == [True, True, False, False, False]
    assert [reply and reply.text for _, reply in heard] == [None, None, TOO_MUCH, None, None]
    assert history.texts("telegram", 7) == list("01234")
    assert [kept.asks for kept in history.kept[ANN]] == [True, True, False, False, False]
    assert await reception.obey(ADAM, ANN, "help") is None


async def test_only_what_is_new_and_can_be_answered_counts_as_asked(
    door: Any, message: Make
) -> None:
    reception = door("7", person_rate=2)
    photos = [message("", id=f"photo{n}", kind="media") for n in range(3)]
    old = [message("x", id=f"old{n}", seconds=-7 * 86_400) for n in range(3)]
    again = [message("hi", id="1")] * 3
    for said in (*photos, *old, *again, message("well?", id="2"), *again):
        respond, reply = await reception.hear(ADAM, ANN, said, addressed=True)
        assert reply is None
    respond, _ = await reception.hear(in_group(ADAM), GROUP, message("hi"), addressed=True)
    assert not respond


async def test_an_edit_is_heard_of_those_alone_who_may_talk(
    door: Any, history: FakeHistory, message: Make
) -> None:
    reception = door("7")
    await reception.hear(ADAM, ANN, message("helo"), addressed=True)
    await reception.reread(ADAM, ANN, message("hello"))
    assert history.texts("telegram", 7) == ["hello"]
    await reception.obey(OLGA, ANN, "deny telegram:7")
    await reception.reread(ADAM, ANN, message("my secret"))
    assert history.texts("telegram", 7) == ["hello"]


async def test_a_chat_has_a_limit_too_and_the_owner_has_none(door: Any, message: Make) -> None:
    reception = door(EVERYONE, chat_rate=2)
    eve = Visitor("telegram", "9", "user9", "Eve")
    for n, (who, expected) in enumerate(
        [(OLGA, True), (ADAM, True), (eve, True), (eve, False), (OLGA, True)]
    ):
        respond, _ = await reception.hear(who, ANN, message("x", id=str(n)), addressed=True)
        assert respond is expected


async def test_a_group_that_moves_stays_let_in(door: Any, message: Make) -> None:
    reception = door("-100")
    await reception.access.move("-100", "-200")
    there = Visitor("telegram", "7", "user7", "Adam", ("-200",), "The band", group=True)
    assert (await reception.hear(there, ChatId("telegram", "-200"), message("hi"), addressed=True))[
        0
    ]


async def test_who_waits_may_see_and_delete_what_is_kept_of_them(
    door: Any, history: FakeHistory, message: Make
) -> None:
    reception = door()
    await reception.hear(ADAM, ANN, message("hi"), addressed=True)
    shown = await reception.obey(ADAM, ANN, "mydata")
    assert b'"standing": "waiting", "name": "Adam"' in shown.file[1]
    assert await reception.obey(ADAM, ANN, "help") is None
    await reception.obey(ADAM, ANN, "forgetme 7")
    assert not history.signed


async def test_who_is_on_no_list_may_see_and_delete_what_is_kept_however_many_wait(
    door: Any, history: FakeHistory, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.reception.MOST_WAITING", 0)
    await history.add(ANN, message("hi", speaker_id="user7"))
    reception = door()
    assert await reception.obey(ADAM, ANN, "help") is None
    assert b'"text": "hi"' in (await reception.obey(ADAM, ANN, "mydata")).file[1]
    assert "1 message " in (await reception.obey(ADAM, ANN, "forgetme 7")).text
    assert history.texts("telegram", 7) == [""]


@pytest.mark.parametrize(("aliases", "called"), [((), False), (("Rob",), True)])
async def test_whom_nobody_named_is_called_by_aliases_alone(
    history: FakeHistory, fake_engine: Any, message: Make, aliases: tuple[str, ...], called: bool
) -> None:
    engine = fake_engine()
    engine.card = dataclasses.replace(engine.card, me=" ")
    talk = Conversation(history, engine, clock=lambda: NOON)
    reception = Reception(talk, Access("telegram", history, ("1",), ("7",)), aliases=aliases)
    for id_, text in enumerate(("a nice day!", "rob, are you there?")):
        heard = await reception.hear(
            in_group(ADAM), GROUP, message(text, id=str(id_)), addressed=False
        )
        assert heard == (called and bool(id_), None)
    assert "how a person writes" in (await reception.obey(ADAM, ANN, "start")).text
