"""Images, texts and states of models for the lessons, embedded; loaders of complete sets and of any folder.

A datasheet lies beside each embedded file.
"""

from oraledu.data.cifar import cifar10
from oraledu.data.embedded_states import layer_states
from oraledu.data.folder import image_folder
from oraledu.data.images import Images
from oraledu.data.layer_states import LayerStates
from oraledu.data.mnist_like import fashion_mnist, mnist
from oraledu.data.texts import TextSets, wordnet
