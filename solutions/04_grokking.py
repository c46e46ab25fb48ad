# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Grokking without neural nets
#
# *Lesson 4, after N. Mallinar, D. Beaglehole, L. Zhu, A. Radhakrishnan, P. Pandit, M. Belkin, "Emergence in non-neural
# models: grokking modular arithmetic via average gradient outer product", ICML 2025 (oral), arXiv:2407.20199.*
#
# A network that learns addition modulo a prime can fit its training pairs at once, stay at zero test accuracy for a
# long time, and then, within a few steps, answer every question it was never shown. This is **grokking**. It is
# usually told as a story about neural networks and gradient descent. In this lesson a kernel machine does it: no
# network, no gradient descent, and a training loss of zero from the first step to the last. So none of these three
# can be the cause. We build the machine, watch it grok, and read in its one learned matrix what it found.

# %% [markdown]
# ## At a glance
#
# **Objectives.** After this lesson you can
#
# * solve kernel ridge regression on modular arithmetic, and explain why it starts *below* chance;
# * derive the average gradient outer product of a kernel machine, and compute it without a loop over samples;
# * write the recursive feature machine, and make it grok;
# * name a quantity that moves long before the test accuracy does.
#
# **Prerequisites.** Linear algebra up to the eigendecomposition (needed throughout), the gradient of a function of
# several variables (needed in part 2), least squares (needed in part 1), PyTorch indexing (needed in the exercises),
# neural networks (not needed).
#
# **Difficulty.** Moderate: the algebra is short, the indices want care.
#
# | Part | Minutes |
# |---|---|
# | 1. The task, and a machine that is worse than chance | 25 |
# | 2. The average gradient outer product | 35 |
#
# **Exercises.** All three are core. Each check says whether the lesson goes on with your function or with the
# reference; either way every figure below is right, so you may skip an exercise and come back.
#
# | Exercise | Used in |
# |---|---|
# | 1. `quadratic_gram` | every run of the machine |
# | 2. `quadratic_agop` | every run of the machine |
# | 3. `psd_power` | every run of the machine |
#
# **Notation.**
#
# | Symbol | Meaning | Shape |
# |---|---|---|
# | $p$ | the prime; all arithmetic is modulo $p$ | |
# | $\mathbb Z_p$ | the digits $0, \dots, p-1$ | |
# | $e_a$ | the one-hot vector of the digit $a$ | $p$ |
# | $x = e_a \oplus e_b$ | the input of the pair $(a, b)$: two one-hot vectors, one after the other | $d = 2p$ |
# | $y = e_{f(a,b)}$ | its label, one-hot | $p$ |
# | $n$ | number of training pairs, $n = r\,p^2$ with $r$ the **training fraction** | |
# | $X$, $Y$ | training inputs and labels, one a row | $n \times 2p$, $n \times p$ |
# | $M$ | the **metric**: symmetric, positive semidefinite; $M_t$ after $t$ updates, $M_0 = I$ | $2p \times 2p$ |
# | $S = X M X^\top$ | inner products in the metric | $n \times n$ |
# | $K$ | the Gram matrix, $K_{ij} = S_{ij}^2$ | $n \times n$ |
# | $\alpha$ | dual coefficients, $\alpha_j$ the row of sample $j$ | $n \times p$ |
# | $\hat f(x)$ | the machine's $p$ scores; it answers with the largest | $p$ |
# | $J_i$ | gradients of the $p$ scores at $x_i$, one a column | $2p \times p$ |
# | $G$ | the **average gradient outer product** (AGOP) | $2p \times 2p$ |
# | $\circ$ | product entry by entry | |

# %% [markdown]
# The first cell fixes the seeds and the number of threads, and says at which scale the lesson runs.

# %%
import torch

from oraledu.course.exercise import Todo, credit, long_run
from oraledu.course.quiz import quiz
from oraledu.course.runtime import start
from oraledu.grokking import arithmetic, checks, rfm, settings, views

run = start("04_grokking")
preset = settings.preset(run.scale)

