"""Schedules of diffusers' UnCLIPScheduler and of Kakao's original program."""

import hashlib
import json
import math
from unittest.mock import patch

import numpy as np
import torch
from diffusers import (
    DDIMInverseScheduler,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    UnCLIPScheduler,
    UniPCMultistepScheduler,
)
from safetensors.torch import save_file

import kakao_diffusion as kakao


COUNTS = [*range(1, 101), 250, 1000]


def diffusers(out):
    """diffusers.safetensors: the coefficients of each step of `UnCLIPScheduler.step`, float32.

    A tensor joins the steps of all `COUNTS` but 1, for which the scheduler divides by zero. Every
    operation is the scheduler's own, on its tensors: `noise` and `root` are the numbers by which it
    multiplies predicted noise and divides, `x0` and `x` weigh the mean of the next sample, `std`
    is the deviation of the variance type fixed_small_log, `min_log` and `max_log` are the bounds
    of a learned log variance. `mean` and `predicted` are what a step without noise returns for the
    sample 0.3 and the output -0.7, of the prediction types epsilon and sample. What follows from a
    square root or a logarithm depends on the processor in its last bit, because PyTorch takes both
    of MKL: `roots` and `logs` are those of 0.001, 0.002 … 1, by which a test sees whether
    this processor's are the same.
    """
    columns = {}
    for count in COUNTS[1:]:
        for name, values in unclip_schedule(count).items():
            columns.setdefault(name, []).extend(values)
    tensors = {name: torch.tensor(values) for name, values in columns.items()}
    probes = [torch.tensor(i / 1000) for i in range(1, 1001)]
    tensors["roots"] = torch.stack([probe.sqrt() for probe in probes])
    tensors["logs"] = torch.stack([probe.log() for probe in probes])
    save_file(tensors, out / "diffusers.safetensors")


def unclip_schedule(count):
    scheduler = UnCLIPScheduler()
    scheduler.set_timesteps(count)
    timesteps = scheduler.timesteps.tolist()
    rows = [unclip_step(scheduler, *step) for step in zip(timesteps, [*timesteps[1:], -1])]
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def unclip_step(s, t, previous):
    alpha_bar = s.alphas_cumprod[t]
    alpha_bar_previous = s.alphas_cumprod[previous] if previous >= 0 else s.one
    remaining, remaining_previous = 1 - alpha_bar, 1 - alpha_bar_previous
    if previous == t - 1:
        beta, alpha = s.betas[t], s.alphas[t]
    else:
        beta = 1 - alpha_bar / alpha_bar_previous
        alpha = 1 - beta
    variance = torch.clamp(remaining_previous / remaining * beta, min=1e-20)
    return {
        "t": t,
        "alpha_bar": alpha_bar,
        "noise": remaining**0.5,
        "root": alpha_bar**0.5,
        "x0": alpha_bar_previous**0.5 * beta / remaining,
        "x": alpha**0.5 * remaining_previous / remaining,
        "variance": variance,
        "beta": beta,
        "std": s._get_variance(t, previous, variance_type="fixed_small_log"),
        "min_log": variance.log(),
        "max_log": beta.log(),
        **noiseless_step(t, previous, "epsilon"),
        **noiseless_step(t, previous, "sample"),
    }


def noiseless_step(t, previous, prediction_type):
    """What `UnCLIPScheduler.step` itself returns if the noise that it draws is 0."""
    scheduler = UnCLIPScheduler(prediction_type=prediction_type)
    sample, output = torch.tensor([[[[0.3]]]]), torch.tensor([[[[-0.7]]]])
    with patch("diffusers.schedulers.scheduling_unclip.randn_tensor", return_value=torch.zeros(1)):
        result = scheduler.step(output, t, sample, previous if previous >= 0 else None)
    return {
        f"mean.{prediction_type}": result.prev_sample,
        f"predicted.{prediction_type}": result.pred_original_sample,
    }


SPACINGS = ["25", "50", "7", "1", "2", "21"]
SPACINGS += ["10,10,5", "10,15,10", "10, 15,10", "1,2,3,4", "333,333,333", "334,333,333"]
SPACINGS += ["ddim25", "ddim27", "ddim50", "ddim1000", "ddim500", "ddim2", "fast27"]


