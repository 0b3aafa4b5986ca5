"""What Telegram's JSON tells beside its words: who is me, when, and where a chat ends."""

import json
from zoneinfo import ZoneInfo

import pytest

from exporters.sources import Reading, sources_in
from exporters.telegram import TELEGRAM
from likeness.errors import DamagedSource
from likeness.messages import Message, Notice, Rejected

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def read(tmp_path):
    """Return a function that reads an export, given as what JSON holds or as its bytes."""

    def read(export, *include):
        path = tmp_path / "result.json"
        path.write_bytes(export if isinstance(export, bytes) else json.dumps(export).encode())
        (source,) = sources_in(path, path.name)
        reading = Reading(BERLIN, zone_name="Europe/Berlin", include=frozenset(include))
        return list(TELEGRAM.read(source, reading)), reading

    return read


def entry(number, who=7, **other):
    told = {"id": number, "type": "message", "date_unixtime": str(1_700_000_000 + number)}
    return {**told, "from": f"P{who}", "from_id": f"user{who}", "text": f"t{number}", **other}


def chat(*messages, type="personal_chat", id=7, **other):  # noqa: A002
    return {"name": "P7", "type": type, "id": id, "messages": list(messages), **other}


def account(*chats, **other):
    return {"chats": {"about": "", "list": list(chats)}, **other}


def texts(records):
    return [record.text for record in records if isinstance(record, Message)]


def test_a_channel_exported_alone_is_what_was_asked_for(read):
    channel = chat(entry(1), type="public_channel", id=5)
    assert texts(read(channel)[0]) == ["t1"]
    assert read(account(channel))[0] == [Notice("in a channel")]


def test_login_codes_never_come_out(read):
    codes = chat(entry(1), type="verification_codes")
    assert read(codes)[0] == read(account(codes))[0] == [Notice("a verification code")]


@pytest.mark.parametrize("number", [489000, 777000])
def test_who_sends_login_codes_never_comes_out_under_any_type(read, number):
    codes = [chat(entry(1), type=kind, id=number) for kind in ("bot_chat", "personal_chat")]
    records, _ = read(account(*codes), "bots", "channels", "saved")
    assert records == [Notice("a verification code")] * 2
    group = chat(entry(1), type="private_group", id=number)
    assert texts(read(group)[0]) == ["t1"]


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("bots", "bot_chat"),
        ("channels", "private_channel"),
        ("channels", "public_channel"),
        ("saved", "saved_messages"),
    ],
)
def test_what_is_no_conversation_is_read_where_that_is_wished(read, switch, kind):
    export = account(chat(entry(1), type=kind))
    assert texts(read(export)[0]) == []
    assert texts(read(export, switch)[0]) == ["t1"]
    others = {"bots", "channels", "saved"} - {switch}
    assert texts(read(export, *others)[0]) == []


def test_whom_saved_messages_belong_to_is_known_when_they_are_read(read):
    saved = chat(entry(1, who=2), entry(2, forwarded_from="News"), type="saved_messages", id=2)
    _, reading = read(saved)
    assert reading.owner == {"2": ("user2", "who writes in Saved Messages")}


def test_a_bots_own_words_are_automated(read):
    records, _ = read(chat(entry(1, who=7), entry(2, who=2), type="bot_chat", id=7))
    assert [record.kind for record in records] == ["automated", "text"]


def test_a_person_a_group_and_a_channel_of_one_number_are_three_chats(read):
    kinds = ("personal_chat", "private_group", "private_supergroup")
    records, _ = read(account(*(chat(entry(1), type=kind) for kind in kinds)))
    assert len({record.chat_id for record in records}) == 3


def test_the_same_chat_has_the_same_id_alone_and_in_the_account(read):
    one = chat(entry(1))
    assert read(one)[0] == read(account(one))[0]


def test_who_is_not_the_partner_is_me(read):
    _, reading = read(chat(entry(1, who=7), entry(2, who=2)))
    assert reading.owner["7"][0] == "user2"


def test_old_numbers_are_the_same_people(read):
    _, reading = read(chat(entry(1, from_id=7), entry(2, from_id=2)))
    assert reading.owner["7"][0] == "user2"


