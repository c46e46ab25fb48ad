"""The numbers of the exam problems in `teach/`, computed again."""

import itertools
import math
import re

import pytest
import torch

from oraledu.app import catalogue
from oraledu.grokking import rfm


def solution(number: str, problem: int) -> str:
    """Return the solution of a problem, on one line."""
    text = (catalogue.source_folder("teach") / f"{number}.md").read_text("utf-8")
    return " ".join(re.split(r"\*Solution and marks\.\*", text)[problem].partition("\n### ")[0].split())


def says(number: str, problem: int, *values: str) -> None:
    """Ask for each value in a solution."""
    text = solution(number, problem)
    assert [value for value in values if value not in text] == []


@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
def test_each_lesson_has_two_problems_whose_marks_add_up(lesson):
    text = (catalogue.source_folder("teach") / f"{lesson.number}.md").read_text("utf-8")
    problems = text.partition("## Exam problems")[2].split("\n### ")[1:]
    assert len(problems) == 2
    for problem in problems:
        asked, solved = problem.split("*Solution and marks.*")
        total = int(re.search(r"(\d+) points\)", asked)[1])
        assert sum(map(int, re.findall(r"\((\d+)\)(?:\n|$)", asked))) == total
        assert len(solved.split()) > 40


def test_two_points():
    a, b = 0.5**0.5, 0.5**0.5
    weights = torch.softmax(torch.tensor([-((0.5 - a) ** 2), -((0.5 + a) ** 2)]) / (2 * b**2), 0)
    estimate = float(weights[0] - weights[1])
    assert estimate == pytest.approx(math.tanh(a * 0.5 / b**2), abs=1e-6)
    says("01", 1, f"tanh({a * 0.5 / b**2:.4f}) = {estimate:.3f}")


def test_rings():
    training = (1, 1, 0, 0, 0, 0, 0, 0)

    def windows(ring: tuple[int, ...], k: int) -> set[tuple[int, ...]]:
        return {tuple(ring[(i + j) % 8] for j in range(k)) for i in range(8)}

    found = {}
    for k in (3, 5, 7):
        allowed = windows(training, k)
        consistent = [ring for ring in itertools.product((0, 1), repeat=8) if windows(ring, k) <= allowed]
        moved = {training[i:] + training[:i] for i in range(8)}
        found[k] = len(consistent), len(set(consistent) - moved)
    assert len(windows(training, 3)) == 5
    assert found == {3: (13, 5), 5: (9, 1), 7: (8, 0)}
    says("01", 2, "Together 13, of which 5 are new", "9 rings, 1 new", "the 8 translates")


def test_counting_directions():
    sigma = torch.tensor([3.0, 1.0], dtype=torch.float64)
    p, q = sigma**2 / (sigma**2).sum(), sigma / sigma.sum()
    first, second = float(torch.special.entr(p).sum()), -math.log(float((p**2).sum()))
    rank = math.exp(float(torch.special.entr(q).sum()))
    says("02", 1, f"S_1 = {first:.3f}", f"= {second:.3f}", f"= {rank:.3f}")
    says("02", 1, rf"{math.exp(second):.2f} \le {math.exp(first):.2f} \le {rank:.2f} \le 2")
    bound = -0.99 * math.log(0.99) - 0.01 * math.log(0.01) + 0.01 * math.log(17)
    says("02", 1, f"= {bound:.4f}", f"{math.log(18):.3f}", f"{bound / math.log(18):.1%}".replace("%", " %"))


