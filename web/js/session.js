// Watching one stream: from Start to Stop, through ends, failures and new starts.

import { diagnose, localProblem, notFound, Retry } from './errors.js';
import { playUrl } from './target.js';
import { Waiter } from './waiter.js';

// A stall shorter than this is not worth a word.
const STALL_MS = 600;
// A stream that was published this moment is not in the list yet.
const LIST_DELAY_MS = 400;
// After the last byte the buffer plays out; if the browser does not say when, this is long enough.
const DRAIN_MS = 1500;

/**
 * Owns the player and the `<video>` it plays in. `onChange()` is called after each change of
 * `state`: idle, connecting, playing, stalled, ended, waiting (for a publisher), error.
 */
export class Session {
  state = 'idle';
  /** What went wrong, with state waiting or error (see errors.js), or with connecting when a click is needed. */
  problem = null;
  target = null;
  /** Milliseconds from the start to the first picture. */
  startup = null;
  mediaInfo = null;
  statistics = null;
  /** Whether the server says that the publisher has lost its connection. */
  publisherLost = false;
  /** `{attempt, count}` while the player opens a lost connection anew, or null. */
  reconnecting = null;
  /** The audio codec that is left out because the browser cannot play it, or null. */
  mutedCodec = null;

  #video;
  #loadPlayer;
  #sign;
  #onChange;
  #onStatistics;
  #waiter = new Waiter(() => this.#open());
  #player = null;
  #opening = 0;
  #openedAt = 0;
  #transport = 'websocket';
  #streams = null;
  #timer = 0;
  #listTimer = 0;
  #listCounts = false;
  // Set while the end of the stream plays out.
  #drained = null;

