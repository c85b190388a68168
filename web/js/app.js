// The page: reads its address, makes the parts and connects them.

import { Alert } from './alert.js';
import { fetchServer, watchStreams } from './api.js';
import { byId, setText } from './dom.js';
import { localProblem } from './errors.js';
import { Guide } from './guide.js';
import { htmlLang, initialLanguage, onLanguage, otherLanguage, rememberLanguage, setLanguage, t } from './i18n.js';
import { Session } from './session.js';
import { Stage } from './stage.js';
import { Stats } from './stats.js';
import { StreamList } from './streams.js';
import { parseTarget, targetLabel } from './target.js';

const parameters = new URLSearchParams(location.search);
const form = byId('form');
const nameBox = byId('stream-name');
const startButton = byId('start');

// Loaded ahead, so that Start is quick; asked for again if it failed.
let playerLibrary = import('/player/index.js');
playerLibrary.catch(() => {});
const loadPlayer = () => {
  const loading = playerLibrary;
  playerLibrary = loading.catch(() => import(`/player/index.js?retry=${Date.now()}`));
  return playerLibrary;
};

const alertBox = new Alert();
const stage = new Stage();
const stats = new Stats();
const list = new StreamList((name) => play(name));
const guide = new Guide(() => showProblem());
const session = new Session({
  video: stage.video,
  loadPlayer,
  onChange: showSession,
  onStatistics: showStats,
});

let server = null;
let connected = null;
let streams = [];
// A problem with what was typed; the session has its own.
let inputProblem = null;

function showSession() {
  stage.show(session);
  list.setPlaying(session.target?.name ?? null);
  startButton.dataset.i18n = session.active ? 'form.stop' : 'form.start';
  setText(startButton, t(startButton.dataset.i18n));
  startButton.classList.toggle('primary', !session.active);
  shapeFromList();
  showStats();
  showProblem();
}

function showStats() {
  stats.show(session, listed());
}

function showProblem() {
  alertBox.show(inputProblem ?? session.problem, {
    stream: session.target ? targetLabel(session.target) : '',
    url: session.url ?? '',
    host: session.target?.host ?? location.host,
    port: server?.http_port ?? location.port,
    pushUrl: guide.pushUrl(session.target),
    transport: session.url?.startsWith('ws') ? 'WebSocket' : 'HTTP-FLV',
  });
}

function listed() {
  return streams.find((stream) => stream.name === session.target?.name);
}

function shapeFromList() {
  const video = listed()?.video;
  if (video) stage.shape(video.width, video.height);
}

function start() {
  const target = parseTarget(nameBox.value);
  inputProblem = target.problem ? localProblem(target.problem) : null;
  nameBox.setAttribute('aria-invalid', String(Boolean(inputProblem)));
  if (inputProblem) {
    session.stop();
    nameBox.focus();
    return;
  }
  const address = new URL(location.href);
  address.searchParams.set('stream', nameBox.value.trim());
  address.searchParams.delete('autostart');
  history.replaceState(null, '', address);
  session.start(target, form.elements.transport.value);
}

function play(name) {
  nameBox.value = name.replace(/^live\/([^/]+)$/, '$1');
  nameTyped();
  start();
  if (matchMedia('(max-width: 60rem)').matches) byId('form').scrollIntoView({ block: 'start' });
}

function nameTyped() {
  const target = parseTarget(nameBox.value);
  guide.setTarget(target.problem ? null : target);
  if (inputProblem && !target.problem) {
    inputProblem = null;
    nameBox.removeAttribute('aria-invalid');
    showProblem();
  }
}

function showServer() {
  const state = connected === null ? 'connecting' : connected ? 'online' : 'offline';
  const pill = byId('server');
  pill.dataset.state = state;
  setText(pill.querySelector('.server-text'), t(`server.${state}`));
}

async function learnServer() {
  try {
    server = await fetchServer();
  } catch {
    // The events connection reports and retries; when it opens, this is asked again.
    return;
  }
  guide.setServer(server);
  list.setDemo(server.demo);
}

function showLanguage() {
  const button = byId('language');
  button.lang = htmlLang(otherLanguage());
  setText(button, t('page.otherLanguage'));
  showServer();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (session.active) session.stop();
  else start();
});
nameBox.addEventListener('keydown', (event) => {
  // Enter in the box always means: play this. The form's own submission would stop what plays.
  if (event.key !== 'Enter' || event.isComposing) return;
  event.preventDefault();
  start();
});
nameBox.addEventListener('input', nameTyped);
form.addEventListener('change', (event) => {
  if (event.target.name === 'transport' && session.active) start();
});
byId('language').addEventListener('click', () => {
  const code = otherLanguage();
  rememberLanguage(code);
  const address = new URL(location.href);
  if (address.searchParams.has('lang')) {
    address.searchParams.set('lang', code);
    history.replaceState(null, '', address);
  }
  setLanguage(code);
});
// A page kept for the Back button would go on watching, unseen.
let leftWhile = null;
addEventListener('pagehide', () => {
  leftWhile = session.target;
  session.stop();
});
addEventListener('pageshow', (event) => {
  if (event.persisted && leftWhile) session.start(leftWhile, form.elements.transport.value);
});
onLanguage(showLanguage);
onLanguage(showSession);

setLanguage(initialLanguage(parameters.get('lang')));
nameBox.value = parameters.get('stream') ?? '';
nameTyped();
document.documentElement.dataset.ready = '';

watchStreams({
  onConnection(up) {
    connected = up;
    showServer();
    list.setConnected(up);
    if (up) learnServer();
    else session.streamsChanged(null);
  },
  onStreams(current) {
    streams = current;
    list.setStreams(current);
    shapeFromList();
    session.streamsChanged(current);
    showStats();
  },
});

if (parameters.get('autostart') === '1' && nameBox.value) {
  stage.video.muted = true;
  start();
}
