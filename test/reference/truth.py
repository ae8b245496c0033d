"""Goldens in float64, which test/parity/truth.test.ts reads: what an image is without rounding.

The four models have widths, heads and sizes that are no powers of two; the formula makes their
weights, with matrices half as large as those of the model `small`, which magnify rounding.

truth.json has, by model, `configs` (network -> config), `cases`, and for each image `max` and
`mean`: how far the reference in float32 is from it, in units of 1/255. MODEL.png has the images of
all cases, one below the other.
"""

import numpy as np
from diffusers import PriorTransformer, UNet2DConditionModel, UNet2DModel, UnCLIPScheduler
from diffusers.pipelines.unclip import UnCLIPTextProjModel
from PIL import Image
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

import formula
import models
from pipelines import compared, generate, vary, write_json

TOKENS = 77


def text_encoder(width, layers, heads):
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=TOKENS,
            hidden_act="quick_gelu",
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=49407,
        )
    )


def image_encoder(projection, width, layers, heads, side, patch_size):
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=projection,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            image_size=side,
            patch_size=patch_size,
            hidden_act="quick_gelu",
        )
    )


def decoder(side, widths, head, context, groups, layers, time="scale_shift"):
    levels = len(widths)
    down = ["ResnetDownsampleBlock2D"] + ["SimpleCrossAttnDownBlock2D"] * (levels - 1)
    up = ["SimpleCrossAttnUpBlock2D"] * (levels - 1) + ["ResnetUpsampleBlock2D"]
    return UNet2DConditionModel(
        sample_size=side,
        in_channels=3,
        out_channels=6,
        down_block_types=down,
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=up,
        block_out_channels=widths,
        layers_per_block=layers,
        attention_head_dim=head,
        cross_attention_dim=context,
        class_embed_type="identity",
        resnet_time_scale_shift=time,
        norm_num_groups=groups,
    )


def super_resolution(side, widths, groups, layers, time="default"):
    return UNet2DModel(
        sample_size=side,
        in_channels=6,
        out_channels=3,
        down_block_types=("ResnetDownsampleBlock2D",) * len(widths),
        up_block_types=("ResnetUpsampleBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=layers,
        resnet_time_scale_shift=time,
        norm_num_groups=groups,
        add_attention=False,
    )


def cascade(embedding, prior, decoder, super_resolution, vision):
    """The networks of a model, by name."""
    heads, head, layers = prior
    return {
        "prior": PriorTransformer(
            num_attention_heads=heads,
            attention_head_dim=head,
            num_layers=layers,
            embedding_dim=embedding,
            num_embeddings=TOKENS,
            additional_embeddings=4,
        ),
        "decoder": decoder,
        "text_proj": UnCLIPTextProjModel(
            clip_embeddings_dim=embedding,
            time_embed_dim=4 * decoder.config.block_out_channels[0],
            cross_attention_dim=decoder.config.cross_attention_dim,
            clip_extra_context_tokens=4,
        ),
        "super_res_first": super_resolution(),
        "super_res_last": super_resolution(),
        "text_encoder": text_encoder(embedding, 2, heads),
        "image_encoder": image_encoder(embedding, *vision),
    }


MODELS = {
    "one-level": lambda: cascade(
        60, (3, 20, 2), decoder(13, (48,), 24, 40, 12, 2),
        lambda: super_resolution(27, (56,), 7, 1), (48, 2, 4, 36, 12),
    ),
    "two-levels": lambda: cascade(
        72, (6, 12, 3), decoder(22, (48, 80), 20, 56, 16, 1),
        lambda: super_resolution(38, (24, 56), 8, 2), (72, 2, 3, 48, 16),
    ),
    "three-levels": lambda: cascade(
        80, (4, 20, 2), decoder(20, (24, 60, 84), 12, 48, 12, 1),
        lambda: super_resolution(44, (24, 56, 88), 8, 1, "scale_shift"), (60, 3, 5, 42, 14),
    ),
    "unscaled": lambda: cascade(
        96, (4, 24, 2), decoder(28, (48, 72, 120), 24, 64, 24, 2, "default"),
        lambda: super_resolution(60, (48, 80, 112), 16, 1), (84, 2, 7, 56, 8),
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
        pipelines = {"prompt": text_to_image(networks), "image": image_variation(networks)}
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


def text_to_image(networks):
    pipeline = models.UnCLIPPipeline(
        tokenizer=models.load_tokenizer(models.TINY),
        **{name: networks[name] for name in models.TEXT_TO_IMAGE},
        **schedulers("prior", "decoder", "super_res"),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def image_variation(networks):
    side = networks["image_encoder"].config.image_size
    pipeline = models.UnCLIPImageVariationPipeline(
        tokenizer=models.load_tokenizer(models.TINY),
        feature_extractor=CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        **{name: networks[name] for name in models.IMAGE_VARIATION},
        **schedulers("decoder", "super_res"),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def schedulers(*stages):
    return {
        f"{name}_scheduler": UnCLIPScheduler(**models.SMALL_SCHEDULERS[f"{name}_scheduler"])
        for name in stages
    }
