#!/bin/sh
# Makes the recordings in this folder again: ffmpeg's test sources, x264, ffmpeg's AAC encoder.
# Another ffmpeg or x264 version gives other bytes; the tests hold whatever is here against
# ffprobe, not against fixed numbers, except for the SPS list.
set -eu
cd "$(dirname "$0")"

flv() { # name, picture size, x264 options
    ffmpeg -loglevel error -y \
        -f lavfi -i "testsrc=size=$2:rate=25:duration=3" \
        -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=3" \
        -map 0:v -map 1:a -pix_fmt yuv420p -c:v libx264 -b:v 60k $3 \
        -c:a aac -b:a 32k -ac 2 -bitexact -fflags +bitexact -flvflags no_duration_filesize "$1.flv"
}
flv bframes 160x120 "-preset medium -bf 2 -g 25 -x264-params b-adapt=0:scenecut=0"
flv baseline 160x120 "-preset veryfast -profile:v baseline -tune zerolatency -g 25 -aspect 16:9"

# One SPS per line: what it is, then its NAL unit in hex.
sps() { # what, picture size, pixel format, x264 options
    printf '%s ' "$1"
    ffmpeg -loglevel error -f lavfi -i "testsrc=size=$2:rate=30000/1001" -frames:v 1 -pix_fmt "$3" \
        -c:v libx264 $4 -f h264 - |
        xxd -p | tr -d '\n' | sed -E 's/^.*(0000)?00000001(67([0-9a-f]{2})*)0000000168.*$/\2/'
    echo
}
{
    sps baseline-640x360 640x360 yuv420p "-profile:v baseline"
    sps main-cropped-1920x1080 1920x1080 yuv420p "-profile:v main"
    sps high-cropped-854x480 854x480 yuv420p "-bf 3"
    sps high-pixels-4:3 720x576 yuv420p "-aspect 4:3"
    sps high-pixels-table 720x480 yuv420p "-vf setsar=40/33"
    sps high-interlaced 720x576 yuv420p "-flags +ildct+ilme -x264-params interlaced=1"
    sps high-scaling-lists 640x360 yuv420p "-x264-params cqm=jvt"
    sps high-hrd 640x360 yuv420p "-b:v 1M -maxrate 1M -bufsize 1M -x264-params nal-hrd=cbr"
    sps high-colour 640x360 yuv420p "-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range pc"
    sps high10 640x360 yuv420p10le ""
    sps high422-cropped-322x242 322x242 yuv422p ""
    sps high444-cropped-321x241 321x241 yuv444p ""
    sps high-grey 320x240 gray ""
} > sps.txt
