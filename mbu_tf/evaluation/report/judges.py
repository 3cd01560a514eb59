"""The networks that judge results, each made once: features, embedding, attribute classifier
and, above it, AffinityNet."""

import pathlib

import keras
import numpy as np

from mbu_tf.evaluation.affinity_network import affinity_maps, kept_affinity_network
from mbu_tf.evaluation.attribute_classifier import kept_attribute_classifier, share_in_b
from mbu_tf.evaluation.class_activation import class_activation_maps
from mbu_tf.evaluation.face_embedding import FaceEmbedding
from mbu_tf.evaluation.features import (
    FeatureExtractor,
    InceptionFeatures,
    WeightsUnavailableError,
)
from mbu_tf.evaluation.parts import array_digest, file_digest

# What stands for a network of the user's own in `features` and `embedding`.
INCEPTION, CLASSIFIER, FACE = "inception", "classifier", "face"
CLASSIFIER_STEPS = 1000
# AffinityNet learns for a fifth of the classifier's steps, from so many images at most.
AFFINITY_SHARE, AFFINITY_IMAGES = 5, 1000


class UnavailableError(Exception):
    """A judge cannot be had. The message says why and names the alternatives."""


class Judges:
    """What judges the results of an evaluation, made when first asked for and kept.

    Args:
        material: `Material`.
        parts: `Parts`, where the classifier and the features of real images are kept.
        features: what distances are measured in: `"inception"`; `"classifier"` for
            the attribute classifier's own, which need no download; a file of
            InceptionV3 weights; or a `.keras` model of images in [-1, 1].
        embedding: what similarity is measured in: `"face"`, or as `features`, but not
            the classifier's, which change the more the better an edit is; `None` is
            `features`, or `"inception"` in place of the classifier's.
        classifier_steps: batches that the classifier is trained on.
        seed: of the classifier and of the subsets that deviations are taken over.

    Attributes:
        classifier_key: what the classifier is, for `Parts`.

    Raises:
        FileNotFoundError: `features` or `embedding` is neither a name nor a file.
        ValueError: if similarity is to be measured in the classifier's features.
    """

    def __init__(
        self,
        material,
        parts,
        features=INCEPTION,
        embedding=None,
        classifier_steps=CLASSIFIER_STEPS,
        seed=0,
    ):
        self._material, self._parts, self.seed = material, parts, seed
        self.features = features
        self.embedding = embedding or (INCEPTION if features == CLASSIFIER else features)
        if self.embedding == CLASSIFIER:
            raise ValueError(
                "Similarity cannot be measured in the classifier's features, which tell A from B "
                "and so change with every edit that succeeds. Received: --embedding classifier"
            )
        for name in {self.features, self.embedding} - {INCEPTION, CLASSIFIER, FACE}:
            if not pathlib.Path(name).is_file():
                raise FileNotFoundError(
                    f"Features are {INCEPTION}, {CLASSIFIER}, {FACE} or a file. Received: {name}"
                )
        self._steps = classifier_steps
        self._made = {}
        self.classifier_key = {
            "train": material.train_key,
            "material": material.key,
            "steps": classifier_steps,
            "seed": seed,
        }

    def feature_key(self, name):
        """What the network `name`, as in `features`, is, for `Parts`."""
        if name == CLASSIFIER:
            return {"features": name, **self.classifier_key}
        own = pathlib.Path(name)
        return {"features": file_digest(own) if own.is_file() else name}

    def classifier(self):
        """`(classifier, accuracy)`: see `train_attribute_classifier`.

        Raises:
            UnavailableError: the source has no training split.
        """
        return self._once(CLASSIFIER, self._make_classifier)

    def class_activation(self, images):
        """See `class_activation_maps`; of the classifier."""
        return class_activation_maps(self.classifier()[0], images)

    def affinity(self, images):
        """See `affinity_maps`; of the classifier and a network trained above it.

        Raises:
            UnavailableError: as `classifier`.
        """
        network = self._once("affinity", self._make_affinity)
        return affinity_maps(self.classifier()[0], network, images)

    def extractor(self, name):
        """Function of images to features `(count, d)`, by `name` as in `features`.

        It computes those of the same images once: targets and references come with
        every system.

        Raises:
            UnavailableError: weights cannot be fetched, or a file is missing or wrong.
        """
        return self._once(f"features {name}", lambda: _remembering(self._make_extractor(name)))

    def real_features(self):
        """Features of real images by domain and split: `a`, `b`, `train_a`, `train_b`.

        As many of each as the material has, less where the training split is smaller.

        Raises:
            UnavailableError: as `extractor`, or the source has no training split.
        """
        return self._once("real features", self._make_real_features)

    def share_in_b(self, images):
        """See `attribute_classifier.share_in_b`."""
        return share_in_b(self.classifier()[0], images)

    def _once(self, name, make):
        """What `make` gave, or the failure that it met, the first time."""
        if name not in self._made:
            try:
                self._made[name] = make()
            except UnavailableError as error:
                self._made[name] = error
            except (WeightsUnavailableError, ImportError, OSError, ValueError) as error:
                self._made[name] = UnavailableError(str(error))
        if isinstance(self._made[name], UnavailableError):
            raise self._made[name]
        return self._made[name]

    def _make_classifier(self):
        return kept_attribute_classifier(
            self._parts,
            self.classifier_key,
            lambda: self._material.train,
            self._material.domains,
            self._steps,
            self.seed,
        )

    def _make_affinity(self):
        return kept_affinity_network(
            self._parts,
            self.classifier_key,
            self.classifier()[0],
            lambda: self._material.train.arrays(AFFINITY_IMAGES)[1],
            max(1, self._steps // AFFINITY_SHARE),
            self.seed,
        )

    def _make_extractor(self, name):
        if name == INCEPTION:
            try:
                return InceptionFeatures()
            except WeightsUnavailableError as error:
                raise UnavailableError(
                    f"{error} On the command line: --features FILE, or --features classifier for "
                    "those of the attribute classifier trained here."
                ) from error
        if name == FACE:
            return FaceEmbedding()
        if name == CLASSIFIER:
            classifier, _ = self.classifier()
            return FeatureExtractor(_below_logit(classifier), self._material.image_size)
        if pathlib.Path(name).suffix == ".keras":
            return FeatureExtractor(*_own_network(name))
        return InceptionFeatures(weights=name)

    def _make_real_features(self):
        extract, material = self.extractor(self.features), self._material

        def write(path):
            train_a, train_b = material.train.arrays(len(material))
            np.savez(
                path,
                a=extract(material.a),
                b=extract(material.b),
                train_a=extract(train_a),
                train_b=extract(train_b),
            )

        key = {
            "train": material.train_key,
            "material": material.key,
            **self.feature_key(self.features),
        }
        return dict(np.load(self._parts.file("real_features.npz", key, write)))


def _remembering(extract):
    """`extract` that gives the features of images that it has seen without computing them."""
    known = {}

    def features(images):
        key = array_digest(images)
        if key not in known:
            known[key] = extract(images)
        return known[key]

    return features


def _own_network(path):
    """A Keras model of images from a file, and the height and width that it takes.

    Raises:
        UnavailableError: if it is none.
    """
    try:
        model = keras.saving.load_model(path)
        _, height, width, channels = model.input_shape
        if not (type(height) is type(width) is int and channels == 3):
            raise ValueError(f"it takes {model.input_shape}")
    except MemoryError:
        raise
    except Exception as error:  # Keras raises many kinds on damaged or foreign files.
        raise UnavailableError(
            f"{path} is no Keras model of one RGB image (height, width, 3), which features need. "
            f"Choose another, or see --features. Received: {' '.join(str(error).split())[:200]}"
        ) from error
    return model, (height, width)


def _below_logit(classifier):
    """The classifier without its last layer: images to features."""
    return keras.Model(classifier.inputs, classifier.layers[-1].input)
