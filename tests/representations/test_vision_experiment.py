"""From settings to files: the images apart, the curves, the recipe on tiny sizes, and what is embedded."""

import json
import sys
from dataclasses import asdict, replace

import pytest
import torch

from making import vision_experiment as experiment
from making import vision_states as make
from oraledu import data
from oraledu.data.embedded import FOLDER, packed
from oraledu.data.store import store
from oraledu.data.vision_states import FILES, vision_states
from oraledu.representations import probes, selection, vision
from oraledu.representations.entropy import matrix_entropy
from oraledu.representations.geometry import curvature
from oraledu.representations.settings import QUICK
from oraledu.representations.vision import study
from tests.representations.samples import normal
from tests.representations.tiny import TINY

BOTH = ("vit-autoregressive", "vit-supervised")
NAMES = (*BOTH, "vit-supervised-masked")
LAYERS = TINY.depth + 2


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def results():
    return list(experiment.conduct(TINY))


@pytest.fixture(scope="module")
def summary(results):
    return experiment.summarise(TINY, results)


@pytest.fixture(scope="module")
def files(results):
    return make.pack(TINY, results)


def test_training_fitting_and_testing_have_images_of_their_own():
    sets = vision.images(TINY)
    assert {name: len(part) for name, part in sets.items()} == {"train": 40, "fit": 80, "test": 30}
    pixels = torch.cat([part.pixels for part in sets.values()]).flatten(1)
    assert len(pixels.unique(dim=0)) == 150
    for part in sets.values():
        assert part.labels.bincount().unique().numel() == 1, "classes in equal parts"
    assert torch.equal(sets["fit"].pixels, data.fashion_mnist(120).pixels[40:])


def test_each_objective_is_trained_from_each_seed(results):
    assert [(result.name, result.seed) for result in results] == [
        (name, seed) for name in NAMES for seed in TINY.seeds
    ]
    for result in results:
        assert result.losses.shape == (4,)
        assert result.states.tokens.shape == (LAYERS, 12, 17, 8)
        assert {name: part.shape for name, part in result.states.pooled.items()} == {
            "fit": (LAYERS, 80, 8),
            "test": (LAYERS, 30, 8),
        }
        assert result.states.views.shape == (LAYERS, 8, 3, 8)
    assert not torch.equal(results[0].states.tokens, results[1].states.tokens)


def test_pooled_states_are_means_of_the_tokens_without_the_first(results):
    states = results[0].states
    assert torch.allclose(states.tokens[:, :, 1:].mean(dim=2), states.pooled["test"][:, :12], atol=1e-5)


def test_doing_it_twice_gives_the_same_bytes(files):
    assert make.pack(TINY, experiment.conduct(TINY)) == files
    assert sorted(files) == sorted([*FILES.values(), study.FILE])


def test_what_is_packed_is_loaded(results, files, tmp_path):
    store(files, tmp_path)
    for name in BOTH:
        found = vision_states(name, tmp_path)
        assert found.name == name
        states = next(result.states for result in results if (result.name, result.seed) == (name, 0))
        assert found.layers == LAYERS
        assert len(found.prompts) == len(found.grams) == make.KEPT
        for part in ("fit", "test"):
            assert relative(found.pooled[part], states.pooled[part]) < 0.01
        assert relative(found.views, states.views) < 0.01
        grams = [tokens @ tokens.mT for tokens in states.tokens[:, : make.KEPT].transpose(0, 1)]
        assert relative(torch.stack(found.grams), torch.stack(grams)) < 0.01
        recipe = recipe_of(name, tmp_path)
        assert recipe["run"] == without_seeds(TINY)
        assert recipe["seed"] == 0


def recipe_of(name, *folder):
    """The settings that made a network, as its file keeps them."""
    with packed(FILES[name], *folder) as (_, recipe):
        return recipe


def without_seeds(run):
    """The settings of a run, as a file of one seed keeps them."""
    return {name: value for name, value in asdict(run).items() if name != "seeds"}


def relative(found, expected):
    """The error as a share of how the expected states differ within a layer."""
    spread = expected - expected.mean(dim=1, keepdim=True)
    return ((found - expected).norm() / spread.norm()).item()


