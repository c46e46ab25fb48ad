"""The smallest run of the vision transformers."""

from dataclasses import replace

from oraledu.representations.settings import QUICK

TINY = replace(
    QUICK.vision,
    train=40,
    fit=80,
    test=30,
    tokens=12,
    viewed=8,
    views=3,
    patch=7,
    width=8,
    depth=2,
    heads=2,
    steps=4,
    batch_size=8,
    seeds=(0, 1),
)
