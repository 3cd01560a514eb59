"""The model of facial hair that comes with the package, on men whom it never saw."""

import numpy as np
import pytest

from mbu_tf.data import to_model_range
from mbu_tf.data.portraits import load_portraits
from mbu_tf.detail.filters import shrink
from mbu_tf.evaluation.detail_truth import WithDetail
from mbu_tf.models.loading import load_model
from tests.portrait_sets import PORTRAITS, needs_portraits

pytestmark = needs_portraits
COUNT = 8


@pytest.fixture(scope="module")
def model():
    return load_model("faces_facial_hair")


@pytest.fixture(scope="module")
def photos(model):
    """Men without facial hair and men with it, at twice the model's size."""
    domains = load_portraits(
        PORTRAITS, "facial_hair", "test", 2 * model.image_size, framing=model.framing
    ).first(COUNT)
    return tuple(to_model_range(x.take(range(COUNT))) for x in (domains.a, domains.b))


def test_it_is_outlined_around_the_mouth_and_below(model, photos):
    bare, bearded = (model.segment(np.asarray(shrink(x, 2)))[..., 0] for x in photos)
    assert bearded.mean() > 0.05 and bearded.mean() > 2.5 * bare.mean()
    # The eyes are at 0.32 of the side.
    upper = bearded[:, : int(0.42 * bearded.shape[1])]
    assert upper.mean() < 0.05 * bearded.mean()


def test_it_is_put_on_and_taken_off(model, photos):
    bare, bearded = photos
    darkest = np.argsort(bearded[:, 190:240, 90:166].mean((1, 2, 3)))[:4]
    model = WithDetail(model)
    made = model.transfer(bare[:4], bearded[darkest]).image
    chin = np.s_[:, 160:240, 64:192]
    assert (bare[:4] - made)[chin].mean() > 0.03
    assert np.abs(made - bare[:4])[:, :100].mean() < 0.01

    made = model.remove(bearded[darkest]).image
    assert (made - bearded[darkest])[chin].mean() > 0.03
    assert np.abs(made - bearded[darkest])[:, :100].mean() < 0.01
