"""How the public names are used, for mypy alone: none of this is run.

`disallow_untyped_calls` refuses a function without type hints, and each result is
stated.
"""

import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

from mbu_tf import (
    ContentDisentanglement,
    DomainIntersectionDifference,
    FaderNetworks,
    InSequence,
    MaskedContentTransfer,
    MaskedDomainIntersectionDifference,
    Refinement,
    TwoDomainModel,
    TwoDomains,
    load_model,
    load_source,
)
from mbu_tf.callbacks import Backup, TrainingAdvice, TransferPictures
from mbu_tf.data import Photo, read_image, read_photo, to_model_range, to_uint8, write_png
from mbu_tf.evaluation import (
    FaceEmbedding,
    FrechetInceptionDistance,
    InceptionFeatures,
    KernelInceptionDistance,
    affinity_maps,
    balanced_accuracy,
    class_activation_maps,
    cosine_similarity,
    embedding_similarity,
    evaluate_against_truth,
    evaluate_removal,
    evaluate_two_way,
    frechet_distance,
    iou_by_threshold,
    kernel_distance,
    labelled_grid,
    mask_iou,
    model_grid,
    preservation,
    segmentation_iou,
    share_in_b,
    train_affinity_network,
    train_attribute_classifier,
    transfer_grid,
    translation_grid,
    two_way_grid,
)
from mbu_tf.exporting import (
    Operation,
    export_onnx,
    export_saved_model,
    export_tflite,
    operations,
    signatures,
)
from mbu_tf.faces import Face, Framing, choose_faces, find_faces
from mbu_tf.models.inference import Edit
from mbu_tf.photos import (
    EditedPhoto,
    interpolate_photo,
    mask_to_uint8,
    remove_photo,
    segment_photo,
    transfer_photo,
    translate_photo,
)

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def data(masks: npt.NDArray[np.bool_]) -> None:
    train = load_source("folders:photos", "train", image_size=64, crop="center")
    assert_type(train, TwoDomains)
    assert_type(train.steps_per_epoch(16), int)
    assert_type(train.arrays(256), tuple[Floats, Floats])
    assert_type(train.exchanged().first(3), TwoDomains)
    assert_type(TwoDomains.from_arrays(*train.arrays(), masks, framing="face"), TwoDomains)
    train.batches(16, seed=1, flip=True, first_step=3)
    train.pairs(16, limit=100)
    assert_type(train.framing, Framing)
    assert_type(train.a.take([0]), Pixels)


def training(train: TwoDomains) -> None:
    model = MaskedContentTransfer(image_size=64, width=0.5, separate_channels=16)
    assert_type(model, MaskedContentTransfer)
    assert_type(MaskedContentTransfer.from_preset("glasses", image_size=64), MaskedContentTransfer)
    assert_type(ContentDisentanglement.from_preset("glasses"), ContentDisentanglement)
    DomainIntersectionDifference(image_size=128, normalization=None)
    MaskedDomainIntersectionDifference(depth=4)
    model.compile(loss_weights={"confusion": 0.2}, jit_compile=False)
    a, b = train.arrays(8)
    backup = Backup("run/backup", every=500)
    callbacks = [backup, TrainingAdvice(patience=3), TransferPictures("pictures", a, b)]
    model.fit(train.batches(16), steps_per_epoch=10, epochs=2, callbacks=callbacks)
    model.evaluate(train.pairs(16))
    model.save(pathlib.Path("model.keras"), overwrite=False)
    refinement = Refinement(model, channels=16, seed=1)
    refinement.compile("adam", jit_compile=False)
    refinement.fit(train.batches(8).map(lambda a, b: ((a, b),)), steps_per_epoch=10)
    assert_type(refinement.refined(), MaskedContentTransfer)


