"""Models that look for what the request names: things by their words, a part by a point on it."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from PIL import Image

from llm_agent.errors import BadRequest
from llm_agent.loaders import candidates, hugging_face, media
from llm_agent.loaders.base import Tell
from llm_agent.loaders.faces import Ask, Reply
from llm_agent.loaders.image_labels import blank_picture
from llm_agent.loaders.image_replies import PictureLoader, detections, segments
from llm_agent.runtime.cancellation import Cancellation

# Masks of everything in a picture are made at this size, which is what SAM looks at, for so many
# points at once: each has three masks of that many pixels.
MASK_SIDE = 1024
POINTS_AT_ONCE = 16
SIDES = ("xmin", "ymin", "xmax", "ymax")


class _PromptedLoader(PictureLoader):
    """Besides the pipeline a processor, which puts the picture and what is asked together."""

    def load(self, tell: Tell) -> None:
        super().load(tell)
        self._processor = transformers.AutoProcessor.from_pretrained(
            self._settings.weights, **hugging_face.source_options(self._settings)
        )

    def _answer(self, inputs: Any, **options: Any) -> Any:
        model = self._pipeline.model
        return model(**inputs.to(model.device, model.dtype), **options)


class ZeroShotDetectionLoader(_PromptedLoader):
    """OWL-ViT, OWLv2 and OmDet-Turbo read a list of labels, Grounding DINO a text of them."""

    task = "zero-shot-object-detection"
    knows = ("labels",)

    def warm_up(self) -> None:
        self.reply(Ask(file=blank_picture(), labels=["a thing"]), Cancellation())

    def _look(self, picture: Any, ask: Ask) -> Reply:
        labels = self._labels(ask)
        grounded = "grounding-dino" in self._pipeline.model.config.model_type
        find = self._find_in_text if grounded else self._find
        with self._lock, torch.inference_mode():
            things = find(picture, labels, ask.threshold)
        things.sort(key=lambda thing: -thing["score"])
        return detections(things[: ask.top_k])

    def _labels(self, ask: Ask) -> list[str]:
        """Those of the request, else of its prompt, between commas."""
        named = [label.strip() for label in ask.labels or ask.prompt.split(",")]
        labels = candidates.needed([label for label in named if label], '["a cat", "a dog"]')
        if len(labels) > self._limits.labels:
            raise BadRequest(f"labels: at most {self._limits.labels}", param="labels")
        candidates.check_lengths(labels, self._pipeline.tokenizer)
        return labels

    def _find(
        self, picture: Any, labels: list[str], threshold: float | None
    ) -> list[dict[str, Any]]:
        inputs = self._processor(images=picture, text=[labels], return_tensors="pt")
        (found,) = self._processor.post_process_grounded_object_detection(
            self._answer(inputs),
            threshold=0.1 if threshold is None else threshold,
            target_sizes=[(picture.height, picture.width)],
            text_labels=[labels],
        )
        rows = zip(found["text_labels"], found["scores"], found["boxes"], strict=True)
        return [_thing(*row) for row in rows]

    def _find_in_text(
        self, picture: Any, labels: list[str], threshold: float | None
    ) -> list[dict[str, Any]]:
        """The processor's own answer mixes words of several labels; here each box has one label,
        the one of its best word."""
        text, spans = _as_text(labels)
        read = self._pipeline.tokenizer(text, return_offsets_mapping=True)
        most = int(self._pipeline.model.config.max_text_len)
        if len(read["input_ids"]) > most:
            raise candidates.too_long("labels together", len(read["input_ids"]), most)
        found = self._answer(self._processor(images=picture, text=text, return_tensors="pt"))
        by_token = found.logits[0].float().sigmoid()
        by_label = torch.stack(
            [_best(by_token, _inside(read["offset_mapping"], span)) for span in spans], dim=-1
        )
        scores, which = by_label.max(dim=-1)
        sizes = torch.tensor([picture.width, picture.height] * 2, device=scores.device)
        boxes = _corners(found.pred_boxes[0].float()) * sizes
        least = 0.25 if threshold is None else threshold
        return [
            _thing(labels[int(which[at])], scores[at], boxes[at])
            for at in (scores > least).nonzero()[:, 0].tolist()
        ]


def _thing(label: str, score: Any, box: Any) -> dict[str, Any]:
    sides = dict(zip(SIDES, box.round().int().tolist(), strict=True))
    return {"label": label, "score": float(score), "box": sides}


def _as_text(labels: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """As Grounding DINO was trained: in lower case, each with a full stop; and where each lies."""
    text, spans = "", []
    for label in labels:
        words = label.lower().rstrip(". ") or label
        spans.append((len(text), len(text) + len(words)))
        text += f"{words}. "
    return text.rstrip(), spans


def _inside(offsets: list[tuple[int, int]], span: tuple[int, int]) -> list[int]:
    return [
        at for at, (begin, end) in enumerate(offsets)
        if begin < end and span[0] <= begin and end <= span[1]
    ]  # fmt: skip


def _best(by_token: Any, tokens: list[int]) -> Any:
    """For each box the score of the best of these tokens; 0 where a label has none."""
    return by_token[:, tokens].amax(-1) if tokens else by_token.new_zeros(len(by_token))


def _corners(boxes: Any) -> Any:
    """From centre and size."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


