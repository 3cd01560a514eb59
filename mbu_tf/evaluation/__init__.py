"""Measures and pictures of what a model does, one file per measure."""

from mbu_tf.evaluation.affinity_network import (
    AFFINITY_THRESHOLD,
    affinity_maps,
    train_affinity_network,
)
from mbu_tf.evaluation.attribute_classifier import (
    balanced_accuracy,
    share_in_b,
    train_attribute_classifier,
)
from mbu_tf.evaluation.class_activation import CAM_THRESHOLD, class_activation_maps
from mbu_tf.evaluation.face_embedding import FaceEmbedding
from mbu_tf.evaluation.features import (
    FeatureExtractor,
    InceptionFeatures,
    WeightsUnavailableError,
)
from mbu_tf.evaluation.frechet_distance import FrechetInceptionDistance, frechet_distance
from mbu_tf.evaluation.ground_truth import evaluate_against_truth, evaluate_removal
from mbu_tf.evaluation.kernel_distance import (
    PAPER_GAMMA,
    KernelInceptionDistance,
    kernel_distance,
)
from mbu_tf.evaluation.pictures import (
    labelled_grid,
    model_grid,
    transfer_grid,
    translation_grid,
    two_way_grid,
)
from mbu_tf.evaluation.preservation import preservation
from mbu_tf.evaluation.segmentation import iou_by_threshold, mask_iou, segmentation_iou
from mbu_tf.evaluation.similarity import cosine_similarity, embedding_similarity
from mbu_tf.evaluation.two_way_truth import evaluate_two_way

__all__ = [
    "AFFINITY_THRESHOLD",
    "CAM_THRESHOLD",
    "PAPER_GAMMA",
    "FaceEmbedding",
    "FeatureExtractor",
    "FrechetInceptionDistance",
    "InceptionFeatures",
    "KernelInceptionDistance",
    "WeightsUnavailableError",
    "affinity_maps",
    "balanced_accuracy",
    "class_activation_maps",
    "cosine_similarity",
    "embedding_similarity",
    "evaluate_against_truth",
    "evaluate_removal",
    "evaluate_two_way",
    "frechet_distance",
    "iou_by_threshold",
    "kernel_distance",
    "labelled_grid",
    "mask_iou",
    "model_grid",
    "preservation",
    "segmentation_iou",
    "share_in_b",
    "train_affinity_network",
    "train_attribute_classifier",
    "transfer_grid",
    "translation_grid",
    "two_way_grid",
]
