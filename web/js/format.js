// Numbers as people read them.

export const NOTHING = '–';

const known = (value) => typeof value === 'number' && Number.isFinite(value);

/** Frames per second: whole where it is whole. */
export function fps(value) {
  if (!known(value) || value <= 0) return NOTHING;
  return Math.abs(value - Math.round(value)) < 0.05 ? String(Math.round(value)) : value.toFixed(value < 100 ? 2 : 1);
}

/** Kilobits per second. */
export function bitrate(kbps) {
  if (!known(kbps) || kbps <= 0) return NOTHING;
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(2)} Mbps` : `${Math.round(kbps)} kbps`;
}

/** Seconds, with milliseconds below one. */
export function seconds(value) {
  if (!known(value)) return NOTHING;
  return value < 1 ? `${Math.max(0, Math.round(value * 1000))} ms` : `${value.toFixed(2)} s`;
}

export function size(width, height) {
  return width > 0 && height > 0 ? `${width}×${height}` : NOTHING;
}

/** A length of time as h:mm:ss. */
export function duration(ms) {
  const total = Math.floor(ms / 1000);
  const two = (value) => String(value).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}