# %% [markdown]
# ## 1. The task, and a machine that is worse than chance
#
# *Can a machine that fits every training pair know nothing at all about the others?*
#
# The task is the addition table modulo a prime $p$: the input is a pair of digits $(a, b)$, the label is
# $(a + b) \bmod p$. We show the machine a random part of the $p^2$ pairs and ask for the rest. The digits enter as
# one-hot vectors, $x = e_a \oplus e_b \in \mathbb R^{2p}$, so nothing in the input says that 3 comes after 2. All that
# the machine can ever see is which pairs share a digit.
#
# The next cell makes the table, draws a training set, and shows both.

# %%
p, fraction = preset.widget.p, preset.widget.fraction
pairs, labels = arithmetic.modular_table("+", p)
data = arithmetic.split(pairs, labels, fraction, generator=run.generator(0))
train_pairs, train_labels, test_pairs, test_labels = data
print(f"{len(train_pairs)} pairs to learn from, {len(test_pairs)} to answer, {p} classes")
views.table(pairs, labels, train_pairs, p)


# %% [markdown]
# Each colour is one answer. A colour runs along an anti-diagonal of the table, once in every row and once in every
# column. White cells are the questions.
#
# ### Kernel regression
#
# A kernel machine predicts with a weighted sum over its training pairs,
#
# $$\hat f(x) = \sum_{j=1}^n \alpha_j\, k(x_j, x), \qquad k(x, z) = (x^\top M z)^2 .$$
#
# We use the **quadratic kernel** with a metric $M$. The coefficients solve the **kernel ridge** problem
# $(K + \lambda I)\,\alpha = Y$; we take $\lambda = 0$ throughout, so that $\hat f(x_i) = y_i$ on every training pair,
# exactly. There is nothing to train: one linear system gives the machine.
#
# All that costs anything is the matrix $S = X M X^\top$. But $x_i = e_{a} \oplus e_{b}$ has two ones and nothing else.
# Write $M$ in four $p \times p$ blocks and take a second input $x_j = e_{a'} \oplus e_{b'}$; the product then picks four
# entries,
#
# $$S_{ij} = M_{a,\,a'} + M_{a,\,p+b'} + M_{p+b,\,a'} + M_{p+b,\,p+b'} .$$
#
# No one-hot vector has to be written down: we look the entries up.
#
# ### Exercise 1: the Gram matrix by looking up
#
# Write `quadratic_gram`. It takes two lists of pairs, $n_a \times 2$ and $n_b \times 2$ (integers), and a metric,
# $2p \times 2p$, and returns the $n_a \times n_b$ matrix of $(x^\top M z)^2$. Use indexing only. The metric may be any
# square matrix, also one that is not symmetric, so mind the order.

# %% tags=["exercise"]
def quadratic_gram(pairs_a, pairs_b, metric):
    # BEGIN SOLUTION
    p = len(metric) // 2
    a, b = pairs_a[:, 0], pairs_a[:, 1] + p
    columns = metric[:, pairs_b[:, 0]] + metric[:, pairs_b[:, 1] + p]  # (2p, n_b): M z for every z
    inner = columns[a] + columns[b]  # (n_a, n_b): x'M z
    return inner**2
    # END SOLUTION


# %% tags=["check"]
quadratic_gram = checks.quadratic_gram(quadratic_gram)

# %% [markdown] tags=["solution"]
# **Why this works.** $Mz$ is the sum of two columns of $M$, so one look-up makes $Mz$ for all $z$ at once, and
# $x^\top(Mz)$ is the sum of two of its rows. Four look-ups and three additions replace a product with an
# $n \times 2p$ matrix that is almost empty. The usual slips: $b$ without its offset $p$, rows and columns exchanged
# (which a symmetric metric forgives and ours does not), and the square left out.

# %% [markdown]
# ### What the first machine says
#
# We start from the identity, $M_0 = I$: all digits are equally unlike. The next cell solves for $\alpha$ and answers
# every question in the table.

# %%
identity = torch.eye(2 * p, dtype=torch.float64)
gram = quadratic_gram(train_pairs, train_pairs, identity)  # (n, n)
targets = torch.nn.functional.one_hot(train_labels, p).double()  # (n, p)
alpha = torch.linalg.solve(gram, targets)
scores = quadratic_gram(test_pairs, train_pairs, identity) @ alpha  # (questions, p)
fit_error = (gram @ alpha - targets).square().mean()
accuracy = (scores.argmax(1) == test_labels).double().mean()
print(f"training loss below 1e-20: {bool(fit_error < 1e-20)}")
print(f"test accuracy {accuracy:.3f}, chance {1 / p:.3f}")
assert fit_error < 1e-20 and accuracy < 1 / (2 * p)

