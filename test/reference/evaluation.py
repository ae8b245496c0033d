"""Goldens of the metrics of lib/eval, which test/eval reads.

Features are `scale * noise + shift` of the formula (formula.py), so that no golden stores them.
"""

import json
import zipfile
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from scipy import linalg
from torch import nn
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPModel

import formula
import models
from pipelines import FIXTURES, write_json

# name: dimensions, then count, scale and shift of each of both sets.
FRECHET = {
    "full-rank": (16, (200, 1.0, 0.0), (150, 1.5, 0.25)),
    "same-mean": (8, (64, 1.0, 0.0), (64, 1.0, 0.0)),
    "few-features": (64, (20, 1.0, 0.0), (30, 1.0, 0.5)),
    "one-deficient": (64, (20, 1.0, 0.0), (500, 1.0, 0.0)),
    "two-features": (24, (2, 1.0, 0.0), (2, 1.0, 0.0)),
    "wide": (256, (100, 1.0, 0.0), (120, 1.0, 0.125)),
}
KERNEL = {
    "same": (16, (60, 1.0, 0.0), (60, 1.0, 0.0)),
    "shifted": (32, (40, 1.0, 0.0), (40, 2.0, 0.5)),
}
PROMPTS = [
    "a red heart on a white background",
    "an orange moon",
    "two words, and a much longer prompt with (punctuation) & 12 numbers",
]
IMAGES = ["odd.png", "heart-0.png", "small-0.png"]


def features(name, dimensions, count, scale, shift):
    noise = formula.noise(f"features/{name}", (count, dimensions))
    return (scale * noise + shift).numpy().astype(np.float64)


def pairs(cases):
    for name, (dimensions, first, second) in cases.items():
        yield name, features(f"{name}/a", dimensions, *first), features(
            f"{name}/b", dimensions, *second
        )


def described(cases):
    return {
        name: {"dimensions": dimensions, "a": first, "b": second}
        for name, (dimensions, first, second) in cases.items()
    }


def pytorch_fid(a, b, eps=1e-6):
    """pytorch-fid's calculate_frechet_distance."""
    (mu1, sigma1), (mu2, sigma2) = ((x.mean(0), np.cov(x, rowvar=False)) for x in (a, b))
    covmean = linalg.sqrtm(sigma1.dot(sigma2))
    if not np.isfinite(covmean).all():
        offset = np.eye(len(sigma1)) * eps
        covmean = linalg.sqrtm((sigma1 + offset).dot(sigma2 + offset))
    if np.iscomplexobj(covmean):
        covmean = covmean.real
    diff = mu1 - mu2
    return diff @ diff + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(covmean)


def exact_frechet(a, b):
    """Without a square root: the traces of (C1 C2)^(1/2) and of (X Y')^(1/2) are the same."""
    (x, y) = ((one - one.mean(0)) / np.sqrt(len(one) - 1) for one in (a, b))
    diff = a.mean(0) - b.mean(0)
    overlap = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    return diff @ diff + (x**2).sum() + (y**2).sum() - 2 * overlap


def frechet(out):
    distances = {
        name: {"sqrtm": pytorch_fid(a, b), "exact": exact_frechet(a, b)}
        for name, a, b in pairs(FRECHET)
    }
    write_json(out / "frechet.json", {"cases": described(FRECHET), "distances": distances})


def mmd(x, y):
    """torch-fidelity's polynomial_mmd, with its default kernel."""
    m = len(x)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return within / (m * (m - 1)) - 2 * xy.sum() / m**2


def kernel(out):
    distances = {name: mmd(a, b) for name, a, b in pairs(KERNEL)}
    write_json(out / "kernel.json", {"cases": described(KERNEL), "distances": distances})


def statistics(out):
    """Files of pytorch-fid (compressed) and of older programs (not compressed)."""
    x = features("statistics", 5, 20, 1.0, 0.5)
    mu, sigma = x.mean(0), np.cov(x, rowvar=False)
    np.savez_compressed(out / "statistics.npz", mu=mu, sigma=sigma)
    np.savez(out / "statistics-stored.npz", mu=mu, sigma=np.asfortranarray(sigma))
    write_json(out / "statistics.json", {"mu": mu.tolist(), "sigma": sigma.tolist()})


