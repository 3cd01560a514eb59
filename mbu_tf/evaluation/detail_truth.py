"""Measures of edits at a photo's size against exact truth: near, in place, and as sharp."""

import numpy as np

from mbu_tf.evaluation.ground_truth import changed
from mbu_tf.models.mask_editing import composite_edit
from mbu_tf.photos.edits import HALF


def gradient_magnitude(images):
    """Length of the gradient of the grey value, differences of neighbours: `(…, height, width)`."""
    grey = np.asarray(images).mean(axis=-1)
    by_x = np.diff(grey, axis=-1, append=grey[..., -1:])
    by_y = np.diff(grey, axis=-2, append=grey[..., -1:, :])
    return np.hypot(by_x, by_y)


class WithDetail:
    """A model whose edits are with detail, for what measures a model's edits.

    Args:
        model: a trained model with `detailed_transfer_layer` and the like. Images are of a
            multiple of its size.
    """

    mask_threshold = HALF

    def __init__(self, model):
        self._model = model

    def transfer(self, target, reference):
        """`Edit` of the targets with the references' content."""
        with self._model.in_graphs():
            return _laid(self._model.detailed_transfer_layer(target, reference), target)

    def remove(self, image):
        """`Edit` of the images without their content."""
        with self._model.in_graphs():
            return _laid(self._model.detailed_removal_layer(image), image)

    def segment(self, image):
        """The content's outlines, `(count, side, side, 1)` in [0, 1]."""
        with self._model.in_graphs():
            return self._model.detailed_segmentation(image)


def _laid(layer, images):
    return type(layer)(*map(np.asarray, composite_edit(layer, images)))


class EditMeasures:
    """Errors and sharpness of edited images, gathered batch by batch.

    All pixels of all images count alike. Images are `(count, height, width, 3)` in
    [-1, 1].
    """

    def __init__(self):
        self._sums = np.zeros(6)

    def update(self, edited, truth, before):
        """Add images, what they should be, and what they were."""
        inside = changed(truth, before)[..., 0]
        error = np.abs(edited - truth).mean(axis=-1)
        self._sums += [
            error[inside].sum(),
            inside.sum(),
            error[~inside].sum(),
            (~inside).sum(),
            gradient_magnitude(edited)[inside].sum(),
            gradient_magnitude(truth)[inside].sum(),
        ]

    def result(self):
        """`inside`, `outside`: mean absolute error within the pixels that the truth changes, and
        in all others; `sharpness`: mean gradient magnitude within them over the truth's."""
        error, inside, spill, outside, gradient, true_gradient = self._sums
        return {
            "inside": float(error / inside),
            "outside": float(spill / outside),
            "sharpness": float(gradient / true_gradient),
        }