  /** `sign(target)` gives the query to play it with. */
  constructor({ video, loadPlayer, sign, onChange, onStatistics }) {
    this.#video = video;
    this.#loadPlayer = loadPlayer;
    this.#sign = sign;
    this.#onChange = onChange;
    this.#onStatistics = onStatistics;
    video.addEventListener('playing', () => this.#playing());
    video.addEventListener('waiting', () => this.#stalling());
    video.addEventListener('ended', () => this.#drained?.());
    document.addEventListener('visibilitychange', () => this.#resume());
  }

  /** Whether Stop has something to stop. */
  get active() {
    return this.target !== null;
  }

  get url() {
    return this.target && playUrl(this.target, this.#transport);
  }

  start(target, transport) {
    this.stop();
    this.target = target;
    this.#transport = transport;
    this.#open();
  }

  stop() {
    this.#waiter.reset();
    this.#close();
    this.#forget();
    this.target = null;
    this.#set('idle');
  }

  /** The server's list, or null when the server cannot be reached. */
  streamsChanged(streams) {
    const isBack = streams && !this.#streams;
    this.#streams = streams;
    this.#waiter.update(streams);
    // The player would find out too, at its next try.
    if (isBack && this.reconnecting && this.state !== 'playing') this.#open();
    if (!streams) this.#blameServer();
    this.#compareList();
  }

  /** A click into the page allows what autoplay rules forbade. */
  playNow() {
    this.#video.play().catch(() => {});
  }

  async #open() {
    this.#close();
    this.#forget();
    const opening = ++this.#opening;
    this.#openedAt = performance.now();
    this.#set('connecting');
    this.#listCounts = false;
    this.#listTimer = setTimeout(() => {
      this.#listCounts = true;
      this.#compareList();
    }, LIST_DELAY_MS);
    // Each time anew: a signature runs out.
    const signing = this.#sign(this.target);
    let library;
    try {
      library = await this.#loadPlayer();
    } catch (error) {
      if (opening === this.#opening) this.#fail(localProblem('no-player', String(error)));
      return;
    }
    if (opening !== this.#opening) return;
    if (!library.isSupported()) {
      this.#fail(localProblem('no-mse', navigator.userAgent));
      return;
    }
    const query = await signing;
    if (opening !== this.#opening) return;
    const url = playUrl({ ...this.target, query }, this.#transport);
    const player = library.createPlayer({ type: 'flv', isLive: true, url });
    this.#player = player;
    const mine = (listener) => (...args) => player === this.#player && listener(...args);
    player.on('error', mine((type, detail, info) => this.#failed(type, detail, info)));
    player.on('warning', mine((type, detail, info) => this.#warned(detail, info.context)));
    player.on('loading_complete', mine(() => this.#drain()));
    player.on('recovered_early_eof', mine(() => this.#reconnected()));
    player.on('media_info', mine((info) => {
      this.mediaInfo = info;
      this.#onStatistics();
    }));
    player.on('statistics_info', mine((statistics) => {
      this.statistics = statistics;
      this.#onStatistics();
    }));
    player.attachMediaElement(this.#video);
    player.load();
    this.#play(player);
  }

  /** Plays; without sound where the browser wants a click first; else asks for one. */
  async #play(player) {
    try {
      await player.play();
      return;
    } catch (error) {
      if (error?.name !== 'NotAllowedError' || player !== this.#player) return;
    }
    try {
      this.#video.muted = true;
      await player.play();
    } catch (error) {
      if (error?.name !== 'NotAllowedError' || player !== this.#player) return;
      this.problem = localProblem('blocked');
      this.#onChange();
    }
  }

  /** What the player mends by itself. */
  #warned(detail, { step, attempt, count, codec = null }) {
    if (detail === 'CodecUnsupported') this.mutedCodec = codec;
    if (step !== 'reconnect') return;
    this.reconnecting = { attempt, count };
    this.#onChange();
  }

  #reconnected() {
    this.reconnecting = null;
    this.#onChange();
  }

  #playing() {
    if (!this.#player || this.#drained) return;
    clearTimeout(this.#timer);
    this.#waiter.reset();
    this.startup ??= performance.now() - this.#openedAt;
    this.problem = null;
    this.#set('playing');
  }

  #stalling() {
    if (this.state !== 'playing' || this.#drained) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#set('stalled'), STALL_MS);
  }

  /** The page's own connection may fail a moment after the stream's. */
  #blameServer() {
    if (this.state !== 'error' || !this.target?.name || !['lost', 'refused', 'timeout'].includes(this.problem.kind)) return;
    this.problem = { ...this.problem, kind: 'unreachable' };
    this.#onChange();
  }

  /**
   * The server holds a request for a missing stream for a while. The list tells sooner; the request stays open, as
   * it is the quickest way in when the publisher comes.
   */
  #compareList() {
    const stream = this.#streams?.find(({ name }) => name === this.target?.name);
    const lost = stream?.state === 'waiting';
    const absent = this.#listCounts && this.#player && this.#streams && this.target.name && !stream;
    if (this.state === 'connecting' && absent) {
      this.problem = notFound();
      this.#set('waiting');
    } else if (this.state === 'waiting' && this.#player && stream) {
      this.problem = null;
      this.#set('connecting');
    } else if (lost !== this.publisherLost) {
      this.publisherLost = lost;
      this.#onChange();
    }
  }

  /** The publisher has ended; what is buffered still plays. */
  #drain() {
    this.#drained = () => {
      this.#close();
      this.#set('ended');
      this.#waiter.wait(this.target, Retry.LISTED);
    };
    clearTimeout(this.#timer);
    const left = this.state === 'playing' && !this.#video.ended ? DRAIN_MS : 0;
    this.#timer = setTimeout(this.#drained, left);
  }

  #failed(type, detail, info) {
    // Fatal unless said otherwise; the others are repairs the player tells of.
    if (info?.fatal === false) return;
    this.#fail(diagnose({ type, detail, info }, { target: this.target, connected: this.#streams !== null }));
  }

  #fail(problem) {
    this.#close();
    this.reconnecting = null;
    this.problem = problem;
    if (problem.retry === Retry.NEVER) this.target = null;
    else this.#waiter.wait(this.target, problem.retry);
    this.#set(/not-found$/.test(problem.kind) ? 'waiting' : 'error');
  }

  #close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#listTimer);
    this.#opening += 1;
    this.#drained = null;
    const player = this.#player;
    this.#player = null;
    if (!player) return;
    player.unload();
    player.detachMediaElement();
    player.destroy();
  }

  /** Drops what is known of the last run; until then it stays to be read. */
  #forget() {
    this.problem = null;
    this.startup = null;
    this.mediaInfo = null;
    this.statistics = null;
    this.reconnecting = null;
    this.mutedCodec = null;
  }

  #resume() {
    if (!document.hidden && this.#player && this.#video.paused && !this.#drained) this.#play(this.#player);
  }

  #set(state) {
    this.state = state;
    this.#onChange();
  }
}