# %% [markdown]
# The training pairs are fitted to the last digit, and not one question in several hundred is answered right. Guessing
# would do better. This is no accident, and a short calculation shows why.
#
# With $M = I$ the four entries are comparisons of digits: $S_{ij} = [a = a'] + [b = b']$. For two different pairs at most
# one of the brackets is 1, hence $S_{ij}^2 = S_{ij}$ there, and $K_{ii} = 4$. For a question $(a, b)$ the machine
# computes
#
# $$\hat f(a, b) = u_a + v_b, \qquad u_a = \sum_{j:\,a_j = a} \alpha_j, \quad v_b = \sum_{j:\,b_j = b} \alpha_j :$$
#
# a sum of one vector for the row and one for the column. On a training pair $i$ its own term counts $4$ instead of
# $1 + 1$, so $y_i = u_{a_i} + v_{b_i} + 2\alpha_i$. Solve for $\alpha_i$, and sum over the $n_a$ training pairs of row $a$:
#
# $$u_a = \frac{1}{2 + n_a} \sum_{j:\,a_j = a} \big( y_j - v_{b_j} \big) .$$
#
# So a class scores high in row $a$ if it *occurs* among the training pairs of row $a$. The right answer to the question
# $(a, b)$ occurs in row $a$ exactly once, and that is the question itself, which is not in the training set. The same
# holds for column $b$. The right class is the one class of which we know for certain that it collects nothing from
# either sum. The figure sorts all classes of all questions by how often they occur among the training pairs of the
# question's row and column; $X^\top Y$ counts those.

# %%
counts = arithmetic.one_hot_pairs(train_pairs, p).T @ targets  # (2p, p): how often a digit meets a class
occurrences = arithmetic.one_hot_pairs(test_pairs, p) @ counts  # (questions, p)
means = [scores[occurrences == count].mean().item() for count in (0, 1, 2)]
right = scores.gather(1, test_labels[:, None]).squeeze(1)
print("mean score of a class seen 0, 1, 2 times:", *(f"{mean:.2f}" for mean in means))
print(f"mean score of the right class: {right.mean():.2f}. {credit(quadratic_gram)}")
assert means[0] < means[1] < means[2] and occurrences.gather(1, test_labels[:, None]).max() == 0
views.scores_by_occurrence(scores, occurrences, right)

# %% [markdown]
# The winner is a class that stands in the row and in the column; the right one never does. A machine that compares
# digits only by *same or not* has learned the training table and, as a consequence, rules out the truth everywhere
# else.
#
# In the explorer, choose the operation and the training fraction. The left picture marks what the machine is shown, the
# right one which questions it answers correctly. Is there an operation for which it gets some right, and which ones?

# %%
views.first_machine_explorer(p, quadratic_gram)


# %% [markdown]
# **What we saw.** Interpolation says nothing about generalisation: with $M = I$ the machine fits all and answers below
# chance, because the right class is always the unseen one. For multiplication it gets the products with 0 right and
# nothing else. What has to change is the metric: which digits should count as *alike*?

