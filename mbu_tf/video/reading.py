"""Video files and folders of pictures as frames: RGB, upright, with their time stamps."""

import contextlib
import fractions
import os
import pathlib
import re
from typing import NamedTuple

import numpy as np

from mbu_tf.data.formats import image_endings
from mbu_tf.data.images import read_image
from mbu_tf.data.photo import Photo
from mbu_tf.system.reading import NoFileError, open_file
from mbu_tf.types import FilePath

SUFFIXES = ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .wmv .flv .ogv .3gp".split()
# Pictures of a folder say nothing of time; faces are followed as at so many per second.
FOLDER_RATE = 30
HDR = {16: "PQ", 18: "HLG"}  # Numbers of ITU-T H.273, table 3.
# Matrices of ITU-T H.273, table 4, as what FFmpeg's scaler calls them.
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
BT709, BT601 = 1, 5
# FFmpeg's scaler, bicubic, without its shortcuts, which darken what goes from YUV to RGB and
# back by one step of 255 (SWS_BICUBIC, _FULL_CHR_H_INT, _FULL_CHR_H_INP, _ACCURATE_RND).
EXACT = 0x4 | 0x2000 | 0x4000 | 0x40000


class VideoReadError(ValueError):
    """A video cannot be read. The message names it, the reason and the mend."""


class Frame(NamedTuple):
    """A frame of a video.

    Attributes:
        image: uint8 RGB `(height, width, 3)`, upright.
        time: in seconds.
        stamp, duration: in units of the video's `time_base`.
    """

    image: np.ndarray
    time: float
    stamp: int
    duration: int


class Colour(NamedTuple):
    """How a video's luma and chroma stand for colours, numbers of ITU-T H.273.

    Attributes:
        matrix: where the video does not say, that of its size: BT.709 for high
            definition, else BT.601.
        range: 1 limited, 2 full.
        primaries, transfer: 2 where the video does not say.
    """

    matrix: int
    range: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, context):
        """That of a PyAV codec context."""
        guess = BT709 if context.height > 576 else BT601
        return cls(
            MATRICES.get(context.colorspace, guess),
            2 if context.color_range == 2 and not context.format.is_rgb else 1,
            context.color_primaries,
            context.color_trc,
        )


def is_video(path: FilePath) -> bool:
    """Whether `path` is a folder, or is called as video files are."""
    path = pathlib.Path(path)
    return os.path.isdir(path) or path.suffix.lower() in SUFFIXES


def import_av():
    """PyAV.

    Raises:
        ImportError: if it is not installed; the message names the mend.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            "Videos are read and written by PyAV: pip install 'mbu_tf[video]'"
        ) from error
    return av


class FrameFolder:
    """A folder of pictures in the order of their names; numbers in them count as numbers.

    Attributes:
        names: stems of the pictures' file names, in order.
        count: how many there are.

    Raises:
        VideoReadError: if there is none, or two have one stem.
    """

    def __init__(self, path):
        self._paths = sorted(
            (x for x in pathlib.Path(path).glob("[!.]*") if x.suffix.lower() in image_endings()),
            key=_natural,
        )
        self.names = [path.stem for path in self._paths]
        self.count = len(self.names)
        if not self.names:
            raise VideoReadError(
                f"There are no frames in the folder {path}. It must hold pictures, named "
                f"{', '.join(image_endings())}."
            )
        for name in self.names:
            if self.names.count(name) > 1:
                raise VideoReadError(
                    f"Two frames in the folder {path} are called {name}, and would be written to "
                    "one file. Rename or remove one."
                )

    def frames(self):
        """Each picture as a `Frame`, read one by one; its stamp is its number from 0."""
        for number, path in enumerate(self._paths):
            yield Frame(read_image(path), number / FOLDER_RATE, number, 1)


def _natural(path):
    """A key that sorts `frame9` before `frame10`."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", path.name.lower())
    ]


