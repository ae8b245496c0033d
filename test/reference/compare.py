"""Says in numbers how far two files are apart whose bytes differ."""

import json
import zipfile

import numpy as np
from PIL import Image
from safetensors.numpy import load_file


def difference(made, golden):
    """A sentence for people: how much of the file differs, and by how much at most."""
    if not golden.exists():
        return "it is not in the repository"
    measure = MEASURES.get(golden.suffix)
    if measure is None:
        return f"{golden.stat().st_size} bytes are committed, {made.stat().st_size} were made"
    return measure(made, golden)


def images(made, golden):
    a, b = (np.asarray(Image.open(path), dtype=int) for path in (made, golden))
    if a.shape != b.shape:
        return f"{b.shape} is committed, {a.shape} was made"
    apart = np.abs(a - b)
    return f"{np.count_nonzero(apart)} of {apart.size} values, by at most {apart.max()}/255"


def tensors(made, golden):
    """Of each tensor the largest difference and, for scale, its largest magnitude."""
    a, b = load_file(made), load_file(golden)
    if {name: value.shape for name, value in a.items()} != {
        name: value.shape for name, value in b.items()
    }:
        return "its tensors or their shapes"
    apart = {name: np.abs(a[name] - b[name]).max() for name in b}
    rows = (
        f"{name} by {apart[name]:.1e} of {np.abs(b[name]).max():.2g}"
        for name in b
        if apart[name] > 0
    )
    return ", ".join(rows) or "its metadata"


def numbers(made, golden):
    a, b = (list(leaves(json.loads(path.read_text()))) for path in (made, golden))
    pairs = [(x, y) for x, y in zip(a, b) if x != y]
    if len(a) != len(b) or any(isinstance(value, str) for pair in pairs for value in pair):
        return "its structure or its texts"
    if not pairs:
        return "its white space"
    apart = max(abs(x - y) for x, y in pairs)
    return f"{len(pairs)} of {len(b)} values, by at most {apart:.1e}"


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


def archives(made, golden):
    """The records that differ. Files of PyTorch that are no ZIP archives are pickles."""
    if not zipfile.is_zipfile(golden):
        return "its pickle"
    with zipfile.ZipFile(made) as a, zipfile.ZipFile(golden) as b:
        x, y = ({name: zipped.read(name) for name in zipped.namelist()} for zipped in (a, b))
    return "in " + ", ".join(name for name in sorted(x | y) if x.get(name) != y.get(name))


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
