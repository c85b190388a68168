// The figures of what plays, under the picture.

import { byId, element, setText } from './dom.js';
import { codecName } from './codecs.js';
import * as format from './format.js';
import { t } from './i18n.js';
import { Spark } from './spark.js';

// The picture rate may vary a little; below this share of the declared one something is slow.
const SLOW_SHARE = 0.7;
// Reports that the picture rate is averaged over, 3 s of them.
const RECENT = 5;
const MANY_DROPPED = 0.02;
const ENOUGH_FRAMES = 150;
const LONG_GOP_MS = 4500;
// A track that has not come within this time does not come.
const TRACKS_MS = 3000;

export class Stats {
  #cells = new Map([...document.querySelectorAll('[data-stat]')].map((node) => [node.dataset.stat, node]));
  #sparks = new Map([...document.querySelectorAll('[data-spark]')].map((node) => [node.dataset.spark, new Spark(node)]));
  #latencyLabel = byId('latency-label');
  #advice = byId('advice');
  #drawn = null;

  /** `listed` is what the server says of the same stream, or undefined. */
  show(session, listed) {
    const { mediaInfo: media } = session;
    // Before the first picture every figure is zero, which says nothing.
    const now = session.startup === null ? null : session.statistics;
    const bitrate = now && now.videoBitrate + now.audioBitrate;
    this.#set('fps', now ? now.fps.toFixed(0) : format.NOTHING);
    this.#set('bitrate', format.bitrate(bitrate));
    this.#set('latency', format.seconds(this.#latency(now)));
    this.#set('buffered', format.seconds(now?.buffered));
    this.#set('size', format.size(now?.width || media?.width, now?.height || media?.height));
    this.#set('video', this.#track(media?.hasVideo, media?.videoCodec));
    this.#set('audio', this.#audio(media));
    this.#set('dropped', now ? `${now.droppedFrames} / ${now.decodedFrames}` : format.NOTHING);
    this.#set('rate', now?.playbackRate ? `${now.playbackRate.toFixed(2)}×` : format.NOTHING);
    this.#set('startup', session.startup === null ? format.NOTHING : format.seconds(session.startup / 1000));
    this.#set('transport', this.#transport(session));
    this.#set('mode', now?.mode ? t(`stat.mode.${now.mode}`) : format.NOTHING);
    this.#set('gop', format.seconds(now?.gopLength));
    this.#set('target', format.seconds(now?.targetLatency));
    this.#set('jitter', format.seconds(now?.jitter));
    this.#set('reconnects', now ? String(now.reconnects ?? 0) : format.NOTHING);
    this.#spark(now, bitrate);
    this.#advise(session, listed);
  }

  #set(name, text) {
    const cell = this.#cells.get(name);
    setText(cell, text);
    // Long codec names are cut off in a narrow window.
    cell.title = text;
  }

  /** Since the picture was taken, where the stream tells the time; else since it was received. The label says which. */
  #latency(now) {
    const isCapture = Number.isFinite(now?.captureLatency);
    this.#latencyLabel.dataset.i18n = `stat.latency.${isCapture ? 'capture' : 'buffer'}`;
    setText(this.#latencyLabel, t(this.#latencyLabel.dataset.i18n));
    return isCapture ? now.captureLatency : now?.latency;
  }

  #track(present, codec) {
    if (present === false) return t('stat.none');
    return codec ? codecName(codec) : format.NOTHING;
  }

  #audio(media) {
    const name = this.#track(media?.hasAudio, media?.audioCodec);
    if (!media?.audioCodec || !media.audioSampleRate) return name;
    return `${name} ${media.audioSampleRate / 1000} kHz`;
  }

  #transport({ statistics, url }) {
    const websocket = statistics ? statistics.transport === 'websocket' : url?.startsWith('ws');
    if (!url) return format.NOTHING;
    return websocket ? 'WebSocket' : 'HTTP-FLV';
  }

  #spark(now, bitrate) {
    if (now === this.#drawn) return;
    this.#drawn = now;
    const values = { fps: now?.fps, bitrate, latency: this.#latency(now), buffered: now?.buffered };
    for (const [name, spark] of this.#sparks) {
      if (now) spark.add(values[name] ?? 0);
      else spark.clear();
    }
  }

  #advise(session, listed) {
    const { statistics: now, mediaInfo: media, mutedCodec, state } = session;
    const items = [];
    if (state === 'playing' && now) {
      // As in the browser's playback quality, the dropped ones are among them.
      const frames = now.decodedFrames;
      const expected = listed?.video?.fps ?? media?.fps;
      const shown = this.#sparks.get('fps').recent(RECENT);
      if (listed?.gop_ms > LONG_GOP_MS) items.push(t('advice.gop', { seconds: (listed.gop_ms / 1000).toFixed(0) }));
      if (mutedCodec) items.push(t('advice.audioCodec', { codec: codecName(mutedCodec) }));
      if (listed?.uptime_ms > TRACKS_MS && !listed.audio) items.push(t('advice.noAudio'));
      if (listed?.uptime_ms > TRACKS_MS && !listed.video) items.push(t('advice.noVideo'));
      if (frames > ENOUGH_FRAMES && now.droppedFrames / frames > MANY_DROPPED) {
        items.push(t('advice.dropped', { percent: ((100 * now.droppedFrames) / frames).toFixed(0) }));
      }
      if (frames > ENOUGH_FRAMES && shown > 0 && expected > 0 && shown < expected * SLOW_SHARE) {
        items.push(t('advice.slow', { fps: shown.toFixed(0), expected: format.fps(expected) }));
      }
    }
    if (items.join() === [...this.#advice.children].map((item) => item.textContent).join()) return;
    this.#advice.replaceChildren(...items.map((item) => element('li', {}, item)));
    this.#advice.hidden = items.length === 0;
  }
}
