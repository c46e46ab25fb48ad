"""The questions that the lesson asks; they stand here because a lesson must not show the answers in its cells."""

from oraledu.course.quiz import quiz

why_copies = quiz(r"""
Followed down to $t = 0$, the ideal denoiser returns a training image. Why?
- [ ] It has too many parameters and overfits :: It has no parameters and nothing is fitted: it is the exact
  answer to the denoising problem.
- [x] A weight belongs to a whole image, and as the noise falls one image takes all the weight :: The
  estimate is a mean of training images. The squared distances are divided by $2b^2$, so with $b \to 0$ the
  nearest image wins, and the flow ends there.
- [ ] 20 steps are too few to leave the training set :: More steps follow the same flow more closely, and
  that flow ends in a training image.
- [ ] The noise at the start was close to that image :: The start decides which image it is, not that it is
  one.
""")

what_locality = quiz("""
A denoiser sees nothing but a window around each pixel. Which estimate of the pixel has the smallest squared
error?
- [ ] The ideal estimate of an image that is zero outside the window :: The zeros would count as evidence.
  What is not seen has to be averaged over, not filled in.
- [ ] The middle pixel of the training patch that agrees best :: That is the most likely value. The squared
  error asks for the mean.
- [x] The mean of the ideal estimate over all noisy images that look like this inside the window :: By the
  tower rule this is the posterior mean given the window, so it is a softmax over training patches.
""")

zero_padding = quiz("""
A network with circular padding cannot tell where a pixel stands. What does zero padding add?
- [ ] Nothing: zeros are neutral :: Exact zeros have probability 0 in a noisy image, so they give themselves
  away.
- [ ] Each pixel knows its row and its column :: Only where its window reaches beyond two borders that meet.
  A pixel in the middle sees no border.
- [x] A pixel knows how far away each border is that its window reaches, and nothing more :: So it may be
  compared only with training patches that are cut by the border in the same way: all of the interior, a
  line along an edge, a single position at a corner.
""")

agreement = quiz(r"""
A figure gives an agreement of "$r^2 = 0.94$" between theory and network. The code behind it takes the mean
off both images, divides by their norms and sums the products. How much of the pixels' variance is
explained?
- [ ] 94 % :: The code computes Pearson's $r$, and the share of the variance is its square.
- [x] About 88 % :: $0.94^2 \approx 0.88$. Both are honest numbers, under their own names.
- [ ] That depends on the contrast of the images :: Neither $r$ nor $r^2$ changes with contrast and
  brightness. The coefficient of determination of the raw pixels would.
""")

three_legs = quiz("""
Some of the trousers of the equivariant-local machine have three legs. What does the experiment say about them?
- [ ] They come from training images with three legs :: Of 200 real trousers
  two have more than two in row 11, and none in rows 12 and 13.
- [ ] They come from the last steps, where the windows are too small :: The local machine has the same small
  windows and makes hardly any. The equivariant-local machine with windows of 9 at every step goes on making them.
- [x] They come from not knowing the place: where a window does not hold the whole garment, any place may be the
  place of a leg :: To know the place mends them, with the same windows. Windows of 13 mend them too;
  but with those each pixel knows its place to a pixel, and many of the images are copies.
- [ ] They come from too few sampling steps :: The same flow with twice the steps ends in nearly the same
  images.
""")

more_steps = quiz(r"""
In the toy with a black and a white image, some pixels of the result differ from the majority of their
window. What removes most of these?
- [ ] Four times as many steps down to the same last noise level :: The share hardly changes: the error is
  not one of integration.
- [x] A smaller last noise level :: The theorem speaks of $b \to 0$. As long as some noise is left, the tanh
  is not a sign, and a pixel whose window is divided nearly evenly is not forced to choose.
- [ ] More training images :: The two are the whole dictionary; the majority rule follows from them.
""")

longer_training = quiz("""
You train the same convolutional network for ten times as long, and its loss still falls a little. What
becomes of its images?
- [ ] It begins to copy: it was creative because it was not trained enough :: On clothes the best denoiser with its
  field, the equivariant-local machine with $k = 11$ throughout, makes images that are new, if no good prediction.
- [ ] They improve, as the loss does: the lowest loss belongs to the best generator :: On the training set
  the lowest loss of all belongs to the ideal machine, which only copies.
- [x] They stay mosaics, perhaps of larger patches, as long as its windows stay well below the image
  :: What cannot be expressed is not learned, for however long. But within its receptive field it may come
  to use larger windows, and so come nearer to single images. (An argument; we have not trained for so long.)
  Chance has no part in it: the sampler is deterministic.
""")

attention = quiz("""
A self-attention layer without codes for the positions is put into the network. Which assumption of the
theory does it give up?
- [x] Locality: any pixel may now use the whole image :: Distant parts can be made to agree, and the
  equivariant-local machine is no longer the optimum. In our trousers there are fewer third legs, but a UNet that
  sees far without attention has as few.
- [ ] Equivariance: it treats each position in its own way :: Without such codes it treats all positions
  alike, and on a torus it moves with the image.
- [ ] That the estimate is a mean of training pixels with softmax weights :: This is a property of the
  machines, not an assumption about the network. They resemble attention in fact: noisy windows are the
  queries, training patches the keys, their middle pixels the values.
""")
