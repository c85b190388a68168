"""Splits elementary streams and writes them as FLV (Adobe Flash Video File Format 10.1, annex E)."""

import struct

AUDIO, VIDEO, SCRIPT = 8, 9, 18


def write(pictures, frames, fps, rate, frame_samples, size):
    """An FLV file of H.264 pictures (lists of NAL units) and AAC frames (pairs of header and body)."""
    video = sum(len(unit) for units in pictures for unit in units)
    audio = sum(len(body) for _, body in frames)
    seconds = len(pictures) / fps
    metadata = {
        "duration": seconds, "width": size[0], "height": size[1], "framerate": fps, "videocodecid": 7,
        "videodatarate": round(video * 8 / seconds / 1000), "audiocodecid": 10,
        "audiodatarate": round(audio * 8 / seconds / 1000), "audiosamplerate": rate, "audiosamplesize": 16,
        "stereo": True, "encoder": "Pushpull",
    }  # fmt: skip
    tags = [
        (0, 0, SCRIPT, script(metadata)),
        (0, 1, VIDEO, b"\x17\x00\x00\x00\x00" + avc_configuration(pictures[0])),
        (0, 2, AUDIO, b"\xaf\x00" + audio_configuration(frames[0][0])),
    ]
    for number, units in enumerate(pictures):
        tags.append((rounded(number * 1000, fps), 3, VIDEO, picture(units)))
    for number, (_, body) in enumerate(frames):
        tags.append((rounded(number * frame_samples * 1000, rate), 4, AUDIO, b"\xaf\x01" + body))
    tags.sort(key=lambda tag: tag[:2])
    return b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00" + b"".join(tag(kind, time, data) for time, _, kind, data in tags)


def rounded(amount, divisor):
    return (2 * amount + divisor) // (2 * divisor)


def tag(kind, time, data):
    head = struct.pack(">B", kind) + len(data).to_bytes(3, "big")
    head += (time & 0xFFFFFF).to_bytes(3, "big") + struct.pack(">B", time >> 24) + b"\0\0\0"
    return head + data + struct.pack(">I", len(head) + len(data))


def script(values):
    """onMetaData as AMF0: a string and an ECMA array."""
    out = b"\x02" + text("onMetaData") + b"\x08" + struct.pack(">I", len(values))
    for key, value in values.items():
        out += text(key)
        if isinstance(value, bool):
            out += b"\x01" + bytes([value])
        elif isinstance(value, str):
            out += b"\x02" + text(value)
        else:
            out += b"\x00" + struct.pack(">d", value)
    return out + b"\0\0\x09"


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


def picture(units):
    """One AVC picture as tag data; parameter sets are in the sequence header and left out here."""
    key = any(kind(unit) == 5 for unit in units)
    body = b"".join(struct.pack(">I", len(unit)) + unit for unit in units if kind(unit) not in (7, 8, 9))
    return (b"\x17" if key else b"\x27") + b"\x01\0\0\0" + body


def avc_configuration(units):
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3) from the first picture's parameter sets."""
    sps = next(unit for unit in units if kind(unit) == 7)
    pps = next(unit for unit in units if kind(unit) == 8)
    out = b"\x01" + sps[1:4] + b"\xff\xe1" + struct.pack(">H", len(sps)) + sps
    out += b"\x01" + struct.pack(">H", len(pps)) + pps
    if sps[1] in (100, 110, 122, 144):
        out += b"\xfd\xf8\xf8\x00"  # 4:2:0, 8 bits
    return out


def audio_configuration(header):
    """AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) from an ADTS header."""
    object_type = (header[2] >> 6) + 1
    rate_index = header[2] >> 2 & 15
    channels = (header[2] & 1) << 2 | header[3] >> 6
    return struct.pack(">H", object_type << 11 | rate_index << 7 | channels << 3)


def kind(unit):
    return unit[0] & 31


def split_annex_b(stream):
    """The access units of an Annex B stream with one slice per picture."""
    units = [unit.rstrip(b"\0") for unit in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
    pictures, pending = [], []
    for unit in units:
        pending.append(unit)
        if kind(unit) in (1, 5):
            pictures.append(pending)
            pending = []
    return pictures


def split_adts(stream):
    """(header, body) of each ADTS frame (ISO/IEC 14496-3, 1.A.2)."""
    frames, at = [], 0
    while at < len(stream):
        header = stream[at : at + 7]
        assert header[0] == 0xFF and header[1] & 0xF6 == 0xF0, "no ADTS sync word"
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        skip = 7 if header[1] & 1 else 9
        frames.append((header, stream[at + skip : at + length]))
        at += length
    return frames
