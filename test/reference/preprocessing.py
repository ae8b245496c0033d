"""Images preprocessed by transformers' CLIPImageProcessor and Pillow, and unusual image files."""

import base64
import hashlib
import json
from itertools import product

import numpy as np
from PIL import Image
from transformers import CLIPImageProcessor

# fmt: off
CASES = [  # width, height, shortest edge, crop
    (32, 32, 32, 32), (31, 33, 32, 32), (33, 31, 32, 32), (64, 64, 32, 32), (65, 63, 32, 32),
    (50, 37, 32, 32), (37, 50, 32, 32), (100, 33, 32, 32), (33, 100, 32, 32), (200, 90, 32, 32),
    (91, 199, 32, 32), (640, 480, 32, 32), (479, 641, 32, 32), (1500, 20, 32, 32),
    (20, 1500, 32, 32), (1, 1, 32, 32), (1, 40, 32, 32), (40, 1, 32, 32), (1, 3, 32, 32),
    (3, 1, 32, 32), (3, 3, 32, 32), (7, 5, 32, 32), (5, 7, 32, 32), (20, 11, 32, 32),
    (2, 999, 32, 32), (50, 37, 33, 32), (37, 50, 41, 32), (91, 64, 36, 32), (64, 64, 47, 32),
    (7, 5, 35, 32),
]
# fmt: on


def resized(out):
    """One row for each case of resized.json: resized and cropped, and stretched to the square."""
    rows = []
    for width, height, edge, crop in CASES:
        image = pattern(width, height)
        rows.append(np.concatenate([cropped(image, edge, crop), stretched(image, crop)], axis=1))
    Image.fromarray(np.concatenate(rows)).save(out / "resized.png", optimize=True)
    (out / "resized.json").write_text(json.dumps(CASES) + "\n")


def pattern(width, height):
    """Noise next to ramps, with hard edges. test/images/helpers/pattern.ts draws the same.

    With the channel c and v = 73x + 151y + 199c, a value is (v^2 + 31 (x xor y)) / 256 where x + 2y
    has the bit 16, and otherwise 3x + 5y + 80c, modulo 256.
    """
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    v = x * 73 + y * 151 + c * 199
    noise = ((v * v + (x ^ y) * 31) & 0xFFFF) >> 8
    ramp = (x * 3 + y * 5 + c * 80) & 255
    return np.where(((x + 2 * y) >> 4) & 1, noise, ramp).astype(np.uint8)


def cropped(image, edge, crop):
    processor = CLIPImageProcessor(
        size={"shortest_edge": edge}, crop_size=crop, do_rescale=False, do_normalize=False
    )
    # Without a format, the processor takes the rows of an image 1 or 3 pixels high for channels.
    return processor(
        image, input_data_format="channels_last", data_format="channels_last"
    ).pixel_values[0]


def stretched(image, crop):
    return np.array(Image.fromarray(image).resize((crop, crop), Image.Resampling.BICUBIC))


# fmt: off
RESIZES = [  # from width, height, to width, height
    (64, 64, 32, 32), (65, 63, 32, 32), (50, 37, 43, 32), (37, 50, 32, 43), (33, 100, 32, 96),
    (200, 90, 71, 32), (91, 199, 32, 32), (199, 91, 32, 32), (640, 479, 31, 23), (7, 5, 35, 25),
    (5, 7, 45, 63), (1, 1, 8, 8), (1, 40, 16, 9), (40, 1, 9, 16), (3, 2, 97, 89), (32, 32, 32, 32),
    (32, 50, 32, 20), (50, 32, 20, 32), (20, 50, 40, 25), (50, 20, 25, 40), (1000, 3, 33, 3),
]
# fmt: on


def filters(out):
    """Images resized by Pillow with each of its filters: filter, sizes, and digest of the bytes."""
    rows = []
    for (width, height, *size), number in product(RESIZES, range(6)):
        image = Image.fromarray(pattern(width, height)).resize(size, number)
        rows.append([number, width, height, *size, *digest(np.array(image))])
    write_rows(out / "filters.json", rows)


