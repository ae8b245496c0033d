"""Diffusion as in Kakao's original program, karlo/modules/diffusion in github.com/kakaobrain/karlo.

Respacing, coefficients and samplers follow "Improved Denoising Diffusion Probabilistic Models"
(Nichol and Dhariwal, 2021) and "Denoising Diffusion Implicit Models" (Song et al., 2021). They
round as that program does: tables are float64, and samplers read them as float32.
"""

import math

import numpy as np

TRAINING_STEPS = 1000


def timesteps(spacing, training_steps=TRAINING_STEPS):
    """The timesteps that a respacing string keeps, in ascending order."""
    if spacing == "fast27":  # DDIM has fewer artifacts if it starts two timesteps later
        kept = set(timesteps("10,10,3,2,2", training_steps))
        return sorted(kept - {training_steps - 1} | {training_steps - 3})
    if spacing.startswith("ddim"):
        count = int(spacing.removeprefix("ddim"))
        strided = (range(0, training_steps, stride) for stride in range(1, training_steps))
        return list(next(steps for steps in strided if len(steps) == count))
    counts = [int(count) for count in spacing.split(",")]
    smallest, larger = divmod(training_steps, len(counts))
    kept, first = [], 0
    for i, count in enumerate(counts):
        size = smallest + (i < larger)
        kept += [first + step for step in evenly_spaced(size, count)]
        first += size
    return sorted(set(kept))


def evenly_spaced(size, count):
    """`count` integers from 0 to `size - 1`."""
    stride = (size - 1) / (count - 1) if count > 1 else 1
    # Not a multiple of the stride: the original accumulates rounding errors.
    position, kept = 0.0, []
    for _ in range(count):
        kept.append(round(position))
        position += stride
    return kept


def betas(kind):
    if kind == "linear":
        return np.linspace(0.0001, 0.02, TRAINING_STEPS)
    return np.array(
        [
            min(1 - alpha_bar((i + 1) / TRAINING_STEPS) / alpha_bar(i / TRAINING_STEPS), 0.999)
            for i in range(TRAINING_STEPS)
        ]
    )


def alpha_bar(t):
    """The cosine schedule, equation 17 of Nichol and Dhariwal, of `t` in [0, 1]."""
    return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2


class Schedule:
    """The coefficients of each kept timestep, in ascending order."""

    def __init__(self, spacing, kind="squaredcos_cap_v2"):
        self.timesteps = np.array(timesteps(spacing))
        kept = np.cumprod(1 - betas(kind))[self.timesteps]
        self.betas = 1 - kept / np.append(1.0, kept[:-1])
        alphas = 1 - self.betas
        self.alphas_cumprod = np.cumprod(alphas)
        self.alphas_cumprod_prev = np.append(1.0, self.alphas_cumprod[:-1])
        remaining, remaining_prev = 1 - self.alphas_cumprod, 1 - self.alphas_cumprod_prev
        self.sqrt_recip_alphas_cumprod = np.sqrt(1 / self.alphas_cumprod)
        self.sqrt_recipm1_alphas_cumprod = np.sqrt(1 / self.alphas_cumprod - 1)
        self.posterior_mean_coef1 = self.betas * np.sqrt(self.alphas_cumprod_prev) / remaining
        self.posterior_mean_coef2 = remaining_prev * np.sqrt(alphas) / remaining
        variance = self.betas * remaining_prev / remaining
        # Instead of 0, which has no logarithm. The original cannot run a single step.
        variance[0] = variance[1] if len(variance) > 1 else self.betas[0]
        self.posterior_log_variance_clipped = np.log(variance)

    def predict_x0(self, x, i, output, mean):
        """The clipped sample. `output` is the sample if `mean` is START_X, the noise if EPSILON."""
        if mean == "EPSILON":
            scale, noise_scale = (
                self.sqrt_recip_alphas_cumprod[i],
                self.sqrt_recipm1_alphas_cumprod[i],
            )
            output = rounded(scale) * x - rounded(noise_scale) * output
        return np.clip(output, -1, 1)

    def ddim_step(self, x, i, x0):
        """Equation 12 of Song et al. with an eta of 0."""
        scale, noise_scale = self.sqrt_recip_alphas_cumprod[i], self.sqrt_recipm1_alphas_cumprod[i]
        noise = (rounded(scale) * x - x0) / rounded(noise_scale)
        previous = np.float32(self.alphas_cumprod_prev[i])
        return x0 * np.float64(np.sqrt(previous)) + np.float64(np.sqrt(1 - previous)) * noise

    def log_variance(self, i):
        return np.float32(self.posterior_log_variance_clipped[i])

    def learned_log_variance(self, i, output):
        """Equation 15 of Nichol and Dhariwal, for an `output` in [-1, 1]."""
        fraction = (output + 1) / 2
        upper = rounded(np.log(self.betas[i]))
        lower = rounded(self.posterior_log_variance_clipped[i])
        return fraction * upper + (1 - fraction) * lower

    def ddpm_step(self, x, i, x0, log_variance, noise):
        x0_scale, scale = self.posterior_mean_coef1[i], self.posterior_mean_coef2[i]
        mean = rounded(x0_scale) * x0 + rounded(scale) * x
        return mean if i == 0 else mean + standard_deviation(log_variance) * noise


def standard_deviation(log_variance):
    """With libm, because NumPy's exp depends on the processor, and in the argument's precision."""
    return np.vectorize(math.exp)(0.5 * log_variance).astype(log_variance.dtype).astype(np.float64)


def rounded(value):
    """Rounded to float32. The result is float64, so that arithmetic with float64 arrays is too."""
    return np.float64(np.float32(value))
