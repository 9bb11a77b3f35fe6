"""Each fault does what it says; seen with a bare HTTP client, so that nothing is retried."""

from __future__ import annotations

import gzip
import http.client
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixture_hub.faults import Fault
from fixture_hub.server import FixtureHub
from hub_samples import GOOD, StartHub

Answer = tuple[int, dict[str, str], bytes]


def get(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        path = f"{parts.path}?{parts.query}"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=names)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def cdn_url(hub: FixtureHub, path: str = "acme/tiny/resolve/main/model.safetensors") -> str:
    status, headers, _ = get(f"{hub.url}/{path}")
    assert status == 302
    return headers["location"]


@pytest.fixture
def weights(root: Path) -> bytes:
    return (root / "acme/tiny/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, None), ("bytes=-10", -10, None)],
)
def test_range(hub: FixtureHub, weights: bytes, text: str, start: int, end: int | None) -> None:
    status, headers, body = get(cdn_url(hub), Range=text)
    assert (status, body) == (206, weights[start:end])
    first = start % len(weights)
    last = first + len(body) - 1
    assert headers["content-range"] == f"bytes {first}-{last}/{len(weights)}"


def test_range_beyond_the_end(hub: FixtureHub, weights: bytes) -> None:
    status, headers, _ = get(cdn_url(hub), Range=f"bytes={len(weights)}-")
    assert (status, headers["content-range"]) == (416, f"bytes */{len(weights)}")


def test_small_files_know_ranges_too(hub: FixtureHub) -> None:
    status, _, body = get(f"{hub.url}/acme/tiny/resolve/main/config.json", Range="bytes=2-11")
    assert (status, body) == (206, b"model_type")


def test_ignored_range(hub: FixtureHub, weights: bytes) -> None:
    hub.faults.replace([Fault(side="cdn", ignore_range=True)])
    assert get(cdn_url(hub), Range="bytes=100-")[::2] == (200, weights)


def test_cut(hub: FixtureHub) -> None:
    hub.faults.replace([Fault(side="cdn", cut_after=1000)])
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(cdn_url(hub))
    assert len(cut.value.partial) == 1000


def test_drop(hub: FixtureHub) -> None:
    hub.faults.replace([Fault(side="hub", drop=True)])
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        get(f"{hub.url}/api/models/acme/tiny")


def test_wrong_byte(hub: FixtureHub, weights: bytes) -> None:
    hub.faults.replace([Fault(side="cdn", wrong_byte=1_500_000)])
    _, _, body = get(cdn_url(hub), Range="bytes=1000-")
    assert [i for i in range(len(body)) if body[i] != weights[i + 1000]] == [1_499_000]


def test_stall_is_seen_and_released(hub: FixtureHub, weights: bytes) -> None:
    hub.faults.replace([Fault(side="cdn", stall_after=5000)])
    url, answers = cdn_url(hub), []
    client = threading.Thread(target=lambda: answers.append(get(url)))
    client.start()
    assert hub.log.wait("model.safetensors.Expires", sent=5000, timeout=20)
    (exchange,) = hub.log.exchanges("Expires")
    assert (exchange.sent, exchange.done, answers) == (5000, False, [])
    hub.release()
    client.join(20)
    assert answers[0][2] == weights


def test_rate_limit(hub: FixtureHub) -> None:
    hub.faults.replace([Fault(side="hub", rate_limit=7)])
    url = f"{hub.url}/api/models/acme/tiny"
    status, headers, _ = get(url)
    assert (status, headers["ratelimit"]) == (429, '"api";r=0;t=7')
    status, headers, _ = get(url)
    assert status == 200 and '"api";r=499' in headers["ratelimit"]


def test_status_with_skip_times_and_headers(hub: FixtureHub) -> None:
    hub.faults.replace([Fault(status=503, skip=1, times=2, headers={"Retry-After": "1"})])
    url = f"{hub.url}/api/models/acme/tiny"
    answers = [get(url) for _ in range(4)]
    assert [a[0] for a in answers] == [200, 503, 503, 200]
    assert answers[1][1]["retry-after"] == "1"


