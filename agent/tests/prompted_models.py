"""Tiny random models that are told what to look or listen for, and pipelines that make sound.

Beside those of tests/support/models: only the agent's tests use them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models import tiny_tokenizers
from models.tiny import BERT, save, seed

NARROW: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def grounding_dino(out: Path) -> None:
    from transformers import (
        BertConfig,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
        SwinConfig,
    )

    tokenizer = tiny_tokenizers.word_piece()
    backbone = SwinConfig(
        image_size=128, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[2, 2, 2, 2], window_size=4,
        out_indices=[2, 3, 4],
    )  # fmt: skip
    seed()
    model = GroundingDinoForObjectDetection(
        GroundingDinoConfig(
            backbone_config=backbone, text_config=BertConfig(vocab_size=len(tokenizer), **BERT),
            d_model=32, num_queries=12, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=64,
            decoder_ffn_dim=64, encoder_attention_heads=2, decoder_attention_heads=2,
            max_text_len=64,
        )
    )  # fmt: skip
    image = GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 192})
    processor = GroundingDinoProcessor(image, tokenizer)
    save(model, processor, out, "tiny Grounding DINO", "zero-shot-object-detection")


def _owl(family: str, out: Path) -> None:
    import transformers

    tokenizer = tiny_tokenizers.clip()
    tokenizer.model_max_length = 16
    text = dict(max_position_embeddings=16, **NARROW, **tiny_tokenizers.special_ids(tokenizer))
    seed()
    config = getattr(transformers, f"{family}Config")(
        text_config=text, vision_config=dict(image_size=64, patch_size=16, **NARROW),
        projection_dim=32,
    )  # fmt: skip
    model = getattr(transformers, f"{family}ForObjectDetection")(config)
    image = getattr(transformers, f"{family}ImageProcessor")(size={"height": 64, "width": 64})
    processor = getattr(transformers, f"{family}Processor")(image, tokenizer)
    save(model, processor, out, f"tiny {family}", "zero-shot-object-detection")


def owlvit(out: Path) -> None:
    _owl("OwlViT", out)


def owlv2(out: Path) -> None:
    _owl("Owlv2", out)


def _sure(model: Any) -> None:
    """Masks with clear edges and good marks: when all parts are asked for, others are dropped."""
    import torch

    decoder = model.mask_decoder
    with torch.no_grad():
        for part in decoder.output_hypernetworks_mlps:
            part.proj_out.weight *= 1e8
        decoder.iou_prediction_head.proj_out.bias += 0.5


def sam(out: Path) -> None:
    from transformers import (
        SamConfig,
        SamImageProcessor,
        SamMaskDecoderConfig,
        SamModel,
        SamProcessor,
        SamPromptEncoderConfig,
        SamVisionConfig,
    )

    vision = SamVisionConfig(
        image_size=64, patch_size=16, output_channels=16, mlp_dim=64, global_attn_indexes=[1],
        window_size=2, num_pos_feats=8, **(NARROW | {"intermediate_size": None}),
    )  # fmt: skip
    prompts = SamPromptEncoderConfig(
        hidden_size=16, image_size=64, patch_size=16, mask_input_channels=4
    )
    decoder = SamMaskDecoderConfig(
        hidden_size=16, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2,
        iou_head_hidden_dim=16,
    )  # fmt: skip
    seed()
    model = SamModel(
        SamConfig(
            vision_config=vision.to_dict(), prompt_encoder_config=prompts.to_dict(),
            mask_decoder_config=decoder.to_dict(),
        )
    )  # fmt: skip
    _sure(model)
    image = SamImageProcessor(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16}, mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    save(model, SamProcessor(image), out, "tiny SAM", "mask-generation")


def sam2(out: Path) -> None:
    """As facebook/sam2-hiera-tiny: a model of films, of which the part for pictures is loaded."""
    from transformers import (
        Sam2HieraDetConfig,
        Sam2ImageProcessor,
        Sam2VideoConfig,
        Sam2VideoModel,
        Sam2VideoProcessor,
        Sam2VideoVideoProcessor,
        Sam2VisionConfig,
    )

    backbone = Sam2HieraDetConfig(
        hidden_size=8, num_attention_heads=1, image_size=[64, 64], blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[4, 2, 2, 2], global_attention_blocks=[3],
        window_positional_embedding_background_size=[4, 4],
    )  # fmt: skip
    vision = Sam2VisionConfig(
        backbone_config=backbone.to_dict(), backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=16, num_feature_levels=3,
    )  # fmt: skip
    seed()
    model = Sam2VideoModel(
        Sam2VideoConfig(
            vision_config=vision.to_dict(), image_size=64,
            prompt_encoder_config={
                "hidden_size": 16, "image_size": 64, "mask_input_channels": 4,
            },
            mask_decoder_config={
                "hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 1,
                "num_attention_heads": 2, "iou_head_hidden_dim": 16,
            },
            memory_attention_hidden_size=16, memory_attention_num_layers=1,
            memory_attention_num_attention_heads=1, memory_attention_feed_forward_hidden_size=32,
            memory_encoder_hidden_size=16, memory_encoder_output_channels=8,
            mask_downsampler_embed_dim=16, memory_fuser_num_layers=1, memory_fuser_embed_dim=16,
            memory_fuser_intermediate_dim=32, memory_attention_rope_feat_sizes=[4, 4],
        )
    )  # fmt: skip
    _sure(model)
    size = {"height": 64, "width": 64}
    processor = Sam2VideoProcessor(
        Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size), target_size=64
    )
    save(model, processor, out, "tiny SAM 2", "mask-generation")


def _clap_parts(tokenizer: Any) -> tuple[Any, Any]:
    from transformers import ClapConfig, ClapFeatureExtractor

    text = dict(vocab_size=len(tokenizer), max_position_embeddings=130, pad_token_id=1, **NARROW)
    audio = {
        "num_mel_bins": 64, "spec_size": 128, "patch_size": 4, "patch_stride": [4, 4],
        "window_size": 4, "depths": [1, 1], "num_attention_heads": [2, 2],
        "patch_embeds_hidden_size": 16, "hidden_size": 32, "num_classes": 8,
    }  # fmt: skip
    return (
        ClapConfig(text_config=text, audio_config=audio, projection_dim=16),
        ClapFeatureExtractor(feature_size=64, max_length_s=2, truncation="rand_trunc"),
    )


def clap(out: Path) -> None:
    from transformers import ClapModel, ClapProcessor

    tokenizer = tiny_tokenizers.word_piece()
    config, hearing = _clap_parts(tokenizer)
    seed()
    save(ClapModel(config), ClapProcessor(hearing, tokenizer), out, "tiny CLAP", "audio")


def stable_audio(out: Path) -> None:
    """With a scheduler that needs no torchsde, which is not among the tests' packages."""
    from diffusers import (
        AutoencoderOobleck,
        EDMDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
        StableAudioProjectionModel,
    )
    from transformers import T5Config, T5EncoderModel

    tokenizer = tiny_tokenizers.unigram()
    seed()
    text = T5EncoderModel(
        T5Config(vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4)
    )
    transformer = StableAudioDiTModel(
        sample_size=64, in_channels=3, num_layers=1, attention_head_dim=16, num_attention_heads=2,
        num_key_value_attention_heads=1, out_channels=3, cross_attention_dim=32,
        cross_attention_input_dim=32, global_states_input_dim=64, time_proj_dim=16,
    )  # fmt: skip
    vae = AutoencoderOobleck(
        encoder_hidden_size=6, downsampling_ratios=[4, 8, 8], decoder_channels=3,
        decoder_input_channels=3, audio_channels=2, channel_multiples=[2, 4, 4],
        sampling_rate=8000,
    )  # fmt: skip
    projection = StableAudioProjectionModel(
        text_encoder_dim=32, conditioning_dim=32, min_value=0, max_value=32
    )
    StableAudioPipeline(
        vae=vae.eval(), text_encoder=text.eval(), projection_model=projection, tokenizer=tokenizer,
        transformer=transformer.eval(), scheduler=EDMDPMSolverMultistepScheduler(
            solver_order=2, prediction_type="v_prediction", sigma_schedule="exponential"
        ),
    ).save_pretrained(out)  # fmt: skip


