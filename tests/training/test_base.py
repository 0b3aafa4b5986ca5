"""Any causal language model becomes one that knows the tags, and text never becomes a tag."""

import shutil
from pathlib import Path

import pytest
import tokenizers
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from likeness.card import RunCard
from likeness.dialogue import END_OF_TURN, START, TAGS
from likeness.errors import BadSetting, BaseUnavailable, TrainingError
from likeness.tokenizer import FolderTokenizer
from training.base import Base, open_base, quiet
from training.config import TrainConfig
from training.vocabulary import byte_level_bpe

SHAPE = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "vocab_size": 320, "max_position_embeddings": 64}  # fmt: skip


def _open(name: str | Path, *set_: str) -> Base:
    config = TrainConfig.from_settings(["vocabulary=320", "layers=1", "width=16", "heads=2", *set_])
    with quiet():
        return open_base(str(name), config, lambda: ["hello there", "hello you"])


def _words_without_newline() -> PreTrainedTokenizerFast:
    """Make a tokenizer that, as openai-gpt's, cannot write a newline and has no START."""
    made = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.BPEDecoder(suffix="</w>")
    made.train_from_iterator(
        ["hello there you <speaker1234567890 msg br after minutes hours days>"],
        trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False,
                            end_of_word_suffix="</w>"),
    )  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")


def _save(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> Path:
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(params=["gpt2", "openai-gpt", "gpt-neox", "llama", "scratch"])
def any_base(request: pytest.FixtureRequest, plain_gpt2: Path, tmp_path: Path) -> Base:
    """Return a base of each kind: tied and untied, with and without START, pad and newline."""
    torch.manual_seed(0)
    words = _words_without_newline()
    if request.param == "openai-gpt":
        shape = OpenAIGPTConfig(
            vocab_size=len(words), n_positions=64, n_embd=16, n_layer=1, n_head=2
        )
        return _open(_save(tmp_path / "base", OpenAIGPTLMHeadModel(shape), words))
    if request.param == "gpt-neox":
        return _open(_save(tmp_path / "base", GPTNeoXForCausalLM(GPTNeoXConfig(**SHAPE)), words))
    if request.param == "llama":
        return _open(_save(tmp_path / "base", LlamaForCausalLM(LlamaConfig(**SHAPE)), words))
    return _open(plain_gpt2 if request.param == "gpt2" else "scratch")


def test_every_tag_has_a_row_of_its_own(any_base: Base) -> None:
    ids = [any_base.tags.tag(tag) for tag in (START, END_OF_TURN, *TAGS)]
    assert len(set(ids)) == len(ids)
    for rows in (
        any_base.model.get_input_embeddings().weight,
        any_base.model.get_output_embeddings().weight,
    ):
        assert rows.shape[0] > max(ids)
        assert torch.isfinite(rows).all()
        assert rows[ids].norm(dim=1).max() <= 2 * rows.norm(dim=1).max()


def test_it_reads_and_writes_after_being_saved(any_base: Base, tmp_path: Path) -> None:
    with quiet():
        any_base.save(tmp_path / "out")
        again = open_base(str(tmp_path / "out"), TrainConfig(dropout=0), list)
    saved = FolderTokenizer.load(tmp_path / "out")
    ids = [saved.tag(START), saved.tag("<speaker2>"), *saved.encode(" hello"), saved.tag("\n")]
    assert ids == [any_base.tags.tag(START), any_base.tags.tag("<speaker2>"),
                   *any_base.tags.encode(" hello"), any_base.tags.tag("\n")]  # fmt: skip
    assert saved.decode([saved.tag("\n")]) == "\n"
    assert len(again.tokenizer) == len(any_base.tokenizer)
    any_base.model.eval()
    again.model.eval()
    given_ids = torch.tensor([ids])
    with torch.no_grad():
        assert torch.equal(any_base.model(given_ids).logits, again.model(given_ids).logits)


def test_a_typed_tag_is_text(any_base: Base) -> None:
    ids = {any_base.tags.tag(tag) for tag in (START, *TAGS)}
    for tag in (START, *TAGS):
        assert not ids & set(any_base.tags.encode(f"so {tag} there"))


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text() | st.lists(st.sampled_from([START, *TAGS, "<", "a"])).map("".join))
def test_no_text_ever_becomes_a_tag(scratch_tags: FolderTokenizer, text: str) -> None:
    ids = {scratch_tags.tag(tag) for tag in (START, *TAGS)}
    encoded = scratch_tags.encode(text)
    assert not ids & set(encoded)
    assert scratch_tags.decode(encoded) == text


@pytest.fixture(scope="module")
def scratch_tags() -> FolderTokenizer:
    return _open("scratch").tags


def test_a_new_row_is_the_mean_of_what_its_name_was_written_with(plain_gpt2: Path) -> None:
    base = _open(plain_gpt2)
    rows = base.model.get_input_embeddings().weight
    tags = base.tags
    assert torch.allclose(rows[tags.tag("<br>")], rows[tags.encode("<br>")].mean(0))
    assert not torch.allclose(rows[tags.tag("<speaker2>")], rows[tags.tag("<speaker3>")])


