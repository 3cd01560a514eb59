"""What data may be, at every door that they come in by."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.first_batch import checked_source
from mbu_tf.models.methods import METHODS
from tests.conftest import fitting

try:
    import torch
except ImportError:
    torch = None

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}

pytestmark = pytest.mark.usefixtures("eagerly")
needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")


def compiled():
    model = MaskedContentTransfer(**TINY)
    model.compile()
    return model


@pytest.fixture(scope="module")
def model():
    return compiled()


@pytest.fixture(scope="module")
def new_model():
    """What has seen no batch that it took."""
    return compiled()


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 8, 3)).astype("float32")


class Pairs(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(x[4 * index :][:4] for x in self.images)


class PairSet:
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images[0])

    def __getitem__(self, index):
        return tuple(x[index] for x in self.images)


KINDS = {
    "arrays": lambda images: images,
    "list": lambda images: ([*images],),
    "tensors": lambda images: [tf.constant(x) for x in images],
    "tf.data": lambda images: (tf.data.Dataset.from_tensor_slices(tuple(images)).batch(4),),
    "PyDataset": lambda images: (Pairs(images),),
    "torch": lambda images: (torch.utils.data.DataLoader(PairSet(images), batch_size=4),),
    "generator": lambda images: ((tuple(x[4 * i :][:4] for x in images) for i in (0, 1)),),
}
MARKS = {"torch": needs_torch}
DOORS = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
CASES = [
    *(pytest.param(x, kind, marks=MARKS.get(kind, ())) for x in DOORS[:3] for kind in KINDS),
    *((door, kind) for door in DOORS[3:] for kind in ("arrays", "list")),
]


def kinds(*names):
    values = [pytest.param(name, marks=MARKS.get(name, ())) for name in names]
    return pytest.mark.parametrize("kind", values)


def enter(model, door, kind, images):
    """Call `door` with `images` as `kind`."""
    data = KINDS[kind](images)
    if kind in ("arrays", "tensors") and (door.startswith("predict") or len(data) == 3):
        data = (list(data),)
    options = {} if door.endswith("_on_batch") else {"verbose": 0}
    return getattr(model, door)(*data, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("door", "kind"), CASES)
def test_every_kind_of_data_comes_in_by_its_doors(model, images, door, kind):
    assert enter(model, door, kind, images) is not None


@pytest.mark.parametrize(("door", "kind"), CASES)
@pytest.mark.parametrize("wrong", ["range", "uint8"])
def test_8_bit_images_are_refused_everywhere(new_model, images, door, kind, wrong):
    eight_bit = (images * 127 + 128).astype("uint8" if wrong == "uint8" else "float32")
    received = "dtype uint8" if wrong == "uint8" else r"values in \[\d"
    for name, pair in (("a", (eight_bit[0], images[1])), ("b", (images[0], eight_bit[1]))):
        with pytest.raises(ValueError, match=f"`{name}` must.*to_model_range.*{received}"):
            enter(new_model, door, kind, pair)


@kinds(*KINDS)
@pytest.mark.parametrize(
    ("third", "message"),
    [
        (np.ones(8, "float32"), r"sample weights have no meaning here. Received: shape \(\d,\)"),
        (np.ones((8, 8, 8, 3), "float32"), r"must be true masks of b, \(batch, 8, 8, 1\)"),
        (np.full((8, 8, 8, 1), 255, "uint8"), r"True masks.*Received: values in \[255, 255\]"),
    ],
)
def test_a_third_element_that_is_no_mask(model, images, kind, third, message):
    with pytest.raises(ValueError, match=message):
        enter(model, "evaluate", kind, (*images, third))


@pytest.mark.slow
@kinds(*KINDS)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool"])
def test_masks_are_measured(model, images, kind, dtype):
    mask = np.zeros((8, 8, 8, 1), dtype)
    mask[:, 2:5] = 1
    found = enter(model, "evaluate", kind, (*images, mask))
    assert len(found) == len(model.metrics_names)
    assert 0 <= dict(zip(model.metrics_names, found, strict=True))["iou"] <= 1


def test_masks_are_no_third_argument(model, images):
    with pytest.raises(ValueError, match=r"masks are given as sample_weight=masks, or as fit\("):
        model.fit(*images, np.ones((8, 8, 8, 1)))


@kinds(*(x for x in KINDS if x != "list"))
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: np.arange(8), r"labels have no place.*label_mode=None.*shape \(\d,\)"),
        (lambda b: b[..., :1], r"`b` must be a batch of RGB images \(batch, 8, 8, 3\)"),
        (lambda b: np.moveaxis(b, -1, 1), r"`b` must be a batch of RGB images \(batch, 8, 8, 3\)"),
        (lambda b: b.repeat(2, 1).repeat(2, 2), r"\(batch, 8, 8, 3\); resize them"),
    ],
)
def test_what_is_no_image_of_the_models_size(model, images, kind, change, message):
    with pytest.raises(ValueError, match=message):
        enter(model, "evaluate", kind, (images[0], change(images[1])))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("data", ["array", "one", "four", "nested"])
def test_what_is_no_pair(model, images, door, data):
    a, b = images
    given = {"array": a, "one": [a], "four": [a, b, a, b], "nested": [{"a": a}, {"b": b}]}[data]
    with pytest.raises(ValueError, match=r"tuple \(a, b\).*fit\(a, b\) and predict\(\[a, b\]\)"):
        getattr(model, door)(given)


def test_arrays_of_different_length(model, images):
    with pytest.raises(ValueError, match=r"as many images of A as of B.*Received: \[8, 5\]"):
        model.fit(images[0], images[1][:5], verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS.values())
def test_an_unequal_last_batch(method, images):
    model = method(**fitting(method, **TINY))
    model.compile()
    for data in (
        tf.data.Dataset.zip(
            tuple(
                tf.data.Dataset.from_tensor_slices(x).batch(4) for x in (images[0][:6], images[1])
            )
        ),
        ((a, b) for a, b in (images[:, :4], (images[0, :2], images[1, :4]))),
    ):
        with pytest.raises(ValueError, match=r"drop_remainder=True.*Received: \[2, 4\] of each"):
            model.fit(data, verbose=0)


def test_held_out_images_are_looked_at_as_well(model, images):
    eight_bit = images * 127 + 128
    for held_out in (tuple(eight_bit), KINDS["tf.data"](eight_bit)[0]):
        with pytest.raises(ValueError, match=r"`a` must lie in \[-1, 1\]"):
            model.fit(*images, validation_data=held_out, verbose=0)


@pytest.mark.slow
def test_masks_of_held_out_images_alone(model, images):
    mask = np.ones((8, 8, 8, 1), "float32")
    for held_out in ((*images, mask), KINDS["tf.data"]((*images, mask))[0]):
        history = model.fit(*images, validation_data=held_out, epochs=2, verbose=0).history
        assert len(history["val_iou"]) == 2 and "iou" not in history


def test_class_weights_are_refused(model, images):
    with pytest.raises(ValueError, match="`class_weight` has no meaning"):
        model.fit(*images, class_weight={0: 1.0})


def test_nothing_of_a_stream_is_lost_by_looking():
    """Batches, their number and their order are as they would be."""
    images = np.arange(6, dtype="float32").reshape(6, 1, 1, 1).repeat(8, 1).repeat(8, 2) / 6
    images = images.repeat(3, 3)
    data = tf.data.Dataset.from_tensor_slices((images, images)).batch(2)
    stream = ((images[i : i + 2], images[i : i + 2]) for i in (0, 2, 4))
    for source in (data, stream):
        looked, masks = checked_source(source, 8)
        assert not masks
        assert [float(b[0, 0, 0, 0]) for _, b in looked] == pytest.approx([0, 2 / 6, 4 / 6])
    assert checked_source(data, 8)[0].cardinality() == 3
    assert checked_source(data.repeat(), 8)[0].cardinality() == tf.data.INFINITE_CARDINALITY


@needs_torch
def test_nothing_of_a_loaders_order_is_changed_by_looking():
    images = np.arange(6, dtype="float32").reshape(6, 1, 1, 1).repeat(8, 1).repeat(8, 2) / 6
    images = images.repeat(3, 3)
    orders = []
    for look in (False, True):
        torch.manual_seed(0)
        own = torch.Generator().manual_seed(1)
        for generator in (None, own):
            loader = torch.utils.data.DataLoader(
                PairSet((images, images)), batch_size=2, shuffle=True, generator=generator
            )
            if look:
                checked_source(loader, 8)
            orders.append([float(b[0, 0, 0, 0]) for _, b in loader])
    assert orders[:2] == orders[2:]


def test_only_the_first_batch_is_looked_at(images):
    """What is not finite or out of range later is the training step's to see."""
    loud = images * 3
    data = tf.data.Dataset.from_generator(
        lambda: iter([tuple(images), tuple(loud), tuple(loud)]),
        output_signature=(tf.TensorSpec((None, 8, 8, 3)),) * 2,
    )
    assert len(list(itertools.islice(checked_source(data, 8)[0], 3))) == 3


@pytest.mark.slow
def test_the_same_object_is_never_asked_twice_for_on_batch(images):
    model = compiled()
    model.train_on_batch(*images)
    model.train_on_batch(*images * 3)
    with pytest.raises(ValueError, match=r"`a` must lie"):
        model.test_on_batch(*images * 3)


def test_distributed_sets_are_told_by_their_shapes(images):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    data = tf.data.Dataset.from_tensor_slices(tuple(images)).batch(4)
    distributed = strategy.experimental_distribute_dataset(data)
    assert checked_source(distributed, 8) == (distributed, False)
    wrong = strategy.experimental_distribute_dataset(
        data.map(lambda a, b: (tf.cast(a, tf.uint8), b))
    )
    with pytest.raises(ValueError, match="`a` must be float.*uint8"):
        checked_source(wrong, 8)
