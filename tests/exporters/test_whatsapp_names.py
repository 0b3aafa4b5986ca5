"""What a chat of WhatsApp is called: after its file, the folders and the zip, or its people."""

import io
import unicodedata
import zipfile
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from likeness.files import read_messages
from likeness.messages import Message
from tests.exporters.whatsapp_texts import held, read


@pytest.mark.parametrize(
    ("file", "chat"),
    [
        ("WhatsApp Chat with Ann.txt", "Ann"),
        ("WhatsApp Chat - Ann.zip", "Ann"),
        ("WhatsApp Chat with Ann (1).txt", "Ann"),
        ("WhatsApp Chat with Ann - Copy.txt", "Ann"),
        ("WhatsApp Chat with Ann - Copy (2).txt", "Ann"),
        ("WhatsApp-Chat mit Ann - Kopie.txt", "Ann"),
        ("WhatsApp Chat with Ann copy 2.txt", "Ann"),
        ("WhatsApp-Chat mit Ann.txt", "Ann"),
        ("Chat de WhatsApp con Ann.txt", "Ann"),
        ("Annin kanssa käyty WhatsApp-keskustelu.txt", "Ann"),
        ("_chat.txt", "Ann, Bob"),
        ("WhatsApp Chat - Ann 2.zip", "Ann"),
        ("WhatsApp Chat - Ann-1.zip", "Ann"),
        ("WhatsApp Chat with Ann 2.txt", "Ann"),
        ("WhatsApp Chat with Annabel 2.txt", "Annabel 2"),
        ("WhatsApp Chat - Dr. Ann", "Dr. Ann"),
        ("WhatsApp.txt", "Ann, Bob"),
        ("WhatsApp Chat 2024-05-01.txt", "Ann, Bob"),
    ],
)
def test_names_the_chat_after_the_file_or_its_people(file: str, chat: str) -> None:
    records, _ = read(held("13/02/24, 10:00 - Ann: hi\n13/02/24, 10:01 - Bob: ho\n", file))

    assert {record.chat for record in records if isinstance(record, Message)} == {chat}


@pytest.mark.parametrize(
    ("file", "chat"),
    [
        ("WhatsApp-chatt med Owls.txt", "Owls"),
        ("WhatsApp-chatt - Owls.zip", "Owls"),
        ("WhatsApp-samtale med Owls.txt", "Owls"),
        ("Czat WhatsApp z Owls.txt", "Owls"),
        ("Owls ile WhatsApp Sohbeti.txt", "Owls"),
        ("与Owls的 WhatsApp 聊天.txt", "Owls"),
        ("OwlsとのWhatsAppチャット.txt", "Owls"),
        ("دردشة واتساب مع Owls.txt", "Owls"),
        ("Conversa no WhatsApp com Owls.txt", "Owls"),
        ("Obrolan WhatsApp dengan Owls.txt", "Owls"),
        ("Conversa de WhatsApp amb Owls.txt", "Owls"),
        ("Chats WhatsApp avec Owls.txt", "Owls"),
        ("Чат WhatsApp с группой Owls.txt", "Owls"),
        ("WhatsApp chat s Owls.txt", "WhatsApp chat s Owls"),
    ],
)
def test_names_a_group_after_its_file_in_any_language(file: str, chat: str) -> None:
    records, _ = read(held("13/02/24, 10:00 - Ann: hi\n13/02/24, 10:01 - Bob: ho\n", file))

    assert {record.chat for record in records if isinstance(record, Message)} == {chat}


def test_a_group_with_a_members_name_in_its_own_is_not_the_chat_with_that_member() -> None:
    lines = ["13/02/24, 10:00 - Ann: hi\n", "13/02/24, 10:01 - Bob: ho\n"]
    alone, _ = read(held("".join(lines), "Бесіда WhatsApp з Ann.txt"))
    lines.append("13/02/24, 10:02 - Cleo: hey\n")
    group, _ = read(held("".join(lines), "Бесіда WhatsApp з Ann and the Owls.txt"))
    ids = [
        {record.chat_id for record in records if isinstance(record, Message)}
        for records in (alone, group)
    ]

    assert ids[0].isdisjoint(ids[1])