class VideoFile:
    """A video file.

    Attributes:
        path: of the file.
        count: about how many frames it has, `None` if it does not say.
        rate: frames per second on the average, a fraction.
        time_base: seconds that time stamps are counted in, a fraction.
        size: height and width before it is turned upright.
        aspect: width to height of its pixels before that, a fraction.
        colour: `Colour`.
        metadata: title and the like, a dict.

    Raises:
        VideoReadError: if it is no video, damaged, or of high dynamic range.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        with self._explaining():
            open_file(self.path).close()  # Of a pipe or device at once.
        with self._opened() as (container, stream):
            self.time_base = stream.time_base
            self.rate = stream.average_rate or stream.guessed_rate or fractions.Fraction(25)
            self.aspect = stream.sample_aspect_ratio or fractions.Fraction(1)
            self.size = (stream.codec_context.height, stream.codec_context.width)
            self.colour = Colour.of(stream.codec_context)
            self.metadata = dict(container.metadata)
            seconds = (stream.duration or 0) * self.time_base or (container.duration or 0) / 1e6
            self.count = stream.frames or round(seconds * self.rate) or None
        if self.colour.transfer in HDR:
            raise self._error(
                f"it is of high dynamic range ({HDR[self.colour.transfer]}), frames are edited in "
                "8 bits. Convert it to standard range (SDR)"
            )

    def frames(self):
        """Each frame as a `Frame`, turned upright, transparency laid on white.

        Time stamps are the file's own; where one is missing or not later than the
        one before, it follows that at the average rate.
        """
        stamp = None
        with self._opened() as (container, stream):
            stream.thread_type = "AUTO"
            step = max(1, round(1 / (self.rate * self.time_base)))
            for frame in container.decode(stream):
                if frame.pts is not None and (stamp is None or frame.pts > stamp):
                    stamp = frame.pts
                else:
                    stamp = 0 if stamp is None else stamp + step
                time = float(stamp * self.time_base)
                yield Frame(self._picture(frame), time, stamp, frame.duration or step)
        if stamp is None:
            raise self._error("it has no frames. Copy it again")

    def _picture(self, frame):
        alpha = any(component.is_alpha for component in frame.format.components)
        picture = frame.to_ndarray(
            format="rgba" if alpha else "rgb24",
            src_colorspace=self.colour.matrix,
            src_color_range=self.colour.range,
            interpolation=EXACT,
        )
        if alpha:
            picture = Photo(picture[..., :3], alpha=picture[..., 3]).image
        return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))

    @contextlib.contextmanager
    def sound(self):
        """While the block lasts, PyAV's streams of sound, and an iterator over their packets."""
        with self._explaining():
            container = import_av().open(f"file:{self.path}")
        with container:
            streams = container.streams.audio
            with contextlib.closing(self._packets(container, streams)) as packets:
                yield streams, packets

    def _packets(self, container, streams):
        with self._explaining():
            for packet in container.demux(*streams) if streams else ():
                if packet.dts is not None:  # Else it has no content, and ends a stream.
                    yield packet

    @contextlib.contextmanager
    def _opened(self):
        """PyAV's container and the stream of pictures, while the block lasts."""
        av = import_av()
        with self._explaining(), av.open(f"file:{self.path}") as container:
            if container.format.name == "image2" or container.format.name.endswith("_pipe"):
                raise self._error("it is a picture. Name a video, or a folder of pictures")
            cover = av.stream.Disposition.attached_pic
            streams = [x for x in container.streams.video if not x.disposition & cover]
            if not streams:
                raise self._error("it has no pictures. Name a video")
            if streams[0].codec_context is None:
                raise self._error("its coding is not known to FFmpeg. Convert it, to H.264 perhaps")
            yield container, streams[0]

    @contextlib.contextmanager
    def _explaining(self):
        """FFmpeg's errors in the block as `VideoReadError`s."""
        try:
            yield
        except FileNotFoundError:
            problem = "there is no such file. Mend the path"
        except NoFileError:
            problem = "it is a pipe or device. Name a file"
        except PermissionError:
            problem = "reading it is not permitted. Mend its permissions"
        except import_av().error.FFmpegError as error:
            problem = f"it is no video, or damaged ({error.strerror}). Copy it again, or convert it"
        else:
            return
        raise self._error(problem)

    def _error(self, problem):
        return VideoReadError(f"Cannot read the video {self.path}: {problem}.")
