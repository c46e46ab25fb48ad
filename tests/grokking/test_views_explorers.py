"""The explorers of lesson 4: every position of every control can be drawn, and its words are true."""

import re

import pytest
import torch

from oraledu.course.controls import positions
from oraledu.grokking import arithmetic, circulant, fourier, networks, rfm, views
from oraledu.grokking.views.circulants import row_of
from oraledu.grokking.views.features import powers

P = 11


def drawn(seed):
    return torch.Generator().manual_seed(seed)


def split(op, fraction=0.7):
    return arithmetic.split(*arithmetic.modular_table(op, P), fraction, generator=drawn(0))


def in_log_order(op):
    """A metric whose block is circulant in the order of the powers of 2, a generator modulo 11, and zero else."""
    metric = torch.zeros(2 * P, 2 * P, dtype=torch.float64)
    metric[P:, :P] = circulant.random_block(P, op, generator=drawn(1))
    return metric


@pytest.fixture(scope="module")
def history():
    return rfm.fit(*split("+"), P, iterations=6)


@pytest.fixture(scope="module")
def trained():
    net = networks.QuadraticNet(P, 16, generator=drawn(0))
    return networks.train(net, *split("+"), epochs=8, record_every=4, learning_rate=1e-2, generator=drawn(0))


@pytest.fixture(scope="module")
def explorers(history, trained):
    accuracy = torch.rand(3, 5, generator=drawn(0))
    return {
        "first machine": views.first_machine_explorer(P, rfm.quadratic_gram),
        "iteration": views.iteration_explorer(history),
        "phase": views.phase_explorer([0.4, 0.6, 0.8], accuracy, 1 - accuracy),
        "logarithm": views.logarithm_explorer({op: in_log_order(op) for op in "+-*/"}, P),
        "fourier": views.fourier_explorer(fourier.multiplication),
        "circulant": views.circulant_explorer(P, 0.5),
        "comparison": views.comparison_explorer(history, trained),
    }


NAMES = ["first machine", "iteration", "phase", "logarithm", "fourier", "circulant", "comparison"]


def every_value(control):
    if hasattr(control, "step") and isinstance(control.value, float):
        count = round((control.max - control.min) / control.step)
        return [control.min + index * control.step for index in range(count + 1)]
    return positions("", control)


@pytest.mark.parametrize("name", NAMES)
def test_every_position_of_every_control_is_drawn_and_put_into_words(explorers, name):
    explorer = explorers[name]
    start = explorer.values
    assert explorer.error is None
    for control in start:
        pictures = set()
        for value in every_value(explorer.controls[control]):
            explorer.controls[control].value = value
            assert explorer.error is None, (control, value)
            assert "not drawn" not in explorer.alt
            pictures.add(explorer._repr_mimebundle_()[0]["image/png"])
        assert len(pictures) > 1, f"moving {control} changes nothing"
        explorer.controls[control].value = start[control]


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_words_beside_it(explorers, name):
    for control in explorers[name].controls.values():
        assert control.description.strip()


def test_the_phase_map_says_the_numbers_under_the_cursor():
    accuracy, toeplitz = torch.rand(2, 4, 6, generator=drawn(3))
    explorer = views.phase_explorer([0.3, 0.5, 0.6, 0.7], accuracy, toeplitz)
    explorer.controls["fraction"].value, explorer.controls["iteration"].value = 0.6, 4
    assert f"accuracy is {accuracy[2, 4]:.2f} and the deviation {toeplitz[2, 4]:.2f}" in explorer.alt
    explorer.controls["iteration"].value = 0
    assert f"accuracy is {accuracy[2, 0]:.2f} and the deviation undefined" in explorer.alt


def test_the_curves_beside_the_phase_map_are_those_of_the_chosen_fraction():
    accuracy, toeplitz = torch.rand(2, 4, 6, generator=drawn(3))
    explorer = views.phase_explorer([0.3, 0.5, 0.6, 0.7], accuracy, toeplitz)
    curves = explorer._draw(fraction=0.6, iteration=4).axes[2].lines
    for curve, values in zip(curves, (accuracy, toeplitz), strict=False):
        torch.testing.assert_close(torch.as_tensor(curve.get_ydata())[1:], values[2, 1:])
    assert list(curves[2].get_xdata()) == [4, 4]


