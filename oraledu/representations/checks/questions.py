"""The questions that the lesson asks; they stand here because a lesson must not show the answers in its cells."""

from oraledu.course.quiz import quiz

what_entropy_counts = quiz(r"""
At some layer the tokens of a prompt have $S_1 = \log 2$. What do you know?
- [ ] The model hesitates between two next tokens :: No probability of a token enters: the entropy is that of the
  eigenvalues of the Gram matrix.
- [ ] The effective rank is 2 :: It is at least 2. It takes shares of $\sigma$ instead of $\sigma^2$, which are more
  even; the two agree only where all singular values above zero are equal.
- [ ] The tokens lie in a plane :: If they span a plane, $S_1$ is at most $\log 2$. The converse fails: one large
  eigenvalue and many small ones give the same number.
- [x] Their squared length is as concentrated as if two directions shared it equally :: $\exp(S_1)$ is the number of
  equal shares that would have the same entropy.
""")

one_token = quiz(r"""
The raw entropy of a prompt drops to nearly zero at one layer of the decoder and stays there for many more. What has
happened to its tokens?
- [ ] All of them now point in nearly the same direction :: Leave out the first token, and the drop is gone: the
  others spread over as many directions as before.
- [x] One of them has become so long that it carries nearly the whole trace :: With its share $f$ near 1, $h(f) + (1 -
  f) \log(T - 1)$ is near 0, whatever the other tokens say.
- [ ] The layer has thrown away what does not matter, so probes will do best there :: The drop is that token's alone,
  and the probes pool without it: this entropy says nothing about what they see.
- [ ] Nothing: in float32 such a huge token drowns the others in rounding :: In double precision the entropy is just
  as small. It is the true value, and the bound says so.
""")

objective_decides = quiz(r"""
In the decoder the best layer lies well before the last one. In the sentence encoder the last one wins. What do you
make of that?
- [ ] Take the layer in the middle, $L/2$, of any network :: It is not the best one even of this decoder, whose best
  layers come late, and far from that of the encoder.
- [ ] The encoder is an exception: it has too few layers to have a middle :: It has inner layers, and the scores rise
  through nearly all of them. What differs is what the end is trained for.
- [x] The last layer serves what the network was trained for there, and that may or may not be your task :: One has to
  predict the next token at its end, the other to compare sentences, which is close to what our scores ask. It is a
  likely cause, no law: part 7 has a model trained to compare texts at its end whose inner layers are better still.
- [ ] Encoders have better representations than decoders :: Two networks that differ in size, data and objective
  cannot show that. Each is compared with itself here.
""")

best_of_many = quiz(r"""
You score 32 layers on the same 200 texts. The best one beats the last by three points. Is it better?
- [ ] Yes: the same texts were used for both, so the comparison is fair :: It is fair between two layers named
  beforehand. This one was named because it came out on top.
- [ ] Yes, if a test between these two layers gives a small p-value :: The test does not know that one of them is the
  largest of 32, and is too optimistic by just that.
- [x] One cannot say: the largest of 32 noisy scores lies above one of them even if all layers are equally good ::
  Choose the layer on one half of the texts and report its gain on the other half.
- [ ] No: a difference of three points is never more than noise :: That depends on how many texts there are. Chosen on
  one half and reported on the other, such a gain can be real.
""")

sign_of_a_metric = quiz(r"""
Over the 32 layers of one model, some entropy and the mean score have the rank correlation -0.9. For another model you
have no labels. Do you take its layer of lowest entropy?
- [ ] Yes: with 32 points such a correlation is highly significant :: Neighbouring layers are alike, so these are not
  32 independent points; and all of them are of one model.
- [ ] Yes: low entropy is good compression, and good compression is good representation :: Centre the tokens first,
  and on the same model nothing of that correlation may be left.
- [x] Not yet: the sign has to be checked on that model, under the same convention :: A metric is a proxy: its sign
  depends on centring, on lengths, on the first token and on the model. A few labels show which it is, and what a
  wrong pick would cost.
- [ ] No: more entropy is more information, so take the layer of highest entropy :: The entropy of a spectrum says how
  evenly directions are used, not what they say about a label.
""")
