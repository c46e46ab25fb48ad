"""An explorer whose every frame is known: a bar that grows, beside a panel that a box colours."""

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, subplots


def words(height: int, side: str, filled: bool) -> str:
    """Say what the frame at one position shows."""
    return f"A bar of {height} on the {side}, {'filled' if filled else 'empty'}."


def bars(**controls: object) -> Explorer:
    """Return the explorer; its controls may be given anew."""

    def draw(height: int = 3, side: str = "left", filled: bool = False) -> Figure:
        figure, (left, right) = subplots(1, 2, alt=words(height, side, filled), width=300, height=150)
        (left if side == "left" else right).bar([0], [height])
        right.set_facecolor("tab:blue" if filled else "white")
        for ax in (left, right):
            ax.set(xlim=(-1, 1), ylim=(0, 6))
        return figure

    given = {"height": (0, 6), "side": ["left", "right"], "filled": False} | controls
    return explore(draw, labels={"height": "height <cm>"}, **given)
