"""A speech recogniser of a few kilobytes, with weights drawn at random: it hears nonsense, but by the real code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.model_spec import visit_spec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WIDTH, HEADS, MELS, LANGUAGES = 16, 2, 80, ("en", "de")


def build_tiny_model(folder: Path) -> Path:
    """Weights, configuration and tokenizer in the form that faster-whisper loads from a folder."""
    folder.mkdir(parents=True)
    tokens = _save_tokenizer(folder / "tokenizer.json")
    spec = WhisperSpec(1, HEADS, 1, HEADS)
    rng = np.random.default_rng(7)
    _fill(spec, rng, len(tokens))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [tokens.index(f"<|{language}|>") for language in LANGUAGES]
    spec.config.alignment_heads = [(0, 0)]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    return folder


def _save_tokenizer(path: Path) -> list[str]:
    words = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in LANGUAGES)]
    special += [
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    special += [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
    tokenizer = Tokenizer(models.BPE(vocab={word: index for index, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in special])
    tokenizer.save(str(path))
    return [*words, *special]


def _fill(spec: WhisperSpec, rng: np.random.Generator, words: int) -> None:
    """Draw every weight; biases may be absent."""
    exact = {
        "encoder/conv1/weight": (WIDTH, MELS, 3),
        "encoder/conv2/weight": (WIDTH, WIDTH, 3),
        "encoder/position_encodings/encodings": (1500, WIDTH),
        "decoder/position_encodings/encodings": (448, WIDTH),
        "decoder/embeddings/weight": (words, WIDTH),
        "decoder/projection/weight": (words, WIDTH),
    }
    by_ending = {
        "gamma": (WIDTH,),
        "beta": (WIDTH,),
        "ffn/linear_0/weight": (4 * WIDTH, WIDTH),
        "ffn/linear_1/weight": (WIDTH, 4 * WIDTH),
        "self_attention/linear_0/weight": (3 * WIDTH, WIDTH),
        "self_attention/linear_1/weight": (WIDTH, WIDTH),
        "attention/linear_0/weight": (WIDTH, WIDTH),
        "attention/linear_1/weight": (2 * WIDTH, WIDTH),
        "attention/linear_2/weight": (WIDTH, WIDTH),
    }

    def draw(layer: Any, name: str, _value: Any) -> None:
        shape = exact.get(name) or next((shape for end, shape in by_ending.items() if name.endswith(end)), None)
        if shape is not None:
            leaf = name.rpartition("/")[2]
            ones = np.ones(shape, np.float32)
            setattr(layer, leaf, ones if leaf == "gamma" else rng.normal(0.0, 0.3, shape).astype(np.float32))

    visit_spec(spec, draw)
