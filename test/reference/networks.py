"""Goldens of single networks, which test/parity/networks.test.ts reads.

Each network runs on 5 rows; the tests take the first 1 and 2 rows of inputs and outputs as smaller
batches. A golden holds the integer inputs `ids`, `mask` and `t`, and as NETWORK.OUTPUT every k-th
element of a flattened output. Its metadata has, as JSON, `stride` (output -> k), `shape` (output ->
shape) and `max` (output -> largest magnitude). Floating-point inputs come from the formula.
"""

import json

import torch
from safetensors.torch import save_file

import formula
import models

BATCH, TOKENS, EXTRA_TOKENS, SAMPLES = 5, 77, 4, 4000
PROMPT_LENGTHS = [9, 77, 2, 30, 5]
# The order of outputs in the goldens.
NETWORKS = [
    "text_encoder",
    "image_encoder",
    "prior",
    "text_proj",
    "decoder",
    "super_res_first",
    "super_res_last",
]


def tiny(out):
    """The networks of karlo-tiny."""
    networks = {name: models.load_network(models.TINY, name) for name in NETWORKS}
    write_outputs(networks, out / "tiny.safetensors")


def small(out):
    """The networks of the model `small`, with their configs and the shapes of their parameters."""
    networks = dict(models.small_networks())
    write_outputs(networks, out / "small.safetensors")
    for name, network in networks.items():
        network.save_pretrained(out / "small" / name)
    lines = [f"{json.dumps(name)}: {json.dumps(shapes(networks[name]))}" for name in NETWORKS]
    (out / "small.keys.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def shapes(network):
    return {key: list(value.shape) for key, value in network.state_dict().items()}


@torch.no_grad()
def write_outputs(networks, path):
    text = networks["text_encoder"].config
    integers = integer_inputs(text.vocab_size, text.eos_token_id)
    tensors, metadata = dict(integers), {"stride": {}, "shape": {}, "max": {}}
    for name in NETWORKS:
        for output, value in RUN[name](networks[name], integers).items():
            key = f"{name}.{output}"
            stride = max(1, value.numel() // SAMPLES) | 1  # odd: samples fall on every column
            tensors[key] = value.flatten()[::stride].contiguous()
            metadata["stride"][key], metadata["shape"][key] = stride, list(value.shape)
            metadata["max"][key] = value.abs().max().item()
    save_file(tensors, path, metadata={key: json.dumps(value) for key, value in metadata.items()})


def integer_inputs(vocabulary, end):
    """Token ids, which end with `end` after each prompt's length; the mask of those tokens; and
    timesteps."""
    mask = torch.zeros(BATCH, TOKENS, dtype=torch.int64)
    ids = torch.arange(BATCH * TOKENS).reshape(BATCH, TOKENS) * 7919 % (vocabulary - 2)
    ids[:, 0] = end - 1
    for row, length in enumerate(PROMPT_LENGTHS):
        mask[row, :length] = 1
        ids[row, length - 1 :] = end
    return {"ids": ids, "mask": mask, "t": torch.tensor([0, 7, 500, 999, 321])}


def inputs(network, **shapes):
    return [formula.network_input(network, name, (BATCH, *shape)) for name, shape in shapes.items()]


def run_text_encoder(network, integers):
    output = network(integers["ids"])
    return {"text_embeds": output.text_embeds, "last_hidden_state": output.last_hidden_state}


def run_image_encoder(network, _):
    c = network.config
    [pixels] = inputs("image_encoder", pixel_values=(c.num_channels, c.image_size, c.image_size))
    return {"image_embeds": network(pixels).image_embeds}


def run_prior(network, integers):
    width = network.config.embedding_dim
    x, embeds, hidden = inputs("prior", x=[width], text_embeds=[width], text_hidden=(TOKENS, width))
    output = network(x, integers["t"], embeds, hidden, integers["mask"].bool())
    return {"x0": output.predicted_image_embedding, "image_embeds": network.post_process_latents(x)}


def run_text_proj(network, _):
    width = network.config.clip_embeddings_dim
    image, text, hidden = inputs(
        "text_proj", image_embeds=[width], text_embeds=[width], text_hidden=(TOKENS, width)
    )
    context, labels = network(
        image_embeddings=image,
        prompt_embeds=text,
        text_encoder_hidden_states=hidden,
        do_classifier_free_guidance=False,
    )
    return {"class_labels": labels, "context": context}


def run_decoder(network, integers):
    c = network.config
    x, context, labels = inputs(
        "decoder",
        x=(c.in_channels, c.sample_size, c.sample_size),
        context=(EXTRA_TOKENS + TOKENS, c.cross_attention_dim),
        class_labels=[4 * c.block_out_channels[0]],
    )
    mask = torch.nn.functional.pad(integers["mask"].bool(), (EXTRA_TOKENS, 0), value=True)
    return {
        "output": network(
            x, integers["t"], context, class_labels=labels, attention_mask=mask
        ).sample
    }


def run_super_resolution(network, integers):
    c = network.config
    [x] = inputs("super_res", x=(c.in_channels, c.sample_size, c.sample_size))
    return {"output": network(x, integers["t"]).sample}


RUN = {
    "text_encoder": run_text_encoder,
    "image_encoder": run_image_encoder,
    "prior": run_prior,
    "text_proj": run_text_proj,
    "decoder": run_decoder,
    "super_res_first": run_super_resolution,
    "super_res_last": run_super_resolution,
}
