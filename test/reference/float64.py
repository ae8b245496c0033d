"""Runs a pipeline with its networks in float64: what an image is without rounding.

Noise is drawn in float32 all the same, and the scheduler's coefficients are its own float32
numbers, because both are part of what an image is.
"""

from contextlib import contextmanager
from unittest.mock import patch

import torch
from diffusers.utils.torch_utils import randn_tensor

FLOAT32_LIMITS = torch.finfo(torch.float32)


@contextmanager
def in_float64(pipeline):
    networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    for network in networks:
        network.double()
    with (
        # The lowest float64 does not fit into the float32 tensor of a mask.
        patch("transformers.modeling_attn_mask_utils.torch.finfo", lambda _: FLOAT32_LIMITS),
        patch("diffusers.schedulers.scheduling_unclip.randn_tensor", draw),
        patch("diffusers.pipelines.unclip.pipeline_unclip.randn_tensor", draw),
        patch("diffusers.pipelines.unclip.pipeline_unclip_image_variation.randn_tensor", draw),
    ):
        yield
    for network in networks:
        network.float()


def draw(shape, dtype=None, **settings):
    return randn_tensor(shape, dtype=torch.float32, **settings).to(dtype)
