"""Edited frames as a video file, or as a folder of PNG files."""

import contextlib
import pathlib

import numpy as np

from mbu_tf.data import images as pictures
from mbu_tf.system.files import is_same_file, make_folder, replacing
from mbu_tf.types import FilePath
from mbu_tf.video.reading import EXACT, VideoFile, VideoReadError, import_av

# Constant rate factors at which a codec's loss is not seen.
H264 = "libx264", {"crf": "17"}
VP9 = "libvpx-vp9", {"crf": "22", "b": "0", "row-mt": "1", "cpu-used": "3"}
# What a video says of itself whose source says nothing.
MADE_HERE = "made by mbu_tf"
CODECS = {".mp4": H264, ".m4v": H264, ".mov": H264, ".mkv": H264, ".webm": VP9}


def result_name(source: FilePath) -> str:
    """What the result of a video file is called in another folder: as the video, or as MP4."""
    source = pathlib.Path(source)
    return source.name if source.suffix.lower() in CODECS else f"{source.stem}.mp4"


def is_made_here(path: FilePath) -> bool:
    """Whether `path` is a video that `VideoWriter` has written, by its comment."""
    try:
        metadata = VideoFile(path).metadata
    except (VideoReadError, ImportError):
        return False
    return MADE_HERE in {key.lower(): text for key, text in metadata.items()}.get("comment", "")


def check_output(output: FilePath, source: FilePath) -> None:
    """Raise `ValueError` unless frames of `source` can be written to `output`.

    A name with a suffix is that of a video, any other one that of a folder.
    """
    output, source = pathlib.Path(output), pathlib.Path(source)
    if is_same_file(output, source):
        raise ValueError(f"{source} would be overwritten by its own result. Choose another output.")
    if not output.suffix:
        return
    if source.is_dir():
        raise ValueError(
            "A folder of frames says nothing of time: its result is a folder of PNG files as well. "
            f"Received: {output}"
        )
    if output.suffix.lower() not in CODECS:
        raise ValueError(
            f"The result of a video must end in {', '.join(CODECS)}, or have no suffix, to be a "
            f"folder of PNG files. Received: {output}"
        )


@contextlib.contextmanager
def opened_output(output, video):
    """A writer to `output`, see `check_output`; a video file appears once the block ends well.

    Args:
        output: path of a video file or folder.
        video: `VideoFile` or `FrameFolder` whose frames are edited.

    Yields:
        `VideoWriter` or `FolderWriter`.

    Raises:
        ValueError: if the sound cannot be in a file of that kind.
        ImportError: if FFmpeg lacks the encoder.
        OSError: if it cannot be written.
    """
    if pathlib.Path(output).suffix:
        with replacing(output) as beside, video.sound() as sound:
            with VideoWriter(beside, video, *sound) as writer:
                yield writer
    else:
        yield FolderWriter(make_folder(output), getattr(video, "names", None))


class FolderWriter:
    """Writes PNG files, each whole or not at all.

    Args:
        folder: a `pathlib.Path`.
        names: stems of the files; `None` numbers them from 000000.
    """

    def __init__(self, folder, names=None):
        self._folder, self._names, self._number = folder, names, 0

    def write(self, image, frame):
        """Write `image`, uint8 `(height, width, 3)`."""
        name = self._names[self._number] if self._names else f"{self._number:06d}"
        path = self._folder / f"{name}.png"
        pictures.check_earlier_result(path)
        pictures.write_png(path, image)
        self._number += 1

    def finish(self):
        """All frames are written."""


class VideoWriter:
    """Writes a video file: pictures as H.264 or VP9, sound as it is in the source.

    Their 4:2:0 wants even widths and heights: an odd picture's last column or row is
    written twice.

    Args:
        path: of the file.
        video: `VideoFile` whose times, colours and sound it takes.
        streams, packets: of its sound, see `VideoFile.sound`.
    """

    def __init__(self, path, video, streams, packets):
        av = import_av()
        self._video, self._packets, self._next = video, packets, None
        codec, options = CODECS[path.suffix.lower()]
        self._file = av.open(f"file:{path}", "w")
        try:
            self._pictures = self._file.add_stream(codec, rate=video.rate, options=options)
        except av.codec.codec.UnknownCodecError as error:
            raise ImportError(
                f"FFmpeg lacks the encoder {codec}: install PyAV from PyPI, whose FFmpeg has it"
            ) from error
        self._sounds = {}
        for stream in streams:
            try:
                self._sounds[stream.index] = self._file.add_stream_from_template(stream)
            except ValueError as error:
                raise ValueError(
                    f"Sound coded as {stream.codec_context.name} cannot be in a {path.suffix} "
                    "file. Choose an output that ends in .mkv, which takes any."
                ) from error
        self._file.metadata.update({"comment": MADE_HERE, **video.metadata})

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            if not any(error):
                self._file.mux(self._pictures.encode(None))
        finally:
            self._file.close()

    def write(self, image, frame):
        """Write `image`, uint8 `(height, width, 3)`, when `frame` is, and sound until then."""
        av, colour = import_av(), self._video.colour
        height, width = image.shape[:2]
        if not self._pictures.codec_context.is_open:
            self._prepare(height, width)
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        picture = av.VideoFrame.from_ndarray(even, "rgb24").reformat(
            format="yuv420p",
            dst_colorspace=colour.matrix,
            dst_color_range=colour.range,
            interpolation=EXACT,
        )
        picture.pts, picture.time_base = frame.stamp, self._video.time_base
        picture.duration = frame.duration
        self._file.mux(self._pictures.encode(picture))
        self._copy_sound(frame.time)

    def finish(self):
        """All frames are written: so is what is left of the sound."""
        self._copy_sound(float("inf"))

    def _prepare(self, height, width):
        context, video = self._pictures.codec_context, self._video
        context.pix_fmt = "yuv420p"
        context.height, context.width = height + height % 2, width + width % 2
        context.time_base = video.time_base
        sideways = (height, width) != video.size
        context.sample_aspect_ratio = 1 / video.aspect if sideways else video.aspect
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = (
            video.colour
        )

    def _copy_sound(self, time):
        """Copy the packets of sound that are due at `time`."""
        while packet := self._next or next(self._packets, None):
            self._next = packet
            if packet.dts * packet.time_base > time:
                return
            packet.stream, self._next = self._sounds[packet.stream.index], None
            self._file.mux(packet)
