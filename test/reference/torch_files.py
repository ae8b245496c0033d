"""Files that PyTorch writes, which the tests of lib/weights read: test/fixtures/torch."""

from pathlib import Path, PurePosixPath
from unittest.mock import patch

import torch


class Net(torch.nn.Module):
    __module__ = "__main__"  # as in the committed files, from a recipe that was a program of its own

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 3)
        self.layers = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 2, bias=False))
        self.scale = torch.nn.Parameter(torch.tensor([2.0, 4.0]))
        self.register_buffer("steps", torch.tensor(5))
        self.names, self.ratio, self.more = [1, 2], 1.5, [torch.ones(1)]
        for value, parameter in enumerate(self.parameters()):
            torch.nn.init.constant_(parameter, value + 1)

    def forward(self, x):
        return self.layers(self.linear(x)) * self.scale


def archives(out):
    """Checkpoints in each format of torch.save, and one with a class that no reader may construct."""
    count = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    views = {
        "whole": count,
        "transposed": count.t(),
        "window": count[1:3, 2:5],
        "half": torch.tensor([1.0, -2.0]).half(),
        "bfloat16": torch.tensor([1.0, -2.0]).bfloat16(),
        "int64": torch.tensor([1, -2]),
        "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    torch.save(views, out / "views.bin")
    torch.save(views, out / "views-protocol4.bin", pickle_protocol=4)
    with fixed_storage_keys():
        torch.save(views, out / "views-legacy.bin", _use_new_zipfile_serialization=False)
    torch.save((count[0] + 0, count[1] + 0), out / "pair.th")
    torch.save({"epoch": 3, "global_step": 7, "state_dict": Net().state_dict()}, out / "lightning.ckpt")
    torch.save({"state_dict": {}, "when": PurePosixPath("x")}, out / "foreign-class.ckpt")


# The old format names a storage by its address in memory. These are the addresses in the committed file.
STORAGE_KEYS = [
    94093602057232,
    94093498535552,
    94093498740128,
    94093498713648,
    94093498742368,
    94093498743024,
    94093498746752,
    94093602307072,
]


def fixed_storage_keys():
    address, keys, seen = torch._C.StorageBase._cdata, iter(STORAGE_KEYS), {}

    def key(storage):
        own = address.__get__(storage)
        if own not in seen:
            seen[own] = next(keys)
        return seen[own]

    return patch.object(torch.UntypedStorage, "_cdata", property(key), create=True)


def script_module(out):
    """module.pt: a scripted module. TorchScript records where each function's source is; the paths and the line are
    those in the committed file, so that the bytes depend neither on this file nor on the environment's folder."""
    locate, packages = torch._sources.get_source_lines_and_file, Path(torch.__file__).parents[1]

    def locate_as_committed(*args):
        lines, line, file = locate(*args)
        if file == __file__:
            return lines, 22, "/opt/karlo/wip/weights/test/fixtures/torch/make.py"
        return lines, line, file.replace(str(packages), "/opt/karlo/reference/lib/python3.11/site-packages")

    with patch.object(torch._sources, "get_source_lines_and_file", locate_as_committed):
        torch.jit.script(Net()).save(str(out / "module.pt"))
