"""An evaluation counts my words alone, and leaves everything as it was."""

from pathlib import Path

import numpy as np
import pytest
import torch

from likeness.dialogue import Encoded
from training.base import open_base, quiet
from training.config import TrainConfig
from training.evaluate import Judge, my_words
from training.loss import scorer_for
from training.rows import WindowsBuilder


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
