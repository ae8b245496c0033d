"""Says in numbers how far two files are apart whose bytes differ."""

import json
import zipfile

import numpy as np
from PIL import Image
from safetensors import safe_open


def difference(made, golden, tolerance):
    """A sentence: the largest difference, and what the tests allow."""
    if not golden.exists():
        return "it is not in the repository"
    measure = MEASURES.get(golden.suffix)
    if measure is None:
        return f"{golden.stat().st_size} bytes are committed, {made.stat().st_size} were made"
    return measure(made, golden, tolerance)


def images(made, golden, tolerance):
    """In 255ths."""
    a, b = (np.asarray(Image.open(path), dtype=int) for path in (made, golden))
    if a.shape != b.shape:
        return f"{b.shape} is committed, {a.shape} was made"
    apart = np.abs(a - b)
    return f"{np.count_nonzero(apart)} of {apart.size} values, by at most {apart.max()}/255{allowed(tolerance, '/255')}"


def tensors(made, golden, tolerance):
    """The tensor that comes nearest to its tolerance or exceeds it most.

    Where a file's metadata has each output's largest magnitude, the difference is relative to that.
    """
    with safe_open(made, "np") as a, safe_open(golden, "np") as b:
        if set(a.keys()) != set(b.keys()):
            return f"the tensors {sorted(b.keys())} are committed, {sorted(a.keys())} were made"
        magnitudes = json.loads((b.metadata() or {}).get("max", "{}"))
        rows = []
        for name in b.keys():
            apart = float(np.abs(a.get_tensor(name) - b.get_tensor(name)).max()) / magnitudes.get(name, 1)
            limit = tolerance[name] if isinstance(tolerance, dict) else tolerance
            rows.append((apart / (limit or 1), name, apart, limit))
    _, name, apart, limit = max(rows)
    unit = " of its largest magnitude" if name in magnitudes else ""
    return f"{name} by at most {apart:.2g}{unit}{allowed(limit)}"


def numbers(made, golden, tolerance):
    a, b = (list(leaves(json.loads(path.read_text()))) for path in (made, golden))
    if [type(value) for value in a] != [type(value) for value in b]:
        return "its structure"
    pairs = [(x, y) for x, y in zip(a, b) if x != y]
    if not all(isinstance(x, (int, float)) for x, _ in pairs):
        return f"{len(pairs)} of {len(b)} values"
    apart = max((abs(x - y) for x, y in pairs), default=0)
    return f"{len(pairs)} of {len(b)} values, by at most {apart:.2g}{allowed(tolerance)}"


def leaves(value):
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def archives(made, golden, _):
    with zipfile.ZipFile(made) as a, zipfile.ZipFile(golden) as b:
        names = sorted({*a.namelist(), *b.namelist()})
        common = {*a.namelist()} & {*b.namelist()}
        return "in " + ", ".join(name for name in names if name not in common or a.read(name) != b.read(name))


def allowed(tolerance, unit=""):
    return f" (the tests allow {tolerance:.2g}{unit})" if tolerance is not None else ""


MEASURES = {
    ".png": images,
    ".webp": images,
    ".safetensors": tensors,
    ".json": numbers,
    ".pt": archives,
    ".bin": archives,
    ".ckpt": archives,
    ".th": archives,
}