class MaskGenerationLoader(_PromptedLoader):
    """SAM and its kin: the part that points or a box mean, else every part there is."""

    task = "mask-generation"
    knows = ("points", "box")

    def warm_up(self) -> None:
        self.reply(Ask(file=blank_picture(), points=[[32, 32]]), Cancellation())

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply:
        assert ask.file is not None
        picture = media.open_picture(ask.file, self._limits)
        with self._lock, torch.inference_mode():
            if ask.points or ask.box:
                scored = [self._meant(picture, ask)]
            else:
                scored = self._all(picture, ask.threshold, cancellation)
        scored.sort(key=lambda part: -part[0])
        return segments(
            {"label": None, "score": score, "mask": _as_picture(mask, picture.size)}
            for score, mask in scored[: ask.top_k]
        )

    def _meant(self, picture: Any, ask: Ask) -> tuple[float, Any]:
        """The best of the masks that the model offers."""
        _check_inside(ask, picture)
        prompts: dict[str, Any] = {}
        if ask.points:
            prompts["input_points"] = [[ask.points]]
            prompts["input_labels"] = [[[1] * len(ask.points)]]
        if ask.box:
            prompts["input_boxes"] = [[ask.box]]
        inputs = self._processor(images=picture, return_tensors="pt", **prompts)
        sizes = inputs.pop("original_sizes").tolist()
        reshaped = inputs.pop("reshaped_input_sizes", None)
        made = self._answer(inputs, multimask_output=True)
        (masks,) = self._pipeline.image_processor.post_process_masks(
            made.pred_masks.float().cpu(), sizes,
            reshaped_input_sizes=None if reshaped is None else reshaped.tolist(),
        )  # fmt: skip
        scores = made.iou_scores[0, 0].float()
        best = int(scores.argmax())
        return float(scores[best]), masks[0, best]

    def _all(
        self, picture: Any, threshold: float | None, cancellation: Cancellation
    ) -> list[tuple[float, Any]]:
        """The steps of the pipeline, which asks about a grid of points."""
        small = picture.copy()
        small.thumbnail((MASK_SIDE, MASK_SIDE))
        options = {} if threshold is None else {"pred_iou_thresh": threshold}
        pieces = []
        for points in self._pipeline.preprocess(small, points_per_batch=POINTS_AT_ONCE):
            cancellation.check()
            pieces.append(self._pipeline.forward(points, **options))
        made = self._pipeline.postprocess(pieces)
        return [
            (float(score), mask) for score, mask in zip(made["scores"], made["masks"], strict=True)
        ]


def _check_inside(ask: Ask, picture: Any) -> None:
    corners = [ask.box[:2], ask.box[2:]] if ask.box else []
    for param, places in (("points", ask.points), ("box", corners)):
        if any(x > picture.width or y > picture.height for x, y in places):
            raise BadRequest(
                f"{param}: outside of the picture, which is {picture.width} x {picture.height}",
                param=param,
            )
    if ask.box and (ask.box[0] >= ask.box[2] or ask.box[1] >= ask.box[3]):
        raise BadRequest("box: xmin, ymin, xmax, ymax are wanted", param="box")


def _as_picture(mask: Any, size: tuple[int, int]) -> Any:
    values = torch.as_tensor(mask).cpu().numpy().squeeze().astype("uint8") * 255
    image = Image.fromarray(values)
    return image if image.size == size else image.resize(size, Image.Resampling.NEAREST)