def test_rows_that_a_base_has_to_spare_are_used(plain_gpt2: Path, tmp_path: Path) -> None:
    base = _open(
        _save(tmp_path / "b", LlamaForCausalLM(LlamaConfig(**SHAPE)), _words_without_newline())
    )
    assert base.model.get_input_embeddings().weight.shape[0] == 320


def test_a_likeness_model_just_goes_on(plain_gpt2: Path, tmp_path: Path) -> None:
    first = _open(plain_gpt2)
    with quiet():
        first.save(tmp_path / "first")
    second = _open(tmp_path / "first")
    assert len(second.tokenizer) == len(first.tokenizer)
    assert torch.equal(
        first.model.get_input_embeddings().weight, second.model.get_input_embeddings().weight
    )


@pytest.mark.slow
def test_gpt2s_own_tokenizer_keeps_its_newline(
    shared: Path, plain_gpt2: Path, tmp_path: Path
) -> None:
    shutil.copytree(plain_gpt2, tmp_path / "gpt2", ignore=shutil.ignore_patterns("token*"))
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(shared / "data" / "gpt2-tokenizer" / name, tmp_path / "gpt2" / name)
    base = _open(tmp_path / "gpt2")
    assert (base.tags.tag("\n"), base.tags.tag(START)) == (198, 50256)
    assert len(base.tokenizer) == 50257 + len(TAGS)
    assert base.model.generation_config.eos_token_id == 198


def test_a_name_that_cannot_be_loaded_names_the_other_ways() -> None:
    with pytest.raises(BaseUnavailable, match=r"local folder.*--base starter") as found:
        _open("gpt2-that-nobody-has")
    assert "\n" not in str(found.value)


def test_the_name_of_a_run_is_said_to_be_one_that_needs_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for run in ("runs/juno", "runs/begun"):
        Path(run).mkdir(parents=True)
    RunCard("juno", "Juno", "scratch", 64, 60.0).write(Path("runs/juno"))
    with pytest.raises(BaseUnavailable, match=r"Did you mean `--base runs/juno`\?$"):
        _open("juno")
    with pytest.raises(BaseUnavailable, match=r"comes with Likeness\.$"):
        _open("begun")


def test_a_path_to_no_folder_is_not_looked_for_on_the_hub() -> None:
    with pytest.raises(BaseUnavailable, match=r"There is no folder \./nosuch"):
        _open("./nosuch")


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(BaseUnavailable, match="holds no causal language model"):
        _open(tmp_path)


def test_weights_that_are_cut_short_are_said_to_be_no_model(
    plain_gpt2: Path, tmp_path: Path
) -> None:
    shutil.copytree(plain_gpt2, tmp_path / "gpt2")
    weights = tmp_path / "gpt2" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BaseUnavailable, match="holds no causal language model"):
        _open(tmp_path / "gpt2")


def test_a_base_that_was_saved_cutting_and_filling_up_reads_all(
    plain_gpt2: Path, tmp_path: Path
) -> None:
    shutil.copytree(plain_gpt2, tmp_path / "gpt2")
    path = str(tmp_path / "gpt2" / "tokenizer.json")
    saved = tokenizers.Tokenizer.from_file(path)
    saved.enable_truncation(8)
    saved.enable_padding(length=32)
    saved.save(path)
    text = "a message that is a good deal longer than eight tokens"
    plain, other = _open(plain_gpt2), _open(tmp_path / "gpt2")
    assert other.tags.encode(text) == plain.tags.encode(text)
    assert other.tags.tag("\n") == plain.tags.tag("\n")


def test_a_row_longer_than_the_base_is_refused(plain_gpt2: Path) -> None:
    with pytest.raises(BadSetting, match="has room for 64"):
        _open(plain_gpt2, "context_tokens=65")
    assert _open(plain_gpt2).context_tokens == 64


def test_dropout_reaches_the_model(plain_gpt2: Path) -> None:
    shape = _open(plain_gpt2, "dropout=0.25").model.config
    assert (shape.resid_pdrop, shape.embd_pdrop, shape.attn_pdrop) == (0.25, 0.25, 0)


def test_what_does_not_fit_into_the_memory_is_not_called_damaged(
    plain_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(GPT2LMHeadModel, "__init__", full)
    for name in (str(plain_gpt2), "scratch"):
        with pytest.raises(TrainingError, match="memory of cpu does not hold the model"):
            _open(name)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "generation_config.json"])
def test_a_file_that_holds_something_else_is_no_model(
    plain_gpt2: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(plain_gpt2, tmp_path / "gpt2")
    (tmp_path / "gpt2" / name).write_text("[1]")
    with pytest.raises(BaseUnavailable, match="holds no causal language model"):
        _open(tmp_path / "gpt2")


def test_a_config_of_wrong_types_is_no_model(plain_gpt2: Path, tmp_path: Path) -> None:
    shutil.copytree(plain_gpt2, tmp_path / "gpt2")
    config = tmp_path / "gpt2" / "config.json"
    config.write_text(config.read_text().replace('"n_layer": 1', '"n_layer": "one"'))
    with pytest.raises(BaseUnavailable, match="holds no causal language model"):
        _open(tmp_path / "gpt2")


def test_a_word_that_never_ends_is_read_in_pieces() -> None:
    made = byte_level_bpe(["x" * 300_000, "hello hello"], 400)
    assert made.backend_tokenizer.encode("hello").tokens == ["hello"]
