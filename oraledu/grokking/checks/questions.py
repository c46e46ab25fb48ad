"""The questions that the lesson asks; they stand here because a lesson must not show the answers in its cells."""

from oraledu.course.quiz import quiz

what_changes = quiz("""
During the run above the training loss is zero at every iteration. What changes from one iteration to the
next?
- [ ] The training labels :: They are the same in every fit.
- [ ] The number of training pairs :: The split is drawn once, before the run.
- [x] The metric, and with it the kernel :: Each fit is a new kernel machine that interpolates the same data
  in another way. Which interpolant it is depends on the metric alone.
- [ ] The ridge :: It is zero throughout.
""")

other_orientation = quiz("""
You follow a run of the machine on addition with the Hankel deviation alone. From the second iteration on it
reads 1.0. What do you conclude?
- [ ] The machine learns no circulant features :: A block can be perfectly Toeplitz-circulant and have the
  Hankel deviation 1: part 3 is such a run.
- [x] Nothing, before the other orientation is measured :: A deviation sees one orientation only. Addition
  turns Toeplitz in the kernel machine and Hankel in the network.
- [ ] The machine will not generalise :: It does, within a few iterations, while this number stays where it
  is.
""")

small_deviation = quiz("""
The block of some metric has the Toeplitz deviation 0.02. Will the machine with this metric answer
questions?
- [ ] Yes, circulant features solve the task :: Not all do: they must be large enough beside the
  diagonal, and more than one stripe.
- [x] Not necessarily: the block may be constant, or its weight tiny :: A constant block has the deviation 0
  and compares nothing. And with the power 1/4 the stripes are there, but too faint to count.
- [ ] No, a small deviation means overfitting :: The deviation says nothing about the fit to the training
  pairs, which is exact in every case.
""")

what_was_needed = quiz("""
Which of these was needed for grokking in parts 2 and 3?
- [ ] Gradient descent :: Each iteration solves one linear system. The only gradients are those of the
  finished predictor with respect to its input.
- [ ] A training loss that falls :: It is zero, up to rounding, at every iteration.
- [ ] Weight decay or another regulariser :: The ridge is zero. A large one ends the run.
- [x] A metric that changes with the predictor's own gradients :: Nothing else changes from one iteration to
  the next.
""")

below_chance = quiz("""
At the first iteration the machine answers no question right, although guessing would give one in p. Why?
- [ ] It has not been trained for long enough :: It fits all training pairs exactly; there is nothing left
  to train.
- [x] It rates a class by how often it occurs in the question's row and column, and the right one never does
  :: Every answer occurs once in each row and column of the table, and for a question that place is the
  question itself.
- [ ] The kernel is too weak to represent addition :: The same kernel answers nearly everything, once its
  metric has stripes.
""")
