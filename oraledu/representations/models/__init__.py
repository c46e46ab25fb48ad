"""Hidden states of real models: of two small ones from the user's cache folder, of others through transformers.

`states` is what a lesson asks: the embedded states, or, with `ORALEDU_MODEL=live`, those of the model itself.
"""

from oraledu.representations.models.images import image_states
from oraledu.representations.models.live import is_live, pooled_states, states
from oraledu.representations.models.load import load
from oraledu.representations.models.pooling import pool
from oraledu.representations.models.text import hidden_states
