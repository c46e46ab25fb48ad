"""Colours by name, and matrices that change in a picture that stays."""

from matplotlib.image import AxesImage
from torch import Tensor

from oraledu.course.figures import PALETTE

BLUE, ORANGE, GREEN, RED, PURPLE = PALETTE[:5]
GREY = "#8c8c8c"


def redraw_matrix(image: AxesImage, matrix: Tensor) -> float:
    """Show another matrix, of any shape, in a diverging `matrix_image`; return the size of its largest entry."""
    limit = max(float(matrix.abs().nan_to_num().max()), 1e-30)
    bottom, right = (side - 0.5 for side in matrix.shape)
    image.set(data=matrix.numpy(), clim=(-limit, limit), extent=(-0.5, right, bottom, -0.5))
    image.axes.set(xlim=(-0.5, right), ylim=(bottom, -0.5))
    return limit
