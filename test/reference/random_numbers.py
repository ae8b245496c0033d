"""What torch.randn draws, as the bits of float32 in hexadecimal: randn.json, which test/torch
reads."""

import json
import re

import torch


def randn(out):
    cases = [
        draw(0, [[1]]),
        draw(0, [[15]]),
        draw(0, [[16]]),
        draw(1, [[17]]),
        draw(4294967295, [[3, 5], [4, 4], [2, 3, 7]]),
        draw(42, [[1, 96], [1, 3, 8, 8], [5]]),
    ]
    text = json.dumps({"torch": torch.__version__, "cases": cases}, indent=2)
    one_line = re.sub(r"\[[\s\d,[\]]+\]", lambda shapes: json.dumps(json.loads(shapes[0])), text)
    (out / "randn.json").write_text(one_line + "\n")


def draw(seed, shapes):
    """Tensors of these shapes, drawn one after another from one generator."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.cat([torch.randn(shape, generator=generator).flatten() for shape in shapes])
    return {"seed": seed, "shapes": shapes, "bits": values.numpy().astype(">f4").tobytes().hex()}
