/** What the engine's codes mean, in words. @module */
import { ErrorDetails, ErrorTypes, failure, mediaFailure, networkFailure } from './errors.js';
import { Fault, Notice } from './pushpull_player.js';

/**
 * Why playback cannot go on.
 * @param {number} fault one of {@link Fault}
 * @param {number} value
 * @param {string} text
 */
export function explainFault(fault, value, text) {
    switch (fault) {
        case Fault.NotFlv:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, -1, 'the answer is not FLV: it does not begin as FLV does');
        case Fault.BadHeader:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, -1, 'the FLV header is broken or of an unknown version');
        case Fault.BadTags:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, -1, `the FLV is damaged beyond repair near byte ${value}`, { offset: value });
        case Fault.CodecUnsupported:
            return mediaFailure(ErrorDetails.MEDIA_CODEC_UNSUPPORTED, -1, `this player or browser cannot play ${text}`, { codec: text });
        case Fault.NoMedia:
            return networkFailure(ErrorDetails.NETWORK_EARLY_EOF, -1, 'the stream ended before anything playable came');
        case Fault.Silence:
            return networkFailure(ErrorDetails.NETWORK_EARLY_EOF, -1, `nothing came for ${Math.round(value)} s: the connection counts as lost`);
        case Fault.Stalled:
            return mediaFailure(ErrorDetails.MEDIA_MSE_ERROR, -1, 'playback stands still and nothing helped');
        default:
            return failure(ErrorTypes.OTHER_ERROR, ErrorDetails.OTHER_EXCEPTION, -1, `unknown fault ${fault}`);
    }
}

/**
 * What was mended, or may mend itself.
 * @param {number} notice one of {@link Notice}
 * @param {number} value
 * @param {string} text
 */
export function explainNotice(notice, value, text) {
    switch (notice) {
        case Notice.Resync:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, -1, `lost the FLV tags at byte ${value}; looking for the next`, { offset: value });
        case Notice.BadTag:
            return mediaFailure(ErrorDetails.MEDIA_FORMAT_ERROR, -1, `an FLV tag at ${value} ms could not be used`, { time: value });
        case Notice.CodecUnsupported:
            return mediaFailure(ErrorDetails.MEDIA_CODEC_UNSUPPORTED, -1, `playing without sound: ${text} cannot be played`, { codec: text });
        case Notice.Discontinuity:
            return mediaFailure(ErrorDetails.MEDIA_DISCONTINUITY, -1, `the publisher's clock jumped by ${Math.round(value)} ms`, { jump: value });
        case Notice.Silence:
            return networkFailure(ErrorDetails.NETWORK_SILENCE, -1, `nothing came for ${Math.round(value)} s`);
        case Notice.Jump:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, -1, `moved over a hole or a damaged place, to ${value.toFixed(2)} s`);
        case Notice.Nudge:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, -1, `playback stood still at ${value.toFixed(2)} s; nudged`);
        case Notice.Rebuild:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, -1, 'playback stood still; starting anew');
        case Notice.LateTrack:
            return mediaFailure(ErrorDetails.MEDIA_STALLED, -1, 'a track came late; starting anew with it');
        default:
            return failure(ErrorTypes.OTHER_ERROR, ErrorDetails.OTHER_EXCEPTION, -1, `unknown notice ${notice}`);
    }
}
