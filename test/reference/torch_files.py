"""Files written by PyTorch, for the readers in lib/weights."""

import re
import zipfile
from argparse import Namespace
from functools import partial
from pathlib import Path, PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from unittest.mock import patch

import torch

MODULE = Path(__file__).parents[1] / "fixtures/torch/module.pt"


class Net(torch.nn.Module):
    __module__ = "__main__"  # a class of the user's program, as in most checkpoints

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
    """Checkpoints in each format of torch.save, and one with a class that readers must refuse."""
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
    torch.save(
        {"epoch": 3, "global_step": 7, "state_dict": Net().state_dict()}, out / "lightning.ckpt"
    )
    torch.save({"state_dict": {}, "callback": partial(print)}, out / "foreign-class.ckpt")


def training(out):
    """A checkpoint with what training programs store beside the weights: settings, paths and EMA."""
    paths = [PosixPath("/data"), PurePosixPath("a/b"), PureWindowsPath("a/b"), OnWindows()]
    state_dict = Net().state_dict()
    checkpoint = {
        "hyper_parameters": Namespace(root=PosixPath("/data"), steps=7),
        "callbacks": {Namespace: {"best": PosixPath("last.ckpt")}, ("ema", 0.999): paths},
        "ema_state_dict": {key: value / 2 for key, value in state_dict.items()},
        "state_dict": state_dict,
    }
    torch.save(checkpoint, out / "training.ckpt")


class OnWindows:
    """Pickled as a WindowsPath, which cannot be created on other systems."""

    def __reduce__(self):
        return WindowsPath, ("C:\\", "models")


# Used instead of memory addresses, by which the legacy format names storages.
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
    """module.pt: a scripted module.

    TorchScript records the path and line of each function's source. They are taken from the
    committed file, so that the bytes do not depend on where this file and PyTorch are installed.
    """
    locate, packages = (
        torch._sources.get_source_lines_and_file,
        str(Path(torch.__file__).parents[1]),
    )
    own_path = recorded_path("__torch__.py")
    linear_path = recorded_path("__torch__/torch/nn/modules/linear.py")
    recorded_packages = linear_path.removesuffix("/torch/nn/modules/linear.py")

    def locate_as_committed(*args):
        lines, line, path = locate(*args)
        if path == __file__:
            return lines, 22, own_path
        return lines, line, path.replace(packages, recorded_packages)

    with patch.object(torch._sources, "get_source_lines_and_file", locate_as_committed):
        torch.jit.script(Net()).save(str(out / "module.pt"))


def recorded_path(code):
    """The source path that the committed module.pt has for a file of its code."""
    with zipfile.ZipFile(MODULE) as archive:
        debug = archive.read(f"module/code/{code}.debug_pkl")
    return re.search(rb"/[ -~]+?[.]py", debug)[0].decode()
