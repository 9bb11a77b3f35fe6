"""Tiny pipelines of Diffusers, for pictures and films."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import tiny_tokenizers
from .folder import write_readme
from .tiny import seed


def _save(pipeline: Any, out: Path, title: str, task: str) -> None:
    pipeline.save_pretrained(out)
    write_readme(
        out, title, "apache-2.0", "Random weights.", library_name="diffusers", pipeline_tag=task
    )


def _clip_text(head: str = "CLIPTextModel", **extra: Any) -> tuple[Any, Any]:
    import transformers

    tokenizer = tiny_tokenizers.clip()
    seed()
    config = transformers.CLIPTextConfig(
        hidden_size=32, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
        projection_dim=32, max_position_embeddings=77, **tiny_tokenizers.special_ids(tokenizer),
        **extra,
    )  # fmt: skip
    return tokenizer, getattr(transformers, head)(config).eval()


def _t5(family: str = "T5") -> tuple[Any, Any]:
    import transformers

    tokenizer = tiny_tokenizers.unigram()
    seed()
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return tokenizer, getattr(transformers, f"{family}EncoderModel")(config).eval()


def _vae(**extra: Any) -> Any:
    from diffusers import AutoencoderKL

    seed()
    return AutoencoderKL(
        block_out_channels=(8, 16), in_channels=3, out_channels=3, latent_channels=4,
        norm_num_groups=8, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, **extra,
    ).eval()  # fmt: skip


def _unet() -> Any:
    from diffusers import UNet2DConditionModel

    seed()
    return UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=16, in_channels=4,
        out_channels=4, cross_attention_dim=32, norm_num_groups=8, attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    ).eval()  # fmt: skip


def stable_diffusion(out: Path) -> None:
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    tokenizer, text = _clip_text()
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        unet=_unet(), scheduler=scheduler, vae=_vae(), text_encoder=text, tokenizer=tokenizer,
        safety_checker=None, feature_extractor=None, image_encoder=None,
        requires_safety_checker=False,
    )  # fmt: skip
    _save(pipeline, out, "tiny Stable Diffusion", "text-to-image")


def flux(out: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    tokenizer, text = _clip_text(hidden_act="gelu")
    tokenizer_2, text_2 = _t5()
    seed()
    transformer = FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8), guidance_embeds=True,
    )  # fmt: skip
    vae = _vae(
        use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.06, scaling_factor=1.5
    )
    pipeline = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), text_encoder=text, tokenizer=tokenizer,
        text_encoder_2=text_2, tokenizer_2=tokenizer_2, transformer=transformer, vae=vae,
    )  # fmt: skip
    _save(pipeline, out, "tiny FLUX", "text-to-image")


def controlnet(out: Path) -> None:
    """Steers tiny/stable-diffusion."""
    import torch
    from diffusers import ControlNetModel

    seed()
    model = ControlNetModel(
        block_out_channels=(8, 16), layers_per_block=1, in_channels=4, cross_attention_dim=32,
        norm_num_groups=8, attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        conditioning_embedding_out_channels=(8, 16),
    )  # fmt: skip
    # A new ControlNet begins and ends with zeros: it would see nothing and steer nothing.
    entry = model.controlnet_cond_embedding.conv_out
    for block in (entry, *model.controlnet_down_blocks, model.controlnet_mid_block):
        torch.nn.init.normal_(block.weight)
    model.save_pretrained(out)
    write_readme(
        out, "tiny ControlNet", "apache-2.0", "Random weights.", library_name="diffusers",
        base_model="tiny/stable-diffusion", tags=["controlnet"],
    )  # fmt: skip


def wan(out: Path) -> None:
    from diffusers import (
        AutoencoderKLWan,
        FlowMatchEulerDiscreteScheduler,
        WanPipeline,
        WanTransformer3DModel,
    )

    tokenizer, text = _t5("UMT5")
    seed()
    vae = AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )  # fmt: skip
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16,
        out_channels=16, text_dim=32, freq_dim=64, ffn_dim=32, num_layers=2, cross_attn_norm=True,
        rope_max_seq_len=32,
    )  # fmt: skip
    pipeline = WanPipeline(
        transformer=transformer, vae=vae, scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder=text, tokenizer=tokenizer,
    )  # fmt: skip
    _save(pipeline, out, "tiny Wan", "text-to-video")
