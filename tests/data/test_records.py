"""Data sets that tensorflow-datasets has built as a source, read one by one or from memory."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from mbu_tf.data.image_files import ImageFiles
from mbu_tf.data.records import load_tfds

NAMES = ["plain", "blurred", "worn"]


class NumberedPictures(tfds.core.GeneratorBasedBuilder):
    """Picture i shows the value i and is of class i modulo 3."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        picture = tfds.features.Image(shape=(6, 8, 3), encoding_format="png")
        label = tfds.features.ClassLabel(names=NAMES)
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict({"photo": picture, "kind": label}),
            supervised_keys=("photo", "kind"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(12), "test": self._generate_examples(3)}

    def _generate_examples(self, count):
        for i in range(count):
            yield i, {"photo": np.full((6, 8, 3), i, np.uint8), "kind": i % 3}


def values(images):
    return sorted(images.take(range(len(images)))[:, 0, 0, 0].tolist())


@pytest.mark.parametrize("file_format", ["array_record", "tfrecord"])
def test_classes_become_domains(tmp_path, file_format):
    if file_format == "tfrecord":
        NumberedPictures(data_dir=tmp_path).download_and_prepare(file_format=file_format)
    options = {"image_size": 4, "data_dir": tmp_path}
    domains = load_tfds("numbered_pictures", "plain", 2, cache="none", **options)
    assert isinstance(domains.b, ImageFiles)
    assert (values(domains.a), values(domains.b)) == ([0, 3, 6, 9], [2, 5, 8, 11])
    again = load_tfds("numbered_pictures", "plain", 2, **options)
    order = range(4)
    np.testing.assert_array_equal(again.a.take(order), domains.a.take(order))
    held_out = load_tfds("numbered_pictures:1.0.0", 0, 1, "validation", **options)
    assert (values(held_out.a), values(held_out.b)) == ([0], [1])
    # The cache tells splits and classes apart without asking for each image.
    cache = f"disk:{tmp_path / 'cache'}"
    for a, b, split in ((0, 1, "train"), (0, 1, "test"), (1, 2, "train"), (0, 1, "train")):
        found = load_tfds("numbered_pictures", a, b, split, cache=cache, **options)
        count = {"train": 12, "test": 3}[split]
        assert values(found.a) == list(range(a, count, 3))
        assert values(found.b) == list(range(b, count, 3))
    assert len(list((tmp_path / "cache").iterdir())) == 5


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="Received: 'dev'"):
        load_tfds("numbered_pictures", split="dev")
    with pytest.raises(ValueError, match="plain, blurred, worn. Received: 'red'"):
        load_tfds("numbered_pictures", "plain", "red", data_dir=tmp_path)
    with pytest.raises(ValueError, match="plain, blurred, worn. Received: 3"):
        load_tfds("numbered_pictures", 0, 3, data_dir=tmp_path)
    with pytest.raises(ValueError, match="class label.*moving_mnist.*image_sequence"):
        load_tfds("moving_mnist", data_dir=tmp_path)


def test_without_a_network_that_is_told_at_once(tmp_path, monkeypatch):
    def fail(address, timeout):
        raise OSError("Name or service not known")

    monkeypatch.setattr("socket.create_connection", fail)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr(NumberedPictures, "url_infos", {"https://example.org/x.zip": None})
    options = {"image_size": 4, "data_dir": tmp_path}
    with pytest.raises(ConnectionError, match="numbered_pictures is not .* copy the folder"):
        load_tfds("numbered_pictures", 0, 1, **options)
    monkeypatch.setattr(NumberedPictures, "url_infos", {})  # Made on the spot.
    assert len(load_tfds("numbered_pictures", 0, 1, **options).a) == 4
