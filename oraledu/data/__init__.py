"""Images for the lessons: two embedded subsets, and loaders of complete sets and of any folder.

A datasheet lies beside each embedded file.
"""

from oraledu.data.cifar import cifar10
from oraledu.data.folder import image_folder
from oraledu.data.images import Images
from oraledu.data.mnist_like import fashion_mnist, mnist

__all__ = ["Images", "cifar10", "fashion_mnist", "image_folder", "mnist"]
