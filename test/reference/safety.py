"""The verdicts of diffusers' StableDiffusionSafetyChecker, which test/parity/safety.test.ts reads.

The checker is small and has the weights of the formula. Its thresholds are chosen from the cosines
of the images, halfway between two of them, so that some images are unsafe: most by a concept alone,
one only because a special care concept makes the thresholds stricter.
"""

import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion import safety_checker
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor

import formula

PICTURES = Path(__file__).parents[1] / "fixtures/pictures"
IMAGES = [
    "heart-0", "heart-1", "star-0", "default-0", "unguided-0", "short-0", "short-1", "odd-0",
    "vary-star-0-0", "vary-heart-0-0", "small-0", "small-star-0", "odd",
]  # fmt: skip
SIDE, WIDTH, PROJECTION = 32, 16, 24
MARGIN = 0.005


def checker(out):
    """The checker as a folder, and the cosines and verdicts of images as verdicts.json."""
    model = small_checker()
    processor = CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    pixels = processor(
        [Image.open(PICTURES / f"{name}.png").convert("RGB") for name in IMAGES],
        return_tensors="pt",
    ).pixel_values
    special, concepts, _ = run(model, pixels)
    set_thresholds(model, special, concepts)
    special, concepts, unsafe = run(model, pixels)
    assert 1 < sum(unsafe) < len(IMAGES) - 1
    model.save_pretrained(out, safe_serialization=True)
    model.save_pretrained(out, safe_serialization=False)
    processor.save_pretrained(out)
    rows = [
        {
            "image": name,
            "specialCare": special[i].tolist(),
            "concepts": concepts[i].tolist(),
            "unsafe": unsafe[i],
        }
        for i, name in enumerate(IMAGES)
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (out / "verdicts.json").write_text(f"[\n{lines}\n]\n")


def small_checker():
    config = CLIPConfig(
        projection_dim=PROJECTION,
        vision_config={
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": 8,
            # Not that of the checker, which reads the one above.
            "projection_dim": 512,
        },
        text_config={"vocab_size": 8, "hidden_size": 8, "num_attention_heads": 1},
    )
    model = StableDiffusionSafetyChecker(config).eval()
    weights = {
        key: formula.weight("safety_checker", key, value.shape)
        for key, value in model.state_dict().items()
    }
    model.load_state_dict(weights)
    return model


def run(model, pixels):
    """The cosines of special care concepts and of concepts, and the verdicts."""
    cosines = []
    compute = safety_checker.cosine_distance

    def recorded(*embeds):
        cosines.append(compute(*embeds))
        return cosines[-1]

    with patch.object(safety_checker, "cosine_distance", recorded):
        _, unsafe = model(pixels, [np.zeros(1) for _ in pixels])
    special, concepts = cosines
    return special.numpy(), concepts.numpy(), unsafe


def set_thresholds(model, special, concepts):
    special_thresholds = special.max(0) + 0.05
    special_thresholds[1] = middle(special[:, 1])
    thresholds = concepts.max(0) + 0.05
    thresholds[3] = middle(concepts[:, 3])
    safe = concepts[:, 3] < thresholds[3]
    careful = safe & (special[:, 1] > special_thresholds[1])
    # An image with special care that leads the safe images in some concept.
    leaders = np.where(safe[:, None], concepts, -1).argmax(0)
    concept = next(k for k, image in enumerate(leaders) if k != 3 and careful[image])
    thresholds[concept] = concepts[leaders[concept], concept] + MARGIN
    model.special_care_embeds_weights.data = torch.from_numpy(special_thresholds)
    model.concept_embeds_weights.data = torch.from_numpy(thresholds)


def middle(cosines):
    """Halfway between the two neighbours that are farthest apart, without the outer quarters."""
    ordered = np.sort(cosines)
    inner = ordered[len(ordered) // 4 : -(len(ordered) // 4)]
    gap = np.diff(inner).argmax()
    return inner[gap : gap + 2].mean()
