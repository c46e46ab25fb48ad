"""The embedded states of a model, by its name."""

from pathlib import Path

from oraledu.data.embedded import FOLDER, read_checked
from oraledu.data.layer_pack import unpack
from oraledu.data.layer_states import FILES, LayerStates
from oraledu.data.texts import wordnet
from oraledu.data.vision_states import FILES as VISION
from oraledu.data.vision_states import vision_states


def layer_states(name: str, folder: Path = FOLDER) -> LayerStates:
    """Read the embedded states of a language model on the texts of `wordnet`, in a second or two; or of another.

    Args:
        name: ``"smollm2-135m"``, a decoder, or ``"minilm-l6"``, an encoder trained for similarity; or one of
            `vision_states`.
        folder: Where the files lie.

    Raises:
        ValueError: If there is no such model, or a file is damaged.
        FileNotFoundError: If a file or its checksum is missing.
    """
    if name in VISION:
        return vision_states(name, folder)
    if name not in FILES:
        names = ", ".join([*FILES, *VISION])
        raise ValueError(f"name must be one of {names}, got {name!r}: no other states are embedded")
    texts = wordnet(folder)
    counts = {key: len(each) for key, each in texts.texts.items()}
    return unpack(read_checked(FILES[name], folder), name, texts.prompts, counts)
