"""Token ids of transformers' and OpenAI's CLIP tokenizers.

Both depend on the tables of Unicode 14, which are those of Python 3.11.
"""

import gzip
import hashlib
import json
import unicodedata
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import models
import prompts

FIXTURES = Path(__file__).parents[1] / "fixtures/text"


def transformers_corpus(out):
    """corpus.json.gz: each text, its ids without padding, and the text that truncation removes."""
    tokenizer = models.load_tokenizer(models.TINY)

    def encode(text):
        whole = tokenizer(text).input_ids
        removed = [tokenizer.batch_decode([whole[76:-1]])[0]] if len(whole) > 77 else []
        return [text, tokenizer(text, max_length=77, truncation=True).input_ids, *removed]

    write_rows(out / "corpus.json.gz", map(encode, prompts.strings()))


def openai_corpus(out):
    """kakao.json.gz: OpenAI's ids of each text, or null if transformers' are the same.

    "mojibake" marks texts whose encoding ftfy repairs. "newer" marks those in which the regex
    module, whose tables are newer than Unicode 14, finds letters that were unassigned then.
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
    """codepoints.json: the first 8 digits of the SHA-256 of each block of 4096 code points.

    A block has a line for each character, except surrogates: the ids of "x" + character + "y".
    """
    tokenizer, blocks = models.load_tokenizer(models.TINY), {}
    for start in range(0, 0x110000, 0x1000):
        characters = (chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c < 0xE000)
        tokens = (tokenizer.tokenize(f"x{character}y") for character in characters)
        lines = (",".join(map(str, tokenizer.convert_tokens_to_ids(one))) + "\n" for one in tokens)
        blocks[f"{start:x}"] = hashlib.sha256("".join(lines).encode()).hexdigest()[:8]
    (out / "codepoints.json").write_text(json.dumps(blocks, indent=2) + "\n")


def openai_tokenizer():
    """Loaded from its file, because importing the package needs an old version of setuptools."""
    [folder] = find_spec("clip").submodule_search_locations
    spec = spec_from_file_location("simple_tokenizer", Path(folder, "simple_tokenizer.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def write_rows(path, rows):
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(("[\n" + ",\n".join(lines) + "\n]\n").encode())
