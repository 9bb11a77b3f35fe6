"""Models that read pictures and text and write text."""

from __future__ import annotations

from typing import Any

import transformers

from llm_agent.errors import BadRequest
from llm_agent.loaders import hugging_face, media
from llm_agent.loaders.text import TextRequest
from llm_agent.loaders.text_generation import TextGenerationLoader


class VisionLanguageLoader(TextGenerationLoader):
    auto_class = "AutoModelForImageTextToText"
    takes_images = True

    def _load_tokenizer(self) -> Any:
        self._processor = transformers.AutoProcessor.from_pretrained(
            self._settings.weights, **hugging_face.source_options(self._settings)
        )
        return getattr(self._processor, "tokenizer", self._processor)

    def _chat_template(self) -> str | None:
        own = getattr(self._processor, "chat_template", None)
        if isinstance(own, dict):
            own = own.get("default")
        return str(own) if own else super()._chat_template()

    def _inputs(self, request: TextRequest) -> dict[str, Any]:
        if not request.images or request.messages is None:
            return super()._inputs(request)
        pictures = [media.open_picture(data, self._settings.limits) for data in request.images]
        text = self._render(request.messages)
        try:
            with self._tokenizing:
                inputs = self._processor(
                    text=[text], images=pictures, return_tensors="pt", add_special_tokens=False
                )
        except (ValueError, IndexError) as error:
            raise BadRequest(
                f"the model cannot take these pictures: {str(error)[:300]}", param="messages"
            ) from None
        inputs = inputs.to(self._model.device)
        return {
            name: value.to(self._model.dtype) if value.is_floating_point() else value
            for name, value in inputs.items()
        }
