"""Text from a loaded model: batches, shared prefixes, seeded samples, probabilities of the first token.

Only the child process of a local model imports this: it imports mlx_lm, which lowers the file limit of its process.
"""

import copy
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import mlx.core as mx
from mlx_lm.generate import BatchGenerator, generate_step
from mlx_lm.models.cache import can_trim_prompt_cache, make_prompt_cache, trim_prompt_cache
from mlx_lm.sample_utils import apply_top_p

from nl2sql.models.local_protocol import Answer, Ask, repeats

TOP_P = 0.95  # of samples: the long tail of a small quantised model is noise
PREFIXES = 4  # computed prefixes that are kept; of a 7B model 57 kB a token
SHORTEST_PREFIX = 16  # tokens; computing less again costs nothing
PREFILL_STEP = 512  # tokens of a prompt at once: bounds the attention scores in memory
KV_GROUP = 32
CHECK_EVERY = 16  # tokens between two looks for endless repetition
# Ends of a turn that a converted tokenizer does not always list among its ends of text.
TURN_ENDS = ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|eot_id|>", "<end_of_turn>")

Sampler = Callable[[mx.array], mx.array]
Constrain = Callable[[Ask], list[Any]]  # logits processors of a request


@dataclass
class _Work:
    """A request under way."""

    ask: Ask
    ids: list[int]
    started: float
    read: int = 0
    written: int = 0
    tokens: list[int] = field(default_factory=list)
    logprobs: tuple[tuple[str, float], ...] = ()


