"""Goldens of whole pipelines, which test/parity reads.

An image file NAME-J.png is image J of the case NAME. The cases of karlo-tiny are in cases.json
(prompts) and variations.json (variations of odd.png); those of the model `small` in small.json.
Steps and guidance scales that a case does not give are the defaults of `Case`.
"""

import json
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, permutations
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

import models
from float64 import in_float64

FIXTURES = Path(__file__).parents[1] / "fixtures/pictures"

PROMPTS = {
    "heart": {"prompt": "a red heart on a white background", "seed": 0, "count": 2},
    "star": {
        "prompt": "a drawing of a small blue star above a green circle on a yellow background",
        "seed": 4294967290,
        "count": 1,
    },
    "default": {"prompt": "a striped purple ring", "seed": 7, "count": 1, "decoder_steps": 50},
    "short": {
        "prompt": "a black moon on a cyan background",
        "seed": 3,
        "count": 2,
        "prior_steps": 5,
        "decoder_steps": 4,
    },
    "unguided": {
        "prompt": "an orange triangle",
        "seed": 11,
        "count": 1,
        "prior_guidance": 1.0,
        "decoder_guidance": 1.0,
    },
}
VARIATIONS = {
    "odd": {"seed": 5, "count": 2},
    "odd-short": {"seed": 6, "count": 2, "decoder_steps": 4},
    "odd-default": {"seed": 7, "count": 1, "decoder_steps": 50},
    "odd-unguided": {"seed": 8, "count": 1, "decoder_guidance": 1.0},
}
# The images above of which a variation is made, with seed 0.
VARIED = ["heart-0", "heart-1", "star-0", "default-0", "short-0", "short-1", "unguided-0"]
SMALL_PROMPTS = {
    "small": PROMPTS["heart"],
    "small-star": PROMPTS["star"],
    "small-short": PROMPTS["short"],
}
SMALL_VARIATIONS = {
    "small-odd": VARIATIONS["odd"],
    "small-odd-short": VARIATIONS["odd-short"],
}


@dataclass
class Case:
    seed: int
    count: int
    prompt: str = ""
    prior_steps: int = 25
    decoder_steps: int = 25
    prior_guidance: float = 4.0
    decoder_guidance: float = 8.0
    super_res_steps: int = 7
    image: str = "odd"


@torch.no_grad()
def generate(pipeline, case):
    """The images of a prompt, float32 `[count, height, width, 3]` in [0, 1]."""
    case = Case(**case)
    return pipeline(
        [case.prompt],
        num_images_per_prompt=case.count,
        generator=models.generators(case.seed, case.count),
        prior_num_inference_steps=case.prior_steps,
        decoder_num_inference_steps=case.decoder_steps,
        super_res_num_inference_steps=case.super_res_steps,
        prior_guidance_scale=case.prior_guidance,
        decoder_guidance_scale=case.decoder_guidance,
        output_type="np",
    ).images


@torch.no_grad()
def vary(pipeline, case):
    """The variations of a PNG of the fixtures, float32 `[count, height, width, 3]` in [0, 1]."""
    case = Case(**case)
    return pipeline(
        image=Image.open(FIXTURES / f"{case.image}.png").convert("RGB"),
        num_images_per_prompt=case.count,
        generator=models.generators(case.seed, case.count),
        decoder_num_inference_steps=case.decoder_steps,
        super_res_num_inference_steps=case.super_res_steps,
        decoder_guidance_scale=case.decoder_guidance,
        output_type="np",
    ).images


def compared(pipeline, make, case):
    """The images of a case in float64, as bytes, and how far float32 is from each.

    `max` and `mean` are in units of 1/255, over runs on one thread and on two, which round
    differently. Where `max` is above 1, the image is
    ill-conditioned.
    """
    singles = []
    for count in (1, 2):
        with threads(count):
            singles.append(as_bytes(make(pipeline, case)).astype(int))
    with in_float64(pipeline):
        exact = as_bytes(make(pipeline, case))
    apart = [np.abs(single - exact) for single in singles]
    return exact, [
        {"max": int(max(a.max(), b.max())), "mean": float((a.mean() + b.mean()) / 2)}
        for a, b in zip(*apart)
    ]


def write_exact(out, name, pipeline, make, case):
    """Writes the images of a case in float64, and returns how far float32 is from each."""
    exact, differences = compared(pipeline, make, case)
    for j, image in enumerate(exact):
        Image.fromarray(image).save(out / f"{name}-{j}.png", optimize=True)
    return {f"{name}-{j}": one["max"] for j, one in enumerate(differences)}


def as_bytes(images):
    return np.round(images * 255).astype(np.uint8)


def write_images(out, name, images):
    for j, image in enumerate(images):
        Image.fromarray(as_bytes(image)).save(out / f"{name}-{j}.png", optimize=True)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def text_to_image(out):
    pipeline = models.text_to_image(models.TINY)
    for name, case in PROMPTS.items():
        write_images(out, name, generate(pipeline, case))
    write_json(out / "cases.json", PROMPTS)


def cropped(out):
    """An image whose sides are neither equal nor powers of two."""
    Image.open(FIXTURES / "heart-1.png").crop((20, 30, 110, 91)).save(
        out / "odd.png", optimize=True
    )


def image_variation(out):
    pipeline = models.image_variation(models.TINY)
    for name, case in VARIATIONS.items():
        write_images(out, name, vary(pipeline, case))
    write_json(out / "variations.json", VARIATIONS)


def varied(out):
    """A variation of each of `VARIED` in float64; varied.json says how far float32 is from it."""
    pipeline, differences = models.image_variation(models.TINY), {}
    for name in VARIED:
        case = {"image": name, "seed": 0, "count": 1}
        differences |= write_exact(out, f"vary-{name}", pipeline, vary, case)
    write_json(out / "varied.json", differences)


