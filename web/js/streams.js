// The list of live streams, kept current.

import { byId, element, setText } from './dom.js';
import { codecName } from './codecs.js';
import * as format from './format.js';
import { onLanguage, t } from './i18n.js';
import { sentence } from './refusals.js';

/** Of streams that nobody publishes: the newest few are enough to see what is wrong. */
const MAX_REFUSED = 4;

export class StreamList {
  #list = byId('streams');
  #notice = byId('streams-notice');
  #empty = byId('streams-empty');
  #token = byId('token');
  #demo = byId('demo');
  #rows = new Map();
  #streams = null;
  #connected = true;
  #denied = false;
  #playing = null;
  #demoName = null;
  #refused = byId('refused');
  #refusedList = byId('refused-list');
  #refusals;
  #onPick;

  /** `onPick(name)`: somebody wants to see this stream. */
  constructor(refusals, onPick) {
    this.#refusals = refusals;
    this.#onPick = onPick;
    this.#demo.addEventListener('click', () => onPick(this.#demoName));
    onLanguage(() => this.#render());
  }

  setStreams(streams) {
    this.#streams = streams;
    this.#render();
  }

  /** `isDenied`: the server is there, but wants a token from those who ask. */
  setConnected(connected, isDenied) {
    this.#connected = connected;
    this.#denied = isDenied;
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
    this.showRefusals();

    this.#notice.hidden = this.#connected;
    setText(this.#notice, this.#connected ? '' : t(this.#denied ? 'stat.denied' : 'streams.offline'));
    this.#token.hidden = !this.#denied;
    const known = this.#connected && this.#streams !== null;
    const others = streams.filter((stream) => stream.name !== this.#demoName);
    this.#empty.hidden = !known || others.length > 0;
    setText(this.#empty, t(streams.length ? 'streams.onlyDemo' : 'streams.empty'));
    this.#demo.hidden = !known || others.length > 0 || !this.#demoName || this.#playing === this.#demoName;
  }

  /** Their age goes on while nothing is told. */
  showRefusals() {
    const listed = new Set(this.#rows.keys());
    for (const [name, row] of this.#rows) row.showRefusal(this.#refusals.recent(name));
    const others = this.#connected ? this.#refusals.recentOthers(listed, MAX_REFUSED) : [];
    this.#refused.hidden = others.length === 0;
    while (this.#refusedList.childElementCount > others.length) this.#refusedList.lastElementChild.remove();
    while (this.#refusedList.childElementCount < others.length) {
      this.#refusedList.append(element('li', {}, element('span', { className: 'stream-name' }), element('span', { className: 'refusal' })));
    }
    others.forEach((refusal, index) => {
      const [name, words] = this.#refusedList.children[index].children;
      setText(name, refusal.stream);
      setText(words, sentence(refusal));
      words.title = refusal.detail ?? '';
    });
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
  #refusal = element('span', { className: 'refusal', hidden: true });
  #button = element('button', { type: 'button', className: 'stream' },
    element('span', { className: 'dot', 'aria-hidden': 'true' }), this.#name, this.#watched, this.#media, this.#refusal);
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

  showRefusal(refusal) {
    this.#refusal.hidden = !refusal;
    setText(this.#refusal, refusal ? sentence(refusal) : '');
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
