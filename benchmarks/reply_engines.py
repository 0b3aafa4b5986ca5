"""The engines that `benchmarks.replies` compares, all asked for the same work.

Each reads histories of token ids and writes replies of a fixed length, every token drawn by
nucleus sampling. What is not installed raises ImportError.
"""

import ctypes
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.gpt2_onnx import OnnxRuntime
from benchmarks.gpt2_shape import VOCABULARY, write_gguf

TOP_P = 0.8
Ids = Sequence[int]


class Engine(Protocol):
    """Opened on a folder, the engine writes replies."""

    def write(self, histories: Sequence[Ids], known: int, tokens: int) -> float:
        """Write a reply after each history, and return when the first tokens were there.

        Args:
            histories: All of one length.
            known: How many tokens of each it has read before and may remember; always the first.
            tokens: The length of a reply.
        """


class Ours:
    """The native model, a token of each chat a step, sampled by `bot.engine.sampling`."""

    def __init__(self, folder: Path, threads: int) -> None:
        from bot.engine.native import open_native

        model = open_native(folder, threads)
        if model is None:
            raise ImportError("a C++ compiler")
        self._model = model
        self._known: list[Any] = []
        self._chance = np.random.default_rng(1)

    def write(self, histories: Sequence[Ids], known: int, tokens: int) -> float:
        from bot.engine import Sampling
        from bot.engine.models import Reading
        from bot.engine.sampling import choose

        sampling = Sampling(top_p=TOP_P)
        caches = self._caches(histories, known)
        new = [list(history[known:]) for history in histories]
        first = 0.0
        for _ in range(tokens):
            found = self._model.read(
                [Reading(cache, ids) for cache, ids in zip(caches, new, strict=True)]
            )
            new = [[choose(logits[0], sampling, self._chance.random())] for logits in found]
            first = first or time.perf_counter()
        for cache in caches:
            cache.cut(known)
        self._known = caches
        return first

    def _caches(self, histories: Sequence[Ids], known: int) -> list[Any]:
        fits = len(self._known) == len(histories) and all(
            cache.length >= known for cache in self._known
        )
        return self._known if known and fits else [self._model.cache() for _ in histories]