def small(out):
    """Images of the model `small` in float64, and how far float32 is from them."""
    models.write_small_model(out / "small")
    differences = {}
    pipeline = models.text_to_image(out / "small")
    for name, case in SMALL_PROMPTS.items():
        differences |= write_exact(out, name, pipeline, generate, case)
    pipeline = models.image_variation(out / "small")
    for name, case in SMALL_VARIATIONS.items():
        differences |= write_exact(out, name, pipeline, vary, case)
    small = {"prompts": SMALL_PROMPTS, "pictures": SMALL_VARIATIONS, "differences": differences}
    write_json(out / "small.json", small)


@torch.no_grad()
def stages(out):
    """What each stage passes to the next, in the case `short` and in a variation of odd.png.

    `text_embeds` and `text_hidden` belong to the prompt and to the empty prompt. `image_embeds` is
    the output of the prior, `small` that of the decoder in [-1, 1], and `images` that of the
    pipeline. `variation_pixels` is the preprocessed odd.png, and `variation_embeds` its embedding.
    """
    pipeline, case = models.text_to_image(models.TINY), {**PROMPTS["short"], "count": 1}
    ids = pipeline.tokenizer(
        [case["prompt"], ""],
        padding="max_length",
        max_length=77,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    text = pipeline.text_encoder(ids)
    embeds, small = record_image_embeds(pipeline), record_decoder_samples(pipeline)
    images = generate(pipeline, case)

    pipeline = models.image_variation(models.TINY)
    odd = Image.open(FIXTURES / "odd.png").convert("RGB")
    pixels = pipeline.feature_extractor(images=odd, return_tensors="pt").pixel_values
    variation_embeds = record_image_embeds(pipeline)
    vary(pipeline, VARIATIONS["odd"])
    tensors = {
        "text_embeds": text.text_embeds,
        "text_hidden": text.last_hidden_state,
        "image_embeds": embeds[-1],
        "small": small[-1].clamp(-1, 1),
        "images": torch.from_numpy(images),
        "variation_pixels": pixels,
        "variation_embeds": variation_embeds[-1][:1],
    }
    save_file(
        {name: value.contiguous() for name, value in tensors.items()}, out / "stages.safetensors"
    )


def record_image_embeds(pipeline):
    """A list to which every later run appends its image embeddings."""
    recorded = []
    pipeline.text_proj.register_forward_pre_hook(
        lambda _, args, kwargs: recorded.append(kwargs["image_embeddings"].clone()),
        with_kwargs=True,
    )
    return recorded


def record_decoder_samples(pipeline):
    """A list to which every later step of the decoder appends its sample."""
    recorded, step = [], pipeline.decoder_scheduler.step

    def recording_step(*args, **kwargs):
        result = step(*args, **kwargs)
        recorded.append(result.prev_sample)
        return result

    pipeline.decoder_scheduler.step = recording_step
    return recorded


COLOURS = "red orange yellow green blue purple pink brown black white gray cyan".split()
SHAPES = "circle square triangle star heart ring diamond moon cross hexagon".split()


def colours(out):
    """Sixty images of a shape on a background, ten in a row. The seed of each is its index."""
    pairs = list(permutations(COLOURS, 2))[::2][:60]
    prompts = [
        {
            "prompt": f"{article(colour)} {shape} on {article(background)} background",
            "shape": colour,
            "background": background,
        }
        for (colour, background), shape in zip(pairs, cycle(SHAPES))
    ]
    pipeline = models.text_to_image(models.TINY)
    images = [
        generate(pipeline, {"prompt": one["prompt"], "seed": i, "count": 1})[0]
        for i, one in enumerate(prompts)
    ]
    rows = [np.concatenate(images[first : first + 10], axis=1) for first in range(0, 60, 10)]
    Image.fromarray(as_bytes(np.concatenate(rows))).save(
        out / "sense.webp", lossless=True, method=6
    )
    write_json(out / "sense.json", prompts)


def article(word):
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def agreement(out):
    """reference.json: how much the reference differs from itself, in units of 1/255.

    `batch` and `threads` are the largest differences between images generated in batches of 1 and
    2, and on 1 and 2 threads. `bfloat16` is the mean difference from float32.
    """
    heart = {"prompt": PROMPTS["heart"]["prompt"], "seed": 0}
    pipeline = models.text_to_image(models.TINY)
    two = generate(pipeline, {**heart, "count": 2})
    one = generate(pipeline, {**heart, "count": 1})
    result = {"batch": largest(two[:1] - one)}
    with threads(1):
        result["threads"] = largest(two - generate(pipeline, {**heart, "count": 2}))
    result["bfloat16"] = bfloat16_differences(pipeline)
    write_json(out / "reference.json", result)


def largest(difference):
    return float(np.abs(difference).max()) * 255


def bfloat16_differences(pipeline):
    torch.nn.functional.interpolate = interpolate
    half = models.text_to_image(models.TINY, torch.bfloat16)
    differences = {}
    for name in ("heart", "star", "short", "default"):
        difference = generate(pipeline, PROMPTS[name]) - generate(half, PROMPTS[name])
        differences[name] = float(np.abs(difference).mean()) * 255
    return differences


torch_interpolate = torch.nn.functional.interpolate


def interpolate(x, *args, antialias=False, **kwargs):
    """PyTorch's interpolation, in float32 if it has no bfloat16: antialiased, on a CPU."""
    if not antialias:
        return torch_interpolate(x, *args, **kwargs)
    return torch_interpolate(x.float(), *args, antialias=True, **kwargs).to(x.dtype)


@contextmanager
def threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)