def old_entry(number, who, kind=2**32):
    told = entry(number, who, from_id=kind + who, date=f"2019-05-0{number}T12:00:00")
    del told["date_unixtime"]
    return told


def test_numbers_with_the_kind_in_them_are_the_same_people_and_chats(read):
    records, reading = read(chat(old_entry(1, 7), old_entry(2, 2), id=2**32 + 7))
    assert [record.speaker_id for record in records] == ["user7", "user2"]
    assert {record.chat_id for record in records} == {"7"}
    assert reading.owner["7"][0] == "user2"
    group = chat(old_entry(1, 5, kind=2**33), type="private_supergroup", id=2**33 + 5)
    (told,), _ = read(group)
    assert (told.speaker_id, told.chat_id) == ("channel5", "channel5")


def test_a_new_number_that_looks_as_if_a_kind_stood_in_it_is_kept(read):
    new = 2**32 + 700_000_000
    records, reading = read(account(chat(entry(1, who=new), entry(2, who=2), id=new)))
    assert {record.chat_id for record in records} == {str(new)}
    assert reading.owner[str(new)][0] == "user2"


def test_login_codes_and_bots_are_known_by_old_numbers(read):
    codes = chat(old_entry(1, 777_000), id=2**32 + 777_000)
    assert read(account(codes))[0] == [Notice("a verification code")]
    records, _ = read(chat(old_entry(1, 7), old_entry(2, 2), type="bot_chat", id=2**32 + 7))
    assert [record.kind for record in records] == ["automated", "text"]


def test_a_chat_named_by_the_partners_first_name_tells_who_is_me(read):
    said = [entry(1, who=7), entry(2, who=2)]
    said[0]["from"] = "Ann Lee"
    for message in said:
        del message["from_id"]
    _, reading = read(chat(*said, name="Ann"))
    assert reading.owner["7"] == ("P2", "the other one bears the chat's name")


def test_in_a_chat_in_which_only_the_partner_wrote_nobody_is_me(read):
    assert read(chat(entry(1, who=7)))[1].owner == {"7": ("", "only the other one writes here")}


def test_without_ids_the_partner_bears_the_chats_name(read):
    said = [entry(1, who=7), entry(2, who=2)]
    for message in said:
        del message["from_id"]
    assert read(chat(*said))[1].owner["7"][0] == "P2"


def test_saved_messages_tell_who_i_am_but_not_their_forwards(read):
    forwards = [entry(n, who=9, forwarded_from="News") for n in range(3)]
    saved = chat(*forwards, entry(5, who=2), type="saved_messages", id=2)
    group = chat(entry(1, who=4), type="private_group", id=8)
    _, reading = read(account(group, saved))
    assert reading.owner == {"chat8": ("user2", "who writes in Saved Messages")}


def test_the_account_outweighs_all_other_evidence(read):
    _, reading = read(account(chat(entry(1, who=2)), personal_information={"user_id": 3}))
    assert reading.owner["7"][0] == "user3"


def test_local_times_run_on_through_the_repeated_hour(read):
    times = "01:50", "02:30", "02:10"
    said = [
        entry(number, date=f"2023-10-29T{time}:00", date_unixtime=None)
        for number, time in enumerate(times)
    ]
    records, reading = read(chat(*said))
    moments = [f"{record.sent_at:%d %H:%M}" for record in records]
    assert moments == ["28 23:50", "29 00:30", "29 01:10"]
    assert "3 messages" in reading.remarks[0]
    assert "Europe/Berlin" in reading.remarks[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": {"a": 1}}, "its text is neither a string nor a list"),
        ({"text": [7]}, "a piece of its text is not text"),
        ({"from": 7}, 'its "from" is not a string'),
        ({"from_id": [7]}, 'its "from_id" is not a number'),
        ({"id": "seven"}, 'its "id" is not a number'),
        ({"date_unixtime": "9" * 18}, "it has no date that can be read"),
        ({"date_unixtime": None, "date": "now"}, "it has no date that can be read"),
        ({"type": "poem"}, "its type is none that the app writes"),
    ],
)
def test_an_entry_of_a_wrong_shape_is_rejected_and_the_next_is_read(read, change, reason):
    records, _ = read(account(chat(entry(1, **change), entry(2))))
    assert records[0] == Rejected("chats.list[0].messages[0]", reason)
    assert texts(records) == ["t2"]