def editing(model: MaskedContentTransfer, a: Floats, b: Floats) -> None:
    assert_type(load_model("model.keras"), TwoDomainModel)
    assert_type(model.find_mask_threshold(b), float)
    image, mask = model.transfer(a, b)
    assert_type(image, npt.NDArray[Any])
    assert_type(mask, npt.NDArray[Any])
    assert_type(model.remove(b, threshold=0.5, batch_size=4), Edit)
    assert_type(model.segment(b, "stored"), Floats)
    assert_type(model.interpolate(a, b[:1], b[1:2], steps=6), Edit)
    assert_type(InSequence(model, model).transfer_to_b(a, b), Edit)
    fader = FaderNetworks.from_preset("celeba", image_size=64)
    assert_type(fader, FaderNetworks)
    assert_type(fader.translate_to_a(b), Edit)
    assert_type(fader.translate(b, 0.5, batch_size=4), Edit)


def photos(model: MaskedContentTransfer) -> None:
    target, reference = read_photo("me.jpg"), read_image(b"bytes")
    assert_type(target, Photo)
    assert_type(reference, Pixels)
    edit = transfer_photo(model, target.image, reference, face="all")
    assert_type(edit, EditedPhoto)
    write_png("out.png", target.edited(*edit))
    assert_type(translate_photo(model, target.image, reference, to="a"), EditedPhoto)
    assert_type(remove_photo(model, reference, threshold=0.5), EditedPhoto)
    assert_type(segment_photo(model, reference), Floats)
    assert_type(mask_to_uint8(segment_photo(model, reference, None)), Pixels)
    for step in interpolate_photo(model, reference, reference, reference, steps=3):
        assert_type(step, EditedPhoto)
    assert_type(to_uint8(to_model_range(reference)), Pixels)
    faces = find_faces(reference, smallest=30)
    assert_type(faces, list[Face])
    assert_type(choose_faces(faces, "all"), list[Face])
    assert_type(Framing.of("face").placement(10, 10, faces[0].eyes).side, float)


def exporting(model: MaskedContentTransfer, a: Pixels, b: Pixels) -> None:
    assert_type(export_saved_model(model, "serving/glasses", warm_up=False), pathlib.Path)
    export_tflite(model, "glasses.tflite", quantization="int8", representative=(a, b))
    export_onnx(model, "glasses")
    model.export("glasses.tflite", format="litert", quantization="float16")
    assert_type(operations(model), dict[str, Operation])
    assert "transfer" in signatures(model, batch_size=1)


def evaluation(model: MaskedContentTransfer, train: TwoDomains, a: Floats, b: Floats) -> None:
    features = InceptionFeatures(batch_size=8)
    assert_type(features(a), npt.NDArray[np.float64])
    assert_type(FaceEmbedding()(a), npt.NDArray[np.float64])
    FrechetInceptionDistance(features)
    KernelInceptionDistance(features, degree=2)
    assert_type(frechet_distance(a, b), float)
    assert_type(kernel_distance(a, b, subsets=10), tuple[float, float])
    classifier, accuracy = train_attribute_classifier(train, train, steps=10)
    assert_type(accuracy, float)
    assert_type(balanced_accuracy(classifier, a, b), float)
    assert_type(share_in_b(classifier, a), float)
    assert_type(class_activation_maps(classifier, b), Floats)
    network = train_affinity_network(classifier, b, steps=10)
    assert_type(affinity_maps(classifier, network, b), Floats)
    assert_type(embedding_similarity(FaceEmbedding(), a, b), tuple[float, float])
    assert_type(cosine_similarity(a, b), npt.NDArray[np.float64])
    assert_type(mask_iou(a > 0, b > 0), npt.NDArray[np.float64])
    assert_type(iou_by_threshold(a, b > 0), npt.NDArray[np.float64])
    assert_type(segmentation_iou(a, b > 0, 0.5), dict[str, float])
    assert_type(preservation(a, b), dict[str, float])
    assert_type(evaluate_against_truth(model, train), dict[str, float])
    assert_type(evaluate_two_way(model, train), dict[str, float])
    assert_type(evaluate_removal(model, train), dict[str, float])
    assert_type(model_grid(model, a, b), Pixels)
    assert_type(transfer_grid(model, a, b, cell=64), Pixels)
    assert_type(two_way_grid(model, a, b), Pixels)
    assert_type(translation_grid(model, a, b, (0, 1)), Pixels)
    assert_type(labelled_grid([[a[0]]], ["one"]), Pixels)
