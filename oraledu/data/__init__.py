"""Images for the lessons: two embedded subsets, loaders of complete sets and of any folder; and states of networks.

A datasheet lies beside each embedded file.
"""

from oraledu.data.cifar import cifar10
from oraledu.data.folder import image_folder
from oraledu.data.images import Images
from oraledu.data.layer_states import LayerStates
from oraledu.data.mnist_like import fashion_mnist, mnist

__all__ = [
    "Images",
    "LayerStates",
    "cifar10",
    "fashion_mnist",
    "image_folder",
    "mnist",
]