# %% [markdown]
# ## 2. The average gradient outer product
#
# *How can a machine find out, from its own predictions, which directions of the input matter?*
#
# Look at how the prediction reacts when the input moves a little. Let $J(x) \in \mathbb R^{2p \times p}$ hold the gradient
# of score $l$ in its column $l$. The **average gradient outer product** of a predictor over the training inputs is
#
# $$G = \frac1n \sum_{i=1}^n J_i J_i^\top \in \mathbb R^{2p \times 2p}, \qquad J_i = J(x_i).$$
#
# It is symmetric and positive semidefinite. For a unit vector $w$, $w^\top G w = \frac1n \sum_i \lVert J_i^\top w \rVert^2$ is the mean
# squared change of the scores along $w$. If the predictor sees its input only through a few directions,
# $\hat f(x) = g(Ux)$, then $J = U^\top J_g$, and $G$ lives in the row space of $U$: the AGOP *is* a picture of the features in
# use. Its trace is the mean squared size of the Jacobian.
#
# One refinement. Subtract the mean Jacobian $\bar J = \frac1n \sum_i J_i$ first: what all inputs share says nothing about
# how the answer *changes* from pair to pair. The **centred** AGOP is
#
# $$G_c = \frac1n \sum_i (J_i - \bar J)(J_i - \bar J)^\top = G - \bar J \bar J^\top .$$
#
# (The paper's text defines $G$, its code computes $G_c$. We use $G_c$.)
#
# ### In closed form
#
# For the quadratic kernel $\hat f_l(x) = \sum_j \alpha_{jl} (x^\top M x_j)^2$ with symmetric $M$,
#
# $$\nabla \hat f_l(x_i) = 2 \sum_j \alpha_{jl}\, S_{ij}\, M x_j, \qquad\text{so}\qquad J_i = 2\, M \underbrace{X^\top \operatorname{diag}(S_{i\cdot})\, \alpha}_{T_i} .$$
#
# The outer products add up to
#
# $$\sum_i T_i T_i^\top = \sum_i \sum_{j,k} x_j\, S_{ij}\, (\alpha_j \cdot \alpha_k)\, S_{ik}\, x_k^\top = X^\top \big[ (\alpha \alpha^\top) \circ (S^\top S) \big] X .$$
#
# The sum over $i$ has gone into one matrix product, and $S^\top S = X\,(M X^\top X M)\,X^\top$ has the form $X Q X^\top$ again: it is four
# look-ups in the $2p \times 2p$ matrix $Q = M X^\top X M$. With the same trick for the mean,
#
# $$G_c = \frac4n\, M X^\top \big[ (\alpha\alpha^\top) \circ (S^\top S) \big] X M - \bar J \bar J^\top, \qquad
#   \bar J = 2\, M X^\top \operatorname{diag}(\bar s)\, \alpha, \quad \bar s_j = \frac1n \sum_i S_{ij} .$$
#
# Nowhere is there an array of size $n \times 2p \times p$, as a Jacobian for each sample would need.
#
# ### Exercise 2: the AGOP of a quadratic kernel machine
#
# Write `quadratic_agop`. It takes the training pairs ($n \times 2$), the coefficients ($n \times p$) and the metric
# ($2p \times 2p$, symmetric), and returns $G_c$, or $G$ if `centre` is false. `arithmetic.one_hot_pairs(pairs, p)` gives $X$.
# The check compares with automatic differentiation.

# %% tags=["exercise"]
def quadratic_agop(pairs, coefficients, metric, *, centre=True):
    # BEGIN SOLUTION
    n, p = len(pairs), len(metric) // 2
    x = arithmetic.one_hot_pairs(pairs, p).to(metric)  # (n, 2p)
    inner = x @ metric @ x.T  # (n, n): S
    counted = metric @ (x.T @ x) @ metric  # (2p, 2p): Q
    weights = (coefficients @ coefficients.T) * (x @ counted @ x.T)  # (n, n)
    agop = 4 / n * metric @ (x.T @ weights @ x) @ metric
    if centre:
        mean = 2 * metric @ x.T @ (inner.mean(0)[:, None] * coefficients)  # (2p, p): mean Jacobian
        agop = agop - mean @ mean.T
    return agop
    # END SOLUTION


# %% tags=["check"]
quadratic_agop = checks.quadratic_agop(quadratic_agop)


# %% [markdown] tags=["solution"]
# **Why this is fast enough.** The largest arrays are $n \times n$, like the Gram matrix itself. The library goes one step
# further: it puts $\alpha$ into a dense $p \times p \times p$ array, zero outside the training set, and does the same sums as
# products of $p \times p$ matrices, which costs $O(p^4)$ instead of $O(n^2 p)$. The usual slips: the factor 4 (the 2 of
# the derivative, squared), the mean over samples left out, and $\bar s$ taken over the wrong index, which a
# symmetric $S$ forgives only if both lists are the same.

