"""Domains of drawn glasses: their truth, what is drawn anew, and folders of photos."""

from typing import NamedTuple

import numpy as np
import pytest

from mbu_tf.data import drawn_domains
from mbu_tf.data.domains import ImageArray
from mbu_tf.data.drawn_domains import AlignedFaces, DrawnGlasses, Kept, Mixture, drawn_truth
from mbu_tf.data.drawn_glasses import VISIBLE
from mbu_tf.data.images import FaceImage, write_png
from mbu_tf.data.sources import load_source
from mbu_tf.faces import FACE

SIZE = 48


def faces(count, level=150):
    """Plain faces of different brightness."""
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    images[:] = level + np.arange(count)[:, None, None, None]
    return AlignedFaces(images, FACE, np.linspace(-0.2, 0.2, count), np.full(count, 0.5))


def all_of(images):
    return images.take(range(len(images))).astype(int)


def test_the_truth_is_exact():
    bare, worn = faces(5, 120), faces(6, 160)
    domains = drawn_truth(bare, worn, seed=4)
    assert len(domains.a) == len(domains.b) == len(domains.b_variants) == 5
    assert domains.framing == FACE and domains.image_size == SIZE
    assert set(domains.b_variants) <= {"sunglasses", "rimless", "thin", "thick"}
    np.testing.assert_array_equal(all_of(domains.a), bare.images)
    np.testing.assert_array_equal(all_of(domains.b_without), worn.images[:5])
    change = np.abs(all_of(domains.b) - all_of(domains.b_without)).max(axis=-1, keepdims=True)
    mask = all_of(domains.b_mask)
    np.testing.assert_array_equal(mask, np.where(change >= VISIBLE, 255, 0))
    assert (mask.max(axis=(1, 2, 3)) == 255).all()
    assert (all_of(domains.a_with) != bare.images).any(axis=(1, 2, 3)).all()


def test_the_same_glasses_on_the_same_face_are_the_same_picture():
    domains = drawn_truth(faces(4), faces(4))
    np.testing.assert_array_equal(all_of(domains.a_with), all_of(domains.b))
    # Face 0 with the glasses of picture 1, which a face like it wears.
    same = faces(4)
    same.images[:], same.yaws[:] = 150, 0.1
    domains = drawn_truth(same, same)
    np.testing.assert_array_equal(all_of(domains.a_with_next), np.roll(all_of(domains.b), -1, 0))


def test_what_was_taken_once_is_kept():
    class Counted:
        taken = []

        def __len__(self):
            return 5

        def take(self, indices):
            self.taken.extend(indices)
            return np.full(
                (len(indices), 2, 2, 1), 10 * np.reshape(indices, (-1, 1, 1, 1)), np.uint8
            )

    kept = Kept(Counted(), (2, 2, 1))
    assert len(kept) == 5
    for indices in ([3, 1, 3], [1, 4], range(2), [-1]):
        expected = 10 * (np.asarray(indices) % 5)
        np.testing.assert_array_equal(kept.take(indices)[:, 1, 1, 0], expected)
    assert sorted(Counted.taken) == [0, 1, 3, 4]


def test_what_is_drawn_and_mixed_for_training_tells_itself_from_others():
    stamps = [
        Mixture(ImageArray(real.images), drawn_domains.drawn_domains(faces(3), worn).b, 0.5).stamp()
        for real, worn in ((faces(2), faces(3)), (faces(2, 99), faces(3)), (faces(2), faces(3, 99)))
    ]
    assert len(set(stamps)) == 3


def test_pictures_are_drawn_when_taken_each_with_its_own_glasses():
    plain = faces(2)
    drawn = DrawnGlasses(plain, [(1, i) for i in range(6)])
    assert len(drawn) == 6
    images = drawn.take(np.arange(6))
    assert images.shape == (6, SIZE, SIZE, 3) and images.dtype == np.uint8
    assert len({image.tobytes() for image in images}) == 6
    np.testing.assert_array_equal(drawn.take([4, -1]), images[[4, 5]])
    picture, mask = plain.draw(0, (1, 4))
    np.testing.assert_array_equal(picture, images[4])
    masks = DrawnGlasses(plain, [(1, i) for i in range(6)], masks=True)
    np.testing.assert_array_equal(masks.take([4])[0], mask)
    with pytest.raises(IndexError):
        drawn.take([6])


@pytest.mark.parametrize(("share", "repeated"), [(0.0, 0), (0.5, 9), (0.25, 3)])
def test_a_mixture_has_its_share_of_the_first(share, repeated):
    def filled(values):
        return ImageArray(np.uint8(values)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8))

    mixture = Mixture(filled([1, 2]), filled(range(11, 20)), share)
    assert len(mixture) == repeated + 9
    values = mixture.take(np.arange(len(mixture)))[:, 0, 0, 0].tolist()
    assert values == [1 + i % 2 for i in range(repeated)] + list(range(11, 20))
    assert mixture.take([-1, 0])[:, 0, 0, 0].tolist() == [19, values[0]]


class Placed(NamedTuple):
    side: float

    def upright(self, photo):
        return photo


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """80 photos, each a plain face, and a stand-in for the detector."""
    for i in range(80):
        write_png(tmp_path / f"{i}.png", np.full((32, 32, 3), 100 + i, np.uint8))

    def find(sources, framing):
        assert framing == FACE
        return [FaceImage(source, Placed(32.0)) for source in sources]

    monkeypatch.setattr(drawn_domains, "find_face_images", find)
    return tmp_path


def test_a_folder_of_faces_is_split_by_name(folder):
    seen = []
    for split in ("train", "validation", "test"):
        domains = load_source(f"drawn_glasses:{folder}", split, 32, variants=3)
        a = all_of(domains.a)[:, 0, 0, 0].tolist()
        if split == "train":
            assert domains.b_mask is None and len(domains.b) % 3 == 0
            assert len(domains.b) // 3 + len(a) > 50
        else:
            assert domains.b_mask is not None and len(domains.a) == len(domains.b)
        b = all_of(domains.b)[:, 0, 0, 0].tolist()  # Corners show no glasses.
        assert not set(a) & set(b) and not (set(a) | set(b)) & set(seen)
        seen += a + b
    again = load_source(f"drawn_glasses:{folder}", "test", 32)
    np.testing.assert_array_equal(all_of(again.b), all_of(domains.b))
    other = load_source(f"drawn_glasses:{folder}", "test", 32, seed=1)
    assert (all_of(other.b) != all_of(domains.b)).any()


def test_what_cannot_be_drawn(folder, tmp_path):
    source = f"drawn_glasses:{folder}"
    with pytest.raises(ValueError, match="face framing.*Received: framing="):
        load_source(source, framing="centre")
    with pytest.raises(ValueError, match="`split`.*Received: 'all'"):
        load_source(source, "all")
    with pytest.raises(ValueError, match="`variants`.*Received: 0"):
        load_source(source, variants=0)
    few = tmp_path / "few"
    few.mkdir()
    write_png(few / "0.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="Too few photos.*Received: .*few"):
        load_source(f"drawn_glasses:{few}")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_source(f"drawn_glasses:{folder / 'nowhere'}")
