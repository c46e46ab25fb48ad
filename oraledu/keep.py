"""How a long call goes on where it was cut off: what the science sees of it, and no file.

A call that may last takes a `Keep`. It asks for the state of the last save, and offers another one after each step:

    state = keep.load()
    for step in range(state["step"] if state else 0, steps):
        ...
        if keep.due(step + 1, steps):
            keep.save({"step": step + 1, ...})
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Keep(Protocol):
    """Where one call keeps what its next step depends on."""

    def load(self) -> dict[str, Any] | None:
        """Return the state of the last save, tensors on the CPU; None at the beginning."""

    def due(self, done: float, total: float) -> bool:
        """Say after each step whether to save; the two numbers, in any unit, tell how much is left."""

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state: tensors, numbers, strings, and lists and dictionaries of these; forget those of the parts."""

    def part(self, name: str) -> "Keep":
        """Return where a call inside this one keeps its own state."""


class Nowhere:
    """Nothing is kept: every call begins at its beginning."""

    def load(self) -> None:
        """Return None."""

    def due(self, done: float, total: float) -> bool:
        """Return False."""
        return False

    def save(self, state: Mapping[str, Any]) -> None:
        """Forget the state."""

    def part(self, name: str) -> "Nowhere":
        """Return the same."""
        return self


NOWHERE = Nowhere()


def training_state(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    losses: Sequence[Tensor] = (),
) -> dict[str, Any]:
    """Return all that the next step of a training depends on, and the losses so far, () each."""
    return {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generator": generator.get_state(),
        "losses": torch.stack(list(losses)).cpu() if losses else torch.empty(0),
    }


def resume_training(
    state: dict[str, Any] | None,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> list[Tensor]:
    """Set all of them to a state of `training_state`, if there is one, and return the losses so far."""
    if state is None:
        return []
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["generator"])
    return list(state["losses"].to(next(network.parameters()).device))
