"""Token ids of transformers' and OpenAI's CLIP tokenizers, which test/tokenizer reads.

Both depend on the Unicode tables of Python 3.11 (version 14).
"""

import gzip
import hashlib
import json
import sys
import unicodedata
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from unittest.mock import patch

import models
import prompts

FIXTURES = Path(__file__).parents[1] / "fixtures/text"


def transformers_corpus(out):
    """corpus.json.gz: each text with its ids, no padding; and the text that truncation removes, where it does."""
    tokenizer = transformers_tokenizer()

    def encode(text):
        whole = tokenizer(text).input_ids
        removed = [tokenizer.batch_decode([whole[76:-1]])[0]] if len(whole) > 77 else []
        return [text, tokenizer(text, max_length=77, truncation=True).input_ids, *removed]

    write_rows(out / "corpus.json.gz", map(encode, prompts.strings()))


def openai_corpus(out):
    """kakao.json.gz: for each text of corpus.json.gz the ids of OpenAI's tokenizer, null where they are the same.

    "mojibake" where ftfy repairs a wrong encoding. "newer" where the regex module sees letters that are unassigned in
    Unicode 14: its tables are ahead of those of JavaScript engines.
    """
    import ftfy
    import regex

    tokenizer = openai_tokenizer()
    with gzip.open(FIXTURES / "corpus.json.gz") as corpus:
        theirs = {text: ids for text, ids, *_ in json.load(corpus)}

    def encode(text):
        if ftfy.fix_text(text) != ftfy.fix_text(text, fix_encoding=False):
            return "mojibake"
        if any(unicodedata.category(c) == "Cn" and regex.match(r"[\p{L}\p{N}]", c) for c in text):
            return "newer"
        start, end = tokenizer.encoder["<|startoftext|>"], tokenizer.encoder["<|endoftext|>"]
        ids = [start, *tokenizer.encode(text)[:75], end]
        return None if ids == theirs[text] else ids

    write_rows(out / "kakao.json.gz", map(encode, prompts.strings()))


def codepoints(out):
    """codepoints.json: for each block of 4096 code points, the first 8 digits of the SHA-256 of their ids.

    The ids are those of "x" + character + "y", one character a line; surrogates are left out.
    """
    tokenizer, blocks = transformers_tokenizer(), {}
    for start in range(0, 0x110000, 0x1000):
        characters = (chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c < 0xE000)
        tokens = (tokenizer.tokenize(f"x{character}y") for character in characters)
        lines = (",".join(map(str, tokenizer.convert_tokens_to_ids(one))) + "\n" for one in tokens)
        blocks[f"{start:x}"] = hashlib.sha256("".join(lines).encode()).hexdigest()[:8]
    (out / "codepoints.json").write_text(json.dumps(blocks, separators=(",", ":")))


def transformers_tokenizer():
    """The slow tokenizer as it is where ftfy is not installed."""
    with patch.dict(sys.modules, {"ftfy": None}):
        return models.load_tokenizer(models.TINY)


def openai_tokenizer():
    """From its file: the package imports a module that current setuptools no longer have."""
    [folder] = find_spec("clip").submodule_search_locations
    spec = spec_from_file_location("simple_tokenizer", Path(folder, "simple_tokenizer.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def write_rows(path, rows):
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(("[\n" + ",\n".join(lines) + "\n]\n").encode())