def digest(values):
    """The SHA-256 of the values, and the first, the middle and the last one, for diagnosis."""
    flat = values.reshape(-1)
    sha256 = hashlib.sha256(values.tobytes()).hexdigest()
    return [sha256, *(flat[at].item() for at in (0, flat.size // 2, -1))]


def write_rows(path, rows):
    path.write_text("[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n")


def normalised(out):
    """`pixel_values` of every byte in every channel, little-endian float32 in base64."""
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    values = CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=16)(
        image, return_tensors="np"
    ).pixel_values
    text = base64.b64encode(values.astype("<f4").tobytes()).decode()
    (out / "normalised.json").write_text(json.dumps(text) + "\n")


IMAGES = [(50, 37), (37, 50), (7, 5), (33, 100), (200, 90), (32, 32)]
SQUARE = {"height": 32, "width": 32}
NUMBERS = {"size": 32, "crop_size": 32}
SQUASHED = {"size": SQUARE, "do_center_crop": False}
CONFIGS = [  # preprocessor_config.json, all of which give 32 x 32
    {"size": {"shortest_edge": 32}, "crop_size": SQUARE},
    {"size": {"shortest_edge": 47}, "crop_size": SQUARE},
    {"size": {"shortest_edge": 32, "longest_edge": 40}, "crop_size": 32},
    {"size": {"shortest_edge": 21}, "crop_size": 32},
    {"size": 35, "crop_size": 32, "feature_extractor_type": "CLIPFeatureExtractor"},
    {"size": SQUARE, "crop_size": SQUARE},
    {"size": {"height": 45, "width": 36}, "crop_size": 32},
    {"size": {"height": 20, "width": 45}, "crop_size": 32},
    {"size": [45, 21], "crop_size": [32, 32]},
    {**SQUASHED, "crop_size": {"height": 7, "width": 9}},
    {"do_resize": False, "crop_size": 32},
    {"do_resize": False, "size": SQUARE, "crop_size": 32, "resample": 2},
    {**NUMBERS, "do_rescale": False},
    {**NUMBERS, "do_normalize": False},
    {**NUMBERS, "do_rescale": False, "do_normalize": False},
    {**NUMBERS, "do_convert_rgb": False},
    {**NUMBERS, "rescale_factor": 1 / 127.5, "image_mean": [1, 1, 1], "image_std": [1, 1, 1]},
    {**NUMBERS, "rescale_factor": 1},
    {**NUMBERS, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    {**NUMBERS, "image_mean": 0.5, "image_std": 0.25},
    {**NUMBERS, "image_mean": None, "image_std": None},
    *({**NUMBERS, "resample": number} for number in range(6)),
    *({**SQUASHED, "resample": number} for number in range(6)),
]


def configs(out):
    """`pixel_values` of CLIPImageProcessor for each config: a list of sizes and digests."""
    rows = [[config, *(one(config, *size) for size in IMAGES)] for config in CONFIGS]
    rows.append([{}, one({}, 50, 37), one({}, 300, 451)])
    write_rows(out / "configs.json", rows)


def one(config, width, height):
    image = Image.fromarray(pattern(width, height))
    return [width, height, *digest(pixel_values(config, image))]


def pixel_values(config, image):
    """float32, as the pipeline casts them. Without rescaling and normalising, they are bytes."""
    processor = CLIPImageProcessor.from_dict(config)
    return processor(image, return_tensors="np").pixel_values.astype("<f4")


def modes(out):
    """`pixel_values` of images that are not RGB: number of channels and digest.

    Grey is the red of the pattern. Alpha is 0 where x + y is a multiple of 3, and otherwise 255;
    images are composited on white, which CLIPImageProcessor does not do.
    """
    rgb = Image.fromarray(pattern(50, 37))
    y, x = np.mgrid[:37, :50]
    alpha = Image.fromarray(np.where((x + y) % 3, 255, 0).astype(np.uint8))
    images = [rgb.getchannel(0), Image.merge("LA", (rgb.getchannel(0), alpha)), rgb.copy()]
    images[2].putalpha(alpha)
    rows = [
        [len(image.getbands()), *digest(pixel_values(NUMBERS, on_white(image)))]
        for image in images
    ]
    write_rows(out / "modes.json", rows)


def on_white(image):
    if "A" not in image.getbands():
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))


def unusual_files(out):
    """CMYK files with quarters of cyan, magenta, yellow and black, and a ramp of floats.

    Pillow inverts the values of the JPEG, as Photoshop does.
    """
    inks = np.zeros((16, 16, 4), np.uint8)
    for ink, (top, left) in enumerate([(0, 0), (0, 8), (8, 0), (8, 8)]):
        inks[top : top + 8, left : left + 8, ink] = 255
    Image.fromarray(inks, "CMYK").save(out / "cmyk.jpg", quality=95)
    Image.fromarray(inks, "CMYK").save(out / "cmyk.tif", compression="tiff_deflate")
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(ramp, "F").save(out / "float.tif", compression="tiff_deflate")