def test_what_is_whole_before_the_damage_is_kept(read):
    whole = json.dumps(chat(entry(1), entry(2), entry(3))).encode()
    records, _ = read(whole.replace(b'"t3"', b'"t\\q3"'))
    assert texts(records) == ["t1", "t2"]
    assert records[2:] == [Rejected("after record 2", "the file breaks off or is damaged here")]


def test_damage_before_the_first_message_is_an_error(read):
    with pytest.raises(DamagedSource, match="before its first message"):
        read(b'{"name": "P7", "type": "personal_chat", "id": 7, "messages": [{"id": 1')


def test_what_the_app_writes_wrongly_is_repaired_and_counted(read):
    wrong = json.dumps(chat(entry(1, text="a\x0bb"), entry(2, text="\x01\x1f")), indent=1)
    records, reading = read(wrong.replace("\\u00", "\\x").encode())
    assert texts(records) == ["a\x0bb", "\x01\x1f"]
    assert reading.remarks == ["3 illegal escapes were repaired."]


def test_a_key_written_twice_is_no_damage(read):
    twice = '{"id": 1, "type": "service", "action": "send_webview_data", "text": "a", "text": ""}'
    whole = json.dumps(chat("TWICE", entry(2)))
    records, _ = read(whole.replace('"TWICE"', twice).encode())
    assert records[0] == Notice("send webview data")
    assert texts(records) == ["t2"]


@pytest.mark.parametrize(
    "told",
    [
        {"location_information": {"latitude": 1, "longitude": 2}},
        {"location_information": None},
        {"contact_information": {"first_name": "Sal", "phone_number": "+1 555 0100"}},
        {"place_name": "Pier 3", "address": "Harbour"},
        {"game_title": "Corsairs", "game_description": "sail"},
        {"invoice_information": '{"title": "Rope"}'},
        {"media_type": "voice_message", "file": "a.ogg"},
        {"todo_list": {"title": "pack", "answers": []}},
    ],
)
def test_what_hangs_on_a_message_without_words_is_media_without_words(read, told):
    (record,) = read(chat(entry(1, text="", **told)))[0]
    assert (record.kind, record.text) == ("media", "")


@pytest.mark.parametrize("told", [{"game_title": "x"}, {"invoice_information": "{}"}])
def test_words_of_a_game_or_an_invoice_are_a_bots(read, told):
    (record,) = read(chat(entry(1, text="pay", **told)))[0]
    assert record.kind == "automated"


def test_a_polls_question_is_not_what_its_sender_says(read):
    poll = {"question": [{"type": "plain", "text": "lake?"}], "answers": []}
    assert read(chat(entry(1, text="", poll=poll)))[0] == [Notice("a poll")]
    (record,) = read(chat(entry(1, text="vote!", poll=poll)))[0]
    assert (record.kind, record.text) == ("media", "vote!")


def test_a_sticker_is_its_emoji(read):
    (record,) = read(chat(entry(1, text="", media_type="sticker", sticker_emoji="🦊")))[0]
    assert (record.kind, record.text) == ("media", "🦊")


def test_dates_written_as_numbers_are_dates(read):
    (record,) = read(chat(entry(1, date_unixtime=1_700_000_000)))[0]
    assert record.sent_at.timestamp() == 1_700_000_000


def test_a_byte_order_mark_is_no_damage(read):
    assert texts(read(b"\xef\xbb\xbf" + json.dumps(chat(entry(1))).encode())[0]) == ["t1"]


def test_an_action_that_is_no_word_of_the_app_is_not_repeated(read):
    said = "meet me at nine, Ann"
    records, _ = read(chat({"id": 1, "type": "service", "action": said}))
    assert records == [Notice("service message")]
