"""The papers' losses as pure functions.

Equations 2 to 9 are those of "Mask Based Unsupervised Content Transfer"; the
slides of "Domain Intersection and Domain Difference" name theirs.

Images are `(batch, height, width, 3)` in [-1, 1], masks `(batch, height, width,
1)` in [0, 1], codes `(batch, height, width, channels)`, logits `(batch, 1)`.
Every loss is a scalar, a mean over all elements, computed in float32 at least
whatever the precision policy of the networks (in float64 if its arguments are).

Domain A lacks the content and B has it. A logit is positive where the
discriminator C takes a code for one of domain B, so B's label is 1 and A's 0.
"""

import keras
from keras import ops

NORMS = ("l1", "l2")


def widened(*tensors):
    """`tensors` in one dtype: float64 if one of them is, else float32."""
    tensors = [ops.convert_to_tensor(x) for x in tensors]
    # Keras's own rule of promotion knows no float64 under JAX.
    wide = any(keras.backend.standardize_dtype(x.dtype) == "float64" for x in tensors)
    return [ops.cast(x, "float64" if wide else "float32") for x in tensors]


def at_least_float32(x):
    """`x` widened to float32, or as it is if already float64."""
    return widened(x)[0]


def composite(mask, raw, background):
    """z(a, b) of equation 2, z'(c, a, b) of equation 7: `mask * raw + (1 - mask) * background`.

    Args:
        mask: soft mask m(a, b), `(batch, height, width, 1)` in [0, 1].
        raw: raw image z_raw(a, b), `(batch, height, width, 3)`.
        background: the image a (equation 2) or c (equation 7), shaped as `raw`.

    Returns:
        The composite image, shaped as `raw`.
    """
    mask, raw, background = widened(mask, raw, background)
    return mask * raw + (1.0 - mask) * background


def binary_cross_entropy(logits, label):
    """l(p, q) below equation 3 with p = sigmoid(logits), q = `label`, averaged.

    Args:
        logits: tensor of any shape.
        label: 0 or 1, the same for all.
    """
    logits = at_least_float32(logits)
    # -(q log p + (1 - q) log(1 - p)) = softplus(z) - q z; softplus written so
    # that neither exponential overflows.
    softplus = ops.maximum(logits, 0.0) + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.mean(softplus - label * logits)


def domain_confusion_loss(logits_a, logits_b, label=0):
    """L_DC, equation 3: both domains' common codes are to be called `label`.

    Args:
        logits_a: C(Ec(a)) as logits, `(batch, 1)`.
        logits_b: C(Ec(b)) as logits, `(batch, 1)`.
        label: 1 (domain B) in the paper, 0 (domain A) in the published code;
            `"other"`: each code is to be called the domain that it is not of, as in
            equation 3 of Fader Networks (Lample et al., 2017).
            At chance, where C cannot tell, the loss is 2 log 2 = 1.386.
    """
    label_a, label_b = (1, 0) if label == "other" else (label, label)
    return binary_cross_entropy(logits_a, label_a) + binary_cross_entropy(logits_b, label_b)


def discriminator_loss(logits_a, logits_b):
    """L_C, equation 4: A's common codes are to be called 0, B's 1."""
    return binary_cross_entropy(logits_a, 0) + binary_cross_entropy(logits_b, 1)


def distance(x, y, norm="l1"):
    """Mean absolute (`"l1"`) or mean squared (`"l2"`) difference over all elements."""
    x, y = widened(x, y)
    difference = x - y
    return ops.mean(ops.abs(difference) if norm == "l1" else ops.square(difference))


def reconstruction_1_a(decoded_a, a, norm="l1"):
    """L_Recon1 of A, equation 5: DA(Ec(a)) against a."""
    return distance(decoded_a, a, norm)


def reconstruction_1_b(mask_bb, raw_bb, decoded_b, b, norm="l1"):
    """L_Recon1 of B, equation 6: z'(DA(Ec(b)), b, b) against b.

    The content of b, removed by DA(Ec(b)) = `decoded_b`, is put back with
    m(b, b) = `mask_bb` and z_raw(b, b) = `raw_bb`.
    """
    return distance(composite(mask_bb, raw_bb, decoded_b), b, norm)


def reconstruction_2(mask, raw, image, norm="l1"):
    """L_Recon2, equation 8, of either domain: z(x, x) against x.

    It keeps the mask small: what is left out of the mask costs nothing.

    Args:
        mask: m(x, x), `(batch, height, width, 1)`.
        raw: z_raw(x, x), `(batch, height, width, 3)`.
        image: x itself.
        norm: `"l1"` as in the paper, `"l2"` for its ablation "L2 recon #2".
    """
    return distance(composite(mask, raw, image), image, norm)


def raw_reconstruction(raw_bb, decoded_b, b):
    """z_raw(b, b) against b where decoder A fails, whatever the mask; not of the paper.

    Equations 6 and 8 teach z_raw where the mask is open, and the mask opens where z_raw
    is good: where it has closed before, nothing is learned any more. A pixel counts if
    the mean absolute error of DA(Ec(b)) is above twice that of the batch there.

    Args:
        raw_bb: z_raw(b, b), `(batch, height, width, 3)`.
        decoded_b: DA(Ec(b)), which gets no gradient of this.
        b: the images.
    """
    raw_bb, decoded_b, b = widened(raw_bb, ops.stop_gradient(decoded_b), b)
    error = ops.mean(ops.abs(decoded_b - b), axis=-1, keepdims=True)
    failed = ops.cast(error > 2.0 * ops.mean(error), error.dtype)
    return ops.mean(failed * ops.abs(raw_bb - b))


def cycle_common_loss(code_ab, code_a):
    """First term of L_Cycle, equation 9: Ec(z(a, b)) against Ec(a), mean squared."""
    return distance(code_ab, code_a, "l2")


def cycle_separate_loss(code_ab, code_b):
    """Second term of L_Cycle, equation 9: Es(z(a, b)) against Es(b), mean squared."""
    return distance(code_ab, code_b, "l2")


def zero_loss(code):
    """ "Zero" loss of the DIDD slides: mean absolute value of a foreign separate code.

    Args:
        code: EsA(b) or EsB(a), `(batch, height, width, channels)`.
    """
    return distance(code, ops.zeros_like(code))


def mask_size_loss(mask, norm="l2"):
    """Explicit mask penalty of the ablation "L2 reg" (table 7), in place of equation 8."""
    return distance(mask, ops.zeros_like(mask), norm)
