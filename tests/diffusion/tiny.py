"""An experiment that runs in a moment."""

from oraledu.diffusion.settings import NetworkRun

TINY = NetworkRun(
    data="fashion_mnist",
    count=20,
    pool=2,
    padding="zeros",
    architecture="ResNet",
    widths=(4,),
    depth=1,
    steps=3,
    batch_size=4,
    learning_rate=1e-3,
    candidates=(3, 5),
    calibration_count=10,
    calibration_noises=3,
    noises=2,
)
