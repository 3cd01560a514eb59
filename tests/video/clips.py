"""Small videos for tests."""

import fractions

import av
import numpy as np

RATE, SOUND_RATE = 25, 48000


def pictures(count=8, height=48, width=64):
    """Smooth colours that differ from frame to frame, and a white corner at the upper left."""
    y, x = np.mgrid[:height, :width]
    frames = []
    for number in range(count):
        image = np.stack([40 + x, 60 + 2 * y, np.full_like(x, 40 + 15 * number)], axis=-1)
        image[:8, :8] = 255
        frames.append(image.clip(0, 255).astype(np.uint8))
    return frames


def write_clip(
    path, frames, codec="ffv1", pix_fmt="bgr0", sound=None, stamps=None, angle=0, **context
):
    """A video of `frames`, uint8 RGB or RGBA; `stamps` in milliseconds."""
    layout = {3: "rgb24", 4: "rgba"}[frames[0].shape[-1]]
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=RATE)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if stamps:
            stream.codec_context.time_base = fractions.Fraction(1, 1000)
        if angle:
            stream.set_display_rotation(angle)
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        if sound:
            heard = file.add_stream(sound, rate=SOUND_RATE, layout="mono")
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), layout)
            if stamps:
                frame.pts, frame.time_base = stamps[number], fractions.Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound:
            wave = np.sin(np.arange(SOUND_RATE * len(frames) // RATE) / 20) * 8000
            tone = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
            tone.sample_rate = SOUND_RATE
            file.mux(heard.encode(tone))
            file.mux(heard.encode(None))
    return path


def sound_of(path):
    """Each packet of sound: its time and bytes."""
    with av.open(str(path)) as file:
        packets = [x for x in file.demux(file.streams.audio) if x.dts is not None]
        return [(float(x.pts * x.time_base), bytes(x)) for x in packets]
