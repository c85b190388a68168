// Codec strings (RFC 6381) in the words that encoders' settings use.

const AVC_PROFILES = { 66: 'Baseline', 77: 'Main', 88: 'Extended', 100: 'High', 110: 'High 10', 122: 'High 4:2:2', 244: 'High 4:4:4' };
const AAC_TYPES = { 1: 'AAC Main', 2: 'AAC-LC', 5: 'HE-AAC', 29: 'HE-AAC v2', 34: 'MP3', 42: 'xHE-AAC' };
const FAMILIES = [
  [/^hvc1|^hev1/i, 'H.265'],
  [/^vvc1|^vvi1/i, 'H.266'],
  [/^av01/i, 'AV1'],
  [/^vp09/i, 'VP9'],
  [/^vp08/i, 'VP8'],
  [/^ec-3/i, 'E-AC-3'],
  [/^ac-3/i, 'AC-3'],
  [/^opus/i, 'Opus'],
  [/^flac/i, 'FLAC'],
  [/^mp3$|^mp4a\.6b/i, 'MP3'],
];

/** "avc1.64001f" → "H.264 High 3.1", "mp4a.40.2" → "AAC-LC". What is not known stays as it is. */
export function codecName(codec) {
  const avc = /^avc[13]\.([0-9a-f]{2})[0-9a-f]{2}([0-9a-f]{2})$/i.exec(codec);
  if (avc) return avcName(parseInt(avc[1], 16), parseInt(avc[2], 16));
  const aac = /^mp4a\.40\.(\d+)$/i.exec(codec);
  if (aac) return AAC_TYPES[aac[1]] ?? `AAC (${aac[1]})`;
  return FAMILIES.find(([pattern]) => pattern.test(codec))?.[1] ?? codec;
}

/** 'hevc', 'video', 'audio' or null (cannot be told), for a codec named either way. */
export function codecKind(codec) {
  if (/h\.?26[5]|hevc|hvc1|hev1/i.test(codec)) return 'hevc';
  if (/h\.?26|av0?1|vp0?[689]|vvc|avc|vp6|sorenson|screen/i.test(codec)) return 'video';
  if (/aac|mp3|mp4a|opus|flac|ac-?3|g\.?711|pcm|speex|nellymoser/i.test(codec)) return 'audio';
  return null;
}

function avcName(profile, level) {
  return `H.264 ${AVC_PROFILES[profile] ?? `profile ${profile}`} ${(level / 10).toFixed(1)}`;
}
