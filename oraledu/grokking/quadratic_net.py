"""A two-layer network with quadratic activation, f(x) = W2 (W1 x)², and its features in closed form.

Its feature matrix W1'W1 plays the part of the metric. The neural feature ansatz says that it is proportional
to the root of the network's AGOP.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from oraledu.grokking.arithmetic import check_tensors, hot_columns
from oraledu.grokking.quadratic import outer_sums


class QuadraticNet(nn.Module):
    """The network f(x) = W2 (W1 T x)² on digit pairs, without biases.

    Attributes:
        first: (width, 2p) W1, uniform in ±1/sqrt(2p) at the start, as in `torch.nn.Linear`.
        second: (p, width) W2, uniform in ±1/sqrt(width).
        transform: (2p, 2p) T, a fixed map of the inputs, or None for the identity.
    """

    transform: Tensor | None

    def __init__(
        self,
        p: int,
        width: int,
        *,
        generator: torch.Generator,
        transform: Tensor | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        """Draw the weights.

        Args:
            p: The modulus and the number of outputs.
            width: The number of hidden units, at least 1.
            generator: The source of randomness; the weights are on its device.
            transform: (2p, 2p) T; the root of a `circulant.random_metric` gives the paper's circulant inputs.
            dtype: The type of the weights.

        Raises:
            ValueError: If ``width`` is below 1 or ``transform`` has another shape.
        """
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if transform is not None:
            check_tensors(transform=transform)
            if transform.shape != (2 * p, 2 * p):
                raise ValueError(f"transform must have shape {(2 * p, 2 * p)}, got {tuple(transform.shape)}")
            transform = transform.to(generator.device, dtype)
        self.p = p
        self.first = nn.Parameter(_uniform(width, 2 * p, generator, dtype))
        self.second = nn.Parameter(_uniform(p, width, generator, dtype))
        self.register_buffer("transform", transform)

    def input_weights(self) -> Tensor:
        """Return W1 T, which acts on the one-hot inputs: (width, 2p)."""
        return self.first if self.transform is None else self.first @ self.transform

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the outputs on digit pairs: (n, 2) -> (n, p)."""
        check_tensors(pairs=pairs)
        hidden = embedding_bag(hot_columns(pairs, self.p), self.input_weights().T.contiguous(), mode="sum")
        return hidden.square() @ self.second.T


def feature_matrix(first: Tensor) -> Tensor:
    """Return the neural feature matrix W1'W1: (width, 2p) -> (2p, 2p)."""
    check_tensors(first=first)
    return first.T @ first


def network_agop(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
    """Return the AGOP of f(x) = W2 (W1 x)² over digit pairs, not centred, in closed form.

    The gradient of output l is 2 W1' diag(w_l) W1 x, with w_l row l of W2, so that
    G = 4 W1' [(W2'W2) ∘ (W1 S W1')] W1 with the second moment S = mean x x'.

    Args:
        first: (width, 2p) W1.
        second: (c, width) W2.
        pairs: (n, 2) the points to average over.

    Returns:
        (2p, 2p) symmetric and positive semi-definite.
    """
    check_tensors(first=first, second=second, pairs=pairs)
    weights = first.new_full((len(pairs), 1), 1 / len(pairs))
    moment = outer_sums(pairs, weights, first.shape[1])[0]  # S: (2p, 2p)
    return 4 * first.T @ ((second.T @ second) * (first @ moment @ first.T)) @ first


def _uniform(rows: int, columns: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    draws = torch.rand(rows, columns, generator=generator, device=generator.device, dtype=dtype)
    return (2 * draws - 1) / columns**0.5
