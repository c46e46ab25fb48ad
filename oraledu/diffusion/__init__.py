"""Lesson 1: creativity in convolutional diffusion models.

Kamb and Ganguli, "An analytic theory of creativity in convolutional diffusion models" (arXiv 2412.20292,
ICML 2025).
"""
