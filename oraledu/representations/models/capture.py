"""The states between the blocks of a network, read where they pass."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def blocks(network: nn.Module) -> nn.ModuleList:
    """Return the blocks of a network: its longest list of modules, the first of equals.

    Raises:
        ValueError: If it has none.
    """
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList) and len(module)]
    if not lists:
        raise ValueError(f"{type(network).__name__} has no list of blocks: choose a model made of layers")
    return max(lists, key=len)


def capture(network: nn.Module, **inputs: Any) -> Tensor:
    """Run a network and return the states before its first block, after each block, and after the final norm.

    The list that transformers calls `hidden_states` ends after the final norm in a decoder, without the state
    that the last block has left; here both are there. An encoder that has no final norm, such as BERT, ends with
    its last block.

    Args:
        network: A model of transformers without a head.
        inputs: What it is called with.

    Returns:
        (layers, B, T, D) float32 on the CPU: embedding, L blocks, and where there is a final norm what it gives.
    """
    seen: list[Tensor] = []
    parts = blocks(network)
    hooks = [parts[0].register_forward_pre_hook(_keep_input(seen), with_kwargs=True)]
    hooks += [block.register_forward_hook(_keep_output(seen)) for block in parts]
    try:
        with torch.inference_mode():
            last = network(**inputs).last_hidden_state
    finally:
        for hook in hooks:
            hook.remove()
    if not torch.equal(last, seen[-1]):
        seen.append(last)
    # A clone leaves inference mode, so that what comes out can be used like any tensor.
    return torch.stack([state.float().cpu() for state in seen]).clone()


def _keep_input(seen: list[Tensor]) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen.append(args[0] if args else kwargs["hidden_states"])

    return hook


def _keep_output(seen: list[Tensor]) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        seen.append(output if isinstance(output, Tensor) else output[0])

    return hook
