// Numbers as people read them.

import { t } from './i18n.js';

export const NOTHING = '–';

const known = (value) => typeof value === 'number' && Number.isFinite(value);

/** Frames per second: whole where it is whole. */
export function fps(value) {
  if (!known(value) || value <= 0) return NOTHING;
  return Math.abs(value - Math.round(value)) < 0.05 ? String(Math.round(value)) : value.toFixed(value < 100 ? 2 : 1);
}

/** A measured rate, which is never quite even. */
export const rate = (value) => (known(value) ? value.toFixed(1).replace(/\.0$/, '') : NOTHING);

/** Kilobits per second. */
export function bitrate(kbps) {
  if (!known(kbps) || kbps <= 0) return NOTHING;
  if (kbps >= 1_000_000) return `${(kbps / 1_000_000).toFixed(2)} Gbps`;
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

/** A long time, in days and hours. */
export function age(ms) {
  const days = Math.floor(ms / 86_400_000);
  return days ? t('age.days', { days, hours: Math.floor(ms / 3_600_000) % 24 }) : duration(ms);
}

/** How long ago, in one unit. */
export function ago(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 2) return t('ago.now');
  const [unit, length] = AGO.findLast(([, length]) => seconds >= length);
  return t(`ago.${unit}`, { count: Math.floor(seconds / length) });
}

/** A number with its digits in groups, as the page's language has them. */
export const count = (value) => (known(value) ? value.toLocaleString(document.documentElement.lang) : NOTHING);

/** Bytes, in decimal units. */
export function bytes(value) {
  if (!known(value)) return NOTHING;
  const step = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), UNITS.length - 1);
  const scaled = value / 1000 ** step;
  return `${step && scaled < 100 ? scaled.toFixed(1) : Math.round(scaled)} ${UNITS[step]}`;
}

/** Milliseconds, with their sign. */
export function ms(value) {
  if (!known(value)) return NOTHING;
  const rounded = Math.round(value);
  return `${rounded < 0 ? '−' : ''}${seconds(Math.abs(rounded) / 1000)}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const AGO = [['s', 1], ['min', 60], ['h', 3600], ['d', 86_400]];
