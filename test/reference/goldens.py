"""Makes goldens, or checks that they can be made: see "Goldens" in CONTRIBUTING.md.

    python goldens.py [--check] [NAME ...]

goldens.json is the table. Its keys are recipes, MODULE.FUNCTION in this folder; NAME selects the recipes that contain
it. `files` are what a recipe writes, in `folder`, and `tolerance` tells people what the tests of these files allow.
Recipes run in the table's order: some read files that earlier ones wrote.
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
    parser = argparse.ArgumentParser(prog="npm run goldens --", description="Makes the goldens anew.")
    parser.add_argument("--check", action="store_true", help="make them in a temporary folder and compare the bytes")
    parser.add_argument("name", nargs="*", help="part of a recipe's name; by default all recipes")
    options = parser.parse_args()
    names = [name for name in TABLE if not options.name or any(part in name for part in options.name)]
    if not names:
        sys.exit(f"No recipe matches {' '.join(options.name)}. Recipes: {', '.join(TABLE)}.")
    if sys.version_info[:2] != (3, 11):
        sys.exit(f"Expected Python 3.11 but this is {sys.version.split()[0]}.")
    same = [run(name, check if options.check else replace) for name in names]
    sys.exit(0 if all(same) else 1)


def run(name, use):
    """Whether every file that the recipe makes has the committed bytes, or replaces them."""
    recipe = TABLE[name]
    with TemporaryDirectory() as folder:
        in_new_process(make, name, Path(folder))
        files = [(Path(folder, file), Path(recipe["folder"], file)) for file in recipe["files"]]
        return all([use(made, golden, recipe.get("tolerance")) for made, golden in files])


def make(name, folder):
    module, function = name.split(".")
    getattr(importlib.import_module(module), function)(folder)


def replace(made, golden, _):
    (REPOSITORY / golden).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, REPOSITORY / golden)
    print(f"wrote    {golden}", flush=True)
    return True


def check(made, golden, tolerance):
    committed = REPOSITORY / golden
    if committed.exists() and made.read_bytes() == committed.read_bytes():
        print(f"OK       {golden}", flush=True)
        return True
    allowed = f" (tests allow {tolerance})" if tolerance else ""
    print(f"differs  {golden}: {difference(made, committed)}{allowed}", flush=True)
    return False


if __name__ == "__main__":
    main()
