"""Keras callbacks that show and judge training."""

from mbu_tf.callbacks.training_advice import TrainingAdvice
from mbu_tf.callbacks.transfer_pictures import TransferPictures

__all__ = ["TrainingAdvice", "TransferPictures"]
