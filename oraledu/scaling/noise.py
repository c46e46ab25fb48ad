"""Gradient noise: how much loss it adds, and a law with one number that predicts any schedule from a constant rate.

With w' = -(∇L + noise) in training time τ, a quadratic loss under noise of covariance η Σ carries an excess of
η Tr Σ / 4, once noise and restoring force balance (paper, section 5). At equal τ the rest of the loss is the same for
every schedule, so that two runs differ by the difference of their excesses. These are means over the data: for single
runs the noise between seeds has to be small beside what the schedule changes.
"""

import torch
from torch import Tensor

from oraledu.scaling.schedules import training_time


def equal_tau(tau: Tensor, values: Tensor, schedule: Tensor, at: Tensor | None = None) -> Tensor:
    """Return what a constant-rate run was worth when it had the training time of another run.

    Args:
        tau: (points,) the constant-rate run's training time at its records, increasing, in steps at full rate.
        values: (…, points) what it recorded there.
        schedule: (steps,) the share of the full rate that each step of the other run takes.
        at: (n,) after how many of its steps to look, int64; after each of them, from 0 on, if left out.

    Returns:
        (…, n); or (…, steps + 1).

    Raises:
        ValueError: If tau does not increase or has another length than the values, the schedule leaves [0, 1],
            `at` leaves the run, or the constant-rate run is too short.
    """
    times, _ = _times(schedule, at)
    if tau.ndim != 1 or len(tau) < 2 or values.shape[-1] != len(tau) or not (tau.diff() > 0).all():
        raise ValueError(
            "tau must be increasing and have one entry for each value of the constant-rate run, "
            f"got shapes {tuple(tau.shape)} and {tuple(values.shape)}"
        )
    if times.max() > tau[-1] * (1 + 1e-9) or times.min() < tau[0]:
        raise ValueError(
            f"tau must cover the training times {times.min():.6g} to {times.max():.6g} of the schedule, got "
            f"{tau[0]:.6g} to {tau[-1]:.6g}: record the constant-rate run from its start, and for as long"
        )
    times = times.to(tau)
    right = torch.searchsorted(tau.contiguous(), times).clamp(1, len(tau) - 1)
    share = ((times - tau[right - 1]) / (tau[right] - tau[right - 1])).to(values)
    return torch.lerp(values[..., right - 1], values[..., right], share)


def predict(
    tau: Tensor,
    constant_loss: Tensor,
    schedule: Tensor,
    trace: Tensor,
    alpha: float = 0.25,
    two_term: bool = False,
    *,
    at: Tensor | None = None,
    own_trace: Tensor | None = None,
) -> Tensor:
    """Predict the loss under a schedule from that at a constant rate: L'(τ) = L(τ) + α (s' - 1) Tr Σ(τ).

    With the constant-rate run's trace at equal τ this is a prediction: the schedule was never trained on. With
    ``own_trace`` it is not, and shows what the law can do at best; the paper's figures do that. The two-term form
    is α (s' Tr Σ' - Tr Σ) instead: it also counts that the noise itself differs between the runs.

    Args:
        tau: (points,) the constant-rate run's training time at its records, increasing, in steps at full rate.
        constant_loss: (…, points) its loss there.
        schedule: (steps,) the share s' of the full rate, in [0, 1], that each step of the run to predict takes.
        trace: (…, points) the constant-rate run's Tr Σ there: the trace of the covariance of one mini-batch's
            gradient, preconditioned by the rate at peak (see `gradient_covariance_trace`).
        alpha: α; theory gives 1/4.
        two_term: Use the two-term form, which needs ``own_trace``.
        at: (n,) after how many steps to predict, int64; after each step, from 0 on, if left out.
        own_trace: (…, n) the Tr Σ' of the run to predict, at the steps of `at`.

    Returns:
        (…, n) losses; or (…, steps + 1).

    Raises:
        ValueError: For the reasons of `equal_tau`, or if the two-term form lacks ``own_trace``.
    """
    gain = _gain(tau, schedule, trace, two_term, at, own_trace)
    return equal_tau(tau, constant_loss, schedule, at) + alpha * gain


