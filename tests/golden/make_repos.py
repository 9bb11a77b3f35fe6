#!/usr/bin/env python3
"""Make repositories of the fixture hub out of the golden cases.

    tests/golden/make_repos.py ROOT [--cases DIR] [--only REPO_ID]...

Writes ROOT/<org>/<name>/repo.json with every file as a virtual one: small files have their content,
GGUF and safetensors files begin with a real header, the rest is zeros. Gated repositories want the
token `golden-token`; `metadata_only` ones let nobody in.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import struct

CASES = pathlib.Path(__file__).resolve().parent / "cases"
TOKEN = "golden-token"
# A generated file is written at most this long; its listed size stays.
GENERATED_LIMIT = 64 << 20
ELEMENT_BYTES = {
    "F64": 8,
    "I64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U8": 1,
    "I8": 1,
    "BOOL": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
}
HEADER_DTYPES = {"float32": "F32", "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3"}


def gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_typed(value):
    """(type id, bytes) of a key's value."""
    if isinstance(value, bool):
        return 7, struct.pack("<B", value)
    if isinstance(value, str):
        return 8, gguf_string(value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, list):
        items = [gguf_typed(item) for item in value]
        kind = items[0][0] if items else 4
        return 9, struct.pack("<IQ", kind, len(items)) + b"".join(data for _, data in items)
    if 0 <= value < 1 << 32:
        return 4, struct.pack("<I", value)
    return 11, struct.pack("<q", value)


def gguf_head(keys):
    """A version 3 header with the keys and one small tensor."""
    head = b"GGUF" + struct.pack("<Iqq", 3, 1, len(keys))
    for key, value in keys.items():
        kind, data = gguf_typed(value)
        head += gguf_string(key) + struct.pack("<I", kind) + data
    return head + gguf_string("token_embd.weight") + struct.pack("<IqIQ", 1, 32, 0, 0)


def safetensors_head(info, size, dtype):
    """A header whose tensors fill `size` bytes; what the samples leave has no known type."""
    types = {kind: count or 0 for kind, count in info.get("tensors", {}).items()} or {dtype: 0}
    names = info.get("keys_sample") or ["model.weight"]
    budget = max(size - 8 - 65536, 0)
    header, at = {}, 0
    for index, name in enumerate(names):
        kind = list(types)[min(index, len(types) - 1)]
        width = ELEMENT_BYTES.get(kind, 1)
        elements = types[kind] // len(names) or budget // width // len(names)
        shape = info.get("shapes", {}).get(name) or [elements]
        length = width
        for dimension in shape:
            length *= dimension
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    length = len(json.dumps(header)) + 128
    end = size - 8 - length
    if end > at:
        header["rest"] = {"dtype": "OTHER", "shape": [0], "data_offsets": [at, end]}
    text = json.dumps(header).encode()
    text = text.ljust(length if end > at else 0)
    return struct.pack("<Q", len(text)) + text


def content_bytes(value):
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and "$base64" in value:
        return base64.b64decode(value["$base64"])
    if isinstance(value, dict) and "$generate" in value:
        how = value["$generate"]
        prefix, suffix = how.get("prefix", "").encode(), how.get("suffix", "").encode()
        fill = how.get("fill", " ").encode() or b" "
        room = max(min(how["bytes"], GENERATED_LIMIT) - len(prefix) - len(suffix), 0)
        return prefix + (fill * (room // len(fill) + 1))[:room] + suffix
    return json.dumps(value, indent=2).encode()


def files_of(case):
    yield from ((file["path"], file["size"]) for file in case["files"])
    many = case.get("files_generate")
    if many:
        yield from ((many["pattern"] % n, many["size"]) for n in range(many["count"]))


def weight_head(case, path, size):
    info = case.get("headers", {}).get(path)
    if path.endswith(".gguf"):
        return gguf_head(info) if info else b""
    if not path.endswith(".safetensors"):
        return b""
    config = case["contents"].get("config.json")
    config = config if isinstance(config, dict) else {}
    dtype = HEADER_DTYPES.get(config.get("torch_dtype") or config.get("dtype"), "F16")
    return safetensors_head(info or {}, size, dtype)


def entry_of(case, path, size, heads):
    """One file of repo.json; its first bytes go to the folder `heads`."""
    content = case["contents"].get(path)
    if content is not None:
        data = content_bytes(content)
        length = max(size, len(data)) if len(data) >= GENERATED_LIMIT else len(data)
        entry = {"path": path, "size": length, "lfs": False}
    else:
        data = weight_head(case, path, size)
        digest = hashlib.sha256(f"{case['repo_id']}/{path}/{size}".encode()).hexdigest()
        entry = {"path": path, "size": size, "sha256": digest}
        if not data or len(data) >= size:
            return entry
    head = heads / hashlib.sha1(path.encode()).hexdigest()
    head.write_bytes(data)
    return entry | {"head": str(head), "fill": "zero"}


def make(case, root):
    folder = root / case["repo_id"]
    heads = root.with_name(root.name + ".heads").resolve() / case["repo_id"]
    folder.mkdir(parents=True, exist_ok=True)
    heads.mkdir(parents=True, exist_ok=True)
    api = case["api"]
    info = {key: api[key] for key in ("pipeline_tag", "library_name", "tags") if key in api}
    if api.get("license"):
        info["cardData"] = {"license": api["license"]}
        info["tags"] = [*api.get("tags", []), f"license:{api['license']}"]
    repo = {"info": info, "virtual": [entry_of(case, *file, heads) for file in files_of(case)]}
    if api.get("gated"):
        repo |= {
            "gated": api["gated"],
            "tokens": ["nobody" if case.get("metadata_only") else TOKEN],
        }
    (folder / "repo.json").write_text(json.dumps(repo))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--cases", type=pathlib.Path, default=CASES)
    parser.add_argument("--only", action="append", default=[])
    args = parser.parse_args()
    cases = [json.loads(path.read_text()) for path in sorted(args.cases.glob("*.json"))]
    cases = [case for case in cases if not args.only or case["repo_id"] in args.only]
    for case in cases:
        make(case, args.root)
    print(f"{len(cases)} repositories in {args.root}")


if __name__ == "__main__":
    main()