CLIPS = {
    # Widths that differ, patch 16, and the token of a config from before transformers 4.31.
    "quick-gelu": {
        "projection_dim": 24,
        "text_config": {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "eos_token_id": 2,
        },
        "vision_config": {
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 3,
            "image_size": 64,
            "patch_size": 16,
        },
    },
    "gelu": {
        "projection_dim": 20,
        "text_config": {
            "hidden_size": 40,
            "intermediate_size": 80,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "hidden_act": "gelu",
            "eos_token_id": 49407,
        },
        "vision_config": {
            "hidden_size": 32,
            "intermediate_size": 72,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 50,
            "patch_size": 16,
            "hidden_act": "gelu",
        },
    },
}


def clip(out):
    goldens = {name: clip_golden(config) for name, config in CLIPS.items()}
    write_json(out / "clip.json", {"prompts": PROMPTS, "images": IMAGES, "clips": goldens})


@torch.no_grad()
def clip_golden(config):
    clip = CLIPModel(CLIPConfig(**config)).eval()
    state = clip.state_dict()
    clip.load_state_dict(
        {key: formula.weight("clip", key, value.shape) for key, value in state.items()}
    )
    tokens = models.load_tokenizer(models.TINY)(PROMPTS, padding=True, return_tensors="pt")
    images = [Image.open(FIXTURES / name).convert("RGB") for name in IMAGES]
    pixels = models.square_processor(clip.vision_model)(images, return_tensors="pt")
    output = clip(**tokens, **pixels)
    texts, images = output.text_embeds, output.image_embeds
    return {
        "config": config,
        "texts": texts.tolist(),
        "images": images.tolist(),
        "cosines": (texts * images).sum(1).tolist(),
    }


class Network(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 4, stride=4)
        self.output = nn.Linear(12, 5)
        state = self.state_dict()
        self.load_state_dict({key: formula.weight(name, key, state[key].shape) for key in state})

    def features(self, x):
        return F.relu(self.conv(x)).mean([2, 3])


class StyleGan(Network):
    """Called as inception-2015-12-05.pt."""

    def forward(
        self, img: torch.Tensor, return_features: bool = False, use_fp16: bool = False
    ) -> torch.Tensor:
        x = self.features(img.to(torch.float32) / 127.5 - 1)
        return x if return_features else self.output(x).softmax(dim=1)


class Float(Network):
    """Called as pytorch-fid's InceptionV3."""

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [self.features(2 * x - 1)[:, :, None, None]]


def feature_networks(out):
    """TorchScript files, and the features of images whose short side is 32 pixels."""
    images = [square(Image.open(FIXTURES / name).convert("RGB"), 32) for name in IMAGES]
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    networks = {"stylegan": StyleGan("stylegan"), "float": Float("float")}
    inputs = {"stylegan": (pixels, True), "float": (pixels / 255,)}
    golden = {}
    for name, network in networks.items():
        script = torch.jit.script(network.eval())
        with torch.no_grad():
            output = script(*inputs[name])
        golden[name] = (output[0] if isinstance(output, list) else output).flatten(1).tolist()
        write_script(script, out / f"{name}.pt")
    write_json(out / "features.json", {"images": IMAGES, "size": 32, "features": golden})


def square(image, side):
    """The short side resized to `side` by Pillow's bicubic filter, and the centre cropped."""
    width, height = image.size
    long = int(side * max(width, height) / min(width, height))
    width, height = (side, long) if width <= height else (long, side)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - side) // 2, (height - side) // 2
    return np.asarray(image.crop((left, top, left + side, top + side)))


def write_script(script, path):
    """Without debug records, which have the paths of source files, and their hash."""
    saved = BytesIO()
    torch.jit.save(script, saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, "w") as target:
        for record in source.infolist():
            if not record.filename.endswith((".debug_pkl", "serialization_id")):
                target.writestr(zipfile.ZipInfo(record.filename), source.read(record))
