#!/usr/bin/env python3
"""Makes demo.flv, the clip that `pushpull --demo` publishes in a loop.

    python3 make-demo.py [--out demo.flv] [--keep-frames DIR]

Needs python3 (standard library only) and ffmpeg with libx264 (Debian: apt install ffmpeg). The same ffmpeg
gives the same bytes each time.

What it makes, and why:

* 9.6 s exactly, which is 288 pictures at 30 fps and 450 AAC frames of 1024 samples at 48 kHz, and 16 beats of
  0.6 s at 100 beats a minute. Both tracks end at the same instant, so the server can play the clip for ever by
  adding 9600 ms per turn.
* H.264 High 640x360 without B-frames, one IDR picture per 32 (9 per loop): the first picture of the loop is an IDR.
* AAC-LC stereo. The sound is periodic; three turns of it are encoded and the frames of the middle one kept, so
  the overlap of each frame with the next also fits where the loop closes. ffmpeg's encoder delays by one frame,
  hence FIRST_AUDIO_FRAME.
* The ball strikes "push" on even beats and "pull" on odd ones; each strike clicks, push lower and to the left,
  pull higher and to the right. Sound and picture are in step when click and flash are.

Files: drawing.py draws, sound.py makes the sound, flvfile.py writes the FLV; they stand beside this one in demo/.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "demo"))

import drawing  # noqa: E402
import flvfile  # noqa: E402
import sound  # noqa: E402

FPS = 30
PICTURES = 288
PICTURES_PER_IDR = 32
FRAME_SAMPLES = 1024
AUDIO_FRAMES = sound.SAMPLES // FRAME_SAMPLES
FIRST_AUDIO_FRAME = AUDIO_FRAMES + 1
MAX_SIZE = 350_000


def main():
    arguments = argparse.ArgumentParser(description="Makes the demo clip.")
    here = pathlib.Path(__file__).resolve().parent
    arguments.add_argument("--out", type=pathlib.Path, default=here / "demo.flv")
    arguments.add_argument("--keep-frames", type=pathlib.Path, help="also write some pictures as PNG here")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        h264 = encode_video(scratch / "video.h264")
        adts = encode_audio(scratch)
    pictures = flvfile.split_annex_b(h264)
    frames = flvfile.split_adts(adts)[FIRST_AUDIO_FRAME : FIRST_AUDIO_FRAME + AUDIO_FRAMES]
    assert len(pictures) == PICTURES, len(pictures)
    assert len(frames) == AUDIO_FRAMES, len(frames)

    clip = flvfile.write(pictures, frames, FPS, sound.RATE, FRAME_SAMPLES, (drawing.WIDTH, drawing.HEIGHT))
    assert len(clip) <= MAX_SIZE, len(clip)
    options.out.write_bytes(clip)
    print(f"{options.out}: {len(clip)} bytes")
    if options.keep_frames:
        keep_frames(options.keep_frames)


def encode_video(path):
    """The pictures as an Annex B byte stream without SEI."""
    command = ffmpeg() + [
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{drawing.WIDTH}x{drawing.HEIGHT}", "-r", str(FPS), "-i", "-",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
        "-c:v", "libx264", "-profile:v", "high", "-preset", "veryslow", "-tune", "animation", "-crf", "25",
        "-bf", "0", "-refs", "3", "-g", str(PICTURES_PER_IDR), "-keyint_min", str(PICTURES_PER_IDR),
        "-sc_threshold", "0", "-threads", "1", "-x264-params", "slices=1:rc-lookahead=32",
        "-bsf:v", "filter_units=remove_types=6", "-f", "h264", str(path),
    ]  # fmt: skip
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    for number in range(PICTURES):
        encoder.stdin.write(drawing.picture(number, PICTURES))
    encoder.stdin.close()
    if encoder.wait():
        sys.exit("ffmpeg could not encode the pictures")
    return path.read_bytes()


def encode_audio(scratch):
    """Three turns of the sound as ADTS."""
    with wave.open(str(scratch / "sound.wav"), "wb") as out:
        out.setparams((2, 2, sound.RATE, 0, "NONE", ""))
        out.writeframes(sound.samples() * 3)
    command = ffmpeg() + [
        "-i", str(scratch / "sound.wav"), "-c:a", "aac", "-profile:a", "aac_low", "-b:a", "80k", "-aac_pns", "0",
        "-f", "adts", str(scratch / "sound.aac"),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return (scratch / "sound.aac").read_bytes()


def keep_frames(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number in (0, 3, 9, 18, 20, 137):
        command = ffmpeg() + [
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{drawing.WIDTH}x{drawing.HEIGHT}", "-i", "-",
            "-frames:v", "1", str(folder / f"{number:03}.png"),
        ]  # fmt: skip
        subprocess.run(command, input=bytes(drawing.picture(number, PICTURES)), check=True)


def ffmpeg():
    return ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-fflags", "+bitexact", "-flags", "+bitexact"]


if __name__ == "__main__":
    main()
