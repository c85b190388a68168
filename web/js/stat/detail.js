// Everything about one stream: plots, facts, who watches it.

import { codecName } from '../codecs.js';
import { element, setText } from '../dom.js';
import * as format from '../format.js';
import { has, t } from '../i18n.js';
import { sentence } from '../refusals.js';
import { FIGURES, Plot } from './plot.js';
import { SessionTable } from './sessions.js';

const FACTS = ['publisher', 'agent', 'video', 'audio', 'tracks', 'bitrates', 'gop', 'jitter', 'offset', 'received', 'buffered', 'uptime', 'error', 'refusal'];

export class Detail {
  #plots = Object.keys(FIGURES).map((name) => new Plot(name));
  #facts = new Map(FACTS.map((name) => [name, element('dd')]));
  #sessions;
  #watch = element('a', { className: 'button small' });
  #kick = element('button', { type: 'button', className: 'button small danger' });
  node;

  constructor(name, actions) {
    this.#sessions = new SessionTable(actions);
    this.#watch.href = `/?stream=${encodeURIComponent(name)}&autostart=1`;
    this.#watch.dataset.i18n = 'stat.watch';
    this.#kick.dataset.i18n = 'stat.stopStream';
    for (const node of [this.#watch, this.#kick]) setText(node, t(node.dataset.i18n));
    this.#kick.addEventListener('click', () => actions.kickStream(name));
    const facts = FACTS.map((fact) => {
      const term = element('dt', {}, t(`stat.fact.${fact}`));
      term.dataset.i18n = `stat.fact.${fact}`;
      return element('div', {}, term, this.#facts.get(fact));
    });
    this.node = element('div', { className: 'detail' },
      element('div', { className: 'plots' }, ...this.#plots.map((plot) => plot.node)),
      element('dl', { className: 'facts' }, ...facts),
      element('div', { className: 'actions' }, this.#watch, this.#kick),
      this.#sessions.node);
  }

  show(stream, refusal) {
    const { source, video, audio, tracks = [] } = stream;
    this.#set('publisher', [source.peer, source.protocol.toUpperCase()].filter(Boolean).join(' · '));
    this.#set('agent', source.agent || format.NOTHING);
    this.#set('video', video ? [codecName(video.codec_string || video.codec), format.size(video.width, video.height)].join(' · ') : t('stat.none'));
    this.#set('audio', audio ? this.#sound(audio) : t('stat.none'));
    this.#set('tracks', String(tracks.length));
    this.#set('bitrates', `${format.bitrate(stream.video_bitrate_kbps)} · ${format.bitrate(stream.audio_bitrate_kbps)}`);
    this.#set('gop', format.ms(stream.gop_ms));
    this.#set('jitter', format.ms(stream.jitter_ms));
    this.#set('offset', format.ms(stream.av_offset_ms));
    this.#set('received', format.bytes(stream.received_bytes));
    this.#set('buffered', format.bytes(stream.buffered_bytes));
    this.#set('uptime', format.duration(stream.uptime_ms));
    this.#set('refusal', refusal ? sentence(refusal) : t('stat.none'), refusal?.detail);
    this.#set('error', stream.last_error ? trouble(stream.last_error) : t('stat.none'), stream.last_error?.detail);
    // One track each is nothing to speak of.
    this.#facts.get('tracks').parentElement.hidden = tracks.length <= 2;
  }

  draw(points, now) {
    for (const plot of this.#plots) plot.draw(points, now);
  }

  showSessions(answer) {
    this.#sessions.show(answer);
  }

  /** After a change of language; what show() sets comes by itself. */
  relabel() {
    for (const plot of this.#plots) plot.render();
    this.#sessions.render();
  }

  #sound({ codec, codec_string: string, sample_rate: rate, channels }) {
    const parts = [codecName(string || codec)];
    if (rate) parts.push(`${rate / 1000} kHz`);
    if (channels) parts.push(t(`stat.channels.${channels > 2 ? 'n' : channels}`, { count: channels }));
    return parts.join(' · ');
  }

  #set(fact, text, title = text) {
    const node = this.#facts.get(fact);
    setText(node, text);
    node.title = title ?? '';
  }
}

/** What went wrong with its publisher, and when. */
function trouble({ code, detail, ago_ms: ago }) {
  const words = has(`stat.error.${code}`) ? t(`stat.error.${code}`) : detail;
  return t('stat.error', { words, ago: format.ago(ago) });
}
