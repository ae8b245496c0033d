"""Two thousand strings that test a tokenizer: words, scripts, emoji, HTML entities, control characters and mixes."""

import random

# fmt: off
WORDS = """a an the of on in with and under over red blue green yellow heart star circle photo portrait painting watercolor oil
astronaut riding horse teddy bear skateboard Times Square highly detailed cinematic lighting 8k unreal engine trending artstation
Rene Magritte avocado face silver hair business woman Goryeo celadon bird shape black porcelain pikachu monk supercalifragilistic
floccinaucinihilipilification don't it's we're they've I'm you'll he'd rock'n'roll o'clock can't've Steve's mother-in-law e.g. i.e.
#hashtag @user http://example.com/a?b=c&d=e user@example.org 3.14159 1,000,000 50% $9.99 C++ C# F1 4K mp3 iPhone15 2024-01-31""".split()
KOREAN = "빨간 하트 고려청자 새 모양 한국어 프롬프트 강아지가 공원에서 뛰어놀고있다 ㅋㅋㅋ ㅠㅠ ᄒ".split()
CJK = "红色的心 白色背景 漢字 繁體中文 赤いハート 白い背景 ひらがな カタカナ ﾊﾝｶｸ 東京タワー 𠮷野家 㐂 豈 丽 々 〆 ー「」、。".split()
EMOJI = ["❤️", "❤", "😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇰🇷", "1️⃣", "👨🏿‍🚀", "🧑‍🎨", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🫠", "🫨", "🩷", "™️", "☕︎"]
ACCENTS = ["é", "e\u0301", "ñ", "n\u0303", "Å", "Å", "A\u030a", "ﬁancé", "naïve", "Ünïcödé", "q\u0307\u0323", "q\u0323\u0307", "İstanbul", "ıI", "ẞ", "straße", "ΟΔΥΣΣΕΥΣ", "ΑΣ.", "Σ", "ſ", "ǅ", "K", "Ω", "a\u0345b", "\u0345", "ŉ", "Ǆ", "ﬃ", "ﬅ", "각", "\u1100\u1161\u11a8", "Việt Nam", "Z\u0351\u036b\u0343a\u0322lgo"]
HTML = ["&amp;", "&amp;amp;", "&lt;b&gt;", "<b>bold</b>", "&quot;x&quot;", "&#39;s", "&#x2764;", "&eacute;", "&EACUTE;", "&nbsp;", "&notit;", "&not", "&ampere", "&#0;", "&#128;", "&#x110000;", "&#xD800;", "&bogus;", "&", "&;", "&#;", "&copy2024", "&NewLine;", "&fjlig;", "&#65", "&#1;", "&#xFFFF;", "&NTILDE;", "&SZLIG;"]
CONTROL = ["\0", "\x01", "\x07", "\x08", "\x0b", "\x0c", "\x1b[31mred\x1b[0m", "\x1c", "\x1f", "\x7f", "\x80", "\x85", "\x92", "\x9f", "\xad", "\u200b", "\u200c", "\u200d", "\u2060", "\u206a", "\ufeff", "\ufff9", "\ufffc", "\ufffd", "\ufffe", "\uffff", "\ue000", "\U000f0000", "\u0378", "\U0001fae8", "\u061c", "\u180e", "\ufe0f", "\U000e0001"]
SPACE = [" ", "  ", "\t", "\n", "\r", "\r\n", "\u00a0", "\u1680", "\u2000", "\u2003", "\u2009", "\u202f", "\u205f", "\u3000", "\u2028", "\u2029", " \u00a0 "]
RTL = "قلب أحمر على خلفية بيضاء مَرْحَبًا לב אדום שָׁלוֹם \u202eabc\u202c \u200fשלום\u200e ١٢٣ ۴۵۶".split(" ")
DIGITS = ["0", "12345", "½", "²³", "Ⅳ", "ⅷ", "①", "٣", "१२", "𝟙𝟚", "１２３", "1st", "x2", "3D", "〇", "一二三", "𝒜𝓑"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["...", "…", "—", "–", "«»", "“q”", "‘s", "’s", "¿", "!?!?", "'''", "''s", "!'s", "</w>", "a</w>", "<|", "|>", "◌", "°C", "₩1000", "€", "±", "→", "■□", "\u0300"]
CONTRACTIONS = ["it's", "IT'S", "it'ſ", "'s", "'S", "'t", "'re", "'RE", "'ve", "'m", "'ll", "'LL", "'d", "'x", "don''t", "y'all'd've", "'sup", "''", "' s", "l'été", "'k"]
SPECIAL = ["<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|StartOfText|>", "<|ſtartoftext|>", "a<|endoftext|>b", "<|endoftext|><|endoftext|>", "!<|endoftext|>", "!<|ENDOFTEXT|>", " <|startoftext|> ", "<|endoftext|", "<|<|endoftext|>|>", "<|endoftext|>'s", "x<|STARTOFTEXT|>y", "<|start\u200boftext|>"]
OTHERS = "красное сердце на белом фоне Ёлка ћирилица कला हृदय ไทย หัวใจ ភាសាខ្មែរ ქართული ᲐᲑᲒ ՀԱՅԵՐԵՆ አማርኛ ᏣᎳᎩ ꭰꭱ 𐐀𐐨 ⴰⵎⴰⵣⵉⵖ ᚠᚢᚦ 𓀀 ꙮ Ꙁ Ⓐⓐ ǲ ა".split()
KINDS = dict(words=WORDS, korean=KOREAN, cjk=CJK, emoji=EMOJI, accents=ACCENTS, html=HTML, control=CONTROL, space=SPACE, rtl=RTL, digits=DIGITS, punctuation=PUNCTUATION, contractions=CONTRACTIONS, special=SPECIAL, others=OTHERS)
# fmt: on


def any_character(r):
    while True:
        cp = r.choice(
            [
                r.randrange(0x250),
                r.randrange(0x3000),
                r.randrange(0x10000),
                r.randrange(0x20000),
                r.randrange(0x110000),
            ]
        )
        if not 0xD800 <= cp < 0xE000:
            return chr(cp)


def strings():
    r, out = random.Random(20240131), ["", " ", "\n", "\u3000"]
    for pieces in KINDS.values():
        out += pieces  # each piece alone
    while len(out) < 1000:  # one kind, glued in different ways
        kind = r.choice(list(KINDS.values()))
        out.append(
            r.choice(["", " ", "", r.choice(SPACE)]).join(r.choices(kind, k=r.randint(2, 8)))
        )
    while len(out) < 1600:  # all kinds together
        pieces = [r.choice(r.choice(list(KINDS.values()))) for _ in range(r.randint(2, 12))]
        out.append("".join(p + r.choice(["", " ", r.choice(SPACE)]) for p in pieces))
    while len(out) < 1850:  # arbitrary characters
        out.append("".join(any_character(r) for _ in range(r.randint(1, 12))))
    while len(out) < 1950:  # about as long as the context, so that the cut falls anywhere
        kinds = r.choice(
            [
                [WORDS],
                [WORDS, EMOJI],
                [WORDS, KOREAN],
                [CJK],
                [PUNCTUATION, WORDS],
                [WORDS, SPECIAL],
                [OTHERS],
            ]
        )
        out.append(" ".join(r.choice(r.choice(kinds)) for _ in range(r.randint(20, 80))))
    while len(out) < 2000:  # prompts of 500 words
        out.append(
            " ".join(r.choices(WORDS if len(out) % 5 else WORDS + KOREAN + EMOJI + OTHERS, k=500))
        )
    return out
