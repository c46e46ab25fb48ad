"""The exercises of the lesson on creativity, each under the name of the function that the learner writes."""

from oraledu.course.quiz import questions_beside
from oraledu.diffusion.checks.ddim_step import ddim_step
from oraledu.diffusion.checks.equivariant_local_denoiser import equivariant_local_denoiser
from oraledu.diffusion.checks.ideal_denoiser import ideal_denoiser
from oraledu.diffusion.checks.local_denoiser import local_denoiser
from oraledu.diffusion.checks.log_marginal import log_marginal
from oraledu.diffusion.checks.nearest_centres import nearest_centres
from oraledu.diffusion.checks.patch_schedule import patch_schedule
from oraledu.diffusion.checks.pearson_r import pearson_r
from oraledu.diffusion.checks.same_border import same_border
from oraledu.diffusion.checks.two_image_denoiser import two_image_denoiser
from oraledu.diffusion.checks.wiener_denoiser import wiener_denoiser

questions = questions_beside(__file__)
#: In the order of the lesson.
ALL = (
    ideal_denoiser,
    ddim_step,
    local_denoiser,
    equivariant_local_denoiser,
    log_marginal,
    same_border,
    patch_schedule,
    pearson_r,
    nearest_centres,
    two_image_denoiser,
    wiener_denoiser,
)

__all__ = ["ALL", "questions", *(exercise.name for exercise in ALL)]
