"""Bodies of the text routes, and what they become."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_agent.api.exchange import Body
from llm_agent.api.media import decode_file
from llm_agent.errors import BadRequest
from llm_agent.loaders.text import Sampling, TextRequest
from llm_agent.runtime.limits import Limits

Probability = Annotated[float, Field(ge=0, le=1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
# What would change the answer's meaning is refused; other unknown fields are ignored.
REFUSED = ("logprobs", "top_logprobs", "logit_bias", "tools", "functions", "best_of", "suffix",
           "audio", "modalities")  # fmt: skip
HARMLESS = {
    "modalities": (["text"],), "best_of": (1,), "top_logprobs": (0,), "logprobs": (False,)
}  # fmt: skip


class Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    type: str
    text: str | None = None
    image_url: dict[str, Any] | str | None = None


class Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    role: Annotated[str, Field(min_length=1, max_length=64)]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    include_usage: bool | None = None


class SamplingFields(Body):
    """What chat, completions and generate have in common."""

    model: str | None = None
    stream: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_p: Probability | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    min_p: Probability | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: str | list[str] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    stream_options: StreamOptions | None = None
    response_format: dict[str, Any] | None = None

    def sampling(self) -> Sampling:
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            seed=self.seed,
            presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0,
            repetition_penalty=self.repetition_penalty,
        )

    def stops(self, limits: Limits) -> tuple[str, ...]:
        stops = [self.stop] if isinstance(self.stop, str) else (self.stop or [])
        if len(stops) > limits.stop_strings:
            raise BadRequest(f"stop: at most {limits.stop_strings} strings", param="stop")
        if any(len(stop) > limits.stop_characters for stop in stops):
            raise BadRequest(f"stop: at most {limits.stop_characters} characters each",
                             param="stop")  # fmt: skip
        return tuple(stop for stop in stops if stop)

    def choices(self, limits: Limits) -> int:
        if (self.n or 1) > limits.choices:
            raise BadRequest(f"n: at most {limits.choices}", param="n")
        return self.n or 1

    def refuse_unsupported(self) -> None:
        extra = self.model_extra or {}
        for name in REFUSED:
            value = extra.get(name)
            if value and value not in HARMLESS.get(name, ()):
                raise _unsupported(name)
        if self.response_format and self.response_format.get("type", "text") != "text":
            raise _unsupported("response_format")

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


class ChatBody(SamplingFields):
    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None

    def request(self, limits: Limits, takes_images: bool) -> TextRequest:
        self.refuse_unsupported()
        if len(self.messages) > limits.messages:
            raise BadRequest(f"messages: at most {limits.messages}", param="messages")
        images: list[bytes] | None = [] if takes_images else None
        return TextRequest(
            messages=[plain_message(m, i, images, limits) for i, m in enumerate(self.messages)],
            images=tuple(images or ()),
            max_tokens=self.max_completion_tokens or self.max_tokens,
            stop=self.stops(limits),
            sampling=self.sampling(),
        )


class CompletionBody(SamplingFields):
    prompt: str | list[str] | list[int] | list[list[int]]
    echo: bool | None = None

    def requests(self, limits: Limits) -> list[TextRequest]:
        """One for each prompt."""
        self.refuse_unsupported()
        prompts = self._prompts()
        if not prompts or len(prompts) > limits.prompts:
            raise BadRequest(f"prompt: 1 to {limits.prompts} of them", param="prompt")
        return [
            TextRequest(
                prompt=prompt,
                max_tokens=self.max_tokens or 16,  # OpenAI's default of this route
                stop=self.stops(limits),
                sampling=self.sampling(),
                echo=bool(self.echo),
            )
            for prompt in prompts
        ]

    def _prompts(self) -> list[str | list[int]]:
        if isinstance(self.prompt, str):
            return [self.prompt]
        if self.prompt and isinstance(self.prompt[0], int):
            return [[int(str(token)) for token in self.prompt]]
        return list(self.prompt)  # type: ignore[arg-type]


class GenerateOptions(BaseModel):
    """Ollama's names, for clients that speak them."""

    model_config = ConfigDict(strict=True, extra="allow")
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_p: Probability | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    min_p: Probability | None = None
    seed: int | None = None
    num_predict: int | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    stop: list[str] | None = None


class GenerateBody(SamplingFields):
    prompt: str
    system: str | None = None
    raw: bool | None = None  # the prompt as it is, without the chat template
    options: GenerateOptions | None = None
    format: Literal["", "json"] | dict[str, Any] | None = None

    def request(self, limits: Limits, chat: bool) -> TextRequest:
        """`chat`: whether the model has a chat template to put the prompt through."""
        self.refuse_unsupported()
        if self.format:
            raise _unsupported("format")
        self._take_options()
        common: dict[str, Any] = {
            "max_tokens": self.max_tokens,
            "stop": self.stops(limits),
            "sampling": self.sampling(),
        }
        if self.raw or not chat:
            prompt = f"{self.system}\n\n{self.prompt}" if self.system else self.prompt
            return TextRequest(prompt=prompt, **common)
        messages = [{"role": "system", "content": self.system}] if self.system else []
        messages.append({"role": "user", "content": self.prompt})
        return TextRequest(messages=messages, **common)

    def _take_options(self) -> None:
        if self.options is None:
            return
        for ours, theirs in OPTION_NAMES.items():
            if getattr(self, ours) is None:
                setattr(self, ours, getattr(self.options, theirs))
        predict = self.options.num_predict
        if self.max_tokens is None and predict is not None and predict > 0:
            self.max_tokens = predict


OPTION_NAMES = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p",
    "seed": "seed", "stop": "stop", "repetition_penalty": "repeat_penalty",
}  # fmt: skip


def plain_message(
    message: Message, index: int, images: list[bytes] | None, limits: Limits
) -> dict[str, Any]:
    """The message as a chat template takes it.

    Text parts are joined. Pictures, for a model that takes them (`images` is a list, which gets
    them), stay parts, since the template says how they are mentioned.
    """
    content: Any = message.content
    if isinstance(content, list):
        where = f"messages.{index}.content"
        parts = [_plain_part(p, f"{where}.{i}", images, limits) for i, p in enumerate(content)]
        if all(part["type"] == "text" for part in parts):
            content = "\n".join(part["text"] for part in parts)
        else:
            content = parts
    plain: dict[str, Any] = {"role": message.role, "content": content or ""}
    for field in ("name", "tool_calls", "tool_call_id"):
        value = getattr(message, field)
        if value is not None:
            plain[field] = value
    return plain


def _plain_part(
    part: Part, where: str, images: list[bytes] | None, limits: Limits
) -> dict[str, Any]:
    if part.type == "text":
        return {"type": "text", "text": part.text or ""}
    if part.type != "image_url" or images is None:
        takes = "text only" if images is None else "text and pictures"
        raise BadRequest(
            f"this model takes {takes}, not {part.type[:50]!r}",
            code="unsupported_content",
            param=where,
        )
    url = part.image_url if isinstance(part.image_url, str) else (part.image_url or {}).get("url")
    if not isinstance(url, str):
        raise BadRequest(f"{where}.image_url: missing", param=where)
    if len(images) >= limits.images:
        raise BadRequest(f"messages: at most {limits.images} pictures", param="messages")
    images.append(decode_file(url, f"{where}.image_url", limits.upload_bytes))
    return {"type": "image"}


def _unsupported(name: str) -> BadRequest:
    return BadRequest(
        f"{name} is not supported by this model's engine",
        code="unsupported_parameter", param=name, next_step=f"ask without {name}",
    )  # fmt: skip
