"""The embedded study of networks that see further, and the making of one."""

from dataclasses import replace

import pytest
import torch

from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.diffusion import experiments, networks, study
from oraledu.diffusion.networks import input_jacobian
from oraledu.diffusion.sampling import sample
from tests.diffusion.awake import awake, noise, seeded
from tests.diffusion.tiny import TINY

MACHINES = ("equivariant-local", "local", "ideal")


@pytest.fixture(scope="module")
def small():
    entries = [study.examine("ResNet", TINY, seed) for seed in (0, 1)]
    return study.Study(entries, {"runs": {"ResNet": {"steps": 3}}, "torch": "2"})


def test_the_embedded_study_has_three_seeds_of_each_architecture():
    found = study.load()
    assert [(entry.architecture, entry.seed) for entry in found.entries] == [
        (name, seed) for name in ("ResNet", "UNet", "AttentionUNet") for seed in (0, 1, 2)
    ]
    assert set(found.recipe["runs"]) == set(study.RUNS)


def test_the_embedded_study_was_made_with_the_settings_of_the_module():
    recipe = study.load().recipe["runs"]
    for name, run in study.RUNS.items():
        kept = {
            key: tuple(value) if isinstance(value, list) else value for key, value in recipe[name].items()
        }
        assert type(run)(**kept) == run


def test_the_agreements_are_tables_of_seeds_and_noises():
    tables = study.load().agreements()
    assert list(tables) == ["ResNet", "UNet", "AttentionUNet"]
    for table in tables.values():
        assert set(table) == set(MACHINES)
        for r in table.values():
            assert r.shape == (3, 24)
            assert (r.abs() <= 1).all()


def test_every_entry_has_a_schedule_and_says_how_far_it_looks():
    for entry in study.load().entries:
        assert len(entry.patches) == 20
        assert set(entry.patches) <= set(study.RUNS[entry.architecture].candidates)
        assert len(entry.sight.times) == len(entry.sight.window) == 6
        assert (
            entry.parameters
            == experiments.build(study.RUNS[entry.architecture], 1, seeded()).parameter_count()
        )


def test_the_resnet_sees_its_receptive_field_the_unet_further_and_with_attention_everything():
    reach = {}
    for entry in study.load().entries:
        reach.setdefault(entry.architecture, set()).add(entry.sight.reach)
    assert reach["ResNet"] == {5}
    assert all(5 < each < 13 for each in reach["UNet"])
    assert reach["AttentionUNet"] == {13}


def test_the_embedded_file_is_small_and_what_its_study_packs_to():
    content = (FOLDER / study.FILE).read_bytes()
    assert len(content) < 100_000
    assert study.pack(study.load()) == content


def test_what_is_packed_is_loaded(small, tmp_path):
    store({study.FILE: study.pack(small)}, tmp_path)
    loaded = study.load(tmp_path)
    assert loaded.recipe == small.recipe
    for mine, expected in zip(loaded.entries, small.entries, strict=True):
        assert (mine.seed, mine.patches, mine.sight) == (expected.seed, expected.patches, expected.sight)
        assert mine.loss == pytest.approx(expected.loss, abs=1e-4)
        for name in MACHINES:
            assert torch.allclose(mine.agreement[name].double(), expected.agreement[name].double(), atol=1e-4)


def test_an_entry_is_one_experiment(small):
    result = experiments.experiment(TINY, experiments.training_images(TINY), 1)
    entry = small.entries[1]
    assert entry.patches == result.patches
    assert entry.parameters == result.network.parameter_count()
    for name in MACHINES:
        assert torch.equal(entry.agreement[name], result.agreement[name])


def test_all_networks_are_examined_and_the_result_embedded(small, monkeypatch):
    asked, made = [], {}
    monkeypatch.setattr(
        study, "examine", lambda name, run, seed: asked.append((name, run, seed)) or small.entries[0]
    )
    monkeypatch.setattr(study, "store", made.update)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    study.main()
    assert asked == [(name, run, seed) for name, run in study.RUNS.items() for seed in (0, 1, 2)]
    assert list(made) == [study.FILE]


def test_sight_is_measured_on_the_networks_own_trajectory():
    network = awake(networks.ResNet(width=4, depth=1, generator=seeded()))
    with torch.no_grad():
        network.last.weight.mul_(0.05)
    start = noise(3, 1, 12, 12)
    found = study.sight(network, start)
    assert found.times == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0.05])
    assert found.reach == 2
    trajectory = sample(network.denoise, start)
    for place, step in enumerate(study.LOOKED_AT):
        jacobian = input_jacobian(network.denoise, trajectory.noisy[step], trajectory.times[step])
        inside = {
            side: jacobian[6 - side // 2 : 7 + side // 2, 6 - side // 2 : 7 + side // 2].sum()
            for side in (1, 3, 5)
        }
        enough = [side for side, share in inside.items() if share >= 0.9 * jacobian.sum()]
        assert found.window[place] == min(enough)


def test_a_missing_or_damaged_study_says_what_to_do(small, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"diffusion_study.json is missing; .oraledu doctor. says what to do"
    ):
        study.load(tmp_path)
    for content in (b"", b"{}", b'{"entries": [{"colour": 3}], "recipe": {}}'):
        store({study.FILE: content}, tmp_path)
        with pytest.raises(
            ValueError, match=r"diffusion_study.json does not fit this version .*: install oraledu"
        ):
            study.load(tmp_path)
    store({study.FILE: study.pack(small)}, tmp_path)
    (tmp_path / study.FILE).write_bytes(study.pack(small)[:-2])
    with pytest.raises(ValueError, match=r"diffusion_study.json is damaged"):
        study.load(tmp_path)


def test_all_three_architectures_get_the_same_training():
    runs = [replace(run, architecture="", widths=(), depth=0) for run in study.RUNS.values()]
    assert runs[0] == runs[1] == runs[2]
