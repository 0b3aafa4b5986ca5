"""What the starter learns from: clean conversations, and none of those that judge it."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.starter import mix
from benchmarks.starter.conversations import conversations
from benchmarks.starter.corpora import SOURCES, Source, dialogues, is_held_out, source
from benchmarks.starter.everyday import DAILY_DIALOG, everyday
from benchmarks.starter.talks import talks
from likeness.dialogue import START, TAGS
from likeness.messages import Message
from training.base import STARTER

IRC = replace(source("ubuntu-irc"), share=1.0, held_out=0.0)
PLAY = replace(source("crd3"), share=1.0, held_out=0.0)


def _write(folder: Path, corpus: Source, *records: dict[str, Any]) -> Path:
    lines = "".join(json.dumps({"dialogue": "one"} | record) + "\n" for record in records)
    (folder / f"{corpus.name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


def _said(
    folder: Path, corpus: Source, *records: dict[str, Any], held_out: bool = False
) -> list[list[Message]]:
    found = conversations(_write(folder, corpus, *records), corpus, held_out=held_out)
    return [messages for _, messages in found]


def test_stage_directions_and_quotation_marks_are_gone(tmp_path: Path) -> None:
    ((first, second),) = _said(
        tmp_path,
        PLAY,
        {"speaker": "BEA", "text": '(laughs) "Sure," I said [door slams]'},
        {"speaker": "COY", "text": "Ok  then --"},
    )
    assert first.text.lower() == "sure, i said"
    assert second.text.lower() == "ok then"


def test_a_name_before_an_answer_is_gone_and_other_words_before_a_colon_stay(
    tmp_path: Path,
) -> None:
    ((_, named, other),) = _said(
        tmp_path,
        IRC,
        {"speaker": "bea", "text": "which one?", "time": "10:00"},
        {"speaker": "coy", "text": "bea: the blue one", "time": "10:01"},
        {"speaker": "coy", "text": "note: it is heavy", "time": "10:01"},
    )
    assert (named.text, other.text) == ("the blue one", "note: it is heavy")


def test_bots_and_commands_do_not_teach(tmp_path: Path) -> None:
    ((first, second),) = _said(
        tmp_path,
        IRC,
        {"speaker": "bea", "text": "hello", "time": "10:00"},
        {"speaker": "ubottu", "text": "hello is a greeting", "time": "10:00"},
        {"speaker": "bea", "text": "!hello", "time": "10:00"},
        {"speaker": "coy", "text": "hi", "time": "10:00"},
    )
    assert (first.text, second.text) == ("hello", "hi")


def test_a_silence_a_speech_and_the_length_of_a_row_part_conversations(tmp_path: Path) -> None:
    def talk(time: str) -> list[dict[str, Any]]:
        return [{"speaker": name, "text": "yes " * 20, "time": time} for name in ("bea", "coy")]

    speech = {"speaker": "bea", "text": "and so " * 60, "time": "11:00"}
    parts = _said(
        tmp_path, IRC, *talk("10:00"), *talk("11:00"), speech, *talk("11:00"), *talk("11:01") * 10
    )
    assert [len(part) for part in parts[:2]] == [2, 2]
    assert all(sum(len(one.text) for one in part) <= 1_700 for part in parts)
    assert not any(one.text.startswith("and so") for part in parts for one in part)


def test_the_clock_goes_on_over_midnight(tmp_path: Path) -> None:
    ((first, second),) = _said(
        tmp_path,
        IRC,
        {"speaker": "bea", "text": "late", "time": "23:58"},
        {"speaker": "coy", "text": "later", "time": "00:03"},
    )
    assert (second.sent_at - first.sent_at).total_seconds() == 5 * 60


def test_exactly_one_speaker_is_me_and_always_the_same(tmp_path: Path) -> None:
    records = [
        {"dialogue": f"d{number}", "speaker": name, "text": "hi there", "time": "10:00"}
        for number in range(30)
        for name in ("bea", "coy", "dot")
    ]
    found = _said(tmp_path, IRC, *records)
    mine = [{one.speaker for one in part if one.outgoing} for part in found]
    assert all(len(speakers) == 1 for speakers in mine)
    assert len({*map(str, mine)}) == 3
    assert found == _said(tmp_path, IRC, *records)


def test_a_dialogue_teaches_or_judges_never_both(tmp_path: Path) -> None:
    corpus = replace(IRC, held_out=0.5)
    records = [
        {"dialogue": f"d{number}", "speaker": name, "text": f"hi {number}", "time": "10:00"}
        for number in range(40)
        for name in ("bea", "coy")
    ]
    teach, judge = (
        {part[0].chat_id for part in _said(tmp_path, corpus, *records, held_out=side)}
        for side in (False, True)
    )
    assert teach
    assert judge
    assert not teach & judge
    assert judge == {f"d{number}" for number in range(40) if is_held_out(corpus, f"d{number}")}


def test_what_is_prepared_holds_each_corpus_and_the_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mix, "SOURCES", (replace(IRC, held_out=0.5),))
    records = [
        {"dialogue": f"d{number}", "speaker": name, "text": f"hello you {number}", "time": "10:00"}
        for number in range(40)
        for name in ("bea", "coy")
    ]
    _write(tmp_path, IRC, *records)
    mix.prepare(tmp_path, tmp_path / "data", 300, 64)
    vocabulary = json.loads((tmp_path / "data" / "tokenizer.json").read_text("utf-8"))
    assert {START, *TAGS} <= {token["content"] for token in vocabulary["added_tokens"]}
    account = mix.account(tmp_path / "data")[IRC.name]
    assert account["messages"] == 2 * len(mix.taught(tmp_path / "data"))
    assert account["tokens"] == len(mix.taught(tmp_path / "data").ids)
    judging = mix.held_out(tmp_path / "data")[IRC.name]
    assert len(judging.windows) + len(mix.taught(tmp_path / "data")) == 40
    assert judging.characters.sum() == sum(
        len(f"hello you {number}")
        for number in range(40)
        if is_held_out(mix.SOURCES[0], f"d{number}")
    )


def test_a_share_above_one_teaches_again_with_one_or_another_as_me(tmp_path: Path) -> None:
    records = [
        {"dialogue": f"d{number}", "speaker": name, "text": f"hi {number}", "time": "10:00"}
        for number in range(40)
        for name in ("bea", "coy")
    ]
    often = replace(IRC, share=2.5)
    parts = _said(tmp_path, often, *records)
    assert 90 < len(parts) < 110
    of_one = [part for part in parts if part[0].chat_id == "d7"]
    assert len(of_one) in (2, 3)
    me = {(part[0].chat_id, part[0].outgoing) for part in parts}
    assert len(me) > 60, "each has mostly had both as me"
    held_out = replace(often, held_out=1.0)
    assert len(_said(tmp_path, held_out, *records, held_out=True)) == 40


def test_an_invented_talk_is_read_with_its_silences(tmp_path: Path) -> None:
    path = tmp_path / "home-01.txt"
    path.write_text("Ann: up?\nBo: now i am: yes\n\n\nBo: tea?\n(4 min)\nAnn: please\n", "utf-8")
    (first, up), (second, tea) = talks(path)
    assert (first, second) == ("home-01/0", "home-01/1")
    assert [(one["speaker"], one["text"]) for one in up] == [
        ("Ann", "up?"),
        ("Bo", "now i am: yes"),
    ]
    assert [one["time"] for one in tea] == ["12:00", "12:04"]


def test_a_line_of_a_talk_that_is_no_message_is_named(tmp_path: Path) -> None:
    path = tmp_path / "home-01.txt"
    path.write_text("Ann: up?\nyes\n", "utf-8")
    with pytest.raises(ValueError, match=r"home-01\.txt, line 2"):
        list(talks(path))


@pytest.mark.slow
def test_the_invented_talks_are_conversations_and_none_stands_twice() -> None:
    found = [talk for _, talk in dialogues(Path(), "talks")]
    assert len(found) > 2_000
    assert all(len({one["speaker"] for one in talk}) > 1 for talk in found)
    texts = {"\n".join(one["text"] for one in talk) for talk in found}
    assert len(texts) == len(found)


@pytest.mark.slow
def test_everyday_talk_is_predicted_better_than_its_words_in_another_order(tmp_path: Path) -> None:
    talk = ("How was your day?", "It was good, thank you. And yours?", "I am tired, but happy.")

    def judged(name: str, said: Callable[[str], str]) -> float:
        folder = tmp_path / name
        folder.mkdir()
        lines = [{"speaker": "AB"[n % 2], "text": said(text)} for n, text in enumerate(talk)]
        return everyday(_write(folder, DAILY_DIALOG, *lines), STARTER)

    shuffled = judged("shuffled", lambda text: " ".join(reversed(text.split())))
    assert 0 < judged("as said", str) < shuffled - 0.2


def test_only_licences_that_let_weights_be_passed_on_are_used() -> None:
    free = {"BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "CDLA-Sharing-1.0", "MIT"}
    assert {one.licence for one in SOURCES} <= free
    assert all(one.attribution for one in SOURCES)