def test_gzip_only_for_who_accepts_it(hub: FixtureHub, root: Path) -> None:
    readme = (root / "acme/tiny/README.md").read_bytes()
    hub.faults.replace([Fault(gzip=True, times=-1)])
    url = f"{hub.url}/acme/tiny/resolve/main/README.md"
    _, headers, body = get(url, Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip" and gzip.decompress(body) == readme
    _, headers, body = get(url, Accept_Encoding="identity")
    assert "content-encoding" not in headers and body == readme


def test_foreign_location_and_etag(hub: FixtureHub) -> None:
    hub.faults.replace([Fault(side="hub", location="http://127.0.0.1:9/x", etag="f" * 64)])
    _, headers, _ = get(f"{hub.url}/acme/tiny/resolve/main/model.safetensors")
    assert headers["location"] == "http://127.0.0.1:9/x"
    assert headers["x-linked-etag"] == f'"{"f" * 64}"'


def test_signed_url_expires_and_takes_no_token(start_hub: StartHub) -> None:
    hub = start_hub(url_life=-1)
    assert get(cdn_url(hub))[0] == 403
    assert get(cdn_url(start_hub()), Authorization=f"Bearer {GOOD}")[0] == 400


def test_virtual_files(hub: FixtureHub) -> None:
    _, _, body = get(f"{hub.url}/api/models/acme/virtual/tree/main?recursive=true")
    sizes = {entry["path"]: entry["size"] for entry in json.loads(body)}
    assert sizes["../escape.json"] == 2 and sizes["big.gguf"] == 5_000_000_000
    zeros = cdn_url(hub, "acme/virtual/resolve/main/zeros.bin")
    assert get(zeros, Range="bytes=1999990-")[2] == bytes(10)
    assert get(cdn_url(hub, "acme/virtual/resolve/main/big.gguf"))[0] == 501


def test_control_routes(tmp_path: Path) -> None:
    (tmp_path / "acme" / "one").mkdir(parents=True)
    (tmp_path / "acme" / "one" / "config.json").write_text("{}")
    command = [sys.executable, str(Path(__file__).parents[1]), str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            addresses: dict[str, Any] = json.loads(process.stdout.readline())
            hub = addresses["hub"]
            assert addresses["pid"] == process.pid and addresses["repos"] == ["acme/one"]
            before = json.loads(get(f"{hub}/_fixture/log")[2])["heads"]
            (tmp_path / "acme" / "one" / "config.json").write_text('{"moved": 1}')
            after = json.loads(get(f"{hub}/_fixture/reload", "POST")[2])["heads"]
            assert before["acme/one"]["main"] != after["acme/one"]["main"]
            rules = json.dumps([{"status": 500}]).encode()
            assert get(f"{hub}/_fixture/faults", "PUT", rules)[0] == 200
            assert get(f"{hub}/api/models/acme/one")[0] == 500
            assert get(f"{hub}/_fixture/wait?match=acme/one&timeout=1")[0] == 200
            assert get(f"{hub}/_fixture/wait?match=never&timeout=0")[0] == 408
            log = json.loads(get(f"{hub}/_fixture/log?match=acme")[2])["log"]
            assert [e["status"] for e in log] == [500]
            assert json.loads(get(f"{hub}/_fixture/log", "DELETE")[2])["log"] == []
            bad = json.dumps([{"statuss": 500}]).encode()
            status, _, body = get(f"{hub}/_fixture/faults", "PUT", bad)
            assert status == 400 and b"unknown field 'statuss'" in body
        finally:
            process.terminate()


def test_other_body_and_added_headers(hub: FixtureHub) -> None:
    hub.faults.replace(
        [
            Fault(match="/revision/", body="[1, 2]"),
            Fault(match="/tree/", add_headers={"Link": '<http://example.org/>; rel="next"'}),
        ]
    )
    status, headers, body = get(f"{hub.url}/api/models/acme/tiny/revision/main")
    assert (status, headers["content-length"], body) == (200, "6", b"[1, 2]")
    status, headers, body = get(f"{hub.url}/api/models/acme/tiny/tree/main")
    assert (status, headers["link"]) == (200, '<http://example.org/>; rel="next"')
    assert json.loads(body)


def test_waits_until_nothing_is_under_way(hub: FixtureHub) -> None:
    hub.faults.replace([Fault(match="config.json", delay=600)])
    client = threading.Thread(target=get, args=(f"{hub.url}/acme/tiny/resolve/main/config.json",))
    client.start()
    assert get(f"{hub.url}/_fixture/wait?match=config.json")[0] == 200
    assert get(f"{hub.url}/_fixture/wait?idle=true&timeout=0.01")[0] == 408
    hub.release()
    assert get(f"{hub.url}/_fixture/wait?idle=true")[0] == 200
    client.join()
