"""The factory: which loader serves which kind. A new kind is one file and one line here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from llm_agent.errors import FolderError
from llm_agent.loaders.base import Loader, Settings


@dataclass(frozen=True)
class Entry:
    target: str  # module:class below llm_agent.loaders, imported when the model is loaded
    face: str  # the routes: api.app.FACES


# kind; library:kind where a library has loaders of its own; or, where a class of transformers wants
# to be asked in another way than the others of its kind, class:kind -> loader
LOADERS: dict[str, Entry] = {
    "llm": Entry("text_generation:TextGenerationLoader", "text"),
    "seq2seq": Entry("seq2seq:Seq2SeqLoader", "text"),
    "vlm": Entry("vision_language:VisionLanguageLoader", "text"),
    "multimodal-any": Entry("vision_language:VisionLanguageLoader", "text"),
    "embedding": Entry("sentence_embedding:SentenceEmbeddingLoader", "embedding"),
    "reranker": Entry("rerankers:reranker", "rerank"),
    "text-classification": Entry("text_labels:TextClassificationLoader", "classify"),
    "token-classification": Entry("text_labels:TokenClassificationLoader", "tag"),
    "fill-mask": Entry("text_replies:FillMaskLoader", "reply"),
    "question-answering": Entry("text_replies:QuestionAnsweringLoader", "reply"),
    "image-classification": Entry("image_labels:ImageClassificationLoader", "classify"),
    "zero-shot-image": Entry("image_labels:ZeroShotImageLoader", "classify"),
    "image-feature": Entry("image_replies:ImageFeatureLoader", "reply"),
    "object-detection": Entry("image_replies:ObjectDetectionLoader", "reply"),
    "segmentation": Entry("image_replies:SegmentationLoader", "reply"),
    "depth": Entry("image_replies:DepthLoader", "reply"),
    "image-to-image": Entry("image_replies:ImageToImageLoader", "reply"),
    "video-classification": Entry("sound_labels:VideoClassificationLoader", "classify"),
    "audio-classification": Entry("sound_labels:AudioClassificationLoader", "classify"),
    "asr": Entry("speech_recognition:SpeechRecognitionLoader", "hear"),
    "tts": Entry("speech:SpeechLoader", "speak"),
    "audio-generation": Entry("speech:SpeechLoader", "speak"),
    "diffusion-image": Entry("diffusion:DiffusionImageLoader", "picture"),
    "controlnet": Entry("diffusion:ControlNetLoader", "picture"),
    "diffusion-video": Entry("diffusion:DiffusionVideoLoader", "film"),
    "AutoModelForZeroShotObjectDetection:object-detection": Entry(
        "prompted_images:ZeroShotDetectionLoader", "reply"
    ),
    "AutoModelForMaskGeneration:segmentation": Entry(
        "prompted_images:MaskGenerationLoader", "reply"
    ),
    "AutoModel:audio-classification": Entry("sound_labels:ZeroShotSoundLoader", "classify"),
    "diffusers:audio-generation": Entry("diffusion_sound:DiffusionSoundLoader", "speak"),
    "diffusers:image-to-image": Entry("diffusion:DiffusionImageLoader", "picture"),
    "timm:image-classification": Entry("timm_images:TimmClassificationLoader", "classify"),
    "timm:image-feature": Entry("timm_images:TimmFeatureLoader", "reply"),
}


def find_entry(kind: str, library: str = "", loader: str = "") -> Entry:
    """`loader`: the class that the launch names. Raises FolderError for a kind that no loader here
    serves."""
    keys = (f"{loader}:{kind}", f"{library}:{kind}", kind)
    entry = next((LOADERS[key] for key in keys if key in LOADERS), None)
    if entry is None:
        raise FolderError(
            f"the agent has no loader for the kind {kind!r}",
            next_step=f"it has: {', '.join(k for k in LOADERS if ':' not in k)}",
        )
    return entry


def make_loader(settings: Settings) -> Loader:
    """Imports the loader's libraries: call it in the thread that loads the model."""
    entry = find_entry(settings.kind, settings.library, settings.loader)
    module, _, name = entry.target.partition(":")
    loader: Loader = getattr(importlib.import_module(f"llm_agent.loaders.{module}"), name)(settings)
    return loader
