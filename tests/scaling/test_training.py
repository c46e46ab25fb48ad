"""Training a ladder: records, divergence, interruption."""

from dataclasses import dataclass, replace
from itertools import islice

import pytest
import torch

from oraledu.course import runfolder
from oraledu.course.runfolder import FileKeep
from oraledu.scaling import ladder
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearPass
from oraledu.scaling.schedules import step_rates, training_time
from oraledu.scaling.stacked import StackedPass

KINDS = pytest.mark.parametrize("kind", ["linear", "mlp", "transformer"])


@pytest.fixture(autouse=True)
def every_step(monkeypatch):
    """Have each step saved where a test keeps them."""
    monkeypatch.setenv(runfolder.SECONDS_VARIABLE, "0")


@dataclass
class Scripted:
    """A pass whose loss after k steps is 1 / (1 + k), but for what a script says of a seed and step."""

    seeds: tuple
    script: dict
    done: int = 0

    def step(self, rate):
        self.done += 1

    def loss(self):
        return torch.tensor(
            [self.script.get((seed, self.done), 1 / (1 + self.done)) for seed in self.seeds]
        ).double()

    def trace(self):
        return torch.ones(len(self.seeds), dtype=torch.float64)

    def state(self):
        return {"done": self.done}

    def load(self, state):
        self.done = state["done"]


@dataclass(frozen=True)
class ScriptedLadder:
    """Widths 2 and 3 of 10 steps each; the script holds for width 3."""

    script: tuple = ()
    widths: tuple = (2, 3)
    horizon: Horizon = Horizon(1e-300, 1e-3)  # noqa: RUF009
    tokens_per_step: float = 0.2

    def parameters(self, width):
        return width

    def begin(self, width, seeds, steps):
        assert steps == 10
        return Scripted(tuple(seeds), dict(self.script) if width == 3 else {})


@KINDS
def test_losses_are_recorded_at_equal_progress(kind, request):
    kind = request.getfixturevalue(kind)
    runs = ladder.train(kind, "linear", seeds=(0, 1), records=3)
    steps = [ladder.train_steps(kind, width) for width in kind.widths]
    assert runs.steps.tolist() == [[0, round(n / 3), round(2 * n / 3), n] for n in steps]
    assert runs.loss.shape == (len(kind.widths), 2, 4)
    for row, n in enumerate(steps):
        tau = training_time(step_rates("linear", n))
        assert torch.equal(runs.tau[row], tau[runs.steps[row]])
    assert torch.equal(runs.tokens, runs.steps.double() * kind.tokens_per_step)
    assert runs.parameters.tolist() == [kind.parameters(width) for width in kind.widths]
    assert runs.trace is None
    assert runs.diverged == ()


@KINDS
def test_a_width_is_trained_to_its_horizon(kind, request):
    kind = request.getfixturevalue(kind)
    for width in kind.widths:
        wanted = kind.horizon.tokens(kind.parameters(width))
        assert (
            abs(ladder.train_steps(kind, width) * kind.tokens_per_step - wanted) <= kind.tokens_per_step / 2
        )


@KINDS
def test_the_noise_is_recorded_on_request(kind, request):
    runs = ladder.train(request.getfixturevalue(kind), seeds=(0, 1), records=3, trace=True)
    assert runs.trace.shape == runs.loss.shape
    assert (runs.trace[..., 1:] > 0).all()


@KINDS
@pytest.mark.parametrize("kept", [1, 4, 5, 9])
def test_an_interrupted_ladder_resumes_and_gives_the_same_numbers(kind, kept, request, tmp_path):
    kind = request.getfixturevalue(kind)
    settings = {"seeds": (0, 1), "records": 4, "trace": True}
    whole = ladder.train(kind, "cosine", **settings)
    path = tmp_path / "runs" / "ladder.pt"
    steps = ladder.iterate(kind, "cosine", **settings, keep=FileKeep(path, "ladder"))
    list(islice(steps, kept))
    steps.close()
    resumed = ladder.train(kind, "cosine", **settings, keep=FileKeep(path, "ladder"))
    assert torch.equal(resumed.loss, whole.loss)
    assert torch.equal(resumed.trace.nan_to_num(), whole.trace.nan_to_num())
    assert torch.equal(resumed.steps, whole.steps)


def test_what_interrupts_a_step_loses_no_more_than_since_the_last_save(mlp, tmp_path, monkeypatch):
    settings = {"seeds": (0, 1), "records": 4}
    whole = ladder.train(mlp, "linear", **settings)
    path, taken = tmp_path / "ladder.pt", []
    step = StackedPass.step

    def counted(self, rate):
        taken.append(rate)
        if len(taken) == 33:
            raise KeyboardInterrupt
        step(self, rate)

    monkeypatch.setattr(StackedPass, "step", counted)
    with pytest.raises(KeyboardInterrupt):
        ladder.train(mlp, "linear", **settings, keep=FileKeep(path, "ladder"))
    assert torch.equal(
        ladder.train(mlp, "linear", **settings, keep=FileKeep(path, "ladder")).loss, whole.loss
    )
    assert len(taken) == 33 + 50 - 12  # of the second width 12 steps were saved, and the 13th was under way


