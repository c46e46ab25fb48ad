"""Lesson 2: layer by layer, what the hidden states of a network say at each depth.

Skean, Arefin, Zhao, Patel, Naghiyev, LeCun and Shwartz-Ziv, "Layer by layer: uncovering hidden representations
in language models" (arXiv 2502.02013, ICML 2025).
"""
