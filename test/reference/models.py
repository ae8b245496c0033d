"""Loads models with diffusers and transformers, and makes the model `small` with the formula."""

import json
import os
import sys
from pathlib import Path
from unittest.mock import patch

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
}
import torch
from diffusers import (
    PriorTransformer,
    UnCLIPImageVariationPipeline,
    UnCLIPPipeline,
    UnCLIPScheduler,
    UNet2DConditionModel,
    UNet2DModel,
)
from diffusers.pipelines.unclip import UnCLIPTextProjModel
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

import formula

TINY = Path(__file__).parents[2] / "models/karlo-tiny"

NETWORKS = {
    "prior": PriorTransformer,
    "decoder": UNet2DConditionModel,
    "text_proj": UnCLIPTextProjModel,
    "super_res_first": UNet2DModel,
    "super_res_last": UNet2DModel,
    "text_encoder": CLIPTextModelWithProjection,
    "image_encoder": CLIPVisionModelWithProjection,
}
TEXT_TO_IMAGE = [
    "prior",
    "decoder",
    "text_proj",
    "super_res_first",
    "super_res_last",
    "text_encoder",
]
IMAGE_VARIATION = [
    "decoder",
    "text_proj",
    "super_res_first",
    "super_res_last",
    "text_encoder",
    "image_encoder",
]


def load_network(model, name, dtype=torch.float32):
    return NETWORKS[name].from_pretrained(Path(model, name), torch_dtype=dtype).eval()


def load_tokenizer(model):
    """The slow tokenizer, as it works without ftfy."""
    with patch.dict(sys.modules, {"ftfy": None}):
        return CLIPTokenizer.from_pretrained(Path(model, "tokenizer"))


def load_schedulers(model, *stages):
    return {
        f"{name}_scheduler": UnCLIPScheduler.from_pretrained(Path(model, f"{name}_scheduler"))
        for name in stages
    }


def text_to_image(model, dtype=torch.float32):
    """The text-to-image pipeline of a model folder."""
    return text_to_image_of(
        {name: load_network(model, name, dtype) for name in TEXT_TO_IMAGE},
        load_schedulers(model, "prior", "decoder", "super_res"),
        load_tokenizer(model),
    )


def text_to_image_of(networks, schedulers, tokenizer):
    pipeline = UnCLIPPipeline(
        tokenizer=tokenizer, **{name: networks[name] for name in TEXT_TO_IMAGE}, **schedulers
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def image_variation(model, dtype=torch.float32):
    """The image variation pipeline of a model folder."""
    return image_variation_of(
        {name: load_network(model, name, dtype) for name in IMAGE_VARIATION},
        load_schedulers(model, "decoder", "super_res"),
        load_tokenizer(model),
        CLIPImageProcessor.from_pretrained(Path(model, "feature_extractor")),
    )


def image_variation_of(networks, schedulers, tokenizer, feature_extractor):
    pipeline = UnCLIPImageVariationPipeline(
        tokenizer=tokenizer,
        feature_extractor=feature_extractor,
        **{name: networks[name] for name in IMAGE_VARIATION},
        **schedulers,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def square_processor(image_encoder):
    """Preprocessing to the square that an image encoder takes."""
    side = image_encoder.config.image_size
    return CLIPImageProcessor(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    )


def generators(seed, count):
    """One generator an image: image `j` of a batch has the noise of `seed + j`."""
    return [torch.Generator().manual_seed(seed + j) for j in range(count)]


def small_networks():
    """The networks of the model `small`, by name, with the weights of the formula."""
    for name, network in small().items():
        weights = {
            key: formula.weight(name, key, value.shape)
            for key, value in network.state_dict().items()
        }
        network.load_state_dict(weights)
        yield name, network.eval()


def write_small_model(folder):
    """Writes the model `small` to `folder`, with karlo-tiny's tokenizer."""
    for name, network in small_networks():
        network.save_pretrained(Path(folder, name))
    for name, scheduler in SMALL_SCHEDULERS.items():
        UnCLIPScheduler(**scheduler).save_pretrained(Path(folder, name))
    square_processor(small()["image_encoder"]).save_pretrained(Path(folder, "feature_extractor"))
    load_tokenizer(TINY).save_pretrained(Path(folder, "tokenizer"))
    classes = {
        name: [network.__module__.split(".")[0], network.__name__]
        for name, network in NETWORKS.items()
    }
    index = {"_class_name": "UnCLIPPipeline", "_diffusers_version": "0.33.1", **classes}
    Path(folder, "model_index.json").write_text(json.dumps(index, indent=1))


def text_encoder(width, layers, heads):
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=77,
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
            num_embeddings=77,
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


def small():
    return cascade(
        64, (2, 32, 2), decoder(16, (32, 64), 16, 48, 8, 1),
        lambda: super_resolution(32, (32, 64), 8, 1), (64, 2, 2, 64, 16),
    )  # fmt: skip


SMALL_SCHEDULERS = {
    "prior_scheduler": {
        "variance_type": "fixed_small_log",
        "prediction_type": "sample",
        "clip_sample_range": 5.0,
    },
    "decoder_scheduler": {"variance_type": "learned_range", "prediction_type": "epsilon"},
    "super_res_scheduler": {"variance_type": "fixed_small_log", "prediction_type": "epsilon"},
}
