"""A run from messages to a model folder: what it leaves, what it learns, and when it ends."""

import json
import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertLMHeadModel

from likeness.card import RunCard
from likeness.dialogue import ReplyReader, prompt
from likeness.errors import (
    BadSetting,
    BaseUnavailable,
    LikenessError,
    NothingToLearn,
    TrainingError,
)
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from tests.training.conftest import learn
from training.base import quiet
from training.config import TrainConfig
from training.evaluate import Evaluation, Judge
from training.last_lesson import teach_held_out
from training.loop import Trainer
from training.team import Team

pytestmark = pytest.mark.slow

Settings = Callable[..., TrainConfig]
Write = Callable[[Iterable[Message]], Path]


def test_a_run_leaves_a_folder_that_transformers_loads(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "me"
    card = learn(write(chat), run, memory, tiny("epochs=3"))
    assert {path.name for path in run.iterdir()} == {
        "README.md", "config.json", "generation_config.json", "held_out.json", "likeness.json",
        "metrics.jsonl", "model.safetensors", "moments.jsonl", "others.bin", "report.html",
        "report.json", "tokenizer.json", "tensorboard", "tokenizer_config.json", "words.txt",
    }  # fmt: skip
    assert run.stat().st_mode & 0o077 == 0
    assert RunCard.read(run) == card
    assert (card.me, card.base, card.context_tokens) == ("me", "scratch", 64)
    assert card.data["mine"] == 30
    assert card.metrics["after"]["perplexity"] < card.metrics["before"]["perplexity"]
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(run)
        tokenizer = AutoTokenizer.from_pretrained(run)
    assert model.config.vocab_size == len(tokenizer)
    assert model.generation_config.eos_token_id == FolderTokenizer.load(run).tag("\n")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["held_out"]["perplexity"] == card.metrics["before"]["perplexity"]
    assert lines[-1]["step"] == card.metrics["steps"] == memory.steps[-1].step
    assert memory.paths[-1] == run
    last = memory.steps[-1]
    assert last.tokens_per_second >= last.targets_per_second > 0
    assert 0 < last.share_of_peak < 1
    assert last.peak_bytes > 10**7


def test_it_learns_a_chat_by_heart_and_says_it(
    say: Callable[..., Message], write: Write, memory: Any, tmp_path: Path
) -> None:
    said = [
        ("are you there?", "on the bus"),
        ("soup or bread?", "soup please"),
        ("why?", "no idea"),
    ]
    pairs = [
        message
        for question, answer in said
        for message in (say("ann", question, after=10**7), say("me", answer))
    ]
    config = TrainConfig.from_settings(
        ["layers=2", "width=48", "heads=2", "vocabulary=320", "context_tokens=64", "epochs=300",
         "accumulation=1", "dropout=0", "held_out_share=0", "learning_rate=5e-3"]
    )  # fmt: skip
    run = tmp_path / "me"
    learn(write(pairs), run, memory, config)
    assert memory.steps[-1].loss < 0.3
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(run).eval()
    tokenizer = FolderTokenizer.load(run)
    for question, answer in said:
        ids = prompt([say("ann", question)], tokenizer, 50)
        written = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=20)
        reader = ReplyReader(tokenizer)
        parts = [reader.read(id_) for id_ in written[0, len(ids) :].tolist()]
        assert [part.text for part in parts if part] == [answer]


