"""Runs a function in a new Python process."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from unittest.mock import patch


def in_new_process(function, *args, environment={}):
    """The function's result from a new process that has the variables in `environment`.

    The hash seed fixes the order of sets, in which TorchScript writes the constants of a module.
    """
    variables = {"PYTHONHASHSEED": "2", **environment}
    with (
        patch.dict(os.environ, variables),
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
    ):
        return process.submit(function, *args).result()
