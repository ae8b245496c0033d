"""Schedules of diffusers' UnCLIPScheduler and of Kakao's original program."""

import hashlib
import json
import math

import numpy as np
import torch
from diffusers import UnCLIPScheduler

import kakao_diffusion as kakao


def diffusers(out):
    """diffusers.json: the coefficients of each step, for several numbers of steps.

    `alpha_bar` is the scheduler's own float32 value. The others follow from it in float64, by the
    formulas in `UnCLIPScheduler.step` for a step that skips timesteps: the mean of the next sample
    is `x0` times the predicted sample plus `xt` times the current one, `std` its standard deviation
    for the variance type fixed_small_log, and `min_log` and `max_log` are the bounds of a learned
    log variance. In the committed file, 6 values of `std` are one bit off: its square roots are
    MKL's, which depend on the processor.
    """
    rows = [{"steps": steps, "schedule": unclip_schedule(steps)} for steps in (5, 7, 25, 50)]
    (out / "diffusers.json").write_text(json.dumps(rows, indent=2))


def unclip_schedule(steps):
    scheduler = UnCLIPScheduler()
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps.tolist()
    alpha_bars = scheduler.alphas_cumprod.double()[timesteps].tolist()
    previous = [*alpha_bars[1:], 1.0]
    return [unclip_step(*step) for step in zip(timesteps, alpha_bars, previous)]


def unclip_step(t, alpha_bar, previous):
    beta = 1 - alpha_bar / previous
    variance = max((1 - previous) / (1 - alpha_bar) * beta, 1e-20)
    return {
        "t": t,
        "alpha_bar": alpha_bar,
        "x0": math.sqrt(previous) * beta / (1 - alpha_bar),
        "xt": math.sqrt(1 - beta) * (1 - previous) / (1 - alpha_bar),
        "std": math.sqrt(variance),
        "min_log": math.log(variance),
        "max_log": math.log(beta),
    }


SPACINGS = ["25", "50", "7", "1", "2", "21"]
SPACINGS += ["10,10,5", "10,15,10", "10, 15,10", "1,2,3,4", "333,333,333", "334,333,333"]
SPACINGS += ["ddim25", "ddim27", "ddim50", "ddim1000", "ddim500", "ddim2", "fast27"]


def original(out):
    """original.json: what Kakao's program computes.

    `spaced` and `shorter` are the timesteps of respacing strings, for 1000 and 100 training steps.
    `even` has the SHA-256 of the timesteps of "1" to "1000", one list per line, the SHA-256 of
    those of diffusers for 2 to 1000 steps, and the numbers of steps for which the two differ.
    `tables` are float64 coefficients, and `loops` all samples of DDIM and DDPM loops. The committed
    DDIM loops differ by up to 4e-7: their square roots are MKL's, which depend on the processor.
    """
    theirs = {n: kakao.timesteps(str(n)) for n in range(1, 1001)}
    ours = {n: unclip_timesteps(n) for n in range(2, 1001)}
    result = {
        "spaced": {spacing: falling(kakao.timesteps(spacing)) for spacing in SPACINGS},
        "shorter": {
            spacing: falling(kakao.timesteps(spacing, 100))
            for spacing in ("25", "ddim25", "10,10,3,2,2", "fast27")
        },
        "even": {
            "original": digest(falling(timesteps) for timesteps in theirs.values()),
            "diffusers": digest(ours.values()),
            "differ": [n for n in ours if ours[n] != falling(theirs[n])],
        },
        "tables": {
            "25": table(kakao.Schedule("25")),
            "10,10,5": table(kakao.Schedule("10,10,5")),
            "7": table(kakao.Schedule("7")),
            "linear 25": table(kakao.Schedule("25", "linear")),
        },
        "loops": [
            loop("ddim25", "EPSILON"),
            loop("fast27", "START_X"),
            loop("fast27", "EPSILON"),
            loop("10,10,5", "EPSILON", learned=True),
            loop("7", "START_X"),
        ],
    }
    (out / "original.json").write_text(json.dumps(result, separators=(",", ":")))


def falling(values):
    return sorted(values, reverse=True)


def unclip_timesteps(steps):
    scheduler = UnCLIPScheduler()
    scheduler.set_timesteps(steps)
    return scheduler.timesteps.tolist()


def digest(lists):
    lines = (",".join(map(str, values)) + "\n" for values in lists)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def table(schedule):
    return {
        name: getattr(schedule, name)[::-1].tolist()
        for name in (
            "betas",
            "alphas_cumprod",
            "posterior_mean_coef1",
            "posterior_mean_coef2",
            "posterior_log_variance_clipped",
            "sqrt_recip_alphas_cumprod",
            "sqrt_recipm1_alphas_cumprod",
            "timesteps",
        )
    }


def loop(spacing, mean, learned=False):
    """The samples of a loop that starts from 8 numbers between -2 and 2.

    The network's output is sin(3x) * (t + 1) / 1000, its learned variance cos(x), and the noise
    sin(7x). A spacing that starts with "ddim" or "fast" samples with DDIM, any other with DDPM.
    """
    schedule, samples = kakao.Schedule(spacing), []
    x = torch.linspace(-2, 2, 8, dtype=torch.float64).numpy()
    for i in reversed(range(len(schedule.timesteps))):
        output = each(math.sin, 3 * x) * (schedule.timesteps[i] + 1) / 1000
        x0 = schedule.predict_x0(x, i, output, mean)
        if spacing.startswith(("ddim", "fast")):
            x = schedule.ddim_step(x, i, x0)
        else:
            log_variance = (
                schedule.learned_log_variance(i, each(math.cos, x))
                if learned
                else schedule.log_variance(i)
            )
            x = schedule.ddpm_step(x, i, x0, log_variance, each(math.sin, 7 * x))
        samples.append(x.tolist())
    return {"text": spacing, "mean": mean, "learned": learned, "samples": samples}


def each(function, values):
    """With libm, because NumPy's own functions round differently on different processors."""
    return np.array([function(value) for value in values])
