"""The reference of `karlo verify --reference`: images of the same model by diffusers.

    python reference.py versions             # {"diffusers": "0.33.1", ...}
    python reference.py generate < REQUEST

A request is JSON: `model` (a folder in the Hugging Face layout), `threads`, and `prompt` or, for image variation,
`image` (a path). Steps and guidance scales are the pipeline's defaults, and the seed is 0. The last line of stdout
is the image's pixels, RGB in base64.
"""

import base64
import json
import os
import sys
from importlib.metadata import version

VERSIONS = {name: version(name) for name in ("diffusers", "transformers", "torch")}


def generate(model, threads, prompt=None, image=None):
    os.environ |= {name: "error" for name in ("DIFFUSERS_VERBOSITY", "TRANSFORMERS_VERBOSITY")}
    os.environ["HF_HUB_OFFLINE"] = "1"
    import diffusers
    import torch
    import transformers
    from diffusers.pipelines.unclip import UnCLIPTextProjModel
    from PIL import Image

    torch.set_num_threads(threads)
    parts = {
        "tokenizer": transformers.CLIPTokenizer,
        "text_encoder": transformers.CLIPTextModelWithProjection,
        "text_proj": UnCLIPTextProjModel,
        "decoder": diffusers.UNet2DConditionModel,
        "decoder_scheduler": diffusers.UnCLIPScheduler,
        "super_res_first": diffusers.UNet2DModel,
        "super_res_last": diffusers.UNet2DModel,
        "super_res_scheduler": diffusers.UnCLIPScheduler,
    }
    options = {"generator": torch.Generator().manual_seed(0), "output_type": "np"}
    if image is None:
        pipeline = diffusers.UnCLIPPipeline
        parts["prior"] = diffusers.PriorTransformer
        parts["prior_scheduler"] = diffusers.UnCLIPScheduler
        options["prompt"] = prompt
    else:
        pipeline = diffusers.UnCLIPImageVariationPipeline
        parts["image_encoder"] = transformers.CLIPVisionModelWithProjection
        parts["feature_extractor"] = transformers.CLIPImageProcessor
        options["image"] = Image.open(image)
    loaded = {name: part.from_pretrained(os.path.join(model, name)) for name, part in parts.items()}
    with torch.no_grad():
        images = pipeline(**loaded)(**options).images
    return (images * 255).round().astype("uint8")


if sys.argv[1] == "versions":
    print(json.dumps(VERSIONS))
else:
    pixels = generate(**json.load(sys.stdin))
    print(base64.b64encode(pixels.tobytes()).decode())
