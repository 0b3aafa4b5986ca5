"""Settings as a person types them."""

import dataclasses
from pathlib import Path

import pytest

from likeness.card import RunCard
from likeness.errors import BadSetting
from training.config import TrainConfig, explain


def test_settings_are_read_by_their_types() -> None:
    config = TrainConfig.from_settings(
        ["epochs=0.5", "batch_rows=2", "context_tokens = 200", "patience=none", "device=cpu"]
    )
    assert (config.epochs, config.batch_rows, config.context_tokens) == (0.5, 2, 200)
    assert (config.patience, config.device) == (None, "cpu")


def test_no_setting_gives_the_defaults() -> None:
    assert TrainConfig.from_settings([]) == TrainConfig()


def test_an_unknown_setting_names_the_nearest_and_all() -> None:
    with pytest.raises(BadSetting, match=r"'epoch'.*mean epochs.*batch_rows.*weight_decay"):
        TrainConfig.from_settings(["epoch=3"])


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("epochs", "key=value"),
        ("epochs=many", "takes a number"),
        ("batch_rows=1.5", "takes a whole number"),
        ("patience=soon", "takes a whole number or none"),
        ("epochs=0", "takes 0.001 to 1e.09"),
        ("epochs=nan", "takes 0.001 to 1e.09"),
        ("epochs=1e308", "takes 0.001 to 1e.09"),
        ("learning_rate=2", "takes 1e-09 to 1"),
        ("held_out_share=0.95", "takes 0 to 0.9"),
        ("width=32", "multiple of heads"),
        ("context_tokens=15", "takes 16 or more"),
        ("optimizer=sgd", "takes adamw or muon"),
        ("precision=fp8", "takes auto, bf16 or fp32"),
        ("method=magic", "takes auto, full or lora"),
        ("shard=maybe", "takes auto, yes or no"),
        ("compile=", "takes auto, yes or no"),
    ],
)
def test_a_value_that_does_not_fit_says_what_would(setting: str, says: str) -> None:
    with pytest.raises(BadSetting, match=says):
        TrainConfig.from_settings([setting])


def test_what_was_changed_can_be_typed_again() -> None:
    config = TrainConfig.from_settings(["epochs=7", "seed=3", "patience=none"])
    assert TrainConfig.from_settings(config.changed()) == config
    assert len(config.changed()) == 3


def test_every_setting_is_explained() -> None:
    assert len(explain()) == len(dataclasses.fields(TrainConfig))
    assert all(says for _, says in explain())


def test_a_model_of_ours_wants_the_defaults_of_what_it_came_from(tmp_path: Path) -> None:
    card = RunCard(name="a", me="A", base="starter", context_tokens=64, gap_seconds=60.0)
    card.write(tmp_path)
    config = TrainConfig.from_settings(["seed=3"], base=str(tmp_path))
    assert config == TrainConfig.from_settings(["seed=3"], base="starter") != TrainConfig(seed=3)
    assert config.changed(base=str(tmp_path)) == ["seed=3"]
