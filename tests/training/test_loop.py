"""A step learns by the weights, however its rows are cut into batches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel, PreTrainedModel

from likeness.dialogue import Encoded
from likeness.errors import BadSetting, TrainingError
from training import compiling
from training.base import open_base, quiet
from training.compiling import worth_compiling
from training.config import TrainConfig
from training.evaluate import Judge, my_words
from training.loop import Trainer, pick_device
from training.loss import scorer_for, token_losses
from training.optimizer import adamw
from training.plan import Plan
from training.rows import Batch, Windows, WindowsBuilder
from training.scored import Scored

CPU = torch.device("cpu")


def _model(folder: Path) -> PreTrainedModel:
    with quiet():
        return GPT2LMHeadModel.from_pretrained(folder, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)


def _windows(lengths: list[int], weights: tuple[float, ...] = (0.1, 1.0, 0.0)) -> Windows:
    dice = np.random.default_rng(0)
    builder = WindowsBuilder()
    for length in lengths:
        ids = dice.integers(0, 250, length).tolist()
        builder.add(Encoded(ids, dice.choice(weights, length).tolist()))
    return builder.windows()


def _loss(model: PreTrainedModel, batch: Batch) -> float:
    with torch.no_grad():
        losses = token_losses(model, batch, CPU).numpy()
    return float((losses * batch.weights[batch.weights > 0]).sum())


def test_the_loss_is_that_of_transformers_where_all_weigh_one(plain_gpt2: Path) -> None:
    model, batch = _model(plain_gpt2), _windows([20, 20], (1.0,)).batch([[0], [1]])
    ids = torch.from_numpy(batch.ids)
    with torch.no_grad():
        theirs = model(input_ids=ids, labels=ids).loss.item()
    assert _loss(model, batch) / batch.weight == pytest.approx(theirs, rel=1e-5)


def test_a_target_without_weight_has_no_influence(plain_gpt2: Path) -> None:
    model, batch = _model(plain_gpt2), _windows([20]).batch([[0]])
    batch.weights[0, -1] = 0
    before = _loss(model, batch)
    batch.ids[0, -1] = (batch.ids[0, -1] + 1) % 250
    assert _loss(model, batch) == before
    batch.weights[0, -1] = 1
    assert _loss(model, batch) != before


def test_padding_changes_nothing(plain_gpt2: Path) -> None:
    model, windows = _model(plain_gpt2), _windows([30, 7, 19])
    together = _loss(model, windows.batch([[0], [1], [2]]))
    alone = sum(_loss(model, windows.batch([[number]])) for number in range(3))
    assert together == pytest.approx(alone, rel=1e-5)


def test_accumulated_batches_are_one_big_batch(plain_gpt2: Path) -> None:
    windows = _windows([30, 7, 19, 12])
    trained = []
    for batch_rows, accumulation in ((4, 1), (1, 4)):
        config = TrainConfig(
            batch_rows=batch_rows,
            accumulation=accumulation,
            dropout=0,
            warmup_share=0,
            precision="fp32",
        )
        trainer = Trainer(
            _model(plain_gpt2), Plan(windows, replace(config, learning_rate=1e-2)), CPU
        )
        loss = float(trainer.take_step().loss)
        trained.append((loss, trainer.model.transformer.wte.weight.detach().clone()))
    assert trained[0][0] == pytest.approx(trained[1][0], rel=1e-5)
    # Adam's first step is the sign of the gradient, so rounding may tip what is about 0.
    assert (trained[0][1] - trained[1][1]).abs().mean() < 1e-5


class _Cramped:
    """Stands in for a trainer's scorer where no more than some rows fit into the memory."""

    def __init__(self, trainer: Trainer, most_rows: int, error: RuntimeError) -> None:
        self.scorer = trainer.scorer
        self.most_rows = most_rows
        self.error = error
        self.seen: list[int] = []

    def __call__(self, batch: Batch) -> Scored:
        self.seen.append(len(batch.ids))
        if len(self.seen) > 1 and len(batch.ids) > self.most_rows:
            raise self.error
        return self.scorer(batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    ],
)
def test_where_memory_gives_out_smaller_batches_go_on_to_the_same_end(
    plain_gpt2: Path, caplog: pytest.LogCaptureFixture, error: RuntimeError
) -> None:
    windows = _windows([30, 7, 19, 12, 25, 8, 9, 14])
    config = TrainConfig(batch_rows=4, accumulation=2, dropout=0, warmup_steps=0, precision="fp32")
    roomy = Trainer(_model(plain_gpt2), Plan(windows, config), CPU)
    expected = [float(roomy.take_step().loss) for _ in range(3)]
    trainer = Trainer(_model(plain_gpt2), Plan(windows, config), CPU)
    cramped = trainer.scorer = _Cramped(trainer, 2, error)
    losses = [float(trainer.take_step().loss) for _ in range(3)]
    assert losses == pytest.approx(expected, rel=1e-5)
    assert cramped.seen == [4, 4] + [2] * 12
    assert caplog.messages == ["out of memory: going on with 2 rows at once, to the same end"]
    again = Trainer(_model(plain_gpt2), Plan(windows, config), CPU)
    again.restore(trainer.state())
    assert again.rows_at_once == 2


