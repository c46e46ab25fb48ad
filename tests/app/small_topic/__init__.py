"""A topic whose sweep takes seconds, to try the command on."""
