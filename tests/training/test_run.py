"""A run from messages to a model folder: stopped, resumed, refused, and never half there."""

import json
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from likeness.card import RunCard
from likeness.dialogue import ReplyReader, prompt
from likeness.errors import (
    BadSetting,
    BaseUnavailable,
    CannotResume,
    Interrupted,
    NothingToLearn,
    RunExists,
    TrainingError,
)
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from training import checkpoint
from training.base import quiet
from training.checkpoint import checkpoints, whole_folder
from training.config import TrainConfig
from training.evaluate import Evaluation, Judge
from training.run import train

pytestmark = pytest.mark.slow

Settings = Callable[..., TrainConfig]
Write = Callable[[Iterable[Message]], Path]


def _train(messages: Path, run: Path, watch: Any, config: TrainConfig, **other: Any) -> RunCard:
    told = {"base": "scratch", "speaker": None, "resume": False} | other
    return train(messages, run, config=config, watch=watch, **told)


def test_a_run_leaves_a_folder_that_transformers_loads(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "me"
    card = _train(write(chat), run, memory, tiny("epochs=3"))
    assert {path.name for path in run.iterdir()} == {
        "README.md", "config.json", "generation_config.json", "held_out.json", "likeness.json",
        "metrics.jsonl",
        "model.safetensors", "moments.jsonl", "report.html", "report.json", "tokenizer.json",
        "tensorboard", "tokenizer_config.json", "words.txt",
    }  # fmt: skip
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
    _train(write(pairs), run, memory, config)
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


@pytest.mark.parametrize("stop", [0, 10, 20])
def test_stopped_and_resumed_is_uninterrupted_bit_for_bit(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path, stop: int
) -> None:
    path, config = write(chat), tiny("epochs=4", "accumulation=1", "dropout=0.2", "eval_every=5")
    whole = _train(path, tmp_path / "whole", memory, config)
    memory.interrupt_at = stop
    with pytest.raises(Interrupted, match=f"up to step {stop} of .*--resume"):
        _train(path, tmp_path / "parted", memory, config)
    memory.interrupt_at = None
    parted = _train(path, tmp_path / "parted", memory, config, resume=True)
    assert whole.metrics == parted.metrics
    assert whole.metrics["steps"] > 20
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("whole", "parted"))
    assert all(torch.equal(one[name], other[name]) for name in one | other)
    steps = [
        [json.loads(line)["step"] for line in text.splitlines() if "held_out" in line]
        for run in ("whole", "parted")
        for text in [(tmp_path / run / "metrics.jsonl").read_text()]
    ]
    assert steps[0] == steps[1]


def test_ctrl_c_lets_a_step_end_and_tells_the_command_to_go_on_with(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "runs" / "Ann B"
    memory.evaluated = lambda step, _: step == 10 and os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted) as stopped:
        _train(path, run, memory, tiny("epochs=30"), speaker="me")
    assert signal.getsignal(signal.SIGINT) is before
    assert f"likeness train {path} --run 'Ann B' --base scratch --as me" in str(stopped.value)
    assert "--set epochs=30.0" in str(stopped.value)
    assert str(stopped.value).endswith("--resume")
    assert checkpoints(run)[-1].step == 10


