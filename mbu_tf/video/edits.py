"""What a model does to photos, done to each frame of a video."""

import pathlib

from mbu_tf.faces import Framing, NoFaceError, choose_faces, find_faces
from mbu_tf.faces.tracking import follow_faces
from mbu_tf.interrupts import Interrupted, noted_signals
from mbu_tf.photos import remove_photo, translate_photo
from mbu_tf.video.reading import FrameFolder, VideoFile
from mbu_tf.video.writing import check_output, opened_output


def edit_video(source, output, edit, face="largest", find=find_faces, progress=None):
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
    with noted_signals() as signals:

        def read():
            for frame in video.frames():
                yield frame
                if signals:
                    return

        with opened_output(output, video) as writer:
            if face is None:
                followed = ((frame, None) for frame in read())
            else:
                followed = follow_faces(read(), find, face)
            for frame, faces in followed:
                seen = faces is None or len(faces) > 0
                writer.write(edit(frame.image, faces) if seen else frame.image, frame)
                done, edited = done + 1, edited + seen
                if progress is not None:
                    progress(done, video.count)
                if signals:
                    break
            else:
                writer.finish()
                if not edited:
                    raise NoFaceError(
                        f"No such face was found in any of the {done} frames of {source}. Show it "
                        "larger or less turned, choose another, or let the centre square be edited "
                        "(--framing centre, framing='centre')."
                    )
        if signals:
            raise Interrupted(f"interrupted: {output} holds the first {done} frames", signals[0])
    return done


def translate_video(
    model,
    source,
    reference,
    output,
    to="b",
    framing=None,
    face="largest",
    reference_face="largest",
    progress=None,
    **options,
):
    """`translate_photo` of every frame of a video.

    Args:
        model, to, **options: as for `mbu_tf.photos.translate_photo`.
        source, output, progress: as for `edit_video`.
        reference: a photo, uint8 `(height, width, 3)`.
        framing: in place of the model's own, what `Framing.of` takes.
        face: which faces of the video, see `follow_faces`.
        reference_face: which face of the reference.

    Returns, raises:
        As `edit_video`; `NoFaceError` if the reference has no face.
    """
    framing = model.framing if framing is None else Framing.of(framing)
    faces = framing.kind == "face"
    if faces:  # Of the reference once, not for each frame.
        reference_face = choose_faces(find_faces(reference), reference_face)

    def edit(image, eyes):
        return translate_photo(
            model,
            image,
            reference,
            to,
            framing=framing,
            face=eyes,
            reference_face=reference_face,
            **options,
        ).image

    return edit_video(source, output, edit, face if faces else None, progress=progress)


def remove_video(
    model, source, output, threshold=None, framing=None, face="largest", progress=None, **options
):
    """`remove_photo` of every frame of a video; arguments as there and for `translate_video`."""
    framing = model.framing if framing is None else Framing.of(framing)

    def edit(image, eyes):
        return remove_photo(model, image, threshold, framing=framing, face=eyes, **options).image

    return edit_video(
        source, output, edit, face if framing.kind == "face" else None, progress=progress
    )
