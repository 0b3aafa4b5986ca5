"""A model of GPT-2's smallest shape with random weights, in the files that each engine reads.

The gain of its last LayerNorm is eight times what it would be, so that what may follow is as
unevenly likely as after training: sampling from near-equal logits would cost every engine more.
"""

from pathlib import Path
from typing import Any

import numpy as np

CONTEXT = 1024
WIDTH = 768
VOCABULARY = 50_257


def write_model(folder: Path) -> None:
    """Write a folder that transformers loads."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, bos_token_id=None, eos_token_id=None))
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(8)
    model.save_pretrained(folder)


def write_gguf(folder: Path, path: Path) -> None:
    """Write llama.cpp's file, matrices as Q8_0. Needs `pip install gguf`.

    Source: the names of llama.cpp's `convert_hf_to_gguf.py` for GPT-2; no vocabulary goes with it.
    """
    import gguf
    from safetensors import safe_open

    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(4 * WIDTH)
    writer.add_block_count(12)
    writer.add_head_count(12)
    writer.add_layer_norm_eps(1e-5)
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(VOCABULARY)
    with safe_open(folder / "model.safetensors", framework="numpy") as file:
        for name in file.keys():  # noqa: SIM118 (it is no dict)
            _add(writer, name.removeprefix("transformer."), file.get_tensor(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


_NAMES = {
    "wte": "token_embd",
    "wpe": "position_embd",
    "ln_f": "output_norm",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def _add(writer: Any, name: str, tensor: Any) -> None:
    import gguf

    place, _, part = name.rpartition(".")
    block = ""
    if place.startswith("h."):
        _, number, place = place.split(".", 2)
        block = f"blk.{number}."
        tensor = tensor.T if tensor.ndim > 1 else tensor
    kind = gguf.GGMLQuantizationType.F32
    if tensor.ndim > 1 and place != "wpe":
        kind = gguf.GGMLQuantizationType.Q8_0
    data = gguf.quants.quantize(np.ascontiguousarray(tensor, np.float32), kind)
    writer.add_tensor(f"{block}{_NAMES[place]}.{part}", data, raw_dtype=kind)
