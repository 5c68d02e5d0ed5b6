"""Graphs of ONNX Runtime: exported once, kept in the user's cache folder, and opened.

An export imports torch; from then on nothing here needs it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


def open_graph(name: str, export: Callable[[], bytes]) -> Any:
    """A session with the graph of that name, which is exported where the cache has it not.

    Raises whatever the export and ONNX Runtime raise.
    """
    # Else ONNX Runtime (1.32, Linux) writes a device id and reports to Microsoft; read at import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    graph = cached(name) or _new(name, export)
    # Its default is to optimise all it can: nothing lost at loading, no top ten changed (measured).
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _cores()
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _cores() -> int:
    """Physical cores that this process may use: a second thread on one core only slows it.

    ONNX Runtime's own default does not ask what a container leaves to the process.
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    cpus = os.sched_getaffinity(0)
    topology = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    siblings = {f.read_text() for f in topology if int(f.parts[-3][3:]) in cpus}
    return len(siblings) or len(cpus)


def file_name(name: str, digest: str) -> str:
    """A cached graph's file name: whose it is, and its own SHA-256."""
    return f"{name}-{digest}.onnx"


def cached(name: str) -> str | None:
    """The path of an undamaged graph in the cache; a damaged one is removed.

    Its name carries its hash, so there is no second file to get out of step. Hashing its 90 MB
    takes 65 ms of a start of 400.
    """
    for path in user_cache_path("gazette", appauthor=False).glob(file_name(name, "*")):
        with contextlib.suppress(OSError):  # removed by another process, or not ours to remove
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if path.name == file_name(name, digest):
                return str(path)
            path.unlink()
    return None


def _new(name: str, export: Callable[[], bytes]) -> str | bytes:
    """A freshly exported graph: its path in the cache, or its bytes if that can't be written."""
    logger.info("Preparing a model; this happens once and takes some seconds")
    graph = export()
    cache = user_cache_path("gazette", appauthor=False)
    target = cache / file_name(name, hashlib.sha256(graph).hexdigest())
    part = target.with_suffix(f".{os.getpid()}")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        part.write_bytes(graph)
        part.replace(target)  # so that no process ever sees half a graph
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        logger.warning("Each start takes seconds longer, as %s can't be written: %s", cache, error)
        return graph
    return str(target)


def exported(
    model: torch.nn.Module,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
) -> bytes:
    """A module as a graph; each input is int64, (batch, length), and `axes` names what varies."""
    import torch

    example = torch.ones(2, 8, dtype=torch.long)
    graph: Any = io.BytesIO()  # taken by the exporter, though its types name paths alone
    with warnings.catch_warnings():
        # The exporter is deprecated for one that needs the package onnxscript.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model.eval(),
            (example,) * len(inputs),
            graph,
            dynamo=False,
            opset_version=17,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
        )
    return bytes(graph.getvalue())
