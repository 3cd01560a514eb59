import numpy as np
import pytest

from mbu_tf.data.domains import ImageArray, TwoDomains, to_model_range
from mbu_tf.evaluation.variation import figures_table, model_figures, model_tiles, pair_tiles


@pytest.fixture(scope="module")
def domains():
    pixels = np.random.default_rng(1).integers(0, 256, (2, 4, 32, 32, 3), np.uint8)
    return TwoDomains(ImageArray(pixels[0]), ImageArray(pixels[1][:2]), 32)


def test_figures_of_masks(tiny_model, domains):
    a, b = (to_model_range(x.take([0, 1])) for x in (domains.a, domains.b))
    masks, own = tiny_model.transfer(a, b).mask, tiny_model.segment(b)
    figures = model_figures(tiny_model, domains)
    assert figures == {
        "transfer_mask": pytest.approx(np.mean(masks)),
        "segmented": pytest.approx(np.mean(own >= tiny_model.mask_threshold)),
    }
    assert 0.01 < figures["segmented"] < 0.99


def test_pictures_are_in_one_order(tiny_model, domains):
    pairs, column = pair_tiles(domains), model_tiles(tiny_model, domains)
    assert len(pairs) == len(column) == 4 * 2
    for i in range(2):
        a, b = domains.a.take([i])[0], domains.b.take([i])[0]
        np.testing.assert_array_equal(pairs[4 * i], a)
        np.testing.assert_array_equal(pairs[4 * i + 1], b)
        image, mask, _, removed = column[4 * i : 4 * i + 4]
        np.testing.assert_array_equal(image[mask[..., 0] == 0], a[mask[..., 0] == 0])
        same = (removed == b).all(axis=-1).mean()
        assert 0.0 < same < 1.0


def test_the_table_has_the_columns_that_any_row_has():
    figures = {
        "full": {"transfer_mask": 0.0625, "segment_iou": 0.6, "unknown": 3.0},
        "half": {"transfer_mask": 0.5, "segment_iou": None},
    }
    assert figures_table(figures) == (
        "|  | mask | IoU |\n| --- | --- | --- |\n| full | 6.2% | 0.600 |\n| half | 50.0% |  |\n"
    )
