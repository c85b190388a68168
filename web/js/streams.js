// The list of live streams, kept current.

import { byId, element, setText } from './dom.js';
import { codecName } from './codecs.js';
import * as format from './format.js';
import { onLanguage, t } from './i18n.js';

export class StreamList {
  #list = byId('streams');
  #notice = byId('streams-notice');
  #empty = byId('streams-empty');
  #demo = byId('demo');
  #rows = new Map();
  #streams = null;
  #connected = true;
  #playing = null;
  #demoName = null;
  #onPick;

  /** `onPick(name)`: somebody wants to see this stream. */
  constructor(onPick) {
    this.#onPick = onPick;
    this.#demo.addEventListener('click', () => onPick(this.#demoName));
    onLanguage(() => this.#render());
  }

  setStreams(streams) {
    this.#streams = streams;
    this.#render();
  }

  setConnected(connected) {
    this.#connected = connected;
    this.#render();
  }

  /** The name of the server's demo stream, or null. */
  setDemo(name) {
    this.#demoName = name;
    this.#render();
  }

  /** The name of the stream that plays or is waited for, or null. */
  setPlaying(name) {
    this.#playing = name;
    this.#render();
  }

  #render() {
    const streams = this.#connected ? (this.#streams ?? []) : [];
    const names = new Set(streams.map((stream) => stream.name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.item.remove();
      this.#rows.delete(name);
    }
    for (const stream of streams) this.#row(stream).show(stream, stream.name === this.#playing);

    this.#notice.hidden = this.#connected;
    setText(this.#notice, this.#connected ? '' : t('streams.offline'));
    const known = this.#connected && this.#streams !== null;
    const others = streams.filter((stream) => stream.name !== this.#demoName);
    this.#empty.hidden = !known || others.length > 0;
    setText(this.#empty, t(streams.length ? 'streams.onlyDemo' : 'streams.empty'));
    this.#demo.hidden = !known || others.length > 0 || !this.#demoName || this.#playing === this.#demoName;
  }

  #row(stream) {
    let row = this.#rows.get(stream.name);
    if (!row) {
      row = new Row(() => this.#onPick(stream.name));
      this.#rows.set(stream.name, row);
      this.#list.append(row.item);
    }
    return row;
  }
}

/** One stream: a button with its name, what it is made of, and who watches. */
class Row {
  #name = element('span', { className: 'stream-name' });
  #watched = element('span', { className: 'stream-watched' });
  #media = element('span', { className: 'stream-media' });
  #button = element('button', { type: 'button', className: 'stream' },
    element('span', { className: 'dot', 'aria-hidden': 'true' }), this.#name, this.#watched, this.#media);
  item = element('li', {}, this.#button);

  constructor(onPick) {
    this.#button.addEventListener('click', onPick);
  }

  show(stream, playing) {
    this.#button.dataset.state = stream.state;
    if (playing) this.#button.setAttribute('aria-current', 'true');
    else this.#button.removeAttribute('aria-current');
    this.#button.title = t('streams.play', { stream: stream.name });
    setText(this.#name, stream.name);
    const key = stream.viewers > 1 ? 'n' : stream.viewers;
    const viewers = t(`streams.viewers.${key}`, { count: stream.viewers });
    setText(this.#watched, `${viewers} · ${format.duration(stream.uptime_ms)}`);
    setText(this.#media, this.#describe(stream));
  }

  #describe({ state, video, audio, bitrate_kbps: kbps }) {
    if (state === 'waiting') return t('streams.reconnecting');
    const parts = [];
    if (video) {
      parts.push(codecName(video.codec_string || video.codec).replace(/^(H\.264).*/, '$1'));
      if (video.width) parts.push(format.size(video.width, video.height));
      if (video.fps) parts.push(`${format.fps(video.fps)} fps`);
    }
    if (audio) parts.push(audio.codec);
    if (kbps) parts.push(format.bitrate(kbps));
    return parts.length ? parts.join(' · ') : t('streams.noMedia');
  }
}