# %% [markdown]
# ### A power of a positive semidefinite matrix
#
# The next metric will be $G^s$ with $s = 1/2$. For $G = V \operatorname{diag}(w)\, V^\top$ this is
# $G^s = V \operatorname{diag}(w^s)\, V^\top$. Rounding makes the zero eigenvalues of $G$ slightly negative, and a
# negative number has no real root: set those to zero. There is always at least one such eigenvalue here. The
# direction $(\mathbf 1, -\mathbf 1)$ is orthogonal to every input, because each half of $x$ sums to 1; so it is orthogonal to
# every $T_i$, and $G$ maps it to zero.
#
# ### Exercise 3: the matrix power
#
# Write `psd_power(matrix, power)` by an eigendecomposition.

# %% tags=["exercise"]
def psd_power(matrix, power):
    # BEGIN SOLUTION
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0) ** power) @ vectors.T
    # END SOLUTION


# %% tags=["check"]
psd_power = checks.psd_power(psd_power)

# %% [markdown] tags=["solution"]
# **Why not a matrix square root routine?** Those expect an invertible matrix. On ours they warn, and what they return
# is off by about $10^{-8}$ and not quite symmetric: the root turns a rounding error of $10^{-16}$ in a zero eigenvalue
# into $10^{-8}$. The usual slips: no clamp (the result is full of NaN), the absolute value in place of the clamp, and
# a power taken entry by entry.

# %% [markdown]
# ### The recursive feature machine
#
# Now the idea of the paper in four lines. Begin with $M_0 = I$ and repeat:
#
# 1. **fit**: $\alpha_t = K(M_t)^{-1}\, Y$;
# 2. **look**: $G_t$, the centred AGOP of that machine on its training pairs;
# 3. **learn the features**: $M_{t+1} = G_t^{1/2}$.
#
# This is the **recursive feature machine** (RFM). A direction along which the predictions change much gets a longer
# ruler, and pairs that differ in it count as more different in the next fit. Labels enter only through the fit, and
# the training loss is zero at every step: no loss is ever being minimised from one step to the next.
#
# Two remarks. The metric's overall scale is of no importance for the quadratic kernel: with $M \to cM$ the Gram matrix grows by
# $c^2$, the coefficients shrink by $c^{-2}$, the prediction stays. And the power $1/2$ keeps the scale from running away:
# since $\hat f$ does not depend on the scale of $M$, neither does $G$.
#
# `rfm.fit` runs the loop with the functions that you give it, here the three of the exercises. In each iteration
# it notes the machine's accuracy and losses before the metric is updated.

# %%
mine = rfm.Kernel(gram=long_run(quadratic_gram), agop=long_run(quadratic_agop))
history = rfm.fit(*data, p, kernel=mine, psd_power=long_run(psd_power), iterations=preset.widget.iterations)
print(credit(quadratic_gram, quadratic_agop, psd_power))

# %% [markdown]
# The next figure is the first grokking curve of this lesson: accuracy on both sets, and the training loss, which has
# nowhere to fall.

# %%
reached = int((history.test_accuracy > 0.5).nonzero()[0])
print(f"highest training loss of all iterations below 1e-20: {bool(history.train_loss.max() < 1e-20)}")
print(f"test accuracy {history.test_accuracy[5]:.2f} at iteration 5, above 0.5 from {reached} on")
print(f"test accuracy at the end {history.test_accuracy[-1]:.2f}")
assert history.train_accuracy.min() == 1 and history.train_loss.max() < 1e-20
assert history.test_accuracy[:6].max() < 0.05 and history.test_accuracy[-1] > 0.9
views.accuracy_curves(history)

# %% [markdown]
# The machine fits its training pairs exactly at every iteration, and says nothing right for many of them. Then the
# test accuracy climbs from zero to almost one within a few iterations. That is grokking, and no network was trained.
#
# In the explorer, move the iteration. On the left is the metric with its diagonal taken out (the diagonal is large from
# the start and hides the rest). When does the structure in the off-diagonal blocks appear: with the accuracy, or before?

# %%
views.iteration_explorer(history)

# %% [markdown]
# **What we saw.** A kernel machine that reads its own gradients, and uses them as its next metric, groks modular
# addition. The stripes in the metric are there several iterations before the first question is answered.
