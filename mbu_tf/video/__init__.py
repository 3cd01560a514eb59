"""Edits of videos and of folders of frames: faces are followed, sound and time stamps stay."""

from mbu_tf.video.edits import edit_video, remove_video, translate_video
from mbu_tf.video.reading import VideoReadError, is_video

__all__ = ["VideoReadError", "edit_video", "is_video", "remove_video", "translate_video"]
