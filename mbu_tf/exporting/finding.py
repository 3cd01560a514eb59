"""The largest face of a photo, found in TensorFlow operations alone.

What `mbu_tf.faces.find_faces` does in two looks, in fewer sizes.
"""

import functools

import tensorflow as tf

from mbu_tf.exporting.squares import TurnedSquare
from mbu_tf.faces.blazeface import STRIDE, TRAINED_SIZE, load_blazeface
from mbu_tf.faces.boxes import LEFT_EYE, RIGHT_EYE
from mbu_tf.faces.detection import FINE_SIDES, MIN_SCORE
from mbu_tf.faces.looks import FIRST_SCORE, MIDDLE, SAME_FACE

# Longer sides that the photo is shown at: its faces are to be 28 px high at the largest of them.
SHOWN = (512, 256, 128)
# So many of the likeliest places are looked at anew.
CANDIDATES = 8

NO_FACE = (
    "No face was found in the photo. Send one in which the face is larger and seen from the front, "
    "or where its eyes are (signatures ending in _eyes_encoded). Received: a photo of"
)


@tf.function(input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)], autograph=False)
def largest_face(photo):
    """The eyes of the largest face: those that `find_faces` gives first, but for tiny faces.

    Args:
        photo: uint8 `(height, width, 3)`. Faces are seen from about a twentieth of its
            longer side on, chin to brow, rolled by up to 60°.

    Returns:
        float32 (4,): x and y of the left eye and of the right one, in pixels. The graph
        fails when it runs where there is no face.
    """
    with tf.init_scope():  # Weights are read now, not in the graph.
        _blazeface()
    faces = _first_look(photo)
    eyes, sides, scores = tf.map_fn(
        lambda face: _second_look(photo, face), faces, fn_output_signature=(tf.float32,) * 3
    )
    sides = tf.concat([[0.0], tf.where(scores >= MIN_SCORE, sides, 0.0)], axis=0)
    best = tf.argmax(sides)
    found = tf.debugging.Assert(best > 0, [NO_FACE, tf.shape(photo)])
    with tf.control_dependencies([found]):
        return tf.concat([tf.zeros((1, 4)), eyes], axis=0)[best]


@functools.cache
def _blazeface():
    """The network, traced once for whatever it is shown."""
    pictures = tf.TensorSpec((None, None, None, 3), tf.float32)
    return tf.function(load_blazeface(), input_signature=[pictures], autograph=False)


def _first_look(photo):
    """Where faces may be, `(n, 8, 2)` in pixels of the photo."""
    shape = tf.cast(tf.shape(photo)[:2], tf.float32)
    faces, scores = [], []
    for longer in SHOWN:
        size = tf.maximum(tf.round(shape * longer / tf.reduce_max(shape)), 1.0)
        shown = tf.image.resize(photo, tf.cast(size, tf.int32), antialias=True)
        below, beside = tf.unstack(-tf.cast(size, tf.int32) % STRIDE)
        seen = _blazeface()(tf.pad(shown, [[0, below], [0, beside], [0, 0]])[None])
        faces.append(seen["faces"][0] * (shape / size)[::-1])
        scores.append(seen["scores"][0])
    faces, scores = tf.concat(faces, axis=0), tf.concat(scores, axis=0)
    boxes = tf.reshape(faces[:, :2, ::-1], (-1, 4))
    chosen = tf.image.non_max_suppression(boxes, scores, CANDIDATES, SAME_FACE, FIRST_SCORE)
    return tf.gather(faces, chosen)


def _second_look(photo, face):
    """A face seen upright: its eyes (4,), the side of its box, its score."""
    middle = (face[0] + face[1]) / 2.0
    across = face[RIGHT_EYE] - face[LEFT_EYE]
    across *= (face[1, 0] - face[0, 0]) / tf.maximum(tf.norm(across), 1e-6)
    found = []
    for side in FINE_SIDES:
        right, down = tf.unstack(across * side)
        corner = middle - tf.stack([right - down, down + right]) / 2.0
        square = TurnedSquare(photo, tf.stack([*tf.unstack(corner), right, down]))
        shown = tf.image.resize(square.upright(), (TRAINED_SIZE,) * 2, antialias=True)
        # In the mirror, too: what is seen askew by the network then falls out.
        seen = _blazeface()(tf.stack([shown, shown[:, ::-1]]))
        plain, mirrored = (
            _middle_face(seen["faces"][i] / TRAINED_SIZE, seen["scores"][i]) for i in (0, 1)
        )
        (eyes, width, score), (reflected, other_width, other_score) = plain, mirrored
        eyes = (eyes + tf.constant([1.0, 0.0]) + reflected[::-1] * tf.constant([-1.0, 1.0])) / 2.0
        width = (width + other_width) / 2.0 * tf.norm(across) * side
        found.append((square.to_photo(eyes), width, (score + other_score) / 2.0))
    eyes, width, score = (tf.add_n(each) / len(FINE_SIDES) for each in zip(*found, strict=True))
    return tf.reshape(eyes, (4,)), width, score


def _middle_face(faces, scores):
    """Of faces `(n, 8, 2)` in shares of a picture that in its middle: eyes (2, 2), width, score."""
    offsets = tf.reduce_max(tf.abs(tf.reduce_mean(faces[:, :2], axis=1) - 0.5), axis=-1)
    scores = tf.where(offsets <= MIDDLE, scores, 0.0)
    best = tf.argmax(scores)
    low, high = tf.maximum(faces[:, 0], faces[best, 0]), tf.minimum(faces[:, 1], faces[best, 1])
    shared = tf.reduce_prod(tf.maximum(high - low, 0.0), axis=-1)
    areas = tf.reduce_prod(faces[:, 1] - faces[:, 0], axis=-1)
    alike = shared / tf.maximum(areas + areas[best] - shared, 1e-9) > SAME_FACE
    weights = tf.where(alike, scores, 0.0)
    weights = weights / tf.maximum(tf.reduce_sum(weights), 1e-9)
    face = tf.reduce_sum(weights[:, None, None] * faces, axis=0)
    return face[LEFT_EYE : RIGHT_EYE + 1], face[1, 0] - face[0, 0], scores[best]
