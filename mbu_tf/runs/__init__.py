"""A training run: `training` and `ablation` do it, `folder` and `state` are what it keeps."""