@pytest.mark.parametrize("names", [("Ann 2", "Bob"), ("Ann", "Ann 2"), ("Ann", "Bob", "Cleo")])
def test_a_number_behind_a_name_may_be_a_part_of_it(names: tuple[str, ...]) -> None:
    text = "".join(f"13/02/24, 10:00 - {name}: hi\n" for name in names)
    records, _ = read(held(text, "WhatsApp Chat - Ann 2.zip"))

    assert {record.chat for record in records if isinstance(record, Message)} == {"Ann 2"}


def test_who_the_file_is_not_named_after_is_me() -> None:
    text = "13/02/24, 10:00 - Ann: hi\n13/02/24, 10:01 - Bob: ho\n"
    _, named = read(held(text, "WhatsApp Chat with Ann.txt"))
    _, nameless = read(held(text, "_chat.txt"))

    assert [speaker for speaker, _ in named.owner.values()] == ["Bob"]
    assert nameless.owner == {}


def test_a_file_whose_name_a_mac_wrote_with_parted_umlauts_is_of_the_same_chat() -> None:
    text = "13/02/24, 10:00 - Oma Käthe: hi\n13/02/24, 10:01 - Jörg: ho\n"
    name = "WhatsApp Chat - Oma Käthe.zip"
    (first, _), one = read(held(text, unicodedata.normalize("NFC", name)))
    (again, _), parted = read(held(text, unicodedata.normalize("NFD", name)))

    assert isinstance(first, Message)
    assert first == again
    assert first.chat == unicodedata.normalize("NFC", "Oma Käthe")
    assert parted.owner == one.owner
    assert [speaker for speaker, _ in one.owner.values()] == ["Jörg"]


def said_by(name: str) -> bytes:
    return f"13/1/24, 09:00 - {name}: hi\n13/1/24, 09:05 - Juno: yes\n".encode()


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


IN_FOLDERS = {f"WhatsApp Chat - {name}/_chat.txt": said_by(name) for name in ("Ann", "Bo")}
IN_ZIPS = {
    f"WhatsApp Chat - {name}.zip": zipped({"_chat.txt": said_by(name)}) for name in ("Ann", "Bo")
}


@pytest.mark.parametrize("members", [IN_FOLDERS, IN_ZIPS], ids=["folders", "zips"])
@pytest.mark.parametrize("name", ["all.zip", "WhatsApp Chat - Ann and Bo.zip", "WhatsApp - 24.zip"])
def test_chats_in_one_zip_are_called_after_their_own_folder_or_zip(
    tmp_path: Path, name: str, members: Mapping[str, bytes]
) -> None:
    (tmp_path / name).write_bytes(zipped(members))
    account = export([tmp_path / name], tmp_path / "out", ExportOptions(UTC, "UTC", ()))

    assert [(chat.chat, chat.messages, chat.owner) for chat in account.chats] == [
        ("Ann", 2, ("Juno",)),
        ("Bo", 2, ("Juno",)),
    ]


def test_a_zip_of_zips_gives_its_name_to_none_of_them(tmp_path: Path) -> None:
    inner = {f"{name}.zip": zipped({"_chat.txt": said_by(name)}) for name in ("Ann", "Bo")}
    (tmp_path / "WhatsApp Chat - Owls.zip").write_bytes(zipped(inner))
    out = tmp_path / "out"
    export([tmp_path / "WhatsApp Chat - Owls.zip"], out, ExportOptions(UTC, "UTC", ("Juno",)))

    assert {message.chat for message in read_messages(out)} == {"Ann, Juno", "Bo, Juno"}
