"""The course as pages: what a reader sees before anything is installed."""