def audio_ldm2(out: Path) -> None:
    from diffusers import (
        AudioLDM2Pipeline,
        AudioLDM2ProjectionModel,
        AudioLDM2UNet2DConditionModel,
        DDIMScheduler,
    )
    from transformers import ClapModel, GPT2Config, GPT2LMHeadModel, T5Config, T5EncoderModel

    tokenizer, tokenizer_2 = _roberta(), tiny_tokenizers.unigram()
    config, hearing = _clap_parts(tokenizer)
    seed()
    unet = AudioLDM2UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=8, sample_size=16,
        in_channels=4, out_channels=4, cross_attention_dim=(32, 16), attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    text = T5Config(
        vocab_size=len(tokenizer_2), d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4
    )
    writer = GPT2Config(
        n_embd=16, n_layer=1, n_head=2, vocab_size=99, n_ctx=99, n_positions=99, max_new_tokens=8
    )
    projection = AudioLDM2ProjectionModel(
        text_encoder_dim=16, text_encoder_1_dim=32, langauge_model_dim=16
    )
    AudioLDM2Pipeline(
        vae=_mel_vae(), text_encoder=ClapModel(config).eval(),
        text_encoder_2=T5EncoderModel(text).eval(), projection_model=projection.eval(),
        language_model=GPT2LMHeadModel(writer).eval(), tokenizer=tokenizer,
        tokenizer_2=tokenizer_2, feature_extractor=hearing, unet=unet.eval(),
        scheduler=DDIMScheduler(), vocoder=_vocoder(),
    ).save_pretrained(out)  # fmt: skip


def _roberta() -> Any:
    """The pipeline tells its tokenizers apart by their class."""
    from tokenizers import pre_tokenizers
    from transformers import RobertaTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocab = {piece: i for i, piece in enumerate([*special, *letters])}
    return RobertaTokenizerFast(vocab=vocab, merges=[], model_max_length=64)


def _mel_vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=[8, 16], in_channels=1, out_channels=1, norm_num_groups=8,
        down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
        latent_channels=4,
    ).eval()  # fmt: skip


def _vocoder() -> Any:
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    return SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=8, sampling_rate=16000, upsample_initial_channel=16,
            upsample_rates=[4, 4], upsample_kernel_sizes=[8, 8], resblock_kernel_sizes=[3, 7],
            resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5]], normalize_before=False,
        )
    ).eval()  # fmt: skip


MODELS: dict[str, Callable[[Path], None]] = {
    f"tiny-{make.__name__.replace('_', '-')}": make
    for make in (
        grounding_dino, owlvit, owlv2, sam, sam2, clap, stable_audio, audio_ldm2
    )
}  # fmt: skip
