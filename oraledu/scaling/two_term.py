"""The sum of two power laws, L = L₀ + A t^(-μ) + B p^(-ν): its optimal horizon and its universal curve."""

from dataclasses import dataclass, fields

from torch import Tensor

from oraledu.scaling.frontier import PowerLaw, Value
from oraledu.scaling.horizon import Horizon


@dataclass(frozen=True)
class TwoTerm:
    """L(t, p) = offset + A t^(-μ) + B p^(-ν), for t tokens and p parameters (paper, section 4.1).

    Attributes:
        mu: μ, the exponent of the tokens. Positive, as are all but the offset.
        nu: ν, the exponent of the parameters.
        time_coefficient: A.
        size_coefficient: B.
        offset: L₀, at least 0.
    """

    mu: float
    nu: float
    time_coefficient: float = 1.0
    size_coefficient: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers for which there is no horizon."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "offset" and not value >= 0:
                raise ValueError(f"offset must be at least 0, got {value}")
            if field.name != "offset" and not value > 0:
                raise ValueError(f"{field.name} must be above 0, got {value}")

    def loss(self, tokens: Value, parameters: float | Value) -> Value:
        """Return L(t, p); tensors broadcast."""
        return (
            self.offset
            + self.time_coefficient * tokens**-self.mu
            + self.size_coefficient * parameters**-self.nu
        )

    @property
    def ratio(self) -> float:
        """The time term over the size term at the optimal horizon, r = ν / μ: the same at every size."""
        return self.nu / self.mu

    def horizon(self, multiple: float = 1.0) -> Horizon:
        """Return the horizon with the lowest loss at equal compute, or a multiple of it.

        At fixed c = 6 t p the derivative by log p vanishes where μ A t^(-μ) = ν B p^(-ν), so that
        t*(p) = (r B / A)^(-1/μ) p^(ν/μ).

        Args:
            multiple: λ > 0, for the horizon λ t*(p); its curves collapse too.
        """
        tokens = multiple * (self.ratio * self.size_coefficient / self.time_coefficient) ** (-1 / self.mu)
        return Horizon.through(1.0, tokens, self.ratio)

    def universal_curve(self, x: Tensor, multiple: float = 1.0) -> Tensor:
        """Return ℓ(x) = (r λ^(-μ) x^(-μ) + 1) / (r λ^(-μ) + 1), the normalised curve of every size.

        Args:
            x: Progress in (0, 1], any shape.
            multiple: λ, for curves along λ t*(p).
        """
        share = self.ratio * multiple**-self.mu
        return (share * x**-self.mu + 1) / (share + 1)

    def frontier(self, multiple: float = 1.0) -> PowerLaw:
        """Return the end losses along λ t*(p) as a power law in compute, in FLOPs.

        The exponent is μν / (μ + ν), for every λ; at λ = 1 it is also the slope -ℓ'(1).
        """
        exponent = self.mu * self.nu / (self.mu + self.nu)
        horizon = self.horizon(multiple)
        end = self.loss(horizon.tokens(1.0), 1.0) - self.offset
        return PowerLaw(end * horizon.compute(1.0) ** exponent, exponent, self.offset)
