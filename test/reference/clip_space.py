"""Goldens of the methods for points in CLIP space, which test/parity/clip-space.test.ts reads.

They come from a short program over the networks and schedulers of diffusers, not from one of its
pipelines. An image file NAME-J.png is image J, or frame J, of the case NAME in clip-space.json, which also
names the images that rounding in float32 changes by more than 1/255.

At timestep 999, x0 is a difference divided by 5e-5. Where that is not clamped, rounding decides between
black and white: in one value of the middle frame of `between`, which makes float32 images differ
from float64 by up to 2.4/255. The decoder's steps of that case start at timestep 900 instead.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image
from torch.nn import functional as F
from transformers import CLIPImageProcessor

import models
from float64 import in_float64
from pipelines import FIXTURES, write_images, write_json

CASES = {
    "embedding": {
        "method": "fromEmbedding",
        "prompt": "a red heart",
        "negative": "a blue star on a green background",
        "seed": 1,
        "count": 2,
    },
    "negative": {
        "method": "textToImage",
        "prompt": "a yellow ring on a black background",
        "negative": "a gray triangle",
        "seed": 2,
        "count": 2,
    },
    "prompted": {
        "method": "imageVariation",
        "prompt": "a green square on a pink background",
        "seed": 3,
        "count": 2,
    },
    "both-prompts": {
        "method": "imageVariation",
        "prompt": "an orange moon",
        "negative": "a white circle on a brown background",
        "seed": 4,
        "count": 1,
    },
    "between": {
        "method": "interpolate",
        "prompt": "a purple hexagon",
        "other": "a drawing of a small cyan cross above a green circle",
        "seed": 5,
        "count": 3,
        "respacing": "ddim10",
    },
    "noised": {
        "method": "imageToImage",
        "prompt": "a blue diamond on a white background",
        "seed": 6,
        "count": 2,
        "strength": 0.5,
    },
}
PRIOR = {"steps": 5, "scale": 4.0}
# An odd number, so that the strength selects no whole number of steps.
DECODER = {"steps": 9, "scale": 8.0}
RESPACED = {"ddim10": torch.arange(900, -1, -100)}
SUPER_RES_STEPS = 7


@dataclass
class Text:
    """Features of texts, one row each."""

    embeds: torch.Tensor
    hidden: torch.Tensor
    mask: torch.Tensor

    def rows(self, count):
        return Text(*(one.expand(count, *one.shape[1:]) for one in self.parts))

    def after(self, other):
        """The rows of another text, and those of this one."""
        return Text(*(torch.cat(pair) for pair in zip(other.parts, self.parts)))

    @property
    def parts(self):
        return self.embeds, self.hidden, self.mask


@dataclass
class Program:
    """The cascade of Karlo. Each image of a batch has its own generator."""

    networks: dict = field(
        default_factory=lambda: {
            name: models.load_network(models.TINY, name) for name in models.NETWORKS
        }
    )
    schedulers: dict = field(
        default_factory=lambda: models.load_schedulers(
            models.TINY, "prior", "decoder", "super_res"
        )
    )
    tokenizer: object = field(default_factory=lambda: models.load_tokenizer(models.TINY))
    processor: object = field(
        default_factory=lambda: CLIPImageProcessor.from_pretrained(
            models.TINY / "feature_extractor"
        )
    )

    @property
    def components(self):
        return self.networks

    @property
    def dtype(self):
        return self.networks["text_encoder"].dtype

    def text(self, prompt):
        tokens = self.tokenizer(
            prompt, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        )
        output = self.networks["text_encoder"](tokens.input_ids)
        return Text(output.text_embeds, output.last_hidden_state, tokens.attention_mask.bool())

    def image(self, image):
        pixels = self.processor(images=image, return_tensors="pt").pixel_values
        return self.networks["image_encoder"](pixels.to(self.dtype)).image_embeds

    def prior(self, text, negative, generators):
        """Image embeddings of a prompt."""
        prior, count = self.networks["prior"], len(generators)
        both = text.rows(count).after(negative.rows(count))

        def predict(x, t):
            output = prior(torch.cat([x, x]), t, *both.parts).predicted_image_embedding
            return guided(output, PRIOR["scale"])

        x = self.draw(generators, text.embeds.shape[1])
        scheduler = self.schedulers["prior_scheduler"]
        x = denoise(scheduler, spaced(scheduler, PRIOR["steps"]), x, predict, generators)
        return prior.post_process_latents(x)

    def decode(
        self, embeds, text, negative, generators, image=None, strength=1.0, respacing=None
    ):
        """Images of embeddings. With an image, the last steps from its noised copy."""
        decoder, count = self.networks["decoder"], len(generators)
        channels, side = decoder.config.in_channels, decoder.config.sample_size
        both = text.rows(count).after(negative.rows(count))
        context, labels = self.networks["text_proj"](
            image_embeddings=embeds.expand(count, -1),
            prompt_embeds=both.embeds,
            text_encoder_hidden_states=both.hidden,
            do_classifier_free_guidance=True,
        )
        mask = F.pad(both.mask, (context.shape[1] - both.mask.shape[1], 0), value=True)

        def predict(x, t):
            output = decoder(
                torch.cat([x, x]), t, context, class_labels=labels, attention_mask=mask
            ).sample
            mean, variance = output.split(channels, dim=1)
            return torch.cat([guided(mean, DECODER["scale"]), variance[count:]], dim=1)

        scheduler, steps = self.schedulers["decoder_scheduler"], DECODER["steps"]
        timesteps = RESPACED[respacing] if respacing else spaced(scheduler, steps)
        x = self.draw(generators, channels, side, side)
        if image is not None:
            timesteps = timesteps[steps - int(steps * strength) :]
            x = scheduler.add_noise(image, x, timesteps[:1])
        small = denoise(scheduler, timesteps, x, predict, generators).clamp(-1, 1)
        return self.enlarge(small, generators)

    def enlarge(self, small, generators):
        """`[count, height, width, 3]` in [0, 1]"""
        first, last = self.networks["super_res_first"], self.networks["super_res_last"]
        scheduler, side = self.schedulers["super_res_scheduler"], first.config.sample_size
        low = F.interpolate(
            small, size=[side, side], mode="bicubic", align_corners=False, antialias=True
        )

        timesteps = spaced(scheduler, SUPER_RES_STEPS)

        def predict(x, t):
            network = last if t == timesteps[-1] else first
            return network(torch.cat([x, low], dim=1), t).sample

        x = self.draw(generators, 3, side, side)
        x = denoise(scheduler, timesteps, x, predict, generators)
        return (x / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()

    def draw(self, generators, *shape):
        shape = (len(generators), *shape)
        return randn_tensor(shape, generator=generators, dtype=torch.float32).to(self.dtype)


def guided(output, scale):
    unconditional, conditional = output.chunk(2)
    return unconditional + scale * (conditional - unconditional)


def spaced(scheduler, steps):
    scheduler.set_timesteps(steps)
    return scheduler.timesteps


def denoise(scheduler, timesteps, x, predict, generators):
    for t, following in zip(timesteps, [*timesteps[1:], None]):
        x = scheduler.step(
            predict(x, t), t, x, prev_timestep=following, generator=generators
        ).prev_sample
    return x


def slerp(a, b, t):
    """Between two rows, in float64: the shorter arc of their directions, the line of their lengths."""
    x, y = (row.double().flatten().numpy() for row in (a, b))
    lengths = np.linalg.norm(x), np.linalg.norm(y)
    angle = np.arccos(np.dot(x / lengths[0], y / lengths[1]))
    direction = (
        np.sin((1 - t) * angle) * x / lengths[0] + np.sin(t * angle) * y / lengths[1]
    ) / np.sin(angle)
    length = (1 - t) * lengths[0] + t * lengths[1]
    return torch.from_numpy(length * direction).to(a.dtype)[None]


def text_between(a, b, t):
    """Each token's hidden state is the weighted mean of those prompts that have this token."""
    x, y = (1 - t) * a.mask[..., None], t * b.mask[..., None]
    hidden = (x * a.hidden + y * b.hidden) / (x + y)
    mask = a.mask | b.mask
    return Text(slerp(a.embeds, b.embeds, t), hidden.where(mask[..., None], 0), mask)


