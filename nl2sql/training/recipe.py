"""What decides the weights of an adapter, beside its base and its data."""

from dataclasses import dataclass

# All linear layers of a block, as QLoRA's paper recommends over attention alone.
LORA_KEYS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
BUCKETS = (64, 128, 256, 384, 512, 768, 1024, 1280, 1536, 2048, 3072, 4096)


@dataclass(frozen=True)
class Recipe:
    """Options of one training run. A step is one update of the weights: `accumulation` batches."""

    rank: int = 8
    scale: float = 20.0
    layers: int = 0  # of the base that are adapted, from the last; 0 for all
    length: int = 1024  # tokens of the longest chat
    batch: int = 1  # chats run through the model together
    accumulation: int = 8  # batches per step
    epochs: float = 2.0
    learning_rate: float = 1e-4
    warmup: float = 0.05  # share of the steps in which the rate rises from 0; it then falls on a cosine to a tenth
    checkpointing: bool = True  # compute each layer again in the backward pass instead of keeping its activations
    evaluations: int = 10  # of the validation loss over the whole run, a checkpoint with each
    patience: int = 3  # evaluations without a better loss after which the run stops; the best weights are kept
    seed: int = 0


def bucket(length: int, limit: int) -> int:
    """The length to which a chat is padded: few distinct ones, since each is a graph of its own on the device."""
    return min(next((size for size in BUCKETS if size >= length), limit), limit)
