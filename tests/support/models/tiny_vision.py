"""Tiny models that look at pictures and films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import tiny_tokenizers
from .folder import write_readme
from .tiny import save, seed
from .tiny_text import names

VIT: dict[str, Any] = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
)
COLOURS = names("red", "green", "blue", "grey")


def image_classification(out: Path) -> None:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    seed()
    model = ViTForImageClassification(ViTConfig(image_size=32, patch_size=8, **VIT, **COLOURS))
    processor = ViTImageProcessor(size={"height": 32, "width": 32})
    save(model, processor, out, "tiny ViT", "image-classification")


def image_feature(out: Path) -> None:
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    seed()
    model = Dinov2Model(
        Dinov2Config(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14
        )
    )
    processor = BitImageProcessor(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
    )
    save(model, processor, out, "tiny DINOv2", "image-feature-extraction")


def zero_shot_image(out: Path) -> None:
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        CLIPTextConfig,
        CLIPVisionConfig,
    )

    tokenizer = tiny_tokenizers.clip()
    text = CLIPTextConfig(
        max_position_embeddings=77, projection_dim=16, **VIT,
        **tiny_tokenizers.special_ids(tokenizer),
    )  # fmt: skip
    vision = CLIPVisionConfig(image_size=32, patch_size=8, projection_dim=16, **VIT)
    seed()
    model = CLIPModel(
        CLIPConfig(
            text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16
        )
    )
    image = CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    processor = CLIPProcessor(image_processor=image, tokenizer=tokenizer)
    save(model, processor, out, "tiny CLIP", "zero-shot-image-classification")


def detr(out: Path) -> None:
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessor, ResNetConfig

    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1],
        out_features=["stage4"],
    )  # fmt: skip
    seed()
    model = DetrForObjectDetection(
        DetrConfig(
            backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False,
            backbone=None, d_model=32, num_queries=8, encoder_layers=1, decoder_layers=1,
            encoder_ffn_dim=64, decoder_ffn_dim=64, encoder_attention_heads=2,
            decoder_attention_heads=2, **COLOURS,
        )
    )  # fmt: skip
    processor = DetrImageProcessor(size={"shortest_edge": 64, "longest_edge": 64})
    save(model, processor, out, "tiny DETR", "object-detection")


def yolos(out: Path) -> None:
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    seed()
    model = YolosForObjectDetection(
        YolosConfig(image_size=[64, 64], patch_size=16, num_detection_tokens=6, **VIT, **COLOURS)
    )
    processor = YolosImageProcessor(size={"shortest_edge": 64, "longest_edge": 64})
    save(model, processor, out, "tiny YOLOS", "object-detection")


def segmentation(out: Path) -> None:
    from transformers import (
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
    )

    seed()
    model = SegformerForSemanticSegmentation(
        SegformerConfig(
            depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 16, 32], num_attention_heads=[1, 1, 1, 1],
            mlp_ratios=[2, 2, 2, 2], decoder_hidden_size=16, **names("sky", "sea", "land"),
        )
    )  # fmt: skip
    processor = SegformerImageProcessor(size={"height": 64, "width": 64})
    save(model, processor, out, "tiny SegFormer", "image-segmentation")


def depth(out: Path) -> None:
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    seed()
    model = DPTForDepthEstimation(
        DPTConfig(
            image_size=32, patch_size=8, backbone_out_indices=[0, 1, 2, 3],
            neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16, is_hybrid=False,
            backbone_config=None, **(VIT | {"num_hidden_layers": 4}),
        )
    )  # fmt: skip
    save(model, DPTImageProcessor(size={"height": 32, "width": 32}), out, "tiny DPT",
         "depth-estimation")  # fmt: skip


def video_classification(out: Path) -> None:
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessor

    seed()
    model = VideoMAEForVideoClassification(
        VideoMAEConfig(
            image_size=32, patch_size=16, num_frames=4, tubelet_size=2, **VIT,
            **names("still", "moving"),
        )
    )  # fmt: skip
    processor = VideoMAEImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    save(model, processor, out, "tiny VideoMAE", "video-classification")


def image_to_image(out: Path) -> None:
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution, Swin2SRImageProcessor

    seed()
    model = Swin2SRForImageSuperResolution(
        Swin2SRConfig(
            image_size=32, embed_dim=12, depths=[1], num_heads=[2], window_size=4, mlp_ratio=2.0,
            upscale=2,
        )
    )  # fmt: skip
    save(model, Swin2SRImageProcessor(size_divisor=4), out, "tiny Swin2SR", "image-to-image")


def timm_classifier(out: Path) -> None:
    """As timm puts a model on the Hub: `architecture` and `pretrained_cfg` in config.json."""
    import timm
    from safetensors.torch import save_file

    seed()
    model = timm.create_model("test_resnet", pretrained=False, num_classes=4)
    save_file(model.state_dict(), out / "model.safetensors")
    described = dict(model.pretrained_cfg, num_classes=4, tag="tiny", license="apache-2.0")
    keep = (
        "tag", "input_size", "interpolation", "crop_pct", "mean", "std", "num_classes",
        "pool_size", "first_conv", "classifier", "license", "crop_mode", "fixed_input_size",
    )  # fmt: skip
    config = {
        "architecture": "test_resnet", "num_classes": 4, "num_features": model.num_features,
        "global_pool": "avg", "label_names": ["red", "green", "blue", "grey"],
        "pretrained_cfg": {key: described[key] for key in keep if key in described},
    }  # fmt: skip
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_readme(
        out, "tiny timm ResNet", "apache-2.0", "Random weights.", library_name="timm",
        pipeline_tag="image-classification",
    )  # fmt: skip
