"""Keras callbacks that show, judge and keep training."""

from mbu_tf.callbacks.backup import Backup
from mbu_tf.callbacks.retreat import Retreat
from mbu_tf.callbacks.training_advice import TrainingAdvice
from mbu_tf.callbacks.transfer_pictures import TransferPictures
from mbu_tf.system.interrupts import Interrupted

__all__ = ["Backup", "Interrupted", "Retreat", "TrainingAdvice", "TransferPictures"]
