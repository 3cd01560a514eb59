"""Edits of videos and of folders of frames: faces are followed, sound and time stamps stay."""

from mbu_tf.video.edits import edit_video, remove_video, translate_video
from mbu_tf.video.reading import VideoReadError, is_video
from mbu_tf.video.writing import check_output, result_name

__all__ = [
    "VideoReadError",
    "check_output",
    "edit_video",
    "is_video",
    "remove_video",
    "result_name",
    "translate_video",
]