class Decoder:
    """Answers requests with one model; keeps the prefixes of the last few databases."""

    def __init__(
        self, model: Any, tokenizer: Any, batch: int, longest: int, kv_bits: int, constrain: Constrain | None
    ) -> None:
        """`batch` requests at once; prompt and answer together have at most `longest` tokens."""
        self.model, self.tokenizer = model, tokenizer
        self.batch, self.longest, self.kv_bits, self.constrain = batch, longest, kv_bits, constrain
        vocabulary = tokenizer.get_vocab()
        self.ends = set(tokenizer.eos_token_ids) | {vocabulary[text] for text in TURN_ENDS if text in vocabulary}
        self._prefixes: OrderedDict[str, tuple[list[int], list[Any]]] = OrderedDict()

    def answer(self, asks: Sequence[Ask], beat: Callable[[], None]) -> Iterator[Answer]:
        """Answers as they are ready, in any order; `beat` is called at every step."""
        works: list[_Work] = []
        for ask in asks:
            ids = self.encode(ask)
            if len(ids) + ask.max_tokens > self.longest:
                said = f"prompt of {len(ids):,} tokens and {ask.max_tokens:,} to answer are over {self.longest:,}"
                yield Answer(ask.number, failure="refused", error=said, input_tokens=len(ids))
            else:
                works.append(_Work(ask, ids, time.perf_counter()))
        works.sort(key=lambda work: (work.ask.shared, len(work.ids)))
        yield from (self._one_by_one if self.kv_bits else self._batched)(works, beat)

    def encode(self, ask: Ask) -> list[int]:
        """The token ids of a request, up to where the answer begins."""
        messages = [{**message, "content": _clean(message["content"])} for message in ask.messages]
        return list(
            self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, enable_thinking=ask.thinking)
        )

    def _batched(self, works: Sequence[_Work], beat: Callable[[], None]) -> Iterator[Answer]:
        generator = BatchGenerator(
            self.model,
            stop_tokens=[[token] for token in sorted(self.ends)],
            completion_batch_size=self.batch,
            prefill_batch_size=min(4, self.batch),
            prefill_step_size=PREFILL_STEP,
        )
        waiting, active = deque(works), dict[int, _Work]()
        try:
            while waiting or active:
                while waiting and len(active) < self.batch:  # copies of a prefix are made when there is room for them
                    work = waiting.popleft()
                    active[self._insert(generator, work)] = work
                for response in generator.next_generated():
                    answer = self._follow(active[response.uid], response.token, response.finish_reason)
                    if answer is not None:
                        if response.finish_reason is None:
                            generator.remove([response.uid])
                        del active[response.uid]
                        yield answer
                beat()
        finally:
            generator.close()

    def _insert(self, generator: BatchGenerator, work: _Work) -> int:
        cache, rest = self._prepared(work)
        (uid,) = generator.insert(
            [rest],
            max_tokens=[work.ask.max_tokens],
            caches=[cache],
            samplers=[_sampler(work.ask)],  # type: ignore[list-item]
            logits_processors=[self._processors(work.ask)],
        )
        return uid

    def _follow(self, work: _Work, token: int, reason: str | None) -> Answer | None:
        if reason != "stop":
            work.tokens.append(token)
        if reason is not None:
            return self._answer(work, "cut" if reason == "length" else "")
        if len(work.tokens) % CHECK_EVERY == 0 and repeats(work.tokens):
            return replace(self._answer(work, "cut"), error="the answer repeats itself without an end")
        return None

    def _one_by_one(self, works: Sequence[_Work], beat: Callable[[], None]) -> Iterator[Answer]:
        """With a quantised key-value cache, which mlx-lm has for single requests only."""
        for work in works:
            cache, rest = self._prepared(work)
            steps = generate_step(
                mx.array(rest),
                self.model,
                max_tokens=work.ask.max_tokens,
                sampler=_sampler(work.ask),
                logits_processors=self._processors(work.ask),
                prompt_cache=cache,
                prefill_step_size=PREFILL_STEP,
                kv_bits=self.kv_bits,
                kv_group_size=KV_GROUP,
                quantized_kv_start=0,
            )
            answer = None
            for token, _ in steps:
                beat()
                reason = "stop" if token in self.ends else None
                if reason is None and len(work.tokens) + 1 == work.ask.max_tokens:
                    reason = "length"
                answer = self._follow(work, int(token), reason)
                if answer is not None:
                    break
            yield answer or self._answer(work, "")

    def _prepared(self, work: _Work) -> tuple[list[Any], list[int]]:
        """A cache that holds the start of the prompt, and the tokens that are left, at least one."""
        start, cache = self._prefix(work)
        rest = work.ids[start:]
        if work.ask.logprobs:
            logits = self._prefill(rest, cache)
            work.logprobs = self._likeliest(logits, work.ask.logprobs)
            if can_trim_prompt_cache(cache):
                trim_prompt_cache(cache, 1)
                return cache, rest[-1:]
            _, cache = self._prefix(work)
        return cache, rest

    def _prefix(self, work: _Work) -> tuple[int, list[Any]]:
        shared = work.ask.shared
        if not shared:
            return 0, make_prompt_cache(self.model)
        if shared not in self._prefixes:
            self._keep_prefix(work)
        self._prefixes.move_to_end(shared)
        tokens, kept = self._prefixes[shared]
        common = min(_common(tokens, work.ids), len(work.ids) - 1)
        if common < SHORTEST_PREFIX or (common < len(tokens) and not can_trim_prompt_cache(kept)):
            return 0, make_prompt_cache(self.model)
        cache = copy.deepcopy(kept)
        trim_prompt_cache(cache, len(tokens) - common)
        if not work.written:
            work.read = common
        return common, cache

    def _keep_prefix(self, work: _Work) -> None:
        """Compute what the prompt shares with one whose task is another."""
        system, user = _system_and_user(work.ask)
        other = replace(work.ask, messages=(*system, {"role": "user", "content": f"{user}\n\n\x01"}))
        tokens = work.ids[: min(_common(self.encode(other), work.ids), len(work.ids) - 1)]
        cache = make_prompt_cache(self.model)
        if len(tokens) >= SHORTEST_PREFIX:
            self._prefill(tokens, cache)
            work.written = len(tokens)
        else:
            tokens = []
        self._prefixes[work.ask.shared] = tokens, cache
        while len(self._prefixes) > PREFIXES:
            self._prefixes.popitem(last=False)

    def _prefill(self, tokens: Sequence[int], cache: list[Any]) -> mx.array:
        """Run tokens through the model; the logits after the last one, of shape (vocabulary,), as float32."""
        logits = mx.zeros((1,))
        for start in range(0, len(tokens), PREFILL_STEP):
            part = mx.array(list(tokens[start : start + PREFILL_STEP]))[None]
            logits = self.model(part, cache=cache)[0, -1].astype(mx.float32)
            mx.eval([layer.state for layer in cache], logits)
        return logits

    def _likeliest(self, logits: mx.array, count: int) -> tuple[tuple[str, float], ...]:
        logprobs = logits - mx.logsumexp(logits)
        order = mx.argsort(-logprobs)[:count]
        found: Any = zip(order.tolist(), logprobs[order].tolist(), strict=True)  # type: ignore[arg-type]
        return tuple((self.tokenizer.decode([token]), value) for token, value in found)

    def _processors(self, ask: Ask) -> list[Any]:
        return self.constrain(ask) if self.constrain else []

    def _answer(self, work: _Work, failure: str) -> Answer:
        return Answer(
            work.ask.number,
            self.tokenizer.decode(work.tokens),
            failure,
            input_tokens=len(work.ids),
            read_tokens=work.read,
            written_tokens=work.written,
            output_tokens=len(work.tokens),
            seconds=time.perf_counter() - work.started,
            logprobs=work.logprobs,
        )


def _sampler(ask: Ask) -> Sampler | None:
    """Samples that depend on the request alone, not on what else is in the batch; None takes the likeliest."""
    if ask.temperature <= 0:
        return None
    key = mx.random.key(ask.seed)

    def sample(logprobs: mx.array) -> mx.array:
        nonlocal key
        key, now = mx.random.split(key)
        return mx.random.categorical(apply_top_p(logprobs, TOP_P) / ask.temperature, key=now)

    return sample


def _system_and_user(ask: Ask) -> tuple[list[dict[str, str]], str]:
    system = [message for message in ask.messages[:1] if message["role"] == "system"]
    return system, ask.shared.partition("\x00")[2]


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(first), len(second)))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")  # a tokenizer refuses lone surrogates
