"""Signatures on bytes of a model of framed faces, against `mbu_tf.photos`."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf import exporting, photos
from mbu_tf.faces import FACE
from tests.exporting.test_finding import scene

pytestmark = pytest.mark.slow  # Graphs with detectors of faces in them.
EYES = ((150.5, 120.0), (190.0, 141.0))


@pytest.fixture(scope="module")
def framed(small_model):
    """A model of framed faces."""
    model = type(small_model).from_config({**small_model.get_config(), "framing": "face"})
    model.set_weights(small_model.get_weights())
    assert model.framing == FACE
    return model


@pytest.fixture(scope="module", params=[None, 64], ids=["plain", "detail"])
def loaded(request, framed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("framed") / "tiny"
    path = exporting.export_saved_model(framed, folder, warm_up=False, detail_size=request.param)
    return tf.saved_model.load(str(path)).signatures, request.param is not None


def as_bytes(photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    return file.getvalue()


def opened(outputs, name):
    return np.asarray(Image.open(io.BytesIO(outputs[name].numpy()[0])))


@pytest.fixture(scope="module")
def photo():
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((270, 180)))


def test_the_eyes_are_told(loaded, framed, photo):
    signatures, detail = loaded
    file, eyes = tf.constant([as_bytes(photo)]), tf.constant([np.ravel(EYES)], tf.float32)
    got = signatures["transfer_eyes_encoded"](
        target=file, reference=file, target_eyes=eyes, reference_eyes=eyes
    )
    image, mask = opened(got, "image_bytes"), opened(got, "mask_bytes")
    # One more than the export makes detail at, where it does: 141 pixels would be 256.
    framing = {"face": [EYES], "reference_face": [EYES], "detail": False}
    if not detail:
        wanted = photos.transfer_photo(framed, photo, photo, **framing)
        difference = np.abs(image.astype(int) - wanted.image)
        assert np.quantile(difference, 0.99) <= 1 and difference.max() <= 8
    assert (mask > 0).any()
    np.testing.assert_array_equal(image[mask == 0], photo[mask == 0])
    # Nothing outside the face's square.
    y, x = np.mgrid[:180, :270] + 0.5
    place = FACE.placement(180, 270, EYES).to_square(np.stack([x, y], -1))
    assert not mask[((place < -0.02) | (place > 1.02)).any(-1)].any()


def test_the_largest_face_is_found(loaded, framed):
    signatures, detail = loaded
    photo = scene()
    got = signatures["segment_encoded"](image=tf.constant([as_bytes(photo)]))
    mask = opened(got, "mask_bytes") / 255
    wanted = photos.segment_photo(framed, photo, None, detail=False)
    if not detail:
        # The eyes are found within a few hundredths of their distance.
        assert np.abs(mask - wanted).mean() < 0.1 * wanted.mean()
    assert ((mask > 0) == (wanted > 0)).mean() > 0.9


def test_no_face_is_said_and_the_next_request_is_answered(loaded, photo):
    signatures, _ = loaded
    grey = np.full((90, 120, 3), 128, np.uint8)
    with pytest.raises(tf.errors.InvalidArgumentError, match="No face was found"):
        signatures["remove_encoded"](image=tf.constant([as_bytes(grey)]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="equally many"):
        signatures["remove_eyes_encoded"](
            image=tf.constant([as_bytes(photo)] * 2), image_eyes=tf.constant([[1.0, 2.0, 3.0, 2.0]])
        )
    eyes = tf.constant([np.ravel(EYES)], tf.float32)
    got = signatures["remove_eyes_encoded"](image=tf.constant([as_bytes(photo)]), image_eyes=eyes)
    assert opened(got, "image_bytes").shape == photo.shape