def test_a_generator_brings_out_the_stripes_and_another_base_says_how_far_it_reaches(explorers):
    explorer = explorers["logarithm"]
    assert explorer.values["base"] == arithmetic.primitive_roots(P)[0]
    for op, own in (("*", "Toeplitz"), ("/", "Hankel")):
        explorer.controls["operation"].value = op
        for base in range(2, P):
            explorer.controls["base"].value = base
            if base in arithmetic.primitive_roots(P):
                assert f"powers of {base}, a generator" in explorer.alt
                assert f"{own} 0.00" in explorer.alt
            else:
                assert f"powers of {base}: only {len(powers(base, P))} of {P - 1} digits" in explorer.alt
                assert f"{own} 0.00" not in explorer.alt


@pytest.mark.parametrize("p", [5, 11, 13])
def test_the_powers_of_a_base_are_those_that_multiplication_reaches(p):
    for base in range(2, p):
        assert powers(base, p) == list(dict.fromkeys(pow(base, i, p) for i in range(p)))


def test_digits_beyond_the_prime_wrap_around():
    explorer = views.fourier_explorer(fourier.multiplication)
    explorer.controls["p"].value, explorer.controls["a"].value, explorer.controls["b"].value = 5, 12, 9
    assert "1.00 at l = 1 and at most 0.00" in explorer.alt  # 12 + 9 = 21 = 1 modulo 5


def test_the_bars_are_those_of_the_function_that_is_handed_in():
    def subtraction(x1, x2):
        return fourier.multiplication(x1, fourier.reverse(x2))

    explorer = views.fourier_explorer(subtraction)
    explorer.controls["a"].value, explorer.controls["b"].value = 7, 2
    assert "1.00 at l = 5 " in explorer.alt


def test_a_row_has_the_coefficients_it_was_made_of(generator):
    sizes, turns = torch.rand(2, 7, generator=generator, dtype=torch.float64)
    found = torch.fft.fft(row_of(sizes, turns))
    torch.testing.assert_close(found[0].abs().item(), 0.0, atol=1e-12, rtol=0)
    torch.testing.assert_close(found[1:8], torch.polar(sizes, 2 * torch.pi * turns))


def percent(explorer):
    return int(re.search(r"one solve answers (\d+)%", explorer.alt)[1])


def test_phases_and_orientation_matter_as_the_lesson_says():
    p, fraction = 31, 0.5
    explorer = views.circulant_explorer(p, fraction)
    assert percent(explorer) > 90
    explorer.controls["orientation"].value = "hankel"
    assert percent(explorer) < 10
    explorer.controls["orientation"].value = "toeplitz"
    explorer.controls["strength"].value = 0.5
    assert percent(explorer) < 10
    explorer.controls["strength"].value = 1.0
    explorer.controls["frequencies"].value = 3
    assert percent(explorer) < 10
    explorer.controls["frequencies"].value = 15
    explorer.controls["random_phases"].value = False
    train, _, test, _ = arithmetic.split(
        *arithmetic.modular_table("+", p), fraction, generator=torch.Generator().manual_seed(0)
    )
    shown = set(map(tuple, train.tolist()))
    mirrored = sum((b, a) in shown for a, b in test.tolist()) / len(test)
    assert percent(explorer) == round(100 * mirrored)


def test_a_block_in_which_pairs_look_alike_says_that_there_is_no_solution():
    explorer = views.circulant_explorer(31, 0.5)
    for name, value in {"random_phases": False, "strength": 2.0, "orientation": "hankel"}.items():
        explorer.controls[name].value = value
    assert "no solution: some of these pairs look alike" in explorer.alt


def test_the_comparison_says_what_both_learners_do(history, trained):
    explorer = views.comparison_explorer(history, trained)
    explorer.controls["iteration"].value, explorer.controls["epoch"].value = 3, 4
    block = history.metrics[3, P:, :P]
    assert f"iteration 3: accuracy {history.test_accuracy[3]:.2f}" in explorer.alt
    assert f"Toeplitz deviation {circulant.deviation(block, 'toeplitz'):.2f}" in explorer.alt
    assert f"epoch 4: accuracy {trained.test_accuracy[1]:.2f}" in explorer.alt
    explorer.controls["iteration"].value = 0
    assert "iteration 0: accuracy 0.00, a block of zeros" in explorer.alt
