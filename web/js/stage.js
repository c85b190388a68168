// The picture and what lies over it: the state in words, sound, full screen.

import { byId, setText } from './dom.js';
import { t } from './i18n.js';
import { targetLabel } from './target.js';

// Past this a word about what is missing helps more than silence.
const SLOW_MS = 1000;

export class Stage {
  #session = null;
  #slowTimer = 0;
  #slow = false;

  #region = byId('player');
  #stage = byId('stage');
  #video = byId('video');
  #title = byId('stage-title');
  #text = byId('stage-text');
  #announce = byId('announce');
  #tap = byId('tap-to-play');
  #unmute = byId('unmute');
  #mute = byId('mute');

  constructor() {
    const video = this.#video;
    this.#tap.addEventListener('click', () => this.#session?.playNow());
    this.#unmute.addEventListener('click', () => (video.muted = false));
    this.#mute.addEventListener('click', () => (video.muted = !video.muted));
    video.addEventListener('click', () => (video.paused ? this.#session?.playNow() : (video.muted = false)));
    video.addEventListener('dblclick', () => this.#toggleFullscreen());
    video.addEventListener('volumechange', () => this.#showSound());
    video.addEventListener('resize', () => this.shape(video.videoWidth, video.videoHeight));
    byId('fullscreen').addEventListener('click', () => this.#toggleFullscreen());
  }

  get video() {
    return this.#video;
  }

  /** Shows the state of `session`. */
  show(session) {
    const changed = this.#region.dataset.state !== session.state;
    this.#session = session;
    this.#region.dataset.state = session.state;
    if (changed) this.#watchSlowness(session);
    const blocked = session.problem?.kind === 'blocked';
    this.#tap.hidden = !blocked;
    const values = { stream: session.target ? targetLabel(session.target) : '', ...session.reconnecting };
    const reconnects = session.reconnecting && ['connecting', 'stalled'].includes(session.state);
    setText(this.#title, t(`state.${reconnects ? 'reconnecting' : session.state}.title`, values));
    setText(this.#text, this.#explanation(session, values));
    setText(this.#announce, this.#title.textContent);
    this.#showSound();
  }

  /** Gives the stage the form of the picture before it comes: a phone's stream stands upright. */
  shape(width, height) {
    if (width > 0 && height > 0) this.#stage.dataset.shape = height > width ? 'portrait' : 'landscape';
  }

  #explanation(session, values) {
    switch (session.state) {
      case 'playing':
        return '';
      case 'connecting':
        if (session.reconnecting) return t('state.reconnecting.text');
        return this.#slow && !session.problem ? t('state.connecting.slow') : '';
      case 'stalled':
        if (session.reconnecting) return t('state.reconnecting.text');
        return t(session.publisherLost ? 'state.stalled.publisher' : 'state.stalled.text', values);
      case 'error':
        return t(`state.error.${session.problem.retry}`);
      default:
        return t(`state.${session.state}.text`, values);
    }
  }

  #watchSlowness(session) {
    clearTimeout(this.#slowTimer);
    this.#slow = false;
    if (session.state !== 'connecting') return;
    this.#slowTimer = setTimeout(() => {
      this.#slow = true;
      this.show(this.#session);
    }, SLOW_MS);
  }

  #showSound() {
    const muted = this.#video.muted;
    this.#mute.setAttribute('aria-pressed', String(muted));
    this.#unmute.hidden = !muted || !['playing', 'stalled'].includes(this.#region.dataset.state);
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#stage.requestFullscreen) this.#stage.requestFullscreen().catch(() => {});
    // An iPhone shows only the video itself in full screen.
    else this.#video.webkitEnterFullscreen?.();
  }
}
