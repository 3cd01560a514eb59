"""Measures and pictures of what a model does."""

from mbu_tf.evaluation.ground_truth import evaluate_against_truth
from mbu_tf.evaluation.pictures import labelled_grid, transfer_grid

__all__ = ["evaluate_against_truth", "labelled_grid", "transfer_grid"]
