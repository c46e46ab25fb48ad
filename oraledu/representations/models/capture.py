"""The states between the blocks of a network: what transformers lists, and the two that its list may leave out."""

import threading
from typing import Any

import torch
from torch import Tensor, nn

#: One thread would take away hooks of another while they are called.
_ONE_AT_A_TIME = threading.Lock()


def capture(network: nn.Module, **inputs: Any) -> Tensor:
    """Run a network and return the states before its first block, after each block, and after the final norm.

    What transformers calls `hidden_states` differs by architecture. Most decoders' list ends after the final norm,
    without the state that the last block has left; a vision transformer's ends before it; Mamba's begins after the
    first block; BERT has no final norm at all. Here all of them are there, where the network has them. A state of
    another width, such as a last projection, is left out.

    Args:
        network: A model of transformers without a head.
        inputs: What it is called with; the first has a row for each text or image.

    Returns:
        (layers, B, T, D) float32 on the CPU: embedding, each block as often as it runs, final norm if there is one.

    Raises:
        ValueError: If the network does not run on such inputs, or its states are not one stream of equal layers.
    """
    blocks = {item for module in network.modules() if isinstance(module, nn.ModuleList) for item in module}
    inner = {part for block in blocks for part in block.modules() if part is not block}
    calls: list[tuple[bool, Tensor, Tensor]] = []  # whether of a block, what enters it, what leaves it

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        entered = args[0] if args else kwargs.get("hidden_states")
        left = output[0] if isinstance(output, tuple) else output
        if isinstance(entered, Tensor) and isinstance(left, Tensor):
            calls.append((module in blocks, entered, left))

    with _ONE_AT_A_TIME:
        watched = [module for module in network.modules() if module not in inner]
        hooks = [module.register_forward_hook(note, with_kwargs=True) for module in watched]
        try:
            with torch.inference_mode():
                found = network(**inputs, output_hidden_states=True)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            why = f"does not run on {' and '.join(inputs)} ({repr(error)[:200]})"
            raise _refusal(network, why) from error
        finally:
            for hook in hooks:
                hook.remove()
    listed = [state for state in getattr(found, "hidden_states", None) or () if isinstance(state, Tensor)]
    shape = _shape(network, listed, next(iter(inputs.values())))
    last = getattr(found, "last_hidden_state", None)
    if last is not None and not _same(last, listed[-1]):
        listed.append(last)
    # A clone leaves inference mode, so that what comes out can be used like any tensor.
    states = [state.float().cpu() for state in _completed(listed, calls) if state.shape == shape]
    return torch.stack(states).clone()


def _completed(listed: list[Tensor], calls: list[tuple[bool, Tensor, Tensor]]) -> list[Tensor]:
    """Return the list with the first block's input in front, and the last one's output before what follows it."""

    def maker(state: Tensor) -> tuple[bool, Tensor]:
        """Return whether a block has made a state, and out of what; if no module has, it is its own origin."""
        return next(((block, entered) for block, entered, left in calls if _same(left, state)), (True, state))

    block, entered = maker(listed[0])
    states = [entered, *listed] if block and entered is not listed[0] else list(listed)
    after: list[Tensor] = []
    block, entered = maker(states[-1])
    while not block and not any(_same(entered, state) for state in states):
        after.insert(0, states.pop())
        states.append(entered)
        block, entered = maker(entered)
    return states + after


def _same(one: Tensor, other: Tensor) -> bool:
    """Say whether two states are one, NaN included."""
    return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())


def _shape(network: nn.Module, listed: list[Tensor], given: Tensor) -> torch.Size:
    """Return the shape (B, T, D) of all layers but the last, which may be projected; refuse others."""
    shapes = list(dict.fromkeys(state.shape for state in listed[:-1]))
    size = given.shape[: 2 if given.ndim == 2 else 1]  # of tokens B and T, of images B
    if not shapes:
        raise _refusal(network, "returns no hidden states")
    if len(shapes) > 1 or len(shapes[0]) != 3 or shapes[0][: len(size)] != size:
        told = ", ".join(str(tuple(shape)) for shape in shapes)
        raise _refusal(network, f"has layers of shape {told}: choose a plain transformer")
    return shapes[0]


def _refusal(network: Any, why: str) -> ValueError:
    return ValueError(f"{type(network).__name__}, of the kind {network.config.model_type!r}, {why}")
