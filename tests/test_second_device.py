"""On another device than the CPU the science computes there, and gives what it gives on the CPU."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from oraledu.course import runtime
from oraledu.diffusion import calibrate, experiments, machines, mosaic
from oraledu.diffusion import settings as diffusion
from oraledu.grokking import arithmetic, networks, rfm
from oraledu.representations import correlation, entropy, geometry, gram, invariance, sink
from oraledu.scaling import settings as scaling
from oraledu.scaling.horizon import Horizon
from tests.lesson_there import tensors
from tests.second_device import NAME, Work, counting, register, with_room_for, without_float64

BOARD, CPU = register(), torch.device("cpu")


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def on_both(compute: Callable[[torch.device], object], tolerance: float = 1e-6) -> Work:
    """Compute on the second device and on the CPU, hold one against the other, and return what was done where."""
    with counting() as work:
        there = tensors(compute(BOARD))
    here = tensors(compute(CPU))
    assert here
    assert len(there) == len(here)
    for one, other in zip(there, here, strict=True):
        torch.testing.assert_close(one.cpu(), other, rtol=tolerance, atol=tolerance)
    assert work.share > 0.95, work
    return work


class TestTheDevice:
    def test_refuses_to_mix_with_the_cpu(self) -> None:
        with pytest.raises(RuntimeError, match=r"same device|of the CPU"):
            torch.ones(3, device=BOARD) + torch.ones(3)
        with pytest.raises(RuntimeError, match=r"same device|of the CPU"):
            torch.ones(3, 3, device=BOARD) @ torch.ones(3, 3)

    def test_refuses_a_generator_of_the_cpu(self) -> None:
        with pytest.raises(RuntimeError, match="generator"):
            torch.randn(3, device=BOARD, generator=torch.Generator())

    def test_takes_numbers_and_indices_of_the_cpu(self) -> None:
        values = torch.arange(4.0).to(BOARD)
        assert (values + torch.tensor(1.0))[torch.tensor([3, 0])].tolist() == [4, 1]
        assert ((values.long() - 2) % 3).tolist() == [1, 2, 0, 1]

    def test_takes_no_indices_into_a_tensor_of_the_cpu(self) -> None:
        with pytest.raises(RuntimeError, match=r"indices|same device"):
            torch.arange(4.0)[torch.tensor([3, 0]).to(BOARD)]

    def test_may_lack_64_bit_numbers_and_room(self) -> None:
        with without_float64(), pytest.raises(TypeError, match="64-bit"):
            torch.ones(3, dtype=torch.float64).to(BOARD)
        with with_room_for(10), pytest.raises(torch.OutOfMemoryError, match="12 numbers"):
            torch.ones(3, 4, device=BOARD)

    def test_keeps_views_in_one_memory(self) -> None:
        matrix = torch.zeros(3, 4, device=BOARD)
        matrix.T[1:3].add_(1)
        matrix.detach()[0, 0] = 5
        assert matrix.cpu().tolist() == [[5, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
        assert torch.nn.Parameter(matrix)[0].tolist() == [5, 1, 1, 0]

    def test_conjugates(self) -> None:
        x = torch.complex(drawn(3), drawn(3))
        assert torch.equal((x.to(BOARD).conj() * 2).cpu(), x.conj() * 2)

    def test_counts_products_decompositions_and_transfers(self) -> None:
        with counting() as work:
            matrix = torch.eye(5).to(BOARD)
            assert matrix[torch.tensor([1, 2])].shape == (2, 5)
            torch.linalg.cholesky(matrix @ matrix).sum().item()
            _ = torch.eye(10) @ torch.eye(10)
        assert work.operations == {NAME: 2 * 5**3 + 5**3 + 5**2, "cpu": 2 * 10**3}
        assert work.transfers == {"from cpu": 2}
        assert work.numbers == 1

    def test_trains_a_network_as_the_cpu_does(self) -> None:
        def train(device: torch.device) -> list[Tensor]:
            torch.manual_seed(0)
            layers = [torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 1)]
            network = torch.nn.Sequential(*layers).to(device)
            optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(network(images.to(device))[:, 0], labels.to(device)).backward()
                optimizer.step()
            return list(network.parameters())

        images, labels = drawn(8, 1, 6, 6).float(), drawn(8).float()
        on_both(train, 1e-5)


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_a_feature_machine_computes_there_and_sends_nothing_back_and_forth(kernel: str) -> None:
    def fit(iterations: int) -> Callable[[torch.device], rfm.History]:
        return lambda device: rfm.fit(
            *(part.to(device) for part in parts), 11, kernel=kernel, iterations=iterations
        )

    parts = arithmetic.split(
        *arithmetic.modular_table("+", 11), 0.6, generator=torch.Generator().manual_seed(0)
    )
    assert on_both(fit(2)).transfers == on_both(fit(4)).transfers


def test_a_quadratic_network_learns_there() -> None:
    def train(device: torch.device) -> networks.NetworkHistory:
        net = networks.QuadraticNet(11, 16, generator=torch.Generator().manual_seed(1)).to(device)
        order = torch.Generator().manual_seed(2)
        return networks.train(
            net, *(part.to(device) for part in parts), epochs=2, generator=order, batch_size=32
        )

    parts = arithmetic.split(
        *arithmetic.modular_table("-", 11), 0.6, generator=torch.Generator().manual_seed(0)
    )
    on_both(train)


@pytest.mark.parametrize(
    ("architecture", "widths", "depth", "padding"),
    [("ResNet", (8,), 1, "zeros"), ("UNet", (8, 8), 0, "circular"), ("AttentionUNet", (8, 8), 0, "zeros")],
)
def test_a_diffusion_experiment_computes_there(
    architecture: str, widths: tuple[int, ...], depth: int, padding: str
) -> None:
    run = replace(
        diffusion.QUICK.fashion,
        architecture=architecture,
        widths=widths,
        depth=depth,
        padding=padding,
        count=12,
        pool=4 if architecture == "ResNet" else 2,
        steps=3,
        batch_size=8,
        candidates=(3,),
        calibration_noises=1,
        noises=1,
    )
    images = experiments.training_images(run)
    on_both(lambda device: experiments.experiment(run, images.to(device), 0).agreement, 1e-4)


@pytest.mark.parametrize(
    ("machine", "patch"), [("ideal", None), ("equivariant", None), ("local", 3), ("equivariant-local", 3)]
)
def test_a_score_machine_computes_there(machine: str, patch: int | None) -> None:
    x, images = drawn(2, 1, 8, 8), drawn(9, 1, 8, 8)

    def answer(device: torch.device) -> Tensor:
        return machines.denoise(
            x.to(device), images.to(device), 0.5, machine=machine, patch=patch, padding="circular"
        )

    with counting() as work:
        there = answer(BOARD)
    torch.testing.assert_close(there.cpu(), answer(CPU))
    assert work.share > 0.95


@pytest.mark.parametrize("kind", ["linear", "mlp", "transformer"])
def test_a_ladder_of_networks_trains_there(kind: str) -> None:
    study = getattr(scaling.QUICK, kind)
    ladder = replace(study.ladder, widths=study.ladder.widths[:1])
    if kind == "mlp":
        ladder = replace(ladder, pool=None, tests=64, batch=32, modes=20)
    parameters = ladder.parameters(ladder.widths[0])
    ladder = replace(ladder, horizon=Horizon.through(parameters, 3 * ladder.tokens_per_step, 1.0))
    study = replace(study, ladder=ladder, seeds=(0, 1), records=2)
    on_both(lambda device: scaling.train_study(study, "linear", str(device)).loss, 1e-5)


def test_every_metric_of_a_layer_computes_there() -> None:
    def measure(device: torch.device) -> list[Tensor]:
        z, views = (x.to(device) for x in (drawn(3, 7, 12), drawn(2, 5, 4, 6)))
        return [
            *(entropy.matrix_entropy(z, order) for order in (0.5, 1.0, 2.0)),
            entropy.effective_rank(z),
            geometry.curvature(z),
            sink.share(gram.gram(z)),
            invariance.info_nce(z[0], z[1]),
            invariance.lidar(views),
            invariance.dime(z[0], z[1], generator=torch.Generator().manual_seed(0)),
        ]

    on_both(measure)
    a, b = drawn(2, 12)
    for compare in (correlation.spearman, correlation.distance_correlation):
        torch.testing.assert_close(compare(a.to(BOARD), b.to(BOARD)).cpu(), compare(a, b))


@pytest.mark.parametrize(
    ("machine", "patch"), [("ideal", None), ("equivariant", None), ("local", 3), ("equivariant-local", 3)]
)
def test_a_machine_that_needs_64_bit_numbers_computes_on_the_cpu(machine: str, patch: int | None) -> None:
    x, images = drawn(2, 1, 8, 8).float(), drawn(9, 1, 8, 8).float()
    options = {"machine": machine, "patch": patch, "padding": "circular"}
    with without_float64(), counting() as work:
        there = machines.denoise(x.to(BOARD), images.to(BOARD), 0.99, **options)
        source = machines.provenance(x.to(BOARD), images.to(BOARD), 0.99, **options)
    assert there.device.type == source.image.device.type == NAME
    assert torch.equal(there.cpu(), machines.denoise(x, images, 0.99, **options))
    assert torch.equal(source.image.cpu(), machines.provenance(x, images, 0.99, **options).image)
    assert work.share < 0.2


def test_without_64_bit_numbers_what_is_measured_in_them_is_so_on_the_cpu() -> None:
    a, b = drawn(3, 1, 8, 8).float(), drawn(4, 1, 8, 8).float()
    with without_float64():
        r = calibrate.pearson_r(a.to(BOARD), b[:3].to(BOARD))
        distance, index = mosaic.nearest_distance(a.to(BOARD), b.to(BOARD))
        ladder = replace(scaling.QUICK.linear.ladder, widths=(8,), dtype=torch.float64)
        study = replace(scaling.QUICK.linear, ladder=ladder, seeds=(0,), records=2)
        runs = scaling.train_study(study, "linear", NAME)
        scaling.train_study(replace(study, ladder=replace(ladder, dtype=torch.float32)), "linear", NAME)
    assert torch.equal(r, calibrate.pearson_r(a, b[:3]))
    assert torch.equal(index.cpu(), mosaic.nearest_distance(a, b)[1])
    assert distance.device.type == NAME
    assert torch.equal(runs.loss, scaling.train_study(study, "linear").loss)


def test_a_lesson_says_that_its_device_has_no_64_bit_numbers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtime, "find_device", lambda scale: BOARD)
    assert runtime.start("09_trial").exact == BOARD
    assert "64-bit" not in capsys.readouterr().out
    with without_float64():
        assert runtime.start("09_trial").exact == CPU
    assert f"{NAME} has no 64-bit numbers: what needs them is computed on the cpu." in capsys.readouterr().out


def test_long_runs_go_side_by_side_on_the_cpu_alone(monkeypatch) -> None:
    monkeypatch.setenv("ORALEDU_THREADS", "2")
    assert [runtime.Run("09_trial", "quick", device, 1).workers for device in (CPU, BOARD)] == [2, 1]