@pytest.mark.slow
def test_where_memory_gives_out_at_clipping_the_step_begins_anew(
    plain_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(batch_rows=4, accumulation=1, dropout=0, precision="fp32")
    windows = _windows([30, 7, 19, 12])
    roomy = Trainer(_model(plain_gpt2), Plan(windows, config), CPU)
    expected = [float(roomy.take_step().loss) for _ in range(3)]
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def full(*told: object) -> torch.Tensor:
        calls.append(told)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("no")
        return clip(*told)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", full)
    trainer = Trainer(_model(plain_gpt2), Plan(windows, config), CPU)
    assert [float(trainer.take_step().loss) for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    assert trainer.rows_at_once == 2


def test_a_step_of_the_optimiser_takes_no_memory(plain_gpt2: Path) -> None:
    ours, theirs = _model(plain_gpt2), _model(plain_gpt2)
    config = TrainConfig(weight_decay=0.1)
    prepared = adamw(ours.parameters(), config)
    before = {place: len(state) for place, state in prepared.state_dict()["state"].items()}
    assert set(before.values()) == {3}
    plain = torch.optim.AdamW(
        [
            {"params": [one for one in theirs.parameters() if one.ndim >= 2], "weight_decay": 0.1},
            {"params": [one for one in theirs.parameters() if one.ndim < 2], "weight_decay": 0.0},
        ],
        lr=0.01, eps=config.adam_epsilon, fused=True,
    )  # fmt: skip
    for group in prepared.param_groups:
        group["lr"] = 0.01
    for model, optimizer in ((ours, prepared), (theirs, plain)):
        for step in range(3):
            torch.manual_seed(step)
            for weight in model.parameters():
                weight.grad = torch.randn_like(weight)
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.slow
def test_a_memory_that_holds_no_row_is_said_in_one_sentence(plain_gpt2: Path) -> None:
    trainer = Trainer(_model(plain_gpt2), Plan(_windows([9] * 8), TrainConfig()), CPU)
    trainer.scorer = _Cramped(trainer, 0, torch.OutOfMemoryError("no"))
    with pytest.raises(TrainingError, match="does not hold one row: lower context_tokens"):
        trainer.take_step()


def test_rows_of_several_batches_may_go_through_at_once_to_the_same_end(plain_gpt2: Path) -> None:
    windows = _windows([30, 7, 19, 12, 25, 8, 9, 14])
    config = TrainConfig(batch_rows=2, accumulation=4, dropout=0, precision="fp32")
    parted, whole = (Trainer(_model(plain_gpt2), Plan(windows, config), CPU) for _ in range(2))
    whole.rows_at_once = 8
    whole.scorer = _Cramped(whole, 8, RuntimeError("none"))
    expected = [float(parted.take_step().loss) for _ in range(3)]
    assert [float(whole.take_step().loss) for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    assert whole.scorer.seen == [8] * 3


def test_compiling_is_left_to_long_runs_on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "peak_flops", lambda *_: 1e15)
    cuda, small = torch.device("cuda"), 124_000_000
    bf16 = torch.bfloat16
    assert not worth_compiling("auto", small, 1e7, cuda, bf16)
    assert worth_compiling("auto", small, 1e9, cuda, bf16)
    assert not worth_compiling("auto", small, 1e12, CPU, bf16)
    assert worth_compiling("yes", small, 1, CPU, bf16)
    assert not worth_compiling("no", small, 1e12, cuda, bf16)


def test_another_error_is_no_lack_of_memory(plain_gpt2: Path) -> None:
    trainer = Trainer(_model(plain_gpt2), Plan(_windows([9] * 8), TrainConfig()), CPU)
    trainer.scorer = _Cramped(trainer, 0, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        trainer.take_step()


def test_biases_and_norms_do_not_decay(plain_gpt2: Path) -> None:
    trainer = Trainer(_model(plain_gpt2), Plan(_windows([9]), TrainConfig()), CPU)
    decaying, others = trainer.state()["optimizer"]["param_groups"]
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.01, 0)
    shapes = [weight.ndim for weight in trainer.model.parameters()]
    assert len(decaying["params"]) == sum(ndim == 2 for ndim in shapes)
    assert len(others["params"]) == sum(ndim == 1 for ndim in shapes)


def test_the_rate_rises_and_falls_in_a_line() -> None:
    config = TrainConfig(batch_rows=1, accumulation=1, epochs=1, warmup_steps=4)
    plan = Plan(_windows([5] * 20), replace(config, learning_rate=1.0))
    rates = [plan.rate(step) for step in range(plan.steps)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1
    assert rates[-1] == pytest.approx(1 / 16)
    assert all(
        Plan(plan.windows, replace(plan.config, warmup_steps=steps)).rate(0) > 0
        for steps in (0, 99)
    )


def test_every_row_is_taken_once_an_epoch() -> None:
    plan = Plan(_windows([5] * 23), TrainConfig(batch_rows=3, accumulation=2, epochs=2.5))
    assert (plan.steps_per_epoch, plan.steps) == (4, 10)
    for epoch in range(2):
        steps = plan.epoch(epoch)
        assert len(steps) == plan.steps_per_epoch
        assert sorted(one for step in steps for rows in step for [one] in rows) == list(range(23))


def test_my_words_are_told_from_others_and_from_tags(plain_gpt2: Path) -> None:
    config = TrainConfig()
    with quiet():
        tags = open_base(str(plain_gpt2), config, list).tags
    said = "<|endoftext|> <speaker2> _hi @ <speaker1> _so <msg> the <br> late @"
    pieces = [piece.replace("_", " ").replace("@", "\n") for piece in said.split(" ")]
    ids, mine = list[int](), list[float]()
    for place, piece in enumerate(pieces):
        known = piece in {"<|endoftext|>", "<speaker2>", "<speaker1>", "<msg>", "<br>", "\n"}
        some = [tags.tag(piece)] if known else tags.encode(piece)
        ids += some
        mine += [float(place in (5, 7, 8, 9))] * len(some)
    builder = WindowsBuilder()
    builder.add(Encoded(ids, [1.0] * len(ids)))
    assert my_words(builder.windows().batch([[0]]), tags)[0].tolist() == mine


def test_an_evaluation_leaves_model_and_dice_as_they_were(plain_gpt2: Path) -> None:
    with quiet():
        base = open_base(str(plain_gpt2), TrainConfig(), list)
    ids = [base.tags.tag("<speaker1>"), *base.tags.encode(" the bus is late")]
    builder = WindowsBuilder()
    builder.add(Encoded(ids, [1.0] * len(ids)))
    base.model.train()
    dice = torch.get_rng_state()
    judge = Judge(builder.windows(), len("the bus is late"), base.tags, 2)
    scorer = scorer_for(base.model, torch.float32)
    first, second = judge.evaluate(scorer), judge.evaluate(scorer)
    assert first == second
    assert base.model.training
    assert torch.equal(dice, torch.get_rng_state())
    assert first.tokens == len(ids) - 1
    per_character = np.log(first.perplexity) * first.tokens / len("the bus is late")
    assert first.nats_per_character == pytest.approx(per_character)


@pytest.mark.parametrize("name", ["cuda:99", "abacus", "meta-thing"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match="device=auto"):
        pick_device(name)


def test_auto_finds_a_device() -> None:
    assert pick_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize(("tokens", "epochs"), [(1_000, 8), (1_000_000, 4), (9_000_000, 2)])
def test_few_words_are_read_more_often_than_many(tokens: int, epochs: int) -> None:
    empty = np.zeros(0, np.uint16)
    windows = Windows(empty, np.zeros(0, np.float32), np.array([0, tokens]))
    assert Plan(windows, TrainConfig()).epochs == epochs
    assert Plan(windows, TrainConfig(epochs=3)).epochs == 3
