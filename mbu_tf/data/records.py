"""Two domains from a data set that tensorflow-datasets has built, by the classes of its label."""

import collections.abc
import socket
import urllib.request

import numpy as np

from mbu_tf.data.folders import SPLITS, open_domains

# Where tensorflow-datasets looks first, and how long a name or it may take to answer.
HOST, WAIT = "storage.googleapis.com", 5


class RecordImages(collections.abc.Sequence):
    """The encoded images of some records, each read from disk when it is asked for.

    Args:
        records: sequence of serialised `tf.train.Example`s.
        positions: which of them, integers `(count,)`.
        feature: name of the feature that holds the image.
        origin: what the records are: data set, version, place and split.
    """

    def __init__(self, records, positions, feature, origin):
        self._records = records
        self._positions = np.asarray(positions, np.int64)
        self._feature = feature
        self._origin = origin

    def __len__(self):
        return len(self._positions)

    def __getitem__(self, index):
        record = self._records[int(self._positions[index])]
        return _feature(record, self._feature).bytes_list.value[0]

    def stamp(self):
        """Bytes that tell these images from others, see `cache_images`."""
        return self._origin.encode() + self._positions.tobytes()


def _feature(record, name):
    import tensorflow as tf

    return tf.train.Example.FromString(record).features.feature[name]


def load_tfds(
    name,
    a=0,
    b=1,
    split="train",
    image_size=128,
    crop="center",
    cache="auto",
    data_dir=None,
    framing="centre",
):
    """The images of two classes of a tensorflow-datasets data set as domains A and B.

    The data set has the features `image` and `label`, a class, or those that its
    `supervised_keys` name. If it is not built yet, it is built as `array_record`,
    whose records are read one by one, in any order; of a data set built as
    `tfrecord` the encoded images of both classes are held in memory, until
    `tfds convert_format` has made `array_record` of it.

    Args:
        name: as `tfds.load` takes it, `NAME/CONFIG:VERSION`.
        a, b: classes of either domain, names or numbers.
        split: "train", "validation" or "test"; "validation" takes the test split
            where no other is there.
        image_size: height and width that pictures are resized to.
        crop: see `load_folders`.
        cache, framing: see `open_domains`.
        data_dir: folder where tensorflow-datasets keeps its data; `None` is its own.

    Raises:
        ValueError: an argument is out of range, the data set has no such split,
            label or class, or a domain has no readable image.
        ConnectionError: it is not built, and there is no network to fetch it by.
    """
    import tensorflow_datasets as tfds

    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {tuple(SPLITS)}. Received: {split!r}")
    builder = tfds.builder(name, data_dir=data_dir)
    features, keys = builder.info.features, builder.info.supervised_keys or ("image", "label")
    if any(key not in features for key in keys) or not hasattr(features[keys[1]], "names"):
        raise ValueError(
            f"A data set must have an image and a class label. Received: {name!r} with the "
            f"features {sorted(features)}"
        )
    classes = [_class_number(features[keys[1]].names, x) for x in (a, b)]
    if not builder.is_prepared():
        check_reachable(builder)
        builder.download_and_prepare(file_format="array_record")
    found = [x for x in SPLITS[split] if x in builder.info.splits]
    if not found:
        raise ValueError(
            f"The split {split!r} must be called {' or '.join(SPLITS[split])}. "
            f"Received: {name!r} with {sorted(builder.info.splits)}"
        )
    return open_domains(*_open(builder, found[0], keys, classes), image_size, crop, cache, framing)


def check_reachable(builder):
    """Raise `ConnectionError` at once if a data set is to be fetched and there is no network.

    tensorflow-datasets tries again and again, for minutes.
    """
    # Some are made on the spot. What proxies reach only they know.
    if builder.is_prepared() or not builder.url_infos or urllib.request.getproxies():
        return
    try:
        socket.create_connection((HOST, 443), timeout=WAIT).close()
    except OSError as error:
        raise ConnectionError(
            f"{builder.name} is not on this machine, and the network cannot be reached to fetch it "
            f"({error}). Prepare it where there is one, and copy the folder "
            "~/tensorflow_datasets, or name yours by TFDS_DATA_DIR."
        ) from error


def _class_number(names, wanted):
    if str(wanted) in names:
        return names.index(str(wanted))
    if str(wanted).isdecimal() and int(wanted) < len(names):
        return int(wanted)
    raise ValueError(f"Classes are {', '.join(names)}. Received: {wanted!r}")


def _open(builder, split, keys, classes):
    """The encoded images of each class, as sequences."""
    import tensorflow_datasets as tfds

    image, label = keys
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    try:
        records = builder.as_data_source(split, deserialize_method=raw)
    except NotImplementedError:  # Built in a format that is read in one order alone.
        decoders = {image: tfds.decode.SkipDecoding()}
        data = builder.as_dataset(split=split, shuffle_files=False, decoders=decoders)
        domains = [[] for _ in classes]
        for example in tfds.as_numpy(data):
            for images, number in zip(domains, classes, strict=True):
                if example[label] == number:
                    images.append(example[image])
        return domains
    labels = np.fromiter((_feature(x, label).int64_list.value[0] for x in records), np.int64)
    origin = f"{builder.data_path}/{split}"
    chosen = [np.flatnonzero(labels == number) for number in classes]
    return [RecordImages(records, positions, image, origin) for positions in chosen]
