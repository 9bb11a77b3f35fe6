"""Pictures and films with Diffusers."""

from __future__ import annotations

import inspect
import secrets
import threading
from pathlib import Path
from typing import Any

import diffusers
import torch

from llm_agent.errors import BadRequest, LoadError
from llm_agent.loaders import hugging_face, media
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.faces import OnStep, Scene
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.json_file import read_object

WARM_UP_SIDE = 64
# Names in model_index.json that Diffusers has no more, and what it calls them now.
RENAMED = {
    "LuminaText2ImgPipeline": "LuminaPipeline",
    "Lumina2Text2ImgPipeline": "Lumina2Pipeline",
}


def pipeline_class(weights: Path) -> Any:
    """What loads the folder: DiffusionPipeline finds the class that is named there by itself."""
    name = str(read_object(weights / "model_index.json").get("_class_name", ""))
    return getattr(diffusers, RENAMED.get(name, "DiffusionPipeline"))


class PipelineOfDiffusers:
    """One pipeline, one request at a time: a device draws one picture at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._lock = threading.Lock()

    def load(self, tell: Tell) -> None:
        device = hugging_face.prepare(self._settings)
        diffusers.utils.logging.set_verbosity_error()
        diffusers.utils.logging.disable_progress_bar()
        tell(f"loading weights with Diffusers on {device}")
        self._pipeline = self._from_pretrained(self._options(device))
        self._pipeline.set_progress_bar_config(disable=True)
        if self._settings.options.get("offload") and device.startswith("cuda"):
            self._pipeline.enable_model_cpu_offload(device=device)
        else:
            self._pipeline.to(device)

    def _from_pretrained(self, options: dict[str, Any]) -> Any:
        weights = self._settings.weights
        return pipeline_class(weights).from_pretrained(str(weights), **options)

    def _options(self, device: str) -> dict[str, Any]:
        named = self._settings.dtype
        # Convolutions in half precision are slow on CPUs, and some kernels are missing.
        dtype = getattr(torch, named) if named else (
            torch.float32 if device == "cpu" else torch.bfloat16
        )  # fmt: skip
        options = {
            "torch_dtype": dtype,
            "local_files_only": True,
            "trust_remote_code": bool(self._settings.options.get("trust_remote_code", False)),
        }
        if _only_half_precision(self._settings):
            options["variant"] = "fp16"
        return options

    def facts(self) -> dict[str, Any]:
        parts = {
            name: type(part).__name__
            for name, part in self._pipeline.components.items()
            if isinstance(part, torch.nn.Module)
        }
        return {
            "class": type(self._pipeline).__name__,
            "components": parts,
            "device": str(self._pipeline.device),
            "dtype": str(self._pipeline.dtype).removeprefix("torch."),
            "diffusers": diffusers.__version__,
            "torch": torch.__version__,
        }

    def close(self) -> None:
        return None

    @property
    def _multiple(self) -> int:
        """What width and height must be multiples of: pipelines round others down unseen."""
        for name in ("vae_scale_factor", "vae_scale_factor_spatial"):
            if factor := getattr(self._pipeline, name, None):
                return 2 * int(factor)
        return 16

    def _check(self, scene: Scene) -> None:
        for name in ("width", "height"):
            side = getattr(scene, name)
            if side is not None and side % self._multiple:
                raise BadRequest(
                    f"size: {name} {side} is no multiple of {self._multiple}",
                    param="size", code="invalid_size",
                )  # fmt: skip
        if scene.width and scene.height:
            media.check_made_pixels(scene.width, scene.height, self._limits)

    def _call(
        self, pipeline: Any, scene: Scene, seed: int, cancellation: Cancellation, on_step: OnStep,
        **more: Any,
    ) -> Any:  # fmt: skip
        """One run of the pipeline, with those of the scene's wishes that it knows."""
        known = inspect.signature(type(pipeline).__call__).parameters
        wishes = {
            "prompt": scene.prompt,
            "negative_prompt": scene.negative_prompt or None,
            "width": scene.width,
            "height": scene.height,
            "num_inference_steps": scene.steps,
            "guidance_scale": scene.guidance,
            "strength": scene.strength,
            "generator": torch.Generator("cpu").manual_seed(seed),
            "callback_on_step_end": _on_step_end(pipeline, cancellation, on_step),
            **more,
        }
        taken = {name: v for name, v in wishes.items() if v is not None and name in known}
        with torch.inference_mode():
            return pipeline(**taken)


def _on_step_end(pipeline: Any, cancellation: Cancellation, on_step: OnStep) -> Any:
    def call(_: Any, step: int, __: Any, values: dict[str, Any]) -> dict[str, Any]:
        cancellation.check()  # raises out of the pipeline, which stays usable
        on_step(step + 1, int(getattr(pipeline, "num_timesteps", 0) or step + 1))
        return values

    return call


