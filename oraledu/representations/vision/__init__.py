"""Small vision transformers: one predicts the next patch, one the class, and a control the class behind a mask."""

from oraledu.representations.vision.curves import dataset_curves, probe_outcomes, token_curves
from oraledu.representations.vision.distort import views
from oraledu.representations.vision.live import train_both
from oraledu.representations.vision.network import VisionTransformer
from oraledu.representations.vision.recipe import images
from oraledu.representations.vision.training import pooled_states, token_states, train
