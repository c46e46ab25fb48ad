"""oraledu: four ICML 2025 oral papers, derived and implemented in Jupyter notebooks."""

__version__ = "0.1.0"