def fit_alpha(
    true: Tensor,
    tau: Tensor,
    constant_loss: Tensor,
    schedule: Tensor,
    trace: Tensor,
    two_term: bool = False,
    *,
    at: Tensor | None = None,
    own_trace: Tensor | None = None,
) -> float:
    """Return the α with which `predict` comes closest to the true losses, in least squares.

    The true losses, (…, n), are those of the run itself, where `predict` would predict them; the other arguments are
    those of `predict`.

    Raises:
        ValueError: For the reasons of `predict`, or if the schedule never leaves the full rate.
    """
    gain = _gain(tau, schedule, trace, two_term, at, own_trace)
    change = true - equal_tau(tau, constant_loss, schedule, at)
    size = gain.square().sum()
    if not size > 0:
        raise ValueError(
            "schedule must leave the full rate somewhere: α weighs the difference that this makes"
        )
    return ((gain * change).sum() / size).item()


def explained(predicted: Tensor, true: Tensor, constant: Tensor) -> float:
    """Return the share of the change of the loss by a schedule that a prediction explains.

    1 - Σ (predicted - true)² / Σ (true - constant)²: 1 is perfect, 0 is as good as no law at all.

    Args:
        predicted: (…) losses.
        true: (…) the losses of the run itself.
        constant: (…) the constant-rate run's losses at equal τ; see `equal_tau`.

    Raises:
        ValueError: If the shapes differ, or the schedule changes nothing.
    """
    if not predicted.shape == true.shape == constant.shape:
        raise ValueError(
            "predicted, true and constant must have one shape, "
            f"got {tuple(predicted.shape)}, {tuple(true.shape)} and {tuple(constant.shape)}"
        )
    induced = (true - constant).square().sum()
    if not induced > 0:
        raise ValueError("constant equals true: the schedule changes nothing that could be explained")
    return 1 - ((predicted - true).square().sum() / induced).item()


def gradient_covariance_trace(gradients: Tensor, preconditioner: Tensor | None = None) -> Tensor:
    """Return an unbiased estimate of Tr(P^(-1/2) Σ P^(-1/2)), Σ the covariance of the gradients.

    For the schedule law these are gradients of whole mini-batches, of the size that training uses, at one point; P⁻¹
    is what the optimizer multiplies a gradient by at its peak rate: the rate for gradient descent, rate / (√v̂ + ε)
    for Adam.

    Args:
        gradients: (n, …, d) the gradients of n independent mini-batches, n at least 2.
        preconditioner: (…, d) the diagonal of P⁻¹; the identity if left out.

    Returns:
        (…) the sum over the d coordinates of variance (divided by n - 1) times P⁻¹.

    Raises:
        ValueError: If there are fewer than two gradients, or the shapes do not fit.
    """
    if gradients.ndim < 2 or len(gradients) < 2:
        raise ValueError(
            f"gradients must have shape (n, …, d) with n at least 2, got {tuple(gradients.shape)}: "
            "one gradient has no spread"
        )
    variances = gradients.var(dim=0, correction=1)
    if preconditioner is None:
        return variances.sum(dim=-1)
    if preconditioner.shape != variances.shape:
        raise ValueError(
            f"preconditioner must have shape {tuple(variances.shape)}, got {tuple(preconditioner.shape)}"
        )
    return (variances * preconditioner).sum(dim=-1)


def _times(schedule: Tensor, at: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the training times of a run and the share of the rate it last took, each (n,) or (steps + 1,)."""
    if schedule.ndim != 1 or len(schedule) == 0 or not ((schedule >= 0) & (schedule <= 1)).all():
        raise ValueError(
            "schedule must hold one share of the full rate for each step, (steps,) in [0, 1]: see step_rates"
        )
    rates = schedule.double()
    times = training_time(rates)
    rates = torch.cat([rates[:1], rates])
    if at is None:
        return times, rates
    if at.dtype.is_floating_point or at.ndim != 1 or at.min() < 0 or at.max() > len(schedule):
        raise ValueError(f"at must hold whole numbers of steps from 0 to {len(schedule)}")
    return times[at], rates[at]


def _gain(
    tau: Tensor,
    schedule: Tensor,
    trace: Tensor,
    two_term: bool,
    at: Tensor | None,
    own_trace: Tensor | None,
) -> Tensor:
    """Return what α multiplies."""
    rates = _times(schedule, at)[1]
    constant = equal_tau(tau, trace, schedule, at)
    rates = rates.to(constant)
    if two_term:
        if own_trace is None:
            raise ValueError("two_term needs own_trace, the trace of the run itself")
        return rates * own_trace - constant
    return (rates - 1) * (constant if own_trace is None else own_trace)
