"""Causal language models with transformers."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import torch
import transformers
from transformers import StoppingCriteria
from transformers.generation.streamers import BaseStreamer

from llm_agent.errors import BadRequest
from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.sampling import Sampler, with_defaults
from llm_agent.loaders.text import Finish, Sampling, TextRequest
from llm_agent.loaders.text_assembly import TextAssembly
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.chat_template import ChatTemplate

WARM_UP = TextRequest(prompt="Hello", max_tokens=1, sampling=Sampling(temperature=0))


class TextGenerationLoader:
    auto_class = "AutoModelForCausalLM"
    takes_images = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokenizing = threading.Lock()  # fast tokenizers may not be asked by two at once
        self._template: ChatTemplate | None = None

    def load(self, tell: Tell) -> None:
        self._model = hugging_face.load_model(self._settings, self.auto_class, tell)
        self._tokenizer = self._load_tokenizer()
        self._context = hugging_face.context_length(self._settings, self._model)
        self._generation = _greedy(self._model.generation_config, self._tokenizer)
        self._eos = _end_tokens(self._generation)
        template = self._chat_template()
        if template:
            self._template = ChatTemplate(
                template,
                dict(self._tokenizer.special_tokens_map),
                self._settings.limits.template_seconds,
            )

    def _load_tokenizer(self) -> Any:
        return transformers.AutoTokenizer.from_pretrained(
            self._settings.weights, **hugging_face.source_options(self._settings)
        )

    def _chat_template(self) -> str | None:
        tokenizer = self._tokenizer
        return str(tokenizer.get_chat_template()) if tokenizer.chat_template else None

    @property
    def chats(self) -> bool:
        return self._template is not None

    def warm_up(self) -> None:
        self.generate(WARM_UP, Cancellation(), lambda _: None)

    def facts(self) -> dict[str, Any]:
        return {
            **hugging_face.model_facts(self._model),
            "context": self._context,
            "chat_template": self.chats,
        }

    def close(self) -> None:
        if self._template is not None:
            self._template.close()

    def generate(
        self, request: TextRequest, cancellation: Cancellation, on_text: Callable[[str], None]
    ) -> Finish:
        inputs = self._inputs(request)
        prompt = inputs["input_ids"][0].tolist()
        room = self._fit(len(prompt), request)
        if request.echo:
            on_text(self._decode(prompt))
        follow = _Follow(TextAssembly(self._decode, request.stop), self._eos, on_text, cancellation)
        sampling = with_defaults(request.sampling, self._model.generation_config)
        options = {}
        if sampling.repetition_penalty is not None:
            options["repetition_penalty"] = sampling.repetition_penalty
        self._model.generate(
            **inputs,
            generation_config=self._generation,
            max_new_tokens=room,
            **options,
            logits_processor=[Sampler(sampling, self._made_from(inputs), self._model.device)],
            stopping_criteria=[_Until(follow)],
            streamer=follow,
        )
        cancellation.check()
        return Finish(follow.reason, len(prompt), follow.count)

    def _inputs(self, request: TextRequest) -> dict[str, Any]:
        """What generate takes; one row of input_ids among it."""
        ids = torch.tensor([self._prompt(request)], device=self._model.device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def _made_from(self, inputs: dict[str, Any]) -> int:
        """How many tokens of the sequence were there before the first new one."""
        return int(inputs["input_ids"].shape[1])

    def _fit(self, prompt_tokens: int, request: TextRequest) -> int:
        """How many tokens may be made. Raises BadRequest when the context is too small."""
        room = self._context - prompt_tokens
        if room < 1 or (request.max_tokens or 0) > room:
            raise self._too_long(prompt_tokens, request.max_tokens)
        return request.max_tokens or room

    def _prompt(self, request: TextRequest) -> list[int]:
        if isinstance(request.prompt, list):
            size = self._model.get_input_embeddings().num_embeddings
            if not request.prompt or not all(0 <= token < size for token in request.prompt):
                raise BadRequest(f"prompt: tokens are 0 to {size - 1}", param="prompt")
            return request.prompt
        if request.messages is None:
            text, special = request.prompt, True
        else:
            text, special = self._render(request.messages), False  # the template writes them
        with self._tokenizing:
            ids = self._tokenizer(text, add_special_tokens=special)["input_ids"]
        if not ids:
            raise BadRequest("the prompt is empty", param="prompt")
        return list(ids)

    def _render(self, messages: list[dict[str, Any]]) -> str:
        if self._template is None:
            raise BadRequest(
                f"{self._settings.name} has no chat template: it completes text",
                code="no_chat_template", next_step="use /v1/completions with a prompt",
            )  # fmt: skip
        return self._template.render(messages)

    def _decode(self, tokens: list[int]) -> str:
        return str(
            self._tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def _too_long(self, prompt: int, asked: int | None) -> BadRequest:
        wanted = f"{prompt} tokens of prompt" + (f" and {asked} of answer" if asked else "")
        return BadRequest(
            f"{wanted} do not fit into the context of {self._context}",
            code="context_length_exceeded", param="max_tokens" if prompt < self._context else None,
            next_step="shorten the prompt or lower max_tokens",
        )  # fmt: skip


class _Follow(BaseStreamer):  # type: ignore[misc]
    """Takes each token as it is made: passes text on and knows when to end."""

    def __init__(
        self,
        assembly: TextAssembly,
        eos: frozenset[int],
        on_text: Callable[[str], None],
        cancellation: Cancellation,
    ) -> None:
        self._assembly = assembly
        self._eos = eos
        self._on_text = on_text
        self._cancellation = cancellation
        self._prompt_seen = False
        self._ended = False
        self.count = 0

    @property
    def done(self) -> bool:
        return self._ended or self._assembly.stopped or self._cancellation.cancelled

    @property
    def reason(self) -> str:
        return "stop" if self._ended or self._assembly.stopped else "length"

    def put(self, value: Any) -> None:
        if not self._prompt_seen:  # generate hands over the prompt first
            self._prompt_seen = True
            return
        for token in value.reshape(-1).tolist():
            self.count += 1
            if token in self._eos:
                self._ended = True
            elif not self.done:
                self._say(self._assembly.feed(token))

    def end(self) -> None:
        self._say(self._assembly.finish())

    def _say(self, text: str) -> None:
        if text:
            self._on_text(text)


class _Until(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, follow: _Follow) -> None:
        self._follow = follow

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), self._follow.done, device=input_ids.device)


def _greedy(config: Any, tokenizer: Any) -> Any:
    """The model's generation settings without its sampling: that is Sampler's part."""
    greedy = copy.deepcopy(config)
    greedy.do_sample, greedy.num_beams = False, 1
    greedy.max_length = greedy.max_new_tokens = None
    for name in ("temperature", "top_p", "top_k", "min_p", "typical_p", "stop_strings"):
        setattr(greedy, name, None)
    if greedy.eos_token_id is None:
        greedy.eos_token_id = tokenizer.eos_token_id
    if greedy.pad_token_id is None:
        ends = _end_tokens(greedy)
        greedy.pad_token_id = tokenizer.pad_token_id or (min(ends) if ends else 0)
    return greedy


def _end_tokens(config: Any) -> frozenset[int]:
    ends = config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset([ends] if isinstance(ends, int) else ends)
