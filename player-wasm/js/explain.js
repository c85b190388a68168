/** What the engine's codes mean, in words. Loaded when something first goes wrong. @module */
import { ErrorDetails, ErrorTypes, failure, mediaFailure, networkFailure } from './errors.js';
import { Fault, Notice } from './engine.js';
import { Events } from './events.js';

/**
 * What the engine says of something that went wrong.
 * @typedef {object} Cause
 * @property {number} number one of {@link Fault} or {@link Notice}
 * @property {number} value
 * @property {string} text
 */

/** @param {string} event an error is a fault, a warning a notice @param {Cause} cause */
export function explain(event, { number, value, text }) {
    return (event === Events.ERROR ? explainFault : explainNotice)(number, value, text);
}

/** Why playback cannot go on. @param {number} fault @param {number} value @param {string} text */
function explainFault(fault, value, text) {
    const code = nameOf(Fault, fault);
    switch (fault) {
        case Fault.NotFlv:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, code, 'the answer is not FLV: it does not begin as FLV does');
        case Fault.BadHeader:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, code, 'the FLV header is broken or of an unknown version');
        case Fault.BadTags:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, code, `the FLV is damaged beyond repair near byte ${value}`, { offset: value });
        case Fault.CodecUnsupported:
            return mediaFailure(ErrorDetails.MEDIA_CODEC_UNSUPPORTED, code, `this player or browser cannot play ${text}`, { codec: text });
        case Fault.NoMedia:
            return networkFailure(ErrorDetails.NETWORK_EARLY_EOF, code, 'the stream ended before anything playable came');
        case Fault.Stalled:
            return mediaFailure(ErrorDetails.MEDIA_MSE_ERROR, code, 'playback stands still and nothing helped');
        default:
            return failure(ErrorTypes.OTHER_ERROR, ErrorDetails.OTHER_EXCEPTION, code, `unknown fault ${fault}`);
    }
}

/** What was mended, or may mend itself. @param {number} notice @param {number} value @param {string} text */
function explainNotice(notice, value, text) {
    const code = nameOf(Notice, notice);
    switch (notice) {
        case Notice.Resync:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, code, `lost the FLV tags at byte ${value}; looking for the next`, { offset: value });
        case Notice.BadTag:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, code, `an FLV tag at ${value} ms could not be used`, { time: value });
        case Notice.CodecUnsupported:
            return mediaFailure(ErrorDetails.MEDIA_CODEC_UNSUPPORTED, code, `playing without ${value ? 'pictures' : 'sound'}: ${text} cannot be played`, { codec: text });
        case Notice.Discontinuity:
            return mediaFailure(ErrorDetails.MEDIA_DISCONTINUITY, code, `the publisher's clock jumped by ${Math.round(value)} ms`, { jump: value });
        case Notice.Jump:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, `moved over a hole or a damaged place, to ${value.toFixed(2)} s`);
        case Notice.Nudge:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, `playback stood still at ${value.toFixed(2)} s; nudged`);
        case Notice.Flush:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, `playback stood still at ${value.toFixed(2)} s; the buffers are filled anew`);
        case Notice.OtherTracks:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_UNSUPPORTED, code, 'the stream has several tracks of a kind; one of them is played');
        case Notice.TrackMissing:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_UNSUPPORTED, code, `there is no track ${value} yet, which was asked for; another is played`, { track: value });
        case Notice.Rebuild:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, 'playback stood still; starting anew');
        case Notice.LateTrack:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, 'a track came late; starting anew with it');
        case Notice.SoundMissing:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, 'the sound that was announced does not come; silence is played', { track: 'audio' });
        case Notice.PictureMissing:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, 'the pictures that were announced do not come; sound goes on', { track: 'video' });
        case Notice.NoPicture:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, `the browser has shown no picture for ${Math.round(value)} s`, { track: 'video' });
        case Notice.BufferFull:
            return mediaFailure(ErrorDetails.MEDIA_MSE_ERROR, code, 'the browser has no room for more media; what was played is removed');
        case Notice.QueueFull:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, 'media was not taken in time; the oldest was dropped');
        case Notice.Pacing:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, code, 'playback was uneven; starting anew with a little more delay');
        default:
            return failure(ErrorTypes.OTHER_ERROR, ErrorDetails.OTHER_EXCEPTION, code, `unknown notice ${notice}`);
    }
}

/** @param {Record<string, number>} list an enumeration of the engine @param {number} number */
function nameOf(list, number) {
    return Object.keys(list)[number];
}