def test_the_study_is_loaded_with_four_decimals(summary, files, tmp_path):
    store(files, tmp_path)
    loaded = study.load(tmp_path)
    assert loaded.recipe == json.loads(json.dumps(summary.recipe))
    for tables in ("metrics", "scores"):
        for name in NAMES:
            expected, found = getattr(summary, tables)[name], getattr(loaded, tables)[name]
            assert expected.keys() == found.keys()
            for curve, values in expected.items():
                assert values.shape == (2, LAYERS)
                assert (found[curve] - values).abs().max() < 6e-5
    for name in NAMES:
        for probe, gains in summary.gains[name].items():
            assert gains.shape == (2, 3)
            assert (loaded.gains[name][probe] - gains).abs().max() < 6e-5
    assert loaded.losses[NAMES[0]].shape == (2, 4)


def test_all_are_made_and_put_where_they_are_looked_for(results, summary, monkeypatch):
    made = {}
    monkeypatch.setattr(make, "conduct", lambda run: [replace(each, seed=0) for each in results])
    monkeypatch.setattr(make, "summarise", lambda run, results: [*results] and summary)
    monkeypatch.setattr(make, "store", made.update)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    make.main()
    assert sorted(made) == sorted([*FILES.values(), study.FILE])


def test_token_curves_are_those_of_the_tokens_themselves():
    tokens = normal(3, 4, 10, 6)  # images, layers, T, D
    curves = vision.token_curves([each @ each.mT for each in tokens])
    assert {name: rows.shape for name, rows in curves.items()} == dict.fromkeys(curves, (3, 4))
    assert torch.allclose(curves["entropy raw"], matrix_entropy(tokens) / torch.tensor(10.0).log())
    rest = tokens[:, :, 1:]
    assert torch.allclose(curves["entropy raw, no first"], matrix_entropy(rest) / torch.tensor(9.0).log())
    assert torch.allclose(curves["curvature"], curvature(tokens))
    assert torch.allclose(curves["curvature, no first"], curvature(rest))
    away = rest - rest.mean(dim=-2, keepdim=True)
    for name, states in (("unit", rest), ("centred-unit", away)):
        unit = states / states.norm(dim=-1, keepdim=True)
        expected = matrix_entropy(unit) / torch.tensor(9.0).log()
        assert torch.allclose(curves[f"entropy {name}, no first"], expected)


def test_dataset_curves_know_equal_views_and_a_common_direction():
    pooled = normal(2, 40, 20)
    views = normal(2, 30, 1, 20).expand(2, 30, 3, 20).clone()
    curves = vision.dataset_curves(pooled, views)
    assert all(values.shape == (2,) for values in curves.values())
    assert curves["InfoNCE"].max() < 0.2
    assert curves["DiME"].min() > 0.03
    assert (curves["dataset entropy"] > 0.8).all()
    moved = vision.dataset_curves(pooled + 100, views + 100)
    assert moved["dataset entropy"].max() < 0.1
    assert moved["InfoNCE"].min() > 3
    for name in ("dataset entropy, centred", "InfoNCE, centred", "DiME, centred", "LiDAR"):
        assert torch.allclose(curves[name], moved[name], atol=1e-6), name


def test_probes_find_what_is_there_and_nothing_where_nothing_is():
    labels = torch.arange(60) % 3
    states = torch.stack([normal(120, 5), torch.eye(5).double()[labels.repeat(2)] * 9 + normal(120, 5)])
    outcomes = vision.probe_outcomes(states[:, :60], labels, states[:, 60:], labels, generator=seeded())
    assert list(outcomes) == ["linear probe", "few-shot", "nearest neighbours", "clustering"]
    for outcome in outcomes.values():
        nothing, all_of_it = outcome.score().tolist()
        assert nothing < 0.6
        assert all_of_it > 0.95


def test_an_honest_gain_is_that_of_a_layer_chosen_on_the_other_images(results):
    outcomes = experiment.probe(results[0])
    gains = experiment.honest_gains(outcomes)
    halves = selection.split_scores(
        {"images": outcomes}, generator=seeded(experiment.PROBE_SEED), splits=experiment.SPLITS
    )
    for (_, name), (on_a, on_b) in halves.items():
        layers = on_a.argmax(1, keepdim=True)
        honest = (on_b.gather(1, layers) - on_b[:, -1:])[:, 0]
        assert gains[name][0] == pytest.approx(honest.mean().item(), abs=1e-6)
        assert ((honest >= gains[name][1]) & (honest <= gains[name][2])).double().mean() >= 0.9
    assert any(float(gain[1]) < float(gain[0]) for gain in gains.values())


