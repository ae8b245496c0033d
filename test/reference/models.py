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
    pipeline = UnCLIPPipeline(
        tokenizer=load_tokenizer(model),
        **{name: load_network(model, name, dtype) for name in TEXT_TO_IMAGE},
        **load_schedulers(model, "prior", "decoder", "super_res"),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def image_variation(model, dtype=torch.float32):
    """The image variation pipeline of a model folder."""
    pipeline = UnCLIPImageVariationPipeline(
        tokenizer=load_tokenizer(model),
        feature_extractor=CLIPImageProcessor.from_pretrained(Path(model, "feature_extractor")),
        **{name: load_network(model, name, dtype) for name in IMAGE_VARIATION},
        **load_schedulers(model, "decoder", "super_res"),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generators(seed, count):
    """One generator an image: image `j` of a batch has the noise of `seed + j`."""
    return [torch.Generator().manual_seed(seed + j) for j in range(count)]


def small_networks():
    """The networks of the model `small`, by name, with the weights of the formula."""
    for name in NETWORKS:
        network = SMALL[name]().eval()
        weights = {
            key: formula.weight(name, key, value.shape)
            for key, value in network.state_dict().items()
        }
        network.load_state_dict(weights)
        yield name, network


def write_small_model(folder):
    """Writes the model `small` to `folder`, with karlo-tiny's tokenizer."""
    for name, network in small_networks():
        network.save_pretrained(Path(folder, name))
    for name, scheduler in SMALL_SCHEDULERS.items():
        UnCLIPScheduler(**scheduler).save_pretrained(Path(folder, name))
    side = SMALL["image_encoder"]().config.image_size
    processor = CLIPImageProcessor(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    )
    processor.save_pretrained(Path(folder, "feature_extractor"))
    load_tokenizer(TINY).save_pretrained(Path(folder, "tokenizer"))
    classes = {
        name: [network.__module__.split(".")[0], network.__name__]
        for name, network in NETWORKS.items()
    }
    index = {"_class_name": "UnCLIPPipeline", "_diffusers_version": "0.33.1", **classes}
    Path(folder, "model_index.json").write_text(json.dumps(index, indent=1))


def small_super_resolution():
    return UNet2DModel(
        sample_size=32,
        in_channels=6,
        out_channels=3,
        down_block_types=("ResnetDownsampleBlock2D",) * 2,
        up_block_types=("ResnetUpsampleBlock2D",) * 2,
        block_out_channels=(32, 64),
        layers_per_block=1,
        norm_num_groups=8,
        add_attention=False,
    )


SMALL = {
    "prior": lambda: PriorTransformer(
        num_attention_heads=2,
        attention_head_dim=32,
        num_layers=2,
        embedding_dim=64,
        num_embeddings=77,
        additional_embeddings=4,
    ),
    "decoder": lambda: UNet2DConditionModel(
        sample_size=16,
        in_channels=3,
        out_channels=6,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        block_out_channels=(32, 64),
        layers_per_block=1,
        attention_head_dim=16,
        cross_attention_dim=48,
        class_embed_type="identity",
        resnet_time_scale_shift="scale_shift",
        norm_num_groups=8,
    ),
    "text_proj": lambda: UnCLIPTextProjModel(
        clip_embeddings_dim=64,
        time_embed_dim=4 * 32,
        cross_attention_dim=48,
        clip_extra_context_tokens=4,
    ),
    "super_res_first": small_super_resolution,
    "super_res_last": small_super_resolution,
    "text_encoder": lambda: CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=64,
            intermediate_size=256,
            projection_dim=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            hidden_act="quick_gelu",
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=49407,
        )
    ),
    "image_encoder": lambda: CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=64,
            intermediate_size=256,
            projection_dim=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=64,
            patch_size=16,
            hidden_act="quick_gelu",
        )
    ),
}
SMALL_SCHEDULERS = {
    "prior_scheduler": {
        "variance_type": "fixed_small_log",
        "prediction_type": "sample",
        "clip_sample_range": 5.0,
    },
    "decoder_scheduler": {"variance_type": "learned_range", "prediction_type": "epsilon"},
    "super_res_scheduler": {"variance_type": "fixed_small_log", "prediction_type": "epsilon"},
}
