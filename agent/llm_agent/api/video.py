"""/v1/videos: films are made in the background and fetched when they are done."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from llm_agent.api import exchange
from llm_agent.api.errors import as_agent_error
from llm_agent.api.generate import GenerateBody, add_generate
from llm_agent.api.media import decode_file
from llm_agent.api.picture import bounded, parsed_size
from llm_agent.errors import AgentError, BadRequest, Busy
from llm_agent.loaders.faces import FilmModel, Reply, Scene
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Service

KEPT = 8  # films, under way or done; the oldest done one goes when another comes


class VideoBody(exchange.Body):
    model: str | None = None
    prompt: Annotated[str, Field(min_length=1, max_length=32_000)]
    negative_prompt: Annotated[str, Field(max_length=32_000)] | None = None
    size: str | None = None
    seconds: str | int | float | None = None  # OpenAI sends it as text
    num_frames: Annotated[int, Field(ge=1)] | None = None
    fps: Annotated[int, Field(ge=1, le=60)] | None = None
    num_inference_steps: Annotated[int, Field(ge=1)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**62)] | None = None
    input_reference: str | None = None  # data: address

    def scene(self, limits: Limits) -> Scene:
        width, height = parsed_size(self.size or "auto")
        fps = self.fps or 16
        frames = self.num_frames or self._frames(fps)
        image = self.input_reference
        return Scene(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt or "",
            width=width,
            height=height,
            steps=bounded(self.num_inference_steps, limits.steps, "num_inference_steps"),
            guidance=self.guidance_scale,
            seed=self.seed,
            image=decode_file(image, "input_reference", limits.upload_bytes) if image else None,
            frames=bounded(frames, limits.made_frames, "num_frames"),
            fps=fps,
        )

    def _frames(self, fps: int) -> int | None:
        if self.seconds is None:
            return None
        try:
            seconds = float(self.seconds)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 600:
            raise BadRequest("seconds: a number of seconds is wanted", param="seconds")
        return int(seconds * fps) // 4 * 4 + 1  # models make 4n + 1


@dataclass
class Film:
    id: str
    model: str
    created_at: int
    status: str = "queued"  # queued | in_progress | completed | failed
    progress: int = 0
    completed_at: int | None = None
    data: bytes = b""
    error: AgentError | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)

    def described(self) -> dict[str, Any]:
        error = self.error
        return {
            "id": self.id,
            "object": "video",
            "model": self.model,
            "status": self.status,
            "progress": self.progress,
            "created_at": self.created_at,
            "completed_at": self.completed_at,
            "error": {"code": error.code, "message": error.message} if error else None,
        }


class Films:
    """The films of this server. On the event loop's thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._films: dict[str, Film] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, scene: Scene) -> Film:
        model = cast(FilmModel, self._service.loader)
        self._make_room()
        film = Film(f"video_{secrets.token_hex(12)}", self._service.name, int(time.time()))
        self._films[film.id] = film
        task = asyncio.create_task(self._make(film, model, scene))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return film

    def find(self, name: str) -> Film:
        film = self._films.get(name)
        if film is None:
            raise BadRequest("there is no such video", status=404, code="video_not_found")
        return film

    def remove(self, film: Film) -> None:
        film.cancellation.cancel()
        self._films.pop(film.id, None)

    def _make_room(self) -> None:
        if len(self._films) < KEPT:
            return
        done = next((f for f in self._films.values() if f.status in ("completed", "failed")), None)
        if done is None:
            raise Busy(f"{KEPT} videos are under way", next_step="wait for one, or delete one")
        self.remove(done)

    async def _make(self, film: Film, model: FilmModel, scene: Scene) -> None:
        def on_step(done: int, of: int) -> None:
            film.status, film.progress = "in_progress", min(99, 100 * done // max(of, 1))

        try:
            film.data = await self._service.run(
                film.cancellation, lambda: model.film(scene, film.cancellation, on_step)
            )
            film.status, film.progress = "completed", 100
        except Exception as error:
            film.status, film.error = "failed", as_agent_error(error)
        film.completed_at = int(time.time())


def add_routes(app: FastAPI, service: Service) -> None:
    films = Films(service)

    @app.post("/v1/videos")
    async def begin(request: Request) -> Response:
        body = await exchange.read_body(request, VideoBody, service.limits.body_bytes)
        return JSONResponse(films.begin(body.scene(service.limits)).described())

    @app.get("/v1/videos/{name}")
    async def look(name: str) -> Response:
        return JSONResponse(films.find(name).described())

    @app.get("/v1/videos/{name}/content")
    async def content(name: str) -> Response:
        film = films.find(name)
        if film.error is not None:
            raise film.error
        if film.status != "completed":
            raise BadRequest("the video is not done", status=409, code="video_not_ready")
        return Response(film.data, media_type="video/mp4")

    @app.delete("/v1/videos/{name}")
    async def remove(name: str) -> Response:
        films.remove(films.find(name))
        return JSONResponse({"id": name, "object": "video.deleted", "deleted": True})

    async def generate(request: Request, body: GenerateBody) -> Reply:
        model = cast(FilmModel, service.loader)
        image = body.file_bytes(service.limits) if body.file else None
        scene = Scene(prompt=body.text(), seed=body.seed, image=image)
        film = await exchange.answer(
            request, service, lambda stop: model.film(scene, stop, lambda *_: None)
        )
        return Reply(f"{len(film)} bytes of MP4", {"videos": 1}, film, "video/mp4")

    add_generate(app, service, generate)
