"""The quadratic network: its outputs, its start, and its features against autograd."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.grokking import arithmetic, circulant
from oraledu.grokking.quadratic_net import QuadraticNet, feature_matrix, network_agop


def test_the_outputs_are_those_of_the_formula(generator):
    net = QuadraticNet(7, 11, generator=generator)
    pairs = arithmetic.modular_table("+", 7)[0]
    x = arithmetic.one_hot_pairs(pairs, 7)
    assert torch.allclose(net(pairs), (x @ net.first.T) ** 2 @ net.second.T)
    assert net(pairs).shape == (49, 7)


def test_a_transform_acts_on_the_one_hot_inputs(generator):
    transform = circulant.random_metric(7, "+", generator=generator)
    net = QuadraticNet(7, 11, generator=generator, transform=transform)
    pairs = arithmetic.modular_table("+", 7)[0]
    x = arithmetic.one_hot_pairs(pairs, 7) @ transform.T
    assert torch.allclose(net(pairs), (x @ net.first.T) ** 2 @ net.second.T)
    assert [name for name, _ in net.named_parameters()] == ["first", "second"]


def test_the_weights_start_uniform_in_torchs_range(generator):
    net = QuadraticNet(31, 500, generator=generator, dtype=torch.float32)
    for weights, inputs in ((net.first, 62), (net.second, 500)):
        assert weights.dtype == torch.float32
        assert weights.abs().max() <= inputs**-0.5
        assert weights.std().item() == pytest.approx((inputs * 3) ** -0.5, rel=0.02)


def test_the_generator_decides_the_weights():
    nets = [QuadraticNet(5, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(nets[0].first, nets[1].first)
    assert not torch.equal(nets[0].first, nets[2].first)


def test_an_unfit_width_or_transform_is_refused(generator):
    with pytest.raises(ValueError, match="width must be at least 1"):
        QuadraticNet(5, 0, generator=generator)
    with pytest.raises(ValueError, match=r"transform must have shape \(10, 10\)"):
        QuadraticNet(5, 4, generator=generator, transform=torch.eye(5))


@given(
    op=st.sampled_from("+-*/"),
    p=st.sampled_from([3, 5, 7, 11]),
    width=st.integers(1, 20),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=30)
def test_the_agop_is_that_of_autograd(op, p, width, seed, jacobians, average_outer_product):
    generator = torch.Generator().manual_seed(seed)
    pairs = arithmetic.split(*arithmetic.modular_table(op, p), 0.5, generator=generator)[0]
    net = QuadraticNet(p, width, generator=generator)
    first, second = net.first.detach(), net.second.detach()
    jacobian = jacobians(lambda x: second @ (first @ x) ** 2, pairs, p)
    expected = average_outer_product(jacobian, centre=False)
    result = network_agop(first, second, pairs)
    assert (result - expected).abs().max() <= 1e-9 * expected.abs().max()
    assert torch.isclose(result.trace(), jacobian.square().sum(dim=(1, 2)).mean())


def test_the_gradient_of_the_agops_trace_is_that_of_finite_differences(generator):
    pairs = arithmetic.modular_table("+", 3)[0][:5]
    net = QuadraticNet(3, 4, generator=generator)
    assert torch.autograd.gradcheck(
        lambda first, second: network_agop(first, second, pairs).trace(), (net.first, net.second)
    )


def test_the_feature_matrix_is_the_gram_matrix_of_the_columns(generator):
    first = torch.randn(9, 6, generator=generator)
    features = feature_matrix(first)
    for i in range(6):
        for j in range(6):
            assert torch.isclose(features[i, j], first[:, i] @ first[:, j], atol=1e-6)


def test_the_agop_stays_on_the_device_of_the_weights():
    first, second = torch.zeros(4, 10, device="meta"), torch.zeros(5, 4, device="meta")
    pairs = torch.zeros(20, 2, dtype=torch.int64, device="meta")
    assert network_agop(first, second, pairs).device.type == "meta"