def test_a_finished_ladder_is_read_and_not_trained_again(mlp, tmp_path, monkeypatch):
    path = tmp_path / "ladder.pt"
    whole = ladder.train(mlp, seeds=(0,), records=4, keep=FileKeep(path, "ladder"))
    monkeypatch.setattr(ladder.MLPLadder, "begin", None)
    assert torch.equal(
        ladder.train(mlp, seeds=(0,), records=4, keep=FileKeep(path, "ladder")).loss, whole.loss
    )


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1000.0])
def test_a_run_that_diverges_is_reported_and_the_others_are_kept(value):
    runs = ladder.train(ScriptedLadder((((5, 6), value),)), seeds=(4, 5, 6), records=5)
    assert runs.diverged == (ladder.Divergence(width=3, seed=5, step=6),)
    assert runs.loss[1, 1].isnan().tolist() == [False, False, False, True, True, True]
    others = torch.ones(2, 3, dtype=torch.bool)
    others[1, 1] = False
    expected = 1 / (1 + runs.steps[0].double())
    assert torch.allclose(runs.loss[others], expected.expand(5, -1))


def test_the_seeds_that_finished_everywhere_make_whole_arrays():
    runs = ladder.train(
        ScriptedLadder((((5, 6), torch.nan),)), seeds=(4, 5, 6), records=5, trace=True
    ).finished()
    assert runs.seeds == (4, 6)
    assert runs.loss.shape == runs.trace.shape == runs.progress.shape == (2, 2, 6)
    assert runs.loss.isfinite().all()


def test_a_ladder_without_a_finished_seed_says_where_it_diverged():
    runs = ladder.train(ScriptedLadder((((0, 2), torch.nan),)), seeds=(0,), records=5)
    with pytest.raises(ValueError, match=r"lower the rate: \(Divergence\(width=3, seed=0, step=2\),\)"):
        runs.finished()


def test_a_ladder_that_diverges_is_not_stepped_on(linear, monkeypatch):
    taken = []
    step = LinearPass.step
    monkeypatch.setattr(LinearPass, "step", lambda self, rate: (taken.append(rate), step(self, rate)))
    runs = ladder.train(replace(linear, rate=20.0), "constant", seeds=(0, 1), records=20)
    assert {(lost.width, lost.seed) for lost in runs.diverged} == {(4, 0), (4, 1), (8, 0), (8, 1)}
    assert len(taken) < 30


def test_divergence_is_remembered_over_an_interruption(tmp_path):
    kind, path = ScriptedLadder((((5, 6), torch.nan),)), tmp_path / "ladder.pt"
    steps = ladder.iterate(kind, seeds=(4, 5), records=5, keep=FileKeep(path, "ladder"))
    list(islice(steps, 6 + 4))
    resumed = ladder.train(kind, seeds=(4, 5), records=5, keep=FileKeep(path, "ladder"))
    assert resumed.diverged == (ladder.Divergence(3, 5, 6),)
    assert resumed.loss[1, 1, 3:].isnan().all()


def test_records_may_be_given_as_progress(linear):
    runs = ladder.train(linear, seeds=(0,), records=torch.tensor([0.1, 0.5, 1.0]))
    assert runs.steps.tolist() == [[2, 10, 20], [5, 23, 46]]
    assert runs.progress[0, 0].tolist() == [0.1, 0.5, 1.0]


def test_collected_records_are_what_train_returns(linear):
    whole = ladder.train(linear, seeds=(0, 1), records=4)
    records = list(ladder.iterate(linear, seeds=(0, 1), records=4))
    assert torch.equal(ladder.collect(records, linear, (0, 1)).loss, whole.loss)
    part = ladder.collect(records[:-1], linear, (0, 1))
    assert part.widths == (4,)
    assert torch.equal(part.loss, whole.loss[:1])
    with pytest.raises(ValueError, match="records must hold at least one width up to its horizon"):
        ladder.collect(records[:4], linear, (0, 1))


def test_compute_is_six_flops_for_each_token_and_parameter(linear):
    runs = ladder.train(linear, seeds=(0,), records=2)
    assert runs.compute.tolist() == [[0, 6 * 10 * 4 * 4, 6 * 20 * 4 * 4], [0, 6 * 23 * 4 * 8, 6 * 46 * 4 * 8]]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seeds": ()}, "seeds must be distinct whole numbers"),
        ({"seeds": (1, 1)}, "seeds must be distinct whole numbers"),
        ({"seeds": (-1,)}, "seeds must be distinct whole numbers"),
        ({"schedule": "lineal"}, "schedule must be one of"),
        ({"records": 0}, "records must be at least 1"),
        ({"records": 21}, "a run of 20 steps is too short for them: ask for fewer"),
        ({"records": torch.tensor([0.5, 0.2, 1.0])}, "records must increase"),
        (
            {"records": torch.tensor([0.5, 0.9])},
            "records must hold progress from 0 at the earliest to 1 at the end",
        ),
        ({"records": torch.tensor([-0.5, 1.0])}, "records must hold progress from 0"),
    ],
)
def test_unfit_arguments_are_refused_before_anything_is_trained(settings, words, linear):
    with pytest.raises(ValueError, match=words):
        ladder.iterate(linear, **{"seeds": (0,)} | settings)


@pytest.mark.parametrize("widths", [(), (8, 4), (4, 4)])
def test_widths_that_do_not_ascend_are_refused(widths, linear):
    with pytest.raises(ValueError, match="the ladder's widths must ascend"):
        ladder.iterate(replace(linear, widths=widths), seeds=(0,))
