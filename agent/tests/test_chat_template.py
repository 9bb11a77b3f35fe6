"""Chat templates: what transformers' render, what a hostile one cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from llm_agent.errors import BadRequest
from llm_agent.runtime.chat_template import ChatTemplate

pytest.importorskip("jinja2")

CHATML = (
    "{%- for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}\n{% endfor %}"
    "{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
HELLO = [{"role": "user", "content": "hé {{ 7*7 }}"}]
Make = Callable[..., ChatTemplate]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[ChatTemplate] = []

    def build(template: str, seconds: float = 20, **variables: Any) -> ChatTemplate:
        made.append(ChatTemplate(template, variables, seconds))
        return made[-1]

    yield build
    for template in made:
        template.close()


def test_messages_become_a_prompt(make: Make) -> None:
    assert make(CHATML).render(HELLO) == "<|user|>hé {{ 7*7 }}\n<|assistant|>"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ bos_token }}x", "<s>x"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "hé {{ 7*7 }}"}]'),
        ("{% generation %}x{% endgeneration %}", "x"),
        ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{{ strftime_now('%%') }}", "%"),
        ("  {% if true %}\n  x\n  {% endif %}\n", "  x\n"),
        ("{{ missing }}", ""),
    ],
)
def test_what_templates_may_use(make: Make, template: str, text: str) -> None:
    assert make(template, bos_token="<s>").render(HELLO) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('roles must alternate') }}",
        "{% if %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__.os }}",
        "{% for i in range(99999999999) %}x{% endfor %}",
        "{{ 'x' * 99999999999 }}",
        "{{ 1 // 0 }}",
    ],
)
def test_what_fails_is_a_bad_request(make: Make, template: str) -> None:
    chat = make(template)
    for _ in range(2):
        with pytest.raises(BadRequest) as caught:
            chat.render(HELLO)
        assert caught.value.code == "chat_template_failed"


def test_an_endless_template_is_ended_and_the_next_request_served(make: Make) -> None:
    loop = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    template = "{% if messages | length > 1 %}" + loop + "{% endif %}ok"
    chat = make(template, seconds=0.5)
    assert chat.render(HELLO) == "ok"
    with pytest.raises(BadRequest, match="did not end within"):
        chat.render(HELLO * 2)
    assert chat.render(HELLO) == "ok"


def test_a_growing_template_is_stopped(make: Make) -> None:
    grow = "{% for a in range(99999) %}" + "y" * 1000 + "{% endfor %}"
    with pytest.raises(BadRequest, match="grew beyond"):
        make(grow).render(HELLO)


def test_the_worker_does_not_see_our_environment(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    chat = make("x")
    chat.render(HELLO)
    (worker,) = psutil.Process().children()
    assert "secret" not in worker.environ().values()
