/** Why a player does not play what it was given. Loaded when it is so. @module */
import { ErrorDetails, mediaFailure } from './errors.js';

/** @param {import('./index.d.ts').MediaDataSource} source */
export function refusal({ type, segments }) {
    if (/ts$/i.test(type)) return unsupported(`this player plays FLV, not '${type}'`, { type });
    return unsupported('a file in several segments cannot be played; give the URL of one file', { segments: segments?.length });
}

/** @param {string} msg @param {Record<string, unknown>} context */
function unsupported(msg, context) {
    return mediaFailure(ErrorDetails.MEDIA_FORMAT_UNSUPPORTED, -1, msg, context);
}
