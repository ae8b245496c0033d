"""Goldens in float64, which test/parity/truth.test.ts reads: what an image is without rounding.

The four models have widths, heads and sizes that are no powers of two; the formula makes their
weights, with matrices half as large as those of the model `small`, which magnify rounding.

truth.json has, by model, `configs` (network -> config), `cases`, and for each image `max` and
`mean`: how far the reference in float32 is from it, in units of 1/255. MODEL.png has the images of
all cases, one below the other.
"""

import numpy as np
from diffusers import UnCLIPScheduler
from PIL import Image

import formula
import models
from pipelines import compared, generate, vary, write_json

MODELS = {
    "one-level": lambda: models.cascade(
        60, (3, 20, 2), models.decoder(13, (48,), 24, 40, 12, 2),
        lambda: models.super_resolution(27, (56,), 7, 1), (48, 2, 4, 36, 12),
    ),
    "two-levels": lambda: models.cascade(
        72, (6, 12, 3), models.decoder(22, (48, 80), 20, 56, 16, 1),
        lambda: models.super_resolution(38, (24, 56), 8, 2), (72, 2, 3, 48, 16),
    ),
    "three-levels": lambda: models.cascade(
        80, (4, 20, 2), models.decoder(20, (24, 60, 84), 12, 48, 12, 1),
        lambda: models.super_resolution(44, (24, 56, 88), 8, 1, "scale_shift"), (60, 3, 5, 42, 14),
    ),
    "unscaled": lambda: models.cascade(
        96, (4, 24, 2), models.decoder(28, (48, 72, 120), 24, 64, 24, 2, "default"),
        lambda: models.super_resolution(60, (48, 80, 112), 16, 1), (84, 2, 7, 56, 8),
    ),
}  # fmt: skip
CASES = {
    "plain": {"prompt": "a red heart on a white background", "seed": 0, "count": 1,
              "prior_steps": 4, "decoder_steps": 4},
    "few": {"prompt": "a small blue star", "seed": 1, "count": 5,
            "prior_steps": 2, "decoder_steps": 2, "super_res_steps": 2},
    "strong": {"prompt": "a striped purple ring", "seed": 2, "count": 2,
               "prior_steps": 7, "decoder_steps": 7, "prior_guidance": 12.0,
               "decoder_guidance": 12.0},
    "weak": {"prompt": "an orange triangle", "seed": 3, "count": 3, "prior_steps": 5,
             "decoder_steps": 5, "super_res_steps": 3, "prior_guidance": 0.5},
    "unguided": {"prompt": "a black moon", "seed": 4, "count": 2, "prior_steps": 3,
                 "decoder_steps": 6, "prior_guidance": 1.0, "decoder_guidance": 1.0},
    "varied": {"image": "odd", "seed": 5, "count": 4, "decoder_steps": 5},
    "varied-few": {"image": "heart-0", "seed": 6, "count": 1, "decoder_steps": 2,
                   "decoder_guidance": 12.0, "super_res_steps": 2},
    "varied-unguided": {"image": "star-0", "seed": 7, "count": 2, "decoder_steps": 7,
                        "decoder_guidance": 1.0},
}  # fmt: skip


def truth(out):
    result = {}
    for name, make in MODELS.items():
        networks = {key: with_weights(name, key, network.eval()) for key, network in make().items()}
        tokenizer = models.load_tokenizer(models.TINY)
        pipelines = {
            "prompt": models.text_to_image_of(
                networks, schedulers("prior", "decoder", "super_res"), tokenizer
            ),
            "image": models.image_variation_of(
                networks,
                schedulers("decoder", "super_res"),
                tokenizer,
                models.square_processor(networks["image_encoder"]),
            ),
        }
        differences, images = {}, []
        for case_name, case in CASES.items():
            make_images = vary if "image" in case else generate
            pipeline = pipelines["image" if "image" in case else "prompt"]
            exact, differences[case_name] = compared(pipeline, make_images, case)
            images.extend(exact)
        Image.fromarray(np.concatenate(images)).save(out / f"{name}.png", optimize=True)
        configs = {key: config_of(network) for key, network in networks.items()}
        result[name] = {"configs": configs, "differences": differences}
    write_json(out / "truth.json", {"cases": CASES, "models": result})


def config_of(network):
    config = network.config
    values = config.to_diff_dict() if hasattr(config, "to_diff_dict") else dict(config)
    return {key: value for key, value in values.items() if not key.startswith("_")}


def with_weights(model, name, network):
    weights = {
        key: scaled(formula.weight(f"{model}/{name}", key, value.shape))
        for key, value in network.state_dict().items()
        if value.is_floating_point()
    }
    network.load_state_dict(weights, strict=False)
    return network


def scaled(weight):
    return weight / 2 if weight.dim() > 1 else weight


def schedulers(*stages):
    return {
        f"{name}_scheduler": UnCLIPScheduler(**models.SMALL_SCHEDULERS[f"{name}_scheduler"])
        for name in stages
    }