def test_a_stop_before_the_first_step_leaves_nothing(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    def press(_: object) -> None:
        raise KeyboardInterrupt

    memory.corpus = press
    with pytest.raises(Interrupted, match="before the first step"):
        _train(write(chat), tmp_path / "run", memory, tiny())
    assert not (tmp_path / "run").exists()


def test_checkpoints_are_the_newest_two_and_the_best(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    config = tiny("epochs=6", "save_every=2", "eval_every=3", "patience=none", "learning_rate=0.1")
    seen: list[list[int]] = []
    memory.saved = lambda _: seen.append([one.step for one in checkpoints(tmp_path / "run")])
    _train(write(chat), tmp_path / "run", memory, config)
    assert all(len(steps) <= 3 for steps in seen)
    assert any(len(steps) == 3 for steps in seen)
    assert seen[-1] == []


def test_it_stops_when_it_gets_no_better_and_keeps_the_best(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    config = tiny("epochs=40", "learning_rate=0.05", "eval_every=5", "patience=2")
    card = _train(write(chat), tmp_path / "run", memory, config)
    best = min((step for step in memory.evaluations if step),
               key=lambda step: memory.evaluations[step].perplexity)  # fmt: skip
    assert card.metrics["best_step"] == best
    assert card.metrics["steps"] == best + 2 * 5 < memory.steps[-1].of
    assert card.metrics["after"]["perplexity"] == memory.evaluations[best].perplexity


def test_a_few_messages_train_without_evaluation(
    say: Callable[..., Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    card = _train(write([say("ann", "hi"), say("me", "yo")]), tmp_path / "run", memory, tiny())
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
    card = _train(write(messages), tmp_path / "run", memory, config, base=str(plain_gpt2))
    with quiet():
        assert AutoTokenizer.from_pretrained(plain_gpt2).pad_token_id is None
    assert (card.data["train"], card.data["held_out"]) == (23, 2)
    assert (
        card.metrics["after"]["nats_per_character"] < card.metrics["before"]["nats_per_character"]
    )
    tags = FolderTokenizer.load(tmp_path / "run")
    assert [tags.decode(tags.encode(text)) for text in said] == list(said)


def test_a_taken_folder_is_refused_and_kept(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    run.mkdir()
    (run / "letter.txt").write_text("mine")
    with pytest.raises(RunExists, match="another name"):
        _train(path, run, memory, tiny())
    assert (run / "letter.txt").read_text() == "mine"
    _train(path, tmp_path / "done", memory, tiny("epochs=1"))
    with pytest.raises(RunExists, match="holds a model already"):
        _train(path, tmp_path / "done", memory, tiny())
    with pytest.raises(CannotResume, match="is finished"):
        _train(path, tmp_path / "done", memory, tiny(), resume=True)
    with pytest.raises(CannotResume, match="no checkpoint"):
        _train(path, tmp_path / "none", memory, tiny(), resume=True)


def test_what_a_kill_before_the_first_checkpoint_left_is_in_nobodys_way(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    (run / ".checkpoint-3.abc").mkdir(parents=True)
    (run / "metrics.jsonl").write_text('{"step": 0}\n')
    card = _train(write(chat), run, memory, tiny("epochs=1"))
    assert RunCard.read(run) == card
    assert '{"step": 0}\n' not in (run / "metrics.jsonl").read_text()
    assert not (run / ".checkpoint-3.abc").exists()


def test_a_run_goes_on_only_as_it_was_begun(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    memory.interrupt_at = 10
    with pytest.raises(Interrupted):
        _train(path, run, memory, tiny("epochs=20"))
    with pytest.raises(RunExists, match="--resume"):
        _train(path, run, memory, tiny("epochs=20"))
    with pytest.raises(CannotResume, match=r"--set epochs=20.0, not None"):
        _train(path, run, memory, tiny(), resume=True)
    with pytest.raises(CannotResume, match="--as None, not ann"):
        _train(path, run, memory, tiny("epochs=20"), resume=True, speaker="ann")
    write(chat[:-1])
    with pytest.raises(CannotResume, match=r"another messages\.jsonl"):
        _train(path, run, memory, tiny("epochs=20"), resume=True)
    assert checkpoints(run)[-1].step == 10


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
        _train(write([say("me", "hi")]), tmp_path / "run", memory, **told)
    assert not (tmp_path / "run").exists()


def test_a_full_disk_leaves_no_half_checkpoint(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(TrainingError, match="No space left"):
        _train(write(chat), tmp_path / "run", memory, tiny("epochs=20"))
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_up_later_leaves_the_last_checkpoint(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path, run, save = write(chat), tmp_path / "run", torch.save

    def full(state: dict[str, Any], where: Path) -> None:
        where.write_bytes(b"half of it")
        if state["trainer"]["step"] > 4:
            raise OSError(28, "No space left on device")
        save(state, where)

    monkeypatch.setattr(checkpoint.torch, "save", full)
    config = tiny("epochs=4", "save_every=2", "eval_every=50")
    with pytest.raises(TrainingError, match=r"checkpoint-6 cannot be written: .*No space left"):
        _train(path, run, memory, config)
    assert [one.step for one in checkpoints(run)] == [2, 4]
    assert not list(run.glob(".*"))
    monkeypatch.setattr(checkpoint.torch, "save", save)
    card = _train(path, run, memory, config, resume=True)
    whole = _train(path, tmp_path / "whole", memory, config)
    assert card.metrics == whole.metrics


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    def fill() -> None:
        with whole_folder(tmp_path / "checkpoint-1") as folder:
            (folder / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_is_said_to_be_one(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    memory.interrupt_at = 10
    with pytest.raises(Interrupted):
        _train(path, run, memory, tiny("epochs=20"))
    (run / "checkpoint-10" / "state.pt").write_bytes(b"no")
    with pytest.raises(CannotResume, match="checkpoint-10 cannot be read"):
        _train(path, run, memory, tiny("epochs=20"), resume=True)


def test_a_loss_that_is_no_number_ends_the_run(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def broken(*_: object) -> Evaluation:
        return Evaluation(float("nan"), float("nan"), float("nan"), 1)

    monkeypatch.setattr(Judge, "evaluate", broken)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        _train(write(chat), tmp_path / "run", memory, tiny())
    assert not (tmp_path / "run").exists()


def test_nobodys_words_are_logged(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    _train(write(chat), tmp_path / "run", memory, tiny("epochs=1"))
    assert not any(word in caplog.text for word in ("soup", "ann", "number 3"))
