"""The layer that sees everything: the launcher, the command line, and the builder of the notebooks."""