def odd():
    return Image.open(FIXTURES / "odd.png").convert("RGB")


def square(image, side):
    """An image at the decoder's size, in [-1, 1]."""
    processor = CLIPImageProcessor(
        size={"shortest_edge": side},
        crop_size={"height": side, "width": side},
        do_normalize=False,
        rescale_factor=1 / 127.5,
    )
    return processor(images=image, return_tensors="pt").pixel_values - 1


@torch.no_grad()
def run(program, case):
    """The images of a case, `[count, height, width, 3]` in [0, 1]."""
    text, negative = program.text(case["prompt"]), program.text(case.get("negative", ""))
    generators = models.generators(case["seed"], case["count"])
    match case["method"]:
        case "textToImage":
            embeds = program.prior(text, negative, generators)
            return program.decode(embeds, text, negative, generators)
        case "fromEmbedding" | "imageVariation":
            return program.decode(program.image(odd()), text, negative, generators)
        case "imageToImage":
            side = program.networks["decoder"].config.sample_size
            image = square(odd(), side).to(program.dtype)
            embeds = program.prior(text, negative, generators)
            return program.decode(embeds, text, negative, generators, image, case["strength"])
        case "interpolate":
            return np.concatenate(list(frames(program, case, text, negative)))


def frames(program, case, text, negative):
    """The prior samples each end with its own seed; all frames have the noise of the first."""
    other = program.text(case["other"])
    a = program.prior(text, negative, models.generators(case["seed"], 1))
    b = program.prior(other, negative, models.generators(case["seed"] + 1, 1))
    for frame in range(case["count"]):
        t = frame / (case["count"] - 1)
        generators = models.generators(case["seed"], 1)
        if t in (0, 1):
            embeds, between = (a, b)[int(t)], (text, other)[int(t)]
        else:
            embeds, between = slerp(a, b, t), text_between(text, other, t)
        yield program.decode(embeds, between, negative, generators, respacing=case["respacing"])


def tiny(out):
    program = Program()
    images = {name: run(program, case) for name, case in CASES.items()}
    with in_float64(program):
        exact = {name: run(program, case) for name, case in CASES.items()}
    for name, own in images.items():
        write_images(out, name, own)
    steps = {"prior": PRIOR["steps"], "decoder": DECODER["steps"], "upsample": SUPER_RES_STEPS}
    golden = {"steps": steps, "cases": CASES, "illConditioned": ill_conditioned(images, exact)}
    write_json(out / "clip-space.json", golden)


def ill_conditioned(images, exact):
    """Images whose own rounding in float32 is more than 1/255, and how much it is, of 255."""
    distances = {
        f"{name}-{i}": round(255 * float(np.abs(one - exact[name][i]).max()), 1)
        for name, own in images.items()
        for i, one in enumerate(own)
    }
    return {name: distance for name, distance in distances.items() if distance > 1}