def test_few_shot_does_not_see_how_large_a_layer_is_or_where():
    labels = torch.arange(60) % 3
    states = torch.eye(5).double()[labels.repeat(2)] + normal(120, 5)
    both = torch.stack([states, 30 * states + 100])
    parts = both[:, :60], labels, both[:, 60:], labels
    one, other = vision.probe_outcomes(*parts, generator=seeded())["few-shot"].score().tolist()
    assert one == pytest.approx(other, abs=1e-9)


def test_both_are_trained_live_and_probed():
    trained = vision.train_both(TINY, 0)
    assert tuple(trained) == BOTH
    for each in trained.values():
        assert each.losses.shape == (4,)
        assert each.probe.items.shape == each.neighbours.items.shape == (LAYERS, 30, 1)
        assert ((each.probe.score() >= 0) & (each.probe.score() <= 1)).all()
    again = vision.train_both(TINY, 0)
    assert torch.equal(trained[NAMES[1]].losses, again[NAMES[1]].losses)


def test_a_complete_set_that_is_not_here_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(FileNotFoundError, match="the complete Fashion-MNIST is not here: put train-images"):
        next(experiment.conduct(replace(TINY, complete=True)))


@pytest.mark.parametrize(
    "content", [b"nonsense", b"{}", b"[]", b'{"metrics": {"a": {"b": ["x"]}}, "scores": {}, "losses": {}}']
)
def test_a_study_that_does_not_fit_is_refused(content, tmp_path):
    store({study.FILE: content}, tmp_path)
    with pytest.raises(ValueError, match=r"vision_study\.json does not fit this version .*: install oraledu"):
        study.load(tmp_path)


@pytest.mark.parametrize("name", BOTH)
def test_the_embedded_states_are_those_of_the_lessons_recipe(name):
    recipe = recipe_of(name)
    assert recipe["run"] == without_seeds(QUICK.vision)
    assert study.load().recipe["run"] == json.loads(json.dumps(asdict(QUICK.vision)))
    assert {"seed", "loss", "torch", "numpy"} < set(recipe)
    states = vision_states(name)
    assert states.layers == QUICK.vision.depth + 2
    assert states.pooled["fit"].shape == (states.layers, QUICK.vision.fit, QUICK.vision.width)
    assert states.pooled["test"].shape == (states.layers, QUICK.vision.test, QUICK.vision.width)
    assert states.views.shape[1:3] == (QUICK.vision.viewed, QUICK.vision.views)
    assert {gram.shape for gram in states.grams} == {(states.layers, 50, 50)}


@pytest.mark.parametrize("name", BOTH)
def test_the_embedded_states_give_the_scores_and_metrics_of_the_study(name):
    states, sets, found = vision_states(name), vision.images(QUICK.vision), study.load()
    parts = states.pooled["fit"], sets["fit"].labels, states.pooled["test"], sets["test"].labels
    outcomes = {
        "linear probe": probes.linear(*parts),
        "nearest neighbours": probes.nearest_neighbours(*parts),
    }
    for score, outcome in outcomes.items():
        assert (outcome.score() - found.scores[name][score][0]).abs().max() < 0.03, score
    curves = vision.dataset_curves(states.pooled["test"], states.views)
    for metric in ("dataset entropy", "InfoNCE, centred", "LiDAR"):
        assert torch.allclose(curves[metric], found.metrics[name][metric][0], rtol=0.03, atol=0.01), metric


def test_the_control_rises_to_its_end_and_the_autoregressive_network_does_not():
    found = study.load()
    for name, inside in zip(NAMES, (True, False, False), strict=True):
        sure = [bool(gains[:, 1].gt(0).all()) for gains in found.gains[name].values()]
        assert any(sure) == inside, name
    assert {curves.shape for table in found.scores.values() for curves in table.values()} == {(2, 10)}


def test_the_files_are_small():
    sizes = [(FOLDER / file).stat().st_size for file in (*FILES.values(), study.FILE)]
    assert sum(sizes) < 2_500_000
