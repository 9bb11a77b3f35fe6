"""Tiny models that read pictures and text together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import tiny_tokenizers
from .tiny import save, seed
from .tiny_vision import VIT

TEXT: dict[str, Any] = dict(
    hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=2048,
)  # fmt: skip


def _ends(ids: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in ids.items() if name != "vocab_size"}


def llava(out: Path) -> None:
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = tiny_tokenizers.byte_level(extra_special_tokens={"image_token": "<image>"})
    ids = tiny_tokenizers.special_ids(tokenizer)
    vision = CLIPVisionConfig(image_size=32, patch_size=8, projection_dim=16, **VIT)
    seed()
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            text_config=LlamaConfig(**TEXT, **ids).to_dict(), vision_config=vision.to_dict(),
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"), image_seq_length=16,
        )
    )  # fmt: skip
    image = CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    processor = LlavaProcessor(
        image_processor=image, tokenizer=tokenizer, patch_size=8,
        vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template, image_token="<image>",
    )  # fmt: skip
    save(model, processor, out, "tiny LLaVA", "image-text-to-text", **_ends(ids))


def qwen2_vl(out: Path) -> None:
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = tiny_tokenizers.byte_level()
    marks = ("image_pad", "video_pad", "vision_start", "vision_end")
    tokenizer.add_special_tokens({"additional_special_tokens": [f"<|{m}|>" for m in marks]})
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "<image>", "<|vision_start|><|image_pad|><|vision_end|>"
    )
    mark = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in marks}
    ids = tiny_tokenizers.special_ids(tokenizer)
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}
    seed()
    model = Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(
            text_config=dict(rope_parameters=rope, **TEXT, **ids),
            vision_config=dict(
                depth=2, embed_dim=32, hidden_size=32, num_heads=2, mlp_ratio=2, patch_size=14,
                spatial_merge_size=2, temporal_patch_size=2,
            ),
            image_token_id=mark["image_pad"], video_token_id=mark["video_pad"],
            vision_start_token_id=mark["vision_start"], vision_end_token_id=mark["vision_end"],
        )
    )  # fmt: skip
    size = {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        video_processor=Qwen2VLVideoProcessor(size=size), tokenizer=tokenizer,
        chat_template=tokenizer.chat_template,
    )  # fmt: skip
    save(model, processor, out, "tiny Qwen2-VL", "image-text-to-text", **_ends(ids))


def janus(out: Path) -> None:
    from transformers import (
        JanusConfig,
        JanusForConditionalGeneration,
        JanusImageProcessor,
        JanusProcessor,
    )

    tokenizer = tiny_tokenizers.byte_level(
        extra_special_tokens={
            "image_token": "<image_placeholder>",
            "boi_token": "<begin_of_image>",
            "eoi_token": "<end_of_image>",
        }
    )
    template = tokenizer.chat_template.replace("<image>", "<image_placeholder>")
    tokenizer.chat_template = template
    ids = tiny_tokenizers.special_ids(tokenizer)
    seed()
    model = JanusForConditionalGeneration(
        JanusConfig(
            text_config=dict(model_type="llama", **TEXT, **ids),
            vision_config=dict(
                hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=32,
                patch_size=8, mlp_ratio=2.0, projection_dim=32, num_image_tokens=16,
            ),
            vq_config=dict(
                embed_dim=8, num_embeddings=32, latent_channels=8, base_channels=32,
                channel_multiplier=[1, 1], num_res_blocks=1, projection_dim=32, num_patches=4,
                image_token_embed_dim=32, num_hidden_layers=1, hidden_size=32,
            ),
            image_token_id=tokenizer.convert_tokens_to_ids("<image_placeholder>"),
        )
    )  # fmt: skip
    processor = JanusProcessor(
        JanusImageProcessor(size={"height": 32, "width": 32}), tokenizer, chat_template=template,
        num_image_tokens=16,
    )  # fmt: skip
    begin = tokenizer.convert_tokens_to_ids("<begin_of_image>")
    save(model, processor, out, "tiny Janus", "any-to-any", guidance_scale=3,
         generation_kwargs={"boi_token_id": begin}, **_ends(ids))  # fmt: skip
