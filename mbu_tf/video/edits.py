"""What a model does to photos, done to each frame of a video."""

import pathlib
from collections.abc import Callable
from typing import Any, TypeAlias

from mbu_tf.faces import Framing, NoFaceError, find_faces
from mbu_tf.faces.tracking import follow_faces
from mbu_tf.photos import remove_photo, translate_photo
from mbu_tf.photos.edits import check_reference
from mbu_tf.photos.views import views
from mbu_tf.system.interrupts import Interrupted, noted_signals
from mbu_tf.types import Array, FilePath, Pixels
from mbu_tf.video.reading import FrameFolder, VideoFile
from mbu_tf.video.writing import check_output, opened_output

Progress: TypeAlias = Callable[[int, int | None], Any] | None


def edit_video(
    source: FilePath,
    output: FilePath,
    edit: Callable[[Pixels, list | None], Pixels],
    face: str | int | None = "largest",
    find: Callable = find_faces,
    progress: Progress = None,
) -> int:
    """A video whose frames are edited where their faces are; sound and time stamps stay.

    Ctrl-C and SIGTERM end it between two frames: the output then holds those before.

    Args:
        source: path of a video file, or of a folder of pictures in the order of their names.
        output: path of the result, a video file (.mp4, .m4v, .mov, .mkv, .webm); or, without
            a suffix, a folder of PNG files.
        edit: function of a frame, uint8 `(height, width, 3)`, and a list of faces in it, eyes
            ((x, y), (x, y)) in pixels, to a picture of that size. Frames without faces are
            not given to it.
        face: which faces, see `follow_faces`; `None`: none is looked for, and every frame
            edited with faces `None`.
        find: finds faces, as `mbu_tf.faces.find_faces`.
        progress: called after each frame with how many are done, and about how many there
            are, or `None`.

    Returns:
        How many frames were written.

    Raises:
        VideoReadError: if `source` is no video, damaged, or of high dynamic range.
        NoFaceError: if no frame has such a face.
        ValueError: on a wrong `face` or output.
        OSError: if the output cannot be written.
        Interrupted: on Ctrl-C and SIGTERM.
    """
    check_output(output, source)
    video = FrameFolder(source) if pathlib.Path(source).is_dir() else VideoFile(source)
    done = edited = 0
    with noted_signals() as signals, opened_output(output, video) as writer:
        frames = _until(signals, video.frames())
        if face is None:
            followed = ((frame, None) for frame in frames)
        else:
            followed = follow_faces(frames, find, face)
        for frame, faces in followed:
            seen = faces is None or len(faces) > 0
            writer.write(edit(frame.image, faces) if seen else frame.image, frame)
            done, edited = done + 1, edited + seen
            if progress is not None:
                progress(done, video.count)
            if signals:
                break
        else:
            if not edited:
                raise NoFaceError(
                    f"No such face was found in any of the {done} frames of {source}. Show it "
                    "larger or less turned, choose another, or let the centre square be edited: "
                    "--framing centre."
                )
            writer.finish()
    if signals:
        raise Interrupted(f"interrupted: {output} holds the first {done} frames", signals[0])
    return done


def _until(signals, frames):
    """`frames` until there is a signal."""
    for frame in frames:
        yield frame
        if signals:
            return


def translate_video(
    model: Any,
    source: FilePath,
    reference: Array | None,
    output: FilePath,
    to: str = "b",
    framing: Any = None,
    face: str | int = "largest",
    reference_face: Any = "largest",
    progress: Progress = None,
    **options: Any,
) -> int:
    """`translate_photo` of every frame of a video.

    Args:
        model, to, **options: as for `mbu_tf.photos.translate_photo`.
        source, output, progress: as for `edit_video`.
        reference: a photo, uint8 `(height, width, 3)`; `None` of a `Translation`.
        framing: in place of the model's own, what `Framing.of` takes.
        face: which faces of the video, see `follow_faces`.
        reference_face: which face of the reference.

    Returns, raises:
        As `edit_video`; `NoFaceError` if the reference has no face.
    """
    framing, follow = _framing(model, framing, face)
    check_reference(model, reference is not None)
    shown = None if reference is None else views(reference, framing, reference_face)[0]

    def edit(image, faces):
        chosen = face if faces is None else faces
        return translate_photo(
            model, image, shown, to, framing=framing, face=chosen, **options
        ).image

    with model.in_graphs():
        return edit_video(source, output, edit, follow, find_faces, progress)


def remove_video(
    model: Any,
    source: FilePath,
    output: FilePath,
    threshold: float | None = None,
    framing: Any = None,
    face: str | int = "largest",
    progress: Progress = None,
    **options: Any,
) -> int:
    """`remove_photo` of every frame of a video; arguments as there and for `translate_video`."""
    framing, follow = _framing(model, framing, face)

    def edit(image, faces):
        chosen = face if faces is None else faces
        return remove_photo(model, image, threshold, framing, chosen, **options).image

    with model.in_graphs():
        return edit_video(source, output, edit, follow, find_faces, progress)


def _framing(model, framing, face):
    """The framing, and which faces are followed: `None` for the centre square."""
    framing = model.framing if framing is None else Framing.of(framing)
    return framing, face if framing.kind == "face" else None
