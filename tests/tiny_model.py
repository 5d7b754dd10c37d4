"""A language model that a test can train: Qwen2's architecture, a few hundred thousand random weights.

Run as a script in a process of its own, since it imports mlx_lm: python tests/tiny_model.py FOLDER. It writes
FOLDER/fp32, FOLDER/other and FOLDER/4bit, the first one quantised by mlx_lm.convert. Its byte-level tokenizer is
trained here, on the text below.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SHAPE = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "intermediate_size": 256,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
WORDS = """
SELECT COUNT(*) FROM animal WHERE species = 'otter' AND age > 3 GROUP BY name ORDER BY age DESC LIMIT 1;
SELECT name, price FROM item JOIN keeper ON animal.keeper_id = keeper.id
CREATE TABLE keeper (id INTEGER PRIMARY KEY, name TEXT, age INTEGER); You write SQLite. Answer with one statement.
How many animals are there? List the names of all keepers. What is the price of the lamp? Which is better, A or B?
system user assistant
"""


def build_tokenizer(folder: Path, vocabulary: int) -> int:
    """Write a byte-level BPE tokenizer with a ChatML template; its number of tokens."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(WORDS.splitlines() * 20, vocab_size=vocabulary, special_tokens=list(SPECIAL))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def build_model(folder: Path, vocabulary: int = 512, seed: int = 0, dtype: str = "float32", **shape: int) -> None:
    """Write config, weights and tokenizer of a model with random weights."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.qwen2 import Model, ModelArgs

    folder.mkdir(parents=True)
    size = build_tokenizer(folder, vocabulary)
    config = {
        "model_type": "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "torch_dtype": dtype,
        "vocab_size": (size + 63) // 64 * 64,
        "eos_token_id": SPECIAL.index("<|im_end|>"),
        **SHAPE,
        **shape,
    }
    (folder / "config.json").write_text(json.dumps(config))
    mx.random.seed(seed)
    model = Model(ModelArgs.from_dict(config))
    weights = {name: value.astype(getattr(mx, dtype)) for name, value in tree_flatten(model.parameters())}
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})


def build(folder: Path) -> None:
    """Both forms of the model, and another base of the same shape."""
    from mlx_lm import convert

    build_model(folder / "fp32")
    build_model(folder / "other", seed=1)
    convert(str(folder / "fp32"), str(folder / "4bit"), quantize=True, q_bits=4, q_group_size=64)


def kept_models(script: Path, sources: Sequence[Path]) -> Path:
    """The folder that a script builds, once for this version of its sources, kept in the temporary folder."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"nl2sql-{script.stem.replace('_', '-')}-{digest}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = subprocess.run([sys.executable, str(script), f"{scratch}/built"], capture_output=True, text=True)
            assert made.returncode == 0, made.stderr
            with suppress(OSError):  # another worker was quicker
                Path(scratch, "built").rename(folder)
    return folder


def tiny_models() -> Path:
    """The folder of the models, built once for this version of this file and kept in the temporary folder."""
    return kept_models(Path(__file__), (Path(__file__),))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
