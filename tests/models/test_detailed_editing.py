"""Edits of images larger than the model's: shapes, bounds, and what holds of every model."""

import keras
import numpy as np
import pytest

from mbu_tf.faces import CENTRE, FACE
from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.mask_editing import MaskEditing, composite_edit
from mbu_tf.models.masked_domain_intersection import MaskedDomainIntersectionDifference
from mbu_tf.models.two_way import InSequence

SHAPE = {"image_size": 32, "depth": 4, "width": 0.03, "separate_channels": 2}


def large(images, factor=4):
    return images.repeat(factor, 1).repeat(factor, 2)


def check(layer, count, side):
    assert layer.image.shape == (count, side, side, 3)
    assert layer.mask.shape == (count, side, side, 1)
    assert np.isfinite(layer.image).all() and np.abs(layer.image).max() <= 1
    assert layer.mask.min() >= 0 and layer.mask.max() <= 1


def test_at_the_models_own_size_all_is_as_it_was(tiny, images):
    a, b = images
    for got, wanted in (
        (tiny.detailed_transfer_layer(a, b), tiny.transfer_layer(a, b)),
        (tiny.detailed_removal_layer(b), tiny.removal_layer(b)),
    ):
        np.testing.assert_array_equal(got.image, wanted.image)
        np.testing.assert_array_equal(got.mask, wanted.mask)
    np.testing.assert_array_equal(tiny.detailed_segmentation(b), tiny.segment(b))


@pytest.mark.parametrize("factor", [2, 4])
def test_larger_images(tiny, images, factor):
    a, b = (large(x[:3], factor) for x in images)
    check(tiny.detailed_transfer_layer(a, b), 3, 32 * factor)
    check(tiny.detailed_removal_layer(b), 3, 32 * factor)
    mattes = tiny.detailed_segmentation(b)
    assert mattes.shape == (3, 32 * factor, 32 * factor, 1)
    assert mattes.min() >= 0 and mattes.max() <= 1


def test_images_do_not_see_each_other_and_one_reference_serves_all(tiny, images):
    a, b = (large(x[:3]) for x in images)
    together = tiny.detailed_transfer_layer(a, b[:1], batch_size=2)
    for i in range(3):
        alone = tiny.detailed_transfer_layer(a[i : i + 1], b[:1])
        np.testing.assert_allclose(together.mask[i], alone.mask[0], atol=2e-3)


def test_mattes_of_faces_alone_fade_towards_the_edges_of_their_square(tiny_model):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 32, 3)).astype(np.float32)
    a, b = map(large, images)
    share = np.ones((128, 128), np.float32)
    for i in range(8):  # A sixteenth of 128.
        for edge in (share[i], share[-1 - i], share[:, i], share[:, -1 - i]):
            edge *= (i + 0.5) / 8

    def layers():
        return [tiny_model.detailed_transfer_layer(a, b), tiny_model.detailed_removal_layer(b)]

    assert tiny_model.framing == CENTRE
    before, plain = layers(), tiny_model.transfer_layer(*images)
    tiny_model.framing = FACE
    try:
        after, at_own_size = layers(), tiny_model.transfer_layer(*images)
    finally:
        tiny_model.framing = CENTRE
    for layer, whole in zip(after, before, strict=True):
        assert (whole.mask * (share < 0.5)[..., None]).max() > 0.5
        np.testing.assert_allclose(layer.mask, whole.mask * share[None, ..., None], atol=1e-6)
        np.testing.assert_array_equal(layer.image, whole.image)
    np.testing.assert_array_equal(at_own_size.mask, plain.mask)


def test_a_model_without_masks_paints_enlarged():
    model = ContentDisentanglement(**SHAPE)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128, 3)).astype(np.float32)
    small = image.reshape(2, 32, 4, 32, 4, 3).mean((2, 4))
    layer = model.detailed_transfer_layer(image, image)
    np.testing.assert_array_equal(layer.mask, 1)
    wanted = model.transfer_layer(small, small).image
    got = layer.image.reshape(2, 32, 4, 32, 4, 3).mean((2, 4))
    assert np.abs(got - wanted).mean() < np.abs(wanted - wanted.mean((1, 2), keepdims=True)).mean()
    check(model.detailed_removal_layer(image), 2, 128)
    assert model.detailed_segmentation(image).shape == (2, 128, 128, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MaskedDomainIntersectionDifference, InSequence])
def test_two_ways_are_a_removal_and_a_transfer(kind):
    keras.utils.set_random_seed(0)
    masked = MaskedDomainIntersectionDifference(**SHAPE)
    part_a, part_b = masked.part_a, masked.part_b
    model = masked if kind is not InSequence else InSequence(part_a, part_b)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 1, 64, 64, 3)).astype(np.float32)
    target, reference = images
    removal, transfer = model.detailed_layers_to_b(target, reference)
    wanted = part_a.detailed_removal_layer(target)
    np.testing.assert_allclose(removal.mask, wanted.mask, atol=1e-6)
    bare = composite_edit(wanted, target).image if kind is InSequence else target
    wanted = part_b.detailed_transfer_layer(bare, reference)
    np.testing.assert_allclose(transfer.mask, wanted.mask, atol=1e-4)
    removal, _ = model.detailed_layers_to_a(target, reference)
    np.testing.assert_allclose(removal.mask, part_b.detailed_removal_layer(target).mask, atol=1e-6)