def test_it_stops_when_it_gets_no_better_and_keeps_the_best(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    config = tiny("epochs=40", "learning_rate=0.05", "eval_every=5", "patience=2")
    card = learn(write(chat), tmp_path / "run", memory, config)
    best = min((step for step in memory.evaluations if step),
               key=lambda step: memory.evaluations[step].perplexity)  # fmt: skip
    assert card.metrics["best_step"] == best
    assert card.metrics["steps"] == best + 2 * 5 < memory.steps[-1].of
    assert card.metrics["after"]["perplexity"] == memory.evaluations[best].perplexity


def test_a_few_messages_train_without_evaluation(
    say: Callable[..., Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    card = learn(write([say("ann", "hi"), say("me", "yo")]), tmp_path / "run", memory, tiny())
    assert card.metrics["before"] is None
    assert memory.balances[0].held_out == 0
    assert RunCard.read(tmp_path / "run") == card


def test_fifty_messages_in_any_script_teach_a_base_without_a_pad_token(
    say: Callable[..., Message], write: Write, plain_gpt2: Path, tiny: Settings, memory: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    said = ("привет, как дела", "今天下雨了", "صباح الخير", "नमस्ते दोस्त", "สวัสดีครับ", "👩🏽‍🚀🎉 é")
    messages = [say("me" if n % 2 else "ann", said[n % len(said)]) for n in range(50)]
    config = tiny("epochs=3", "learning_rate=5e-3", "report_replies=0")
    card = learn(write(messages), tmp_path / "run", memory, config, base=str(plain_gpt2))
    with quiet():
        assert AutoTokenizer.from_pretrained(plain_gpt2).pad_token_id is None
    assert (card.data["train"], card.data["held_out"]) == (23, 2)
    assert (
        card.metrics["after"]["nats_per_character"] < card.metrics["before"]["nats_per_character"]
    )
    tags = FolderTokenizer.load(tmp_path / "run")
    assert [tags.decode(tags.encode(text)) for text in said] == list(said)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"base": "gpt2-that-nobody-has"}, BaseUnavailable),
        ({"config": TrainConfig(device="abacus")}, BadSetting),
        ({"config": TrainConfig(held_out_share=0.9)}, NothingToLearn),
    ],
)
def test_a_run_that_cannot_begin_leaves_no_folder(
    say: Callable[..., Message], write: Write, memory: Any, tmp_path: Path,
    change: dict[str, Any], error: type[Exception],
) -> None:  # fmt: skip
    told = {"config": TrainConfig()} | change
    with pytest.raises(error):
        learn(write([say("me", "hi")]), tmp_path / "run", memory, **told)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_was_there_empty_is_closed_to_others_and_emptied_where_a_run_cannot_begin(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run, elsewhere = write(chat), tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    run.symlink_to(elsewhere)
    for _ in range(2):
        with pytest.raises(BaseUnavailable):
            learn(path, run, memory, tiny(), base="./nosuch")
        assert list(elsewhere.iterdir()) == []
    (elsewhere / ".begun").touch()  # as a kill leaves it
    card = learn(path, run, memory, tiny("epochs=1"))
    assert RunCard.read(elsewhere) == card
    assert elsewhere.stat().st_mode & 0o077 == 0
    assert run.is_symlink()


def test_a_base_with_several_chat_templates_ends_in_a_folder_with_none(
    chat: list[Message], write: Write, plain_gpt2: Path, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    base, run, config = tmp_path / "base", tmp_path / "run", tiny("epochs=1")
    shutil.copytree(plain_gpt2, base)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(base)
        tokenizer.chat_template = {"default": "{{ messages }}", "tools": "{{ tools }}"}
        tokenizer.save_pretrained(base)
    path = write(chat)
    card = learn(path, run, memory, config, base=str(base))
    assert teach_held_out(path, run, config, None)
    assert RunCard.read(run).data == card.data
    assert not [path for path in run.iterdir() if "template" in path.name]


def test_a_base_that_looks_ahead_is_refused(
    say: Callable[..., Message], write: Write, plain_gpt2: Path, memory: Any, tmp_path: Path
) -> None:
    shape = BertConfig(
        vocab_size=300, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    with quiet():
        BertLMHeadModel(shape).save_pretrained(tmp_path / "bert")
        AutoTokenizer.from_pretrained(plain_gpt2).save_pretrained(tmp_path / "bert")
    messages = write([say("ann", "hi"), say("me", "yo")])
    with pytest.raises(BaseUnavailable, match="sees the words that it is to predict"):
        learn(messages, tmp_path / "run", memory, TrainConfig(), base=str(tmp_path / "bert"))
    assert not (tmp_path / "run").exists()


def test_what_fails_once_a_run_is_finished_leaves_its_model(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("training.run.RunCard.read", full)
    run = tmp_path / "run"
    with pytest.raises(OSError, match="No space"):
        learn(write(chat), run, memory, tiny())
    monkeypatch.undo()
    assert RunCard.read(run).me == "me"


def test_a_loss_that_is_no_number_ends_the_run(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def broken(*_: object) -> Evaluation:
        return Evaluation(float("nan"), float("nan"), float("nan"), 1)

    monkeypatch.setattr(Judge, "evaluate", broken)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        learn(write(chat), tmp_path / "run", memory, tiny())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_the_process_that_speaks_is_the_one_that_a_loss_which_is_no_number_ends(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, rank: int,
) -> None:  # fmt: skip
    take_step, config = Trainer.take_step, tiny("epochs=1", "held_out_share=0")
    monkeypatch.setattr(
        Trainer, "take_step", lambda self: replace(take_step(self), loss=torch.tensor(math.nan))
    )
    with pytest.raises(LikenessError) as ended:
        learn(write(chat), tmp_path / "run", memory, config, team=Team(rank=rank))
    assert ("lower learning_rate" in str(ended.value)) == (rank == 0)


def test_nobodys_words_are_logged(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    learn(write(chat), tmp_path / "run", memory, tiny("epochs=1"))
    assert not any(word in caplog.text for word in ("soup", "ann", "number 3"))
