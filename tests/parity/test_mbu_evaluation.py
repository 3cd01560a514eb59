"""Every output of the networks in evaluation mode, at both sizes, against the fixtures."""

import keras
import numpy as np
import pytest

from mbu_tf import losses
from tests.parity.outputs import channels_first, check_array, check_norms, recorded
from tests.parity.run import model_at_start


@pytest.mark.parametrize(
    "size,dtype",
    [
        (64, "float32"),
        pytest.param(64, "float64", marks=pytest.mark.slow),
        pytest.param(128, "float32", marks=pytest.mark.slow),
    ],
)
def test_every_array(fixtures, size, dtype):
    keras.config.set_dtype_policy(dtype)
    mbu = fixtures("mbu", None)
    model = model_at_start(mbu, size)
    a, b = mbu.images("eval", size)  # b is with content: the fixtures' A.
    code_a, code_b = model.common_code(a), model.common_code(b)
    separate_a, separate_b = model.separate_code(a), model.separate_code(b)
    zeros = model.no_separate_code(code_a)
    last = model.decoder_b.get_layer("block_6_deconv")
    logits = keras.Model(model.decoder_b.input, last.output)

    def both(common, separate):
        return keras.ops.concatenate([common, separate], axis=-1)

    mask_bb, raw_bb = model.decode_b(code_b, separate_b)
    mask_aa, raw_aa = model.decode_b(code_a, zeros)
    transfer = model.compute_transfer(a, b)
    removal = model.compute_removal(b, 0.1)
    decoded_full = model.decoder_a(both(code_b, separate_b))
    hard = keras.ops.cast(mask_bb >= 0.1, dtype)
    found = {
        "e1_a": code_b,
        "e1_b": code_a,
        "e2_a": separate_b,
        "e2_b": separate_a,
        "disc_a": keras.ops.sigmoid(model.discriminator(code_b))[:, 0],
        "disc_b": keras.ops.sigmoid(model.discriminator(code_a))[:, 0],
        "d_a_b0": model.decode_a(code_a),
        "d_a_a0": model.decode_a(code_b),
        "d_a_full": decoded_full,
        "transfer_logits": logits(both(code_a, separate_b)),
        "transfer_image": transfer.image,
        "transfer_mask": transfer.mask,
        "recon1_image": losses.composite(mask_bb, raw_bb, model.decode_a(code_b)),
        "aa_image": losses.composite(mask_bb, raw_bb, b),
        "aa_mask": model.compute_segmentation(b),
        "bb_image": losses.composite(mask_aa, raw_aa, a),
        "bb_mask": mask_aa,
        "removal_mask": removal.mask,
        "removal_image": losses.composite(hard, decoded_full, b),
        "removal_image_zero_sep": removal.image,
        "removal_mask_t05": model.compute_removal(b, 0.5).mask,
    }
    found = {name: channels_first(x) for name, x in found.items()}
    expected, summaries = recorded(mbu, size), mbu.numbers[f"eval{size}"]
    assert set(found) == set(expected)
    soft = found["aa_mask"]
    for name, array in expected.items():
        ours = found[name]
        if name.startswith("removal"):
            # A pixel at the very threshold may fall on either side.
            threshold = 0.5 if name == "removal_mask_t05" else 0.1
            ours = np.where(np.abs(soft - threshold) > 1e-4, ours, np.nan)
        check_array(name, ours, array)
    check_norms(found, {k: x for k, x in summaries.items() if not k.startswith("removal")})
