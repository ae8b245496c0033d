"""Regenerates goldens, or checks that regenerating them gives the committed bytes.

    python goldens.py [--check] [NAME ...]

goldens.json lists the recipes: a key is MODULE.FUNCTION in this folder, `files` are what that
function writes, `folder` is where they belong, and `tolerance` is what their tests allow, for the
report. Recipes run in the order of the list, because some read files that earlier ones write.
"""

import argparse
import importlib
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from compare import difference
from isolation import in_new_process

REPOSITORY = Path(__file__).parents[2]
TABLE = json.loads(Path(__file__).with_name("goldens.json").read_text())


def main():
    parser = argparse.ArgumentParser(
        prog="npm run goldens --", description="Regenerates the goldens."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the committed files instead of replacing them",
    )
    parser.add_argument("name", nargs="*", help="part of a recipe's name (default: all recipes)")
    options = parser.parse_args()
    names = [
        name for name in TABLE if not options.name or any(part in name for part in options.name)
    ]
    if not names:
        sys.exit(f"No recipe matches {' '.join(options.name)}. Recipes: {', '.join(TABLE)}.")
    use = check if options.check else replace
    same = [result for name in names for result in run(name, use)]
    if not options.check:
        return
    print(f"{same.count(True)} of {len(same)} files have the committed bytes.")
    sys.exit(0 if all(same) else 1)


def run(name, use):
    recipe = TABLE[name]
    with TemporaryDirectory() as folder:
        in_new_process(make, name, Path(folder))
        files = [(Path(folder, file), Path(recipe["folder"], file)) for file in recipe["files"]]
        return [use(made, golden, recipe.get("tolerance")) for made, golden in files]


def make(name, folder):
    module, function = name.split(".")
    getattr(importlib.import_module(module), function)(folder)


def replace(made, golden, _):
    (REPOSITORY / golden).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, REPOSITORY / golden)
    print(f"wrote    {golden}", flush=True)


def check(made, golden, tolerance):
    committed = REPOSITORY / golden
    same = committed.exists() and made.read_bytes() == committed.read_bytes()
    if same:
        print(f"OK       {golden}", flush=True)
    else:
        allowed = f" (tests allow {tolerance})" if tolerance else ""
        print(f"differs  {golden}: {difference(made, committed)}{allowed}", flush=True)
    return same


if __name__ == "__main__":
    main()
