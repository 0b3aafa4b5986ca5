"""LoRA learns beside frozen weights, and what it leaves is a plain model."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
)

from likeness.dialogue import END_OF_TURN, ME, START, TAGS
from likeness.errors import BadSetting, Interrupted
from likeness.messages import Message
from training.adapter import PACE, is_adapted, learnt, plain
from training.base import open_base, quiet
from training.config import TrainConfig
from training.lora import prepared, wants_lora
from training.run import train

Settings = Callable[..., TrainConfig]
Write = Callable[[Iterable[Message]], Path]


def _train(messages: Path, run: Path, base: Path, config: TrainConfig, watch: Any, **other: Any):
    told: dict[str, Any] = {"speaker": None, "resume": False} | other
    return train(messages, run, base=str(base), config=config, watch=watch, **told)


@pytest.mark.slow
def test_a_run_by_lora_leaves_a_plain_model_that_got_better(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, plain_gpt2: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    config = tiny("method=lora", "lora_rank=4", "epochs=6", "learning_rate=1e-2")
    card = _train(write(chat), tmp_path / "run", plain_gpt2, config, memory)
    assert card.metrics["after"]["perplexity"] < 0.95 * card.metrics["before"]["perplexity"]
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "run")
    assert type(model) is GPT2LMHeadModel
    assert not any("lora" in name for name in load_file(tmp_path / "run" / "model.safetensors"))


@pytest.mark.slow
def test_what_is_merged_says_what_the_adapted_said(plain_gpt2: Path) -> None:
    with quiet():
        base = prepared(open_base(str(plain_gpt2), TrainConfig(), list), TrainConfig(method="lora"))
    for weight in learnt(base.model).values():
        weight.add_(torch.randn_like(weight) * 0.1)
    merged = plain(base.model)
    assert not is_adapted(merged)
    ids = torch.arange(300).view(6, 50) % len(base.tokenizer)
    base.model.eval()
    with torch.no_grad():
        difference = base.model(ids).logits - merged.eval()(ids).logits
    assert difference.abs().max() < 1e-4
    assert is_adapted(base.model)


@pytest.mark.slow
def test_a_gpu_holds_the_weights_once_while_they_are_merged(plain_gpt2: Path) -> None:
    with quiet():
        base = prepared(open_base(str(plain_gpt2), TrainConfig(), list), TrainConfig(method="lora"))
    copied: list[torch.device] = []

    class Far(TorchFunctionMode):
        # What is on the processor stands in for a GPU: nothing may be made there by copying it.
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            if func in (torch.Tensor.clone, torch.Tensor.__deepcopy__):
                copied.append(args[0].device)
            return func(*args, **(kwargs or {}))

    with Far():
        merged = plain(base.model)
    assert not copied
    assert merged.lm_head.weight is merged.transformer.wte.weight
    assert {one.device.type for one in merged.parameters()} == {"cpu"}
    theirs = {one.data_ptr() for one in base.model.parameters()}
    assert not theirs & {one.data_ptr() for one in merged.parameters()}


@pytest.mark.slow
def test_only_small_matrices_and_the_rows_of_tags_learn(plain_gpt2: Path) -> None:
    with quiet():
        base = prepared(open_base(str(plain_gpt2), TrainConfig(), list), TrainConfig(method="lora"))
    names = set(learnt(base.model))
    assert all("lora_" in name or "trainable_tokens" in name for name in names)
    for layer in ("c_attn", "c_proj", "c_fc"):
        assert any(f".{layer}." in name for name in names)
    assert any("trainable_tokens" in name for name in names)


@pytest.mark.slow
def test_lora_stopped_and_resumed_is_uninterrupted_bit_for_bit(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, plain_gpt2: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    path = write(chat)
    config = tiny("method=lora", "epochs=4", "accumulation=1", "eval_every=5")
    whole = _train(path, tmp_path / "whole", plain_gpt2, config, memory)
    memory.interrupt_at = 10
    with pytest.raises(Interrupted):
        _train(path, tmp_path / "parted", plain_gpt2, config, memory)
    memory.interrupt_at = None
    parted = _train(path, tmp_path / "parted", plain_gpt2, config, memory, resume=True)
    assert whole.metrics == parted.metrics
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("whole", "parted"))
    assert all(torch.equal(one[name], other[name]) for name in one | other)


@pytest.mark.slow
def test_the_rate_that_is_told_is_the_one_that_lora_learns_at(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, plain_gpt2: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    path, told = write(chat), ("epochs=1", "warmup_steps=0", "learning_rate=1e-3")
    for method in ("full", "lora"):
        _train(path, tmp_path / method, plain_gpt2, tiny(f"method={method}", *told), memory)
    full, lora = (step.learning_rate for step in memory.steps if step.step == step.of)
    assert lora == pytest.approx(PACE * full)


@pytest.mark.parametrize(("method", "lora"), [("full", False), ("auto", False), ("lora", True)])
def test_a_small_base_learns_whole_unless_told_otherwise(
    plain_gpt2: Path, method: str, lora: bool
) -> None:
    with quiet():
        base = open_base(str(plain_gpt2), TrainConfig(), list)
    assert wants_lora(base, TrainConfig(method=method)) is lora


@pytest.mark.slow
def test_an_architecture_that_lora_does_not_know_is_refused_in_words(
    plain_gpt2: Path, tmp_path: Path
) -> None:
    shape = MambaConfig(vocab_size=300, hidden_size=16, state_size=4, num_hidden_layers=1)
    config = TrainConfig(method="lora")
    with quiet():
        MambaForCausalLM(shape).save_pretrained(tmp_path)
        AutoTokenizer.from_pretrained(plain_gpt2).save_pretrained(tmp_path)
        base = open_base(str(tmp_path), config, list)
        with pytest.raises(BadSetting) as said:
            prepared(base, config)
    assert str(said.value) == (
        f"LoRA does not fit the architecture of {tmp_path}: set method=full, or take another base."
    )


@pytest.mark.slow
def test_layers_computed_again_teach_the_same(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, plain_gpt2: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    path = write(chat)
    told = ["epochs=1", "dropout=0", "precision=fp32"]
    cards = [
        _train(path, tmp_path / run, plain_gpt2, tiny(*told, *more), memory)
        for run, more in (("kept", []), ("again", ["recompute=1"]))
    ]
    losses = [card.metrics["after"]["loss"] for card in cards]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.slow
def test_an_architecture_that_computes_no_layer_again_is_refused_in_words(
    plain_gpt2: Path, tiny: Settings, tmp_path: Path
) -> None:
    shape = OpenAIGPTConfig(vocab_size=300, n_positions=64, n_embd=16, n_layer=1, n_head=2)
    with quiet():
        OpenAIGPTLMHeadModel(shape).save_pretrained(tmp_path)
        AutoTokenizer.from_pretrained(plain_gpt2).save_pretrained(tmp_path)
        base = open_base(str(tmp_path), tiny(), list)
    with pytest.raises(BadSetting, match="recompute=1 does not fit the architecture"):
        prepared(base, tiny("recompute=1"))


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_the_tags_rows_learn_in_the_embedding_and_in_a_head_of_its_own(
    plain_gpt2: Path, tmp_path: Path, tied: bool
) -> None:
    shape = LlamaConfig(
        vocab_size=300, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=64, tie_word_embeddings=tied,
    )  # fmt: skip
    with quiet():
        LlamaForCausalLM(shape).save_pretrained(tmp_path)
        AutoTokenizer.from_pretrained(plain_gpt2).save_pretrained(tmp_path)
        base = prepared(open_base(str(tmp_path), TrainConfig(), list), TrainConfig(method="lora"))
    rows = {name: weight for name, weight in learnt(base.model).items() if "token" in name}
    assert len(rows) == (1 if tied else 2)
    for weight in rows.values():
        weight.add_(1)
    merged = plain(base.model)
    tag, newline = base.tags.tag(ME), base.tags.tag(END_OF_TURN)
    for layer in (merged.get_input_embeddings(), merged.get_output_embeddings()):
        moved = (layer.weight.mean(1) > 0.5).nonzero().flatten().tolist()
        assert {tag, newline} <= set(moved)
        assert len(moved) == len({newline, *map(base.tags.tag, (START, *TAGS))})