def original(out):
    """original.json: what Kakao's program computes.

    `spaced` and `shorter` are the timesteps of respacing strings, for 1000 and 100 training steps.
    `even` has the SHA-256 of the timesteps of "1" to "1000", one list per line, the SHA-256 of
    those of diffusers for 2 to 1000 steps, and the numbers of steps for which the two differ.
    `loops` are all samples of DDIM and DDPM loops. The committed DDIM loops differ by up to 4e-7:
    their square roots are MKL's, which depend on the processor.
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


def original_steps(out):
    """original.safetensors: the coefficients of each step of Kakao's program, as it reads them.

    A tensor joins the steps of the `loops` in the metadata, each from the noisiest to the last. The
    program keeps float64 and reads float32.
    """
    loops = [[str(count), "squaredcos_cap_v2"] for count in COUNTS]
    loops += [[spacing, "squaredcos_cap_v2"] for spacing in SPACINGS] + [["25", "linear"]]
    tables = [table(kakao.Schedule(*loop)) for loop in loops]
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    tensors = {name: torch.from_numpy(values) for name, values in joined.items()}
    save_file(tensors, out / "original.safetensors", metadata={"loops": json.dumps(loops)})


def table(schedule):
    columns = {
        "t": schedule.timesteps,
        "alpha_bar_previous": schedule.alphas_cumprod_prev,
        "x0": schedule.posterior_mean_coef1,
        "x": schedule.posterior_mean_coef2,
        "min_log": schedule.posterior_log_variance_clipped,
        "max_log": np.log(schedule.betas),
        "recip": schedule.sqrt_recip_alphas_cumprod,
        "recipm1": schedule.sqrt_recipm1_alphas_cumprod,
    }
    return {name: values[::-1].astype(np.float32) for name, values in columns.items()}


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


def solvers(out):
    """solvers.json: the samples of loops of diffusers' schedulers that unCLIP does not use itself.

    They have Karlo's noise schedule, and the static clamp of x0 at 1: in the two multistep
    schedulers, that is thresholding with a maximum of 1. `lambda_min_clipped` is that of published
    configs with a cosine schedule. Start and network are those of `loop`; DDIM's noise is cos(x).
    """
    cosine = {"beta_schedule": "squaredcos_cap_v2"}
    clamped = {**cosine, "thresholding": True, "sample_max_value": 1.0}
    loops = []
    for mean in ("epsilon", "sample"):
        for count in (1, 2, 5, 10, 25):
            dpm = DPMSolverMultistepScheduler(
                **clamped, prediction_type=mean, lambda_min_clipped=-5.1
            )
            loops.append(solver_loop("dpm++", dpm, count))
            unipc = UniPCMultistepScheduler(**clamped, prediction_type=mean)
            loops.append(solver_loop("unipc", unipc, count))
        for count in (5, 25):
            for eta in (0.0, 0.5, 1.0):
                ddim = DDIMScheduler(**cosine, prediction_type=mean)
                loops.append(solver_loop("ddim", ddim, count, eta=eta))
    (out / "solvers.json").write_text(json.dumps(loops, separators=(",", ":")))


def solver_loop(name, scheduler, count, skip=0, **settings):
    """The samples of a loop without its first `skip` steps, and all of its timesteps."""
    scheduler.set_timesteps(count)
    timesteps, samples = scheduler.timesteps.tolist(), []
    x = torch.linspace(-2, 2, 8, dtype=torch.float64)[None, :, None]
    for t in timesteps[skip:]:
        values = x.double().numpy()
        output = as_tensor(each(math.sin, (3 * values).ravel()) * (t + 1) / 1000)
        options = dict(settings)
        if options:
            noise = as_tensor(each(math.cos, values.ravel()))
            options |= {"use_clipped_model_output": True, "variance_noise": noise}
        x = scheduler.step(output, t, x, **options).prev_sample
        samples.append(x.double().flatten().tolist())
    mean = scheduler.config.prediction_type
    return {"sampler": name, "mean": mean, **settings, "timesteps": timesteps, "samples": samples}


def as_tensor(values):
    return torch.from_numpy(values)[None, :, None]


def inversions(out):
    """inversions.json: the samples of loops of `DDIMInverseScheduler`, without its clamp of x0.

    They have Karlo's noise schedule. Start and network are those of `loop`. The scheduler divides by
    zero where an x0 is predicted for a sample without noise, so those loops leave out the first step.
    """
    loops = []
    for mean in ("epsilon", "sample"):
        for spacing in ("leading", "trailing"):
            for count in (5, 10, 25):
                scheduler = DDIMInverseScheduler(
                    trained_betas=UnCLIPScheduler().betas.tolist(),
                    clip_sample=False,
                    prediction_type=mean,
                    timestep_spacing=spacing,
                )
                skip = 1 if mean == "sample" else 0
                loop = solver_loop("ddim-inverse", scheduler, count, skip)
                loops.append({**loop, "skip": skip})
    (out / "inversions.json").write_text(json.dumps(loops, separators=(",", ":")))
