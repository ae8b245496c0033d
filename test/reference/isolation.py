"""Runs a function in a Python process of its own."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from unittest.mock import patch


def in_new_process(function, *args, environment={}):
    """The function's result from a new process, which starts with the variables of `environment`.

    Sets are iterated in one order in all of these processes: TorchScript writes the elements of some.
    """
    variables = {"PYTHONHASHSEED": "2", **environment}
    with patch.dict(os.environ, variables), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *args).result()
