#!/usr/bin/env python3
"""Records what encoders send when they publish: the bytes for the tests in rtmp/tests/captures.rs.

    record.py [HOST:PORT]       an RTMP server that accepts publishers, by default 127.0.0.1:1935

Needs ffmpeg, and GStreamer with rtmp2sink, x264enc, voaacenc and flvmux. Every capture is NAME.rtmp, the client's bytes
from C0 on, and NAME.flv, the same packets as the encoder wrote them to a file at the same time.
"""

import pathlib
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).parent

PICTURE = "testsrc=size=96x64:rate=10:duration=1.5"
SOUND = "sine=frequency=440:sample_rate=22050:duration=1.5"
FFMPEG = f"""ffmpeg -v error -y -f lavfi -i {PICTURE} -f lavfi -i {SOUND} -map 0:v -map 1:a
    -c:v libx264 -preset veryfast -g 10 -bf 2 -crf 40 -pix_fmt yuv420p -c:a aac -b:a 16k -flags +global_header"""
MUXER = "[f=flv:flvflags=no_duration_filesize]"
OUTPUTS = f"{MUXER}{{flv}}|{MUXER}{{url}}"

CAPTURES = {
    "ffmpeg": f"{FFMPEG} -f tee {OUTPUTS}",
    # Starts after 4 h 40 min: extended timestamps.
    "ffmpeg-extended": f"{FFMPEG} -output_ts_offset 16800 -f tee {OUTPUTS}",
    "gstreamer": """gst-launch-1.0 -q flvmux name=mux streamable=true ! tee name=all
        all. ! queue ! filesink location={flv}
        all. ! queue ! rtmp2sink location={url}
        videotestsrc num-buffers=12 ! video/x-raw,width=96,height=64,framerate=10/1
            ! x264enc key-int-max=10 bitrate=24 ! h264parse ! mux.
        audiotestsrc num-buffers=25 samplesperbuffer=1024 ! audio/x-raw,rate=22050,channels=1
            ! voaacenc bitrate=16000 ! mux.""",
}


def record(name, command, server):
    """Runs `command` against a tap in front of `server`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"rtmp://127.0.0.1:{port}/live/{name}"
        words = [word.format(url=url, flv=HERE / f"{name}.flv") for word in command.split()]
        encoder = subprocess.Popen(words)
        client, _ = listener.accept()
        with socket.create_connection(server) as upstream:
            back = threading.Thread(target=copy, args=(upstream, client))
            back.start()
            sent = copy(client, upstream)
            back.join()
        client.close()
        status = encoder.wait()
    (HERE / f"{name}.rtmp").write_bytes(sent)
    print(f"{name}: {len(sent)} bytes, exit status {status}")


def copy(source, sink):
    """Forwards until the end and returns what went by."""
    went_by = bytearray()
    try:
        while piece := source.recv(65536):
            went_by += piece
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # Either side may close first.
    return bytes(went_by)


def main():
    host, _, port = (sys.argv[1:] or ["127.0.0.1:1935"])[0].rpartition(":")
    for name, command in CAPTURES.items():
        record(name, command, (host, int(port)))


if __name__ == "__main__":
    main()
