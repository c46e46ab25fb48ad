"""Lesson 3: one curve for every size, and what noise and decay have to do with it.

Qiu, Xiao, Wilson, Pennington and Agarwala, "Scaling collapse reveals universal dynamics in compute-optimally
trained neural networks" (arXiv 2507.02119, ICML 2025).
"""
