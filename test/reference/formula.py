"""Weights and inputs that a formula makes, so that no golden stores them.

The formula gives the same numbers in every language: test/fixtures/formula.ts is its TypeScript
side. Integer arithmetic is modulo 2^32, and every result is exact in float32.

    seed      = FNV-1a, 32 bits, of the UTF-8 bytes of NAME
    h(i)      = mix(seed + i * 0x9E3779B9), for element i in row-major order
    mix(x)    : x ^= x >> 16; x *= 0x7FEB352D; x ^= x >> 15; x *= 0x846CA68B; x ^= x >> 16
    noise(i)  = ((h(i) >> 16) - 32768) / 32768, in [-1, 1)

The NAME of a weight is NETWORK/KEY, such as "decoder/conv_in.weight". Its value follows the first
rule that matches:

    KEY ends with "bias"                      noise / 32
    KEY is "clip_mean"                        noise / 2
    KEY is "clip_std"                         0.5 + noise / 8
    KEY is "positional_embedding"             noise / 4
    one dimension, and KEY contains "norm"    1 + noise / 8
    one dimension, or KEY is "prd_embedding"  noise
    otherwise                                 noise / 2^k

where k is the largest integer for which 4^k <= shape[1] * shape[2] * ...

The NAME of a network's input is inputs/NETWORK/INPUT, and its value is 2 * noise. Both
super-resolution networks are called super_res there.
"""

import math

import numpy as np
import torch


def noise(name, shape):
    """Float32 values in [-1, 1) that depend only on `name` and the element's index."""
    index = np.arange(math.prod(shape), dtype=np.uint32)
    values = mix(index * np.uint32(0x9E3779B9) + np.uint32(fnv1a(name)))
    values = ((values >> np.uint32(16)).astype(np.float32) - np.float32(32768)) / np.float32(32768)
    return torch.from_numpy(values).reshape(tuple(shape))


def fnv1a(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def mix(x):
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def weight(network, key, shape):
    values = noise(f"{network}/{key}", shape)
    if key.endswith("bias"):
        return values / 32
    if key == "clip_mean":
        return values / 2
    if key == "clip_std":
        return 0.5 + values / 8
    if key == "positional_embedding":
        return values / 4
    if len(shape) == 1 and "norm" in key:
        return 1 + values / 8
    if len(shape) == 1 or key == "prd_embedding":
        return values
    k = (math.prod(shape[1:]).bit_length() - 1) // 2
    return values / 2**k


def network_input(network, name, shape):
    """A network's floating-point input, the batch included in `shape`."""
    return 2 * noise(f"inputs/{network}/{name}", shape)
