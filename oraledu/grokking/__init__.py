"""Lesson 4: grokking modular arithmetic with kernel machines that learn features.

Mallinar, Beaglehole, Zhu, Radhakrishnan, Pandit and Belkin, "Emergence in non-neural models: grokking
modular arithmetic via average gradient outer product" (arXiv 2407.20199, ICML 2025).
"""
