#!/bin/sh
# Makes the recordings in this folder again, with ffmpeg's test sources, x264 and AAC encoder.
set -eu
cd "$(dirname "$0")"

# Four seconds, a keyframe each second, B-pictures, a tone.
ffmpeg -loglevel error -y \
    -f lavfi -i "testsrc2=size=320x180:rate=25:duration=4" \
    -f lavfi -i "sine=frequency=440:sample_rate=44100:duration=4" \
    -map 0:v -map 1:a -pix_fmt yuv420p -c:v libx264 -preset veryfast -bf 2 -b:v 120k -g 25 -sc_threshold 0 \
    -c:a aac -b:a 48k -ac 2 -bitexact -fflags +bitexact -flvflags no_duration_filesize clip.flv