def _only_half_precision(settings: Settings) -> bool:
    """Whether the weights are there as *.fp16.* alone, which must be said to Diffusers."""
    files = [p.name for p in settings.weights.rglob("*.safetensors")]
    return bool(files) and all(".fp16." in name for name in files)


class DiffusionImageLoader(PipelineOfDiffusers):
    @property
    def takes_image(self) -> bool:
        """Whether it is a pipeline that starts from a picture."""
        known = inspect.signature(type(self._pipeline).__call__).parameters
        return "image" in known and "ImageToImage" not in type(self._pipeline).__name__

    def warm_up(self) -> None:
        side = max(WARM_UP_SIDE // self._multiple, 1) * self._multiple
        image = None
        if self.takes_image:
            from llm_agent.loaders.image_labels import blank_picture

            image = blank_picture(side)
        scene = Scene(prompt="a house", width=side, height=side, steps=2, image=image)
        self.make(scene, Cancellation(), lambda *_: None)

    def make(self, scene: Scene, cancellation: Cancellation, on_step: OnStep) -> list[bytes]:
        self._check(scene)
        seed = secrets.randbits(31) if scene.seed is None else scene.seed
        pictures = []
        with self._lock:
            pipeline, inputs = self._prepared(scene)
            for number in range(scene.count):
                cancellation.check()
                made = self._call(pipeline, scene, seed + number, cancellation, on_step, **inputs)
                pictures.append(media.png(made.images[0]))
        return pictures

    def _prepared(self, scene: Scene) -> tuple[Any, dict[str, Any]]:
        """The pipeline for this scene, and the pictures that it takes."""
        if scene.image is None:
            if self.takes_image:
                raise BadRequest("image: this model starts from a picture", param="image")
            return self._pipeline, {}
        picture = self._fitted(scene.image, scene)
        inputs: dict[str, Any] = {"image": picture, "width": picture.width}
        inputs["height"] = picture.height
        if scene.mask is not None:
            inputs["mask_image"] = self._fitted(scene.mask, scene).convert("L")
            return self._other(diffusers.AutoPipelineForInpainting), inputs
        if self.takes_image:
            return self._pipeline, inputs
        return self._other(diffusers.AutoPipelineForImage2Image), inputs

    def _other(self, auto_class: Any) -> Any:
        """The same weights for another task."""
        try:
            return auto_class.from_pipe(self._pipeline)
        except ValueError:
            raise BadRequest(
                f"{type(self._pipeline).__name__} cannot start from a picture",
                code="unsupported_parameter", param="image",
            ) from None  # fmt: skip

    def _fitted(self, data: bytes, scene: Scene) -> Any:
        """The picture at the wished size, else at its own, rounded down to what can be drawn."""
        picture = media.open_picture(data, self._limits)
        if scene.width and scene.height:
            return picture.resize((scene.width, scene.height))
        step = self._multiple
        width, height = (max(side // step, 1) * step for side in picture.size)
        media.check_made_pixels(width, height, self._limits)
        return picture.resize((width, height))


class ControlNetLoader(DiffusionImageLoader):
    """A ControlNet with the model that it steers; each request has a picture to follow."""

    @property
    def takes_image(self) -> bool:
        return True

    def _from_pretrained(self, options: dict[str, Any]) -> Any:
        if self._settings.base is None:
            raise LoadError(
                "a ControlNet needs the model that it steers",
                next_step="install that too, or name its folder as options.base in config.yaml",
            )
        name = read_object(self._settings.weights / "config.json").get("_class_name", "")
        cls = getattr(diffusers, str(name), None)
        if cls is None or "ControlNet" not in str(name):
            raise LoadError(f"Diffusers {diffusers.__version__} has no {str(name)[:100]!r}")
        alone = {k: v for k, v in options.items() if k in ("torch_dtype", "variant")}
        control = cls.from_pretrained(str(self._settings.weights), local_files_only=True, **alone)
        return diffusers.AutoPipelineForText2Image.from_pretrained(
            str(self._settings.base), controlnet=control, **options
        )


class DiffusionVideoLoader(PipelineOfDiffusers):
    def warm_up(self) -> None:
        side = max(WARM_UP_SIDE // self._multiple, 1) * self._multiple
        scene = Scene(prompt="a house", width=side, height=side, steps=1, frames=5)
        self.film(scene, Cancellation(), lambda *_: None)

    def film(self, scene: Scene, cancellation: Cancellation, on_step: OnStep) -> bytes:
        self._check(scene)
        seed = secrets.randbits(31) if scene.seed is None else scene.seed
        inputs: dict[str, Any] = {"num_frames": scene.frames, "output_type": "pil"}
        if scene.image is not None:
            picture = media.open_picture(scene.image, self._limits)
            if scene.width and scene.height:
                picture = picture.resize((scene.width, scene.height))
            inputs["image"] = picture
        with self._lock:
            made = self._call(self._pipeline, scene, seed, cancellation, on_step, **inputs)
        return media.mp4(list(made.frames[0]), scene.fps)
