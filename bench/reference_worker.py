"""The reference's side of the comparison: responds to each line of JSON on stdin with a line of JSON on stdout.

    python reference_worker.py REFERENCE.py              # a long-lived process
    python reference_worker.py REFERENCE.py image MODEL OUT PROMPT DEVICE DTYPE THREADS  # one image, then exits

REFERENCE.py defines the functions that load and run the models (bench/README.md).
"""
import contextlib
import gc
import io
import json
import os
import resource
import runpy
import sys
import time
import warnings


def load_reference(path):
    # The script runs a command when it is loaded. This one is quick, and its output is discarded.
    argv, sys.argv = sys.argv, [path, "schedule", "2"]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return runpy.run_path(path)
    finally:
        sys.argv = argv


warnings.filterwarnings("ignore")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
reference = load_reference(sys.argv[1])
import torch  # noqa: E402  the reference sets variables that torch reads when it is imported

PROMPT = "a red heart on a white background"
STEPS = {"fast": (25, 25, 7), "default": (25, 50, 7)}
STAGES = ("prior", "text_proj", "super_res_first")  # the first network of each stage


class Worker:
    def __init__(self):
        self.device = "cpu"
        self.pipe = self.net = self.call = None

    def sync(self):
        if self.device != "cpu":
            torch.cuda.synchronize()

    def seconds(self, work):
        self.sync()
        start = time.perf_counter()
        work()
        self.sync()
        return time.perf_counter() - start

    def drop(self):
        self.pipe = self.net = self.call = None
        gc.collect()
        if self.device != "cpu":
            torch.cuda.empty_cache()

    def ready(self, _):
        return {}

    def place(self, a):
        self.drop()
        self.device, self.dtype = a.get("device", "cpu"), getattr(torch, a["dtype"])
        torch.set_num_threads(a["threads"])

    def load(self, a):
        """Loads the text-to-image pipeline."""
        self.place(a)

        def work():
            self.pipe = reference["text_to_image"](a["model"], self.dtype).to(self.device)
        seconds = self.seconds(work)
        if a.get("compile"):  # without marks, whose hooks would break the graph
            for name in ("prior", "decoder", "super_res_first", "super_res_last"):
                setattr(self.pipe, name, torch.compile(getattr(self.pipe, name)))
        else:
            for name in STAGES:
                getattr(self.pipe, name).register_forward_pre_hook(lambda *_, name=name: self.mark(name))
        return {"seconds": seconds}

    def mark(self, name):
        if name not in self.marks:
            self.sync()
            self.marks[name] = time.perf_counter()

    def image(self, a):
        """One call, with the seconds of each stage."""
        prior, decoder, upsample = a.get("steps") or STEPS[a["sampling"]]
        self.marks = {}
        count = a["batch"]
        start = time.perf_counter()
        self.pipe([PROMPT], num_images_per_prompt=count, generator=reference["generators"](0, count),
                  prior_num_inference_steps=prior, decoder_num_inference_steps=decoder, super_res_num_inference_steps=upsample)
        self.sync()
        end = time.perf_counter()
        times = [start, *(self.marks[name] for name in STAGES if name in self.marks), end]
        parts = [late - early for early, late in zip(times, times[1:])]
        names = ("encode", "prior", "decoder", "upsample") if len(parts) == 4 else ()
        return dict(zip(names, parts), seconds=end - start)

    def callers(self, a):
        """Sequential calls, because a pipeline does not support concurrent ones."""
        request = {"batch": 1, "sampling": "fast"}
        return {"seconds": sum(self.image(request)["seconds"] for _ in range(a["callers"]))}

    def network(self, a):
        self.place(a)

        def work():
            self.net = reference["part"](a["model"], a["component"], self.dtype).to(self.device)
        seconds = self.seconds(work)
        args, kwargs = self.inputs(a["component"], self.net.config)
        self.call = lambda: self.net(*args, **kwargs)
        return {"seconds": seconds}

    def inputs(self, component, c):
        """Inputs for one image; the prior and the decoder get both guidance halves in one batch."""
        random = lambda *shape: torch.randn(*shape).to(self.device, self.dtype)
        ones = lambda *shape: torch.ones(*shape, dtype=torch.bool, device=self.device)
        t = torch.tensor(500, device=self.device)
        if component == "text_encoder":
            return (torch.tensor([[49406] + [320] * 75 + [49407]], device=self.device),), {}
        if component == "image_encoder":
            return (random(1, 3, c.image_size, c.image_size),), {}
        if component == "prior":
            e = c.embedding_dim
            return (random(2, e), t, random(2, e), random(2, 77, e), ones(2, 77)), {}
        if component == "decoder":
            args = (random(2, 3, c.sample_size, c.sample_size), t, random(2, 81, c.cross_attention_dim))
            return args, dict(class_labels=random(2, 4 * c.block_out_channels[0]), attention_mask=ones(2, 81))
        return (random(1, 6, c.sample_size, c.sample_size), t), {}

    def forward(self, _):
        return {"seconds": self.seconds(self.call)}

    def memory(self, _):
        unit = 1 if sys.platform == "darwin" else 1024
        peak = {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}
        if self.device != "cpu":
            peak |= {"cudaPeak": torch.cuda.max_memory_allocated(), "cudaReserved": torch.cuda.max_memory_reserved()}
        return peak

    def versions(self, _):
        import diffusers
        import transformers
        return {"python": sys.version.split()[0], "torch": torch.__version__, "diffusers": diffusers.__version__,
                "transformers": transformers.__version__}


@torch.no_grad()
def serve():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries must not mix with responses
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def write_image(model, out, prompt, device, dtype, threads):
    torch.set_num_threads(int(threads))
    pipe = reference["text_to_image"](model, getattr(torch, dtype)).to(device)
    pipe([prompt], generator=reference["generators"](0, 1),).images[0].save(out)


if sys.argv[2:3] == ["image"]:
    write_image(*sys.argv[3:])
else:
    serve()
