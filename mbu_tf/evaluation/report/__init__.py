"""`mbu-tf evaluate`: all measures and pictures of models, side by side, in one report."""
