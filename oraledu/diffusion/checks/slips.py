"""Slips that several exercises invite: edits of lines that their plain right answers have in common."""

#: In the factor a, in 2b² and in the softmax over the training set.
POSTERIOR = r"""
alpha_bar**0.5 => 1.0
  :: Compare with a times what is in the training set: the noisy image holds it at that strength
alpha_bar**0.5 => alpha_bar :: The strength of the image is a = √ᾱ, not ᾱ itself
2 * (1 - alpha_bar) => 2 * (1 - alpha_bar) ** 0.5 :: Divide by 2b², the variance twice, not by 2b
2 * (1 - alpha_bar) => 1 - alpha_bar
  :: The exponent of a Gaussian is the squared distance over 2b²: you left out the 2
2 * (1 - alpha_bar) => 2 * alpha_bar :: The variance of the noise is b² = 1 - ᾱ; ᾱ is the share of the image
2 * (1 - alpha_bar) => 2 * max(1 - alpha_bar, 1e-3)
  :: Take b² as it is: the last noise levels lie below any floor under it
logits.softmax(1) => logits.softmax(0)
  :: The softmax runs along the wrong dimension: the weights sum to 1 over the training set
logits.softmax(1) => logits.exp() / logits.exp().sum(1, keepdim=True)
  :: With little noise every exponential underflows and 0/0 is left: take off the largest exponent first
logits.softmax(1) => logits.clamp(min=-700).softmax(1)
  :: Exponents may be as low as they like: cut off at one number, all candidates look alike
logits.softmax(1) => (logits == logits.amax(1, keepdim=True)).to(logits.dtype)
  :: It is an average with weights, not the candidate of the largest weight alone
logits.softmax(1) \
=> torch.cat([part - torch.tensor(part.shape[1]).log() for part in logits.split(100, 1)], 1).softmax(1)
  :: A mean for each mini-batch gives those of a short one too much weight: add up all, and divide once
"""

#: In what is compared and in what is taken, where all wrapped patches count.
DICTIONARY = r"""
    asked = =>     inside = slice(patch // 2, images.shape[2] - patch // 2)\n    asked =
windows(images, patch, "circular") => windows(images, patch, "circular")[:, inside, inside]
images.permute(0, 2, 3, 1) => images.permute(0, 2, 3, 1)[:, inside, inside]
  :: Your patches come from the interior alone: on a torus those that wrap around count as well
windows(images, patch, "circular") => windows(images, patch, "zeros")
  :: Wrap the training patches too: yours are padded with zeros
windows(x, patch, "circular") => windows(x, patch, "zeros")
  :: Wrap the windows of the image too: yours are padded with zeros
windows(images, patch, "circular") => windows(images, patch, "zeros")
windows(x, patch, "circular") => windows(x, patch, "zeros")
  :: The padding is circular, for the image and for the training images; yours is with zeros
windows(x, => windows(x.roll((-(patch // 2),) * 2, (2, 3)),
  :: The pixel stands in the middle of its window, not in its corner
values = images => values = images.roll((patch // 2,) * 2, (2, 3))
  :: Take the pixel in the middle of a patch, not the one in its corner
images.permute(0, 2, 3, 1).flatten(0, 2) => bank.unflatten(1, (images.shape[1], -1)).mean(2)
  :: Take the pixel in the middle of a patch, not the mean of the patch
images.permute(0, 2, 3, 1).flatten(0, 2) => bank[:, bank.shape[1] // 2, None].expand(-1, images.shape[1])
  :: With several channels the middle of the row of numbers is one channel's pixel; all are needed
"""
