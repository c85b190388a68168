/** Messages beside the pictures. @module */

/**
 * A message as mpegts.js tells it.
 * @param {number} type `payloadType` @param {number} time seconds; NaN: not known @param {Uint8Array} payload
 */
export function seiMessage(type, time, payload) {
    const isUserData = type === USER_DATA && payload.length >= UUID;
    const parts = isUserData && { uuid: payload.slice(0, UUID), user_data: payload.slice(UUID) };
    return { type, size: payload.length, payload, ...parts, pts: Number.isNaN(time) ? undefined : time * 1000 };
}

/** `payloadType` of user data that begins with a UUID. */
const USER_DATA = 5;

const UUID = 16;