def test_two_ways_without_masks_are_enlarged():
    model = DomainIntersectionDifference(**SHAPE)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 1, 64, 64, 3)).astype(np.float32)
    for layers in (model.detailed_layers_to_b(*images), model.detailed_layers_to_a(*images)):
        for layer in layers:
            check(layer, 1, 64)


@pytest.mark.parametrize("side", [16, 48, 96])
def test_other_sizes_are_refused(tiny, side):
    image = np.zeros((1, side, side, 3), np.float32)
    message = rf"side is 32 times 1, 2, 4, 8, .*Received: shape \(1, {side}, {side}, 3\)"
    for call in (
        lambda: tiny.detailed_transfer_layer(image, image),
        lambda: tiny.detailed_removal_layer(image),
        lambda: tiny.detailed_segmentation(image),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match=r"Received: shape \(64, 64, 3\)"):
        tiny.detailed_segmentation(np.zeros((64, 64, 3), np.float32))
    with pytest.raises(ValueError, match="`reference` must be a batch"):
        tiny.detailed_transfer_layer(
            np.zeros((1, 64, 64, 3), np.float32), np.zeros((1, 32, 32, 3), np.float32)
        )


class Known(MaskEditing):
    """A model that knows avatars: its networks are looked up in what is exactly true."""

    image_size = 64
    framing = CENTRE
    _mask_threshold = 0.1

    def __init__(self, faces):
        self._faces = faces

    def common_code(self, images):
        return images

    separate_code = common_code

    def decode_a(self, common):
        return self._small(self._of(common)["without"])

    def decode_b(self, common, separate):
        """Masks by area and blurred paint, as networks have them, of the face with the part."""
        face = self._of(common)
        differs = (face["with"] != face["without"]).any(-1, keepdims=True).astype(np.float32)
        return self._small(differs), self._small(face["with"])

    def _of(self, common):
        distances = [
            min(np.abs(np.asarray(common) - self._small(f[k])).mean() for k in ("with", "without"))
            for f in self._faces
        ]
        return self._faces[int(np.argmin(distances))]

    @staticmethod
    def _small(image):
        return image.reshape(1, 64, 4, 64, 4, -1).mean((2, 4)).astype(np.float32)


# Of flat dark lenses the enlarged paint is as near; a cut-out of them has sharper borders. White
# frames are a little greyer on darker skin, which photos would have in another light.
@pytest.mark.parametrize(
    "kind,most,gain,sharpest",
    [
        ("glasses", 0.125, 0.4, 1.15),
        ("glasses4", 0.165, 0.37, 1.15),
        ("sunglasses", 0.125, 1.1, 1.32),
    ],
)
def test_avatars_whose_truth_is_exact(kind, most, gain, sharpest):
    """The formula alone: all that a model would have to learn is known."""
    pytest.importorskip("dicebear")
    import io

    from PIL import Image

    from mbu_tf.data.avatar_faces import render_face
    from mbu_tf.data.domains import to_model_range
    from mbu_tf.evaluation.detail_truth import EditMeasures

    def face(seed):
        rendered = {
            name: render_face("glasses", seed, worn, 256)
            for name, worn in (("with", {"b": kind}), ("without", {}))
        }
        return {
            name: to_model_range(np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[None])
            for name, png in rendered.items()
        }

    reference, target = face("0/test/b/4"), face("0/test/a/2")
    model = Known([reference, target])
    layer = model.detailed_transfer_layer(target["without"], reference["with"])
    result = np.asarray(composite_edit(layer, target["without"]).image)
    measures, plain = EditMeasures(), EditMeasures()
    measures.update(result, target["with"], target["without"])
    small = model.detailed_transfer_layer(
        model._small(target["without"]), model._small(reference["with"])
    )
    painted = large(np.asarray(composite_edit(small, model._small(target["without"])).image))
    plain.update(painted, target["with"], target["without"])
    found, before = measures.result(), plain.result()
    assert found["inside"] < most and found["inside"] < gain * before["inside"]
    assert found["outside"] < 0.004 and 0.85 < found["sharpness"] < sharpest

    removal = model.detailed_removal_layer(reference["with"])
    result = np.asarray(composite_edit(removal, reference["with"]).image)
    measures = EditMeasures()
    measures.update(result, reference["without"], reference["with"])
    found = measures.result()
    assert found["inside"] < 0.12 and found["outside"] < 0.01
    stricter = model.detailed_removal_layer(reference["with"], 0.9)
    assert 0 < stricter.mask.mean() < removal.mask.mean()
    np.testing.assert_array_equal(
        model.detailed_removal_layer(reference["with"], 0.1).mask, removal.mask
    )