class Transformers:
    """`generate` with its key-value cache."""

    dtype = "float32"

    def __init__(self, folder: Path, threads: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(threads)
        dtype = getattr(torch, self.dtype)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()

    def write(self, histories: Sequence[Ids], known: int, tokens: int) -> float:  # noqa: ARG002
        import torch

        clock = Clock()
        with torch.inference_mode():
            self._model.generate(
                torch.tensor(histories),
                attention_mask=torch.ones(len(histories), len(histories[0]), dtype=torch.long),
                do_sample=True,
                top_p=TOP_P,
                top_k=0,
                min_new_tokens=tokens,
                max_new_tokens=tokens,
                pad_token_id=0,
                stopping_criteria=[clock],
            )
        return clock.first


class TransformersBf16(Transformers):
    """The same with weights of 16 bits."""

    dtype = "bfloat16"


class Workshop(Transformers):
    """The loop of the workshop: no cache, everything read anew for each token, chat by chat."""

    def write(self, histories: Sequence[Ids], known: int, tokens: int) -> float:  # noqa: ARG002
        import torch

        first = 0.0
        for history in histories:
            ids = torch.tensor([list(history)])
            for _ in range(tokens):
                with torch.no_grad():
                    logits = self._model(ids, use_cache=False).logits[0, -1]
                ids = torch.cat([ids, _nucleus(logits).view(1, 1)], dim=1)
                first = first or time.perf_counter()
        return first


class CTranslate2:
    """Weights of 8 bits; needs `pip install ctranslate2`."""

    def __init__(self, folder: Path, threads: int) -> None:
        import ctranslate2

        made = folder.parent / "ctranslate2"
        if not made.exists():
            _name_tokens(folder)
            converter = ctranslate2.converters.TransformersConverter(str(folder))
            converter.convert(str(made), quantization="int8")
        self._generator = ctranslate2.Generator(
            str(made), compute_type="int8", inter_threads=1, intra_threads=threads
        )

    def write(self, histories: Sequence[Ids], known: int, tokens: int) -> float:  # noqa: ARG002
        clock = Clock()
        self._generator.generate_batch(
            [[str(id_) for id_ in history] for history in histories],
            min_length=tokens,
            end_token=[],
            max_length=tokens,
            sampling_topk=0,
            sampling_topp=TOP_P,
            include_prompt_in_result=False,
            callback=lambda _: clock(),
        )
        return clock.first


class LlamaCpp:
    """llama.cpp with Q8_0, through its C functions; needs `pip install llama-cpp-python gguf`."""

    def __init__(self, folder: Path, threads: int) -> None:
        import llama_cpp

        path = folder.parent / "q8_0.gguf"
        if not path.exists():
            write_gguf(folder, path)
        self._api = llama_cpp
        silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        loading = llama_cpp.llama_model_default_params()
        # Its way through AMX ends in an illegal instruction.
        loading.use_extra_bufts = "amx_int8" not in Path("/proc/cpuinfo").read_text()
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), loading)
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch, options.n_seq_max = 4096, 2048, 512, 8
        options.kv_unified = True
        options.n_threads = options.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, options)
        self._silent = silent
        chain = llama_cpp.llama_sampler_chain_default_params()
        self._sampler = llama_cpp.llama_sampler_chain_init(chain)
        for part in (
            llama_cpp.llama_sampler_init_top_p(TOP_P, 1),
            llama_cpp.llama_sampler_init_dist(1),
        ):
            llama_cpp.llama_sampler_chain_add(self._sampler, part)

    def write(self, histories: Sequence[Ids], known: int, tokens: int) -> float:
        memory = self._api.llama_get_memory(self._context)
        for chat in range(len(histories)):
            self._api.llama_memory_seq_rm(memory, chat, known, -1)
        new = [list(history[known:]) for history in histories]
        place, first = known, 0.0
        for _ in range(tokens):
            last = self._decode(new, place)
            place += len(new[0])
            new = [
                [self._api.llama_sampler_sample(self._sampler, self._context, at)] for at in last
            ]
            first = first or time.perf_counter()
        return first

    def _decode(self, new: list[list[int]], place: int) -> list[int]:
        """Read tokens of all chats, and return where the last of each stand."""
        batch = self._api.llama_batch_init(sum(map(len, new)), 0, 1)
        last = []
        for chat, ids in enumerate(new):
            for offset, id_ in enumerate(ids):
                at = batch.n_tokens
                batch.token[at] = id_
                batch.pos[at] = place + offset
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = chat
                batch.logits[at] = offset == len(ids) - 1
                batch.n_tokens += 1
            last.append(batch.n_tokens - 1)
        if self._api.llama_decode(self._context, batch):
            raise RuntimeError("llama_decode failed")
        self._api.llama_batch_free(batch)
        return last


class Clock:
    """Remembers when it was first called, and stops nothing."""

    first = 0.0

    def __call__(self, ids: Any = None, *_: Any, **__: Any) -> Any:
        self.first = self.first or time.perf_counter()
        if ids is None:
            return False
        import torch

        return torch.zeros(len(ids), dtype=torch.bool)


def _name_tokens(folder: Path) -> None:
    """Give the folder a tokenizer whose tokens are their ids: CTranslate2 takes words alone."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {str(id_): id_ for id_ in range(VOCABULARY)}
    model = tokenizers.models.WordLevel(words, unk_token="0")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(model), bos_token="0", eos_token="0", unk_token="0"
    ).save_pretrained(folder)


def _nucleus(logits: Any) -> Any:
    import torch

    ordered, order = torch.sort(logits, descending=True)
    shares = torch.softmax(ordered, dim=-1)
    ordered[torch.cumsum(shares, dim=-1) - shares >= TOP_P] = -torch.inf
    return order[torch.multinomial(torch.softmax(ordered, dim=-1), 1)]


ENGINES: dict[str, Callable[[Path, int], Engine]] = {
    "ours": Ours,
    "llama.cpp Q8_0": LlamaCpp,
    "ONNX Runtime int8": OnnxRuntime,
    "CTranslate2 int8": CTranslate2,
    "transformers fp32": Transformers,
    "transformers bf16": TransformersBf16,
    "the workshop's loop": Workshop,
}
REMEMBER = {"ours", "llama.cpp Q8_0", "ONNX Runtime int8"}
"""Those that keep what they read of a chat until its next turn."""
