from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import oraledu
from oraledu.course import cache
from oraledu.course.cache import cached, source_digest

calls: list[tuple] = []


@dataclass(frozen=True)
class Settings:
    p: int
    kernel: str | Callable


def squares(settings: object, seed: int = 0) -> torch.Tensor:
    calls.append((settings, seed))
    if seed == 13:
        raise KeyboardInterrupt
    return torch.arange(seed + 3) ** 2


def other(settings: object, seed: int = 0) -> torch.Tensor:
    calls.append((settings, seed))
    return torch.zeros(1)


run = cached(squares)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> Iterator[Path]:
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path / "cache"))
    calls.clear()
    yield tmp_path / "cache"
    source_digest.cache_clear()


def test_a_run_is_computed_once():
    first = run(Settings(31, "quadratic"), 2)
    assert torch.equal(first, torch.tensor([0, 1, 4, 9, 16]))
    assert torch.equal(run(Settings(31, "quadratic"), seed=2), first)
    assert len(calls) == 1


def test_where_nothing_can_be_kept_it_computes_and_says_so_once(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path / "file" / "cache"))
    first = run(31)
    assert torch.equal(run(31), first)
    assert len(calls) == 2
    assert capsys.readouterr().out == (
        f"Long runs are not kept: {tmp_path / 'file' / 'cache'} cannot be written (Not a directory).\n"
    )


def test_a_default_and_the_same_value_spelt_out_are_one_run():
    run(7)
    run(settings=7, seed=0)
    assert len(calls) == 1


def test_another_setting_seed_or_function_is_another_run():
    run(Settings(31, "quadratic"))
    run(Settings(31, "gaussian"))
    run(Settings(31, "gaussian"), seed=1)
    assert len(calls) == 3
    assert torch.equal(cached(other)(Settings(31, "gaussian"), seed=1), torch.zeros(1))


def test_another_torch_is_another_run(monkeypatch):
    run(1)
    monkeypatch.setattr(torch, "__version__", "99.0")
    run(1)
    assert len(calls) == 2


def test_a_changed_source_is_another_run(tmp_path, monkeypatch):
    module = tmp_path / "package" / "inner" / "module.py"
    module.parent.mkdir(parents=True)
    monkeypatch.setattr(oraledu, "__file__", str(tmp_path / "package" / "__init__.py"))
    for source in ("x = 1", "x = 2", "x = 1"):
        module.write_text(source)
        source_digest.cache_clear()
        run(1)
    assert len(calls) == 2
    module.rename(module.with_name("renamed.py"))
    source_digest.cache_clear()
    run(1)
    assert len(calls) == 3


def test_results_lie_where_the_environment_says(own_folder):
    run(1)
    assert list(own_folder.rglob("output.pkl"))


def test_without_the_environment_they_lie_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("ORALEDU_CACHE")
    monkeypatch.setattr(cache, "user_cache_path", lambda *_, **__: tmp_path / "user")
    run(1)
    assert list((tmp_path / "user").rglob("output.pkl"))


def test_an_interrupted_loop_keeps_the_runs_that_are_done():
    with pytest.raises(KeyboardInterrupt):
        [run(1, seed) for seed in (11, 12, 13)]
    run(1, 11)
    run(1, 12)
    assert len(calls) == 3


def test_the_results_unused_for_longest_are_dropped(monkeypatch, own_folder):
    run(1)
    monkeypatch.setattr(cache, "KEPT_BYTES", 1)
    cache._memory.cache_clear()
    run(2)
    run(1)
    assert calls == [(1, 0), (2, 0), (1, 0)]


def test_a_damaged_result_is_computed_anew_with_a_note(own_folder, caplog):
    run(1)
    (stored,) = own_folder.rglob("output.pkl")
    stored.write_bytes(b"not a pickle")
    assert torch.equal(run(1), torch.tensor([0, 1, 4]))
    assert "Exception while loading results" in caplog.text
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("argument", "kind"),
    [
        (len, "builtin_function_or_method"),
        (Settings(31, lambda: 0), "function"),
        ({"kernels": [("mine", squares)]}, "function"),
        (torch.Generator(), "Generator"),
        ([torch.zeros(2)], "Tensor"),
    ],
)
def test_a_run_that_a_function_or_a_tensor_drives_is_refused(argument, kind):
    with pytest.raises(
        TypeError, match=f"squares keeps its results on disk, and its argument settings holds a {kind}"
    ):
        run(argument)
    assert calls == []


def test_a_function_whose_source_cannot_be_followed_is_refused(monkeypatch):
    def inner() -> None: ...

    with pytest.raises(TypeError, match="cannot be cached"):
        cached(inner)
    with pytest.raises(TypeError, match="cannot be cached"):
        cached(lambda: 0)
    monkeypatch.setattr(other, "__module__", "__main__")
    with pytest.raises(TypeError, match="cannot be cached"):
        cached(other)


def test_a_cached_function_keeps_its_name_and_words():
    assert run.__name__ == "squares"
