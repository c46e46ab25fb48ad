"""The questions that the lesson asks; they stand here because a lesson must not show the answers in its cells."""

from oraledu.course.quiz import quiz

small_at_the_end = quiz(
    r"""
At $x = 0.98$ the normalised curves of a ladder deviate by a tenth of a per cent. Have they collapsed?
- [ ] Yes: a tenth of a per cent is a tight collapse :: Every run is 1 at $x = 1$ because it is divided by its
  own end. Shortly before, any ladder has a small deviation.
- [x] That cannot be said before the deviation is compared with the noise floor and with $\ell - 1$ :: The
  floor says how well two seeds of one size agree before they are normalised. $\ell - 1$ says how much of the
  curve is left: a deviation of 0.001 is little beside 0.1, and much beside 0.002.
- [ ] No: every size has a loss of its own :: The losses differ by their heights. Collapse is about the shape
  that is left after offset and end are taken out.
- [ ] Yes, if the frontier is a power law too :: A power law in the ends says what happens at $x = 1$, and to
  first order just before. It says nothing about the middle of the curves.
"""
)

less_noise = quiz(
    r"""
Under a linear decay the deviation falls below the noise floor. What has become of the noise?
- [ ] It has gone: at the end the seeds agree :: The floor $\sigma$ measures just that
  on the raw losses. A decay makes it smaller towards the end, but it does not vanish at $x = 1$, as the
  deviation does.
- [ ] It has been averaged over seeds and sizes :: The deviation pools all runs but averages none away: it is
  the spread of single runs.
- [x] There is less, but far from none: the division by each run's own end cancels most of what is left
  :: A run that is a little too high late in training ends a little too high: its own end is a control variate. What
  remains is the noise that comes in after $x$. With the mean end for all, the spread within a size is the floor again.
- [ ] Nothing: deviation and floor are the same statistic :: One is the spread of normalised curves over all
  runs, the other that of raw losses within a size.
"""
)

why_decay = quiz(
    r"""
Two runs have had the same training time $\tau$, one at a constant rate, one under a decay. The second has the
lower loss. Why?
- [ ] It took more steps, and has seen more data :: More steps it did take, but at equal $\tau$ the progress
  of the mean is the same. The extra steps were smaller by as much.
- [x] Its last steps shake the weights less: the excess of $\frac14 \eta\,\mathrm{Tr}\,\Sigma$ shrinks with
  the rate :: On a quadratic the loss is a part that depends on $\tau$ alone, plus what the noise keeps up. A
  lower rate lowers that second part, and the law predicts by how much.
- [ ] Small steps find a better minimum :: The quadratic has one minimum, and the effect is all there.
- [ ] The decay makes the gradients less noisy :: Their covariance is that of a mini-batch: it follows the
  loss, and hardly the rate. What shrinks is how much of it is kept.
"""
)

offset_by_collapse = quiz(
    r"""
You do not know the offset $L_0$, and take the one at which the deviation of the normalised curves is
smallest. What do you get?
- [ ] The irreducible loss, more precisely than from the frontier :: The deviation rewards flat curves, not
  the right offset.
- [ ] The offset at which the frontier is straightest :: That is the fit of part 1, and another criterion. The
  two need not agree.
- [x] Possibly an offset far too low: with much loss left in numerator and denominator, all curves are near 1
  :: A constant that is added to both makes every curve flatter, and flat curves deviate little. A ratio does
  better, deviation over floor or deviation over $\ell - 1$; in part 3 the frontier fit does best.
- [ ] Always an offset just below the smallest loss :: There the denominators go to 0 and the curves blow up,
  each by a factor of its own.
"""
)

frontier_is_blind = quiz(
    """
You train a solvable ladder at a constant rate with two horizons whose exponents differ by 0.2; one is right. Both
frontiers are straight lines of
nearly the same slope. What follows?
- [ ] Near the optimum any exponent is as good as another :: For the end losses nearly so: at an optimum they
  change to second order. The shape of the curves changes to first order, and tells the two apart.
- [x] The curves of the better exponent collapse, and those of the other fan out with size :: With a wrong
  exponent the balance of the two terms drifts from size to size, and the curves with it. That is why collapse
  is the sharper test.
- [ ] The one whose curves collapse is compute-optimal :: Its exponent is right, its length need not be: any
  multiple of the best horizon collapses too. And so far from the optimum that one term is left, everything
  does.
- [ ] Neither can be right, or the slopes would differ :: The slope of the frontier moves little around the
  optimum, so it cannot decide.
"""
)