def test_the_best_of_many_layers():
    noise = torch.Generator().manual_seed(0)
    common, own = (torch.randn(2, 40_000, n, generator=noise, dtype=torch.float64) for n in (1, 32))
    for rho, lead in ((0.0, "2.07"), (0.9, "0.65")):
        a, b = rho**0.5 * common + (1 - rho) ** 0.5 * own
        chosen = a.argmax(1, keepdim=True)
        promised = float((a.amax(1) - a[:, -1]).mean())
        honest, mixed = b.gather(1, chosen)[:, 0] - b[:, -1], b.gather(1, chosen)[:, 0] - a[:, -1]
        assert abs(promised - float(lead)) < 0.02
        assert abs(honest.mean()) < 0.03
        assert abs(mixed.mean()) < 0.03
        assert abs(float(mixed.var()) - 2) < 0.05
        assert abs(float(honest.var()) - 2 * (1 - rho)) < 0.1
        says("02", 2, lead)


def test_a_horizon():
    mu, nu = 0.4, 0.6
    r = nu / mu
    cells = torch.linspace(-3, 12, 150_001, dtype=torch.float64).exp()
    best = []
    for compute in (1e4, 1e8):  # brute force over the size, at fixed t p
        best.append(float(cells[((compute / cells) ** -mu + cells**-nu).argmin()]))
    (p, big), (t, long) = best, (1e4 / best[0], 1e8 / best[1])
    assert math.log(long / t) / math.log(big / p) == pytest.approx(1.5, abs=1e-3)
    assert t**-mu / p**-nu == pytest.approx(r, abs=1e-3)
    loss = [t**-mu + p**-nu, long**-mu + big**-nu]
    assert math.log(loss[1] / loss[0]) / math.log(1e4) == pytest.approx(-0.24, abs=1e-6)
    curve = ((t / 4) ** -mu + p**-nu) / loss[0]
    says("03", 1, f"= {curve:.3f}", "= -0.24", f"a factor of {100 ** (nu - mu):.2f}", f"= {r * 3**-mu:.3f}")


def test_noise_that_cancels():
    h, curvature, noise = 0.1, 1.0, 1.0
    square = 0.0
    for _ in range(2000):
        square = (1 - h * curvature) ** 2 * square + h**2 * noise
    excess = 0.5 * curvature * square / (h * noise / 4) - 1
    says("03", 2, f"{100 * excess:.1f} %", rf"= {math.sqrt(4 + 1 - 2 * 0.8 * 2):.2f}\ \%", "= 0.25$")


def test_the_smallest_table():
    pairs, question = torch.tensor([[0, 0], [0, 1], [1, 0]]), torch.tensor([[1, 1]])
    identity = torch.eye(4, dtype=torch.float64)
    gram = rfm.quadratic_gram(pairs, pairs, identity)
    assert gram.tolist() == [[4, 1, 1], [1, 4, 0], [1, 0, 4]]
    coefficients = torch.linalg.solve(gram, torch.tensor([[1, 0], [0, 1], [0, 1]], dtype=torch.float64))
    scores = rfm.quadratic_gram(question, pairs, identity) @ coefficients
    assert torch.allclose(scores, torch.tensor([[-1 / 7, 4 / 7]], dtype=torch.float64))
    assert torch.allclose(
        coefficients[:2].T.flatten(), torch.tensor([2 / 7, -1 / 14, -1 / 7, 2 / 7]).double()
    )
    says("04", 1, "$4/7$ for class 1, $-1/7$ for class 0", "$v = 2/7$, $u = -1/7$", "$v = -1/14$, $u = 2/7$")


def test_faint_stripes():
    gain, forcing = 3.0, 0.02

    def run(power: float, iterations: int) -> list[float]:
        amplitudes = [0.0]
        for _ in range(iterations):
            amplitudes.append(power * (gain * amplitudes[-1] + forcing))
        return amplitudes

    assert run(0.5, 2)[1:] == pytest.approx([0.010, 0.025])
    faint = run(0.25, 200)
    assert faint[-1] == pytest.approx(0.020)
    assert next(t for t, r in enumerate(faint) if r >= 0.95 * faint[-1]) == 11
    late = run(0.5, 30)
    says("04", 2, f"= {(late[-1] / late[-2]) ** 2:.2f}$", "from $t = 11$ on", "= 0.020$")
