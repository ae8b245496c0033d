"""The code points that the tokenizer drops: the constant of lib/tokenizer/unicode-14.ts."""

import unicodedata
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "lib/tokenizer/unicode-14.ts"
DECLARATION = "export const DROPPED_GAPS =\n"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def dropped_gaps(out):
    """The text before the constant is copied from the file as it is."""
    before = SOURCE.read_text().split(DECLARATION)[0]
    edges = [c for c in range(0x110000) if dropped(c) != (c > 0 and dropped(c - 1))] + [0x110000]
    gaps = [base36(to - since) for since, to in zip([0, *edges], edges)]
    lines = " +\n  ".join(f"'{line}'" for line in wrap(gaps))
    (out / SOURCE.name).write_text(f"{before}{DECLARATION}  {lines};\n")


def dropped(codepoint):
    """Whether it is in general category C, or U+FFFD, and neither a tab nor a line ending."""
    character = chr(codepoint)
    return codepoint == 0xFFFD or (
        unicodedata.category(character)[0] == "C" and character not in "\t\n\r"
    )


def base36(number):
    rest, digit = divmod(number, 36)
    return (base36(rest) if rest else "") + DIGITS[digit]


def wrap(words):
    """Lines of at most 93 characters, each with the space before the next word."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 92:
            lines.append("")
        lines[-1] += word + " "
    lines[-1] = lines[-1].rstrip()
    return lines
