// The page: reads its address, makes the parts and connects them.

import { Alert } from './alert.js';
import { fetchServer, watchStreams } from './api.js';
import { Dialog } from './dialog.js';
import { byId, setText } from './dom.js';
import { localProblem } from './errors.js';
import { Frame } from './frame.js';
import { Guide } from './guide.js';
import { onLanguage, t } from './i18n.js';
import { Maker } from './maker.js';
import { EXAMPLE } from './push.js';
import { more, reason, Refusals, sentence, statusOf } from './refusals.js';
import { Session } from './session.js';
import { Stage } from './stage.js';
import { Stats } from './stats.js';
import { StreamList } from './streams.js';
import { parseTarget, targetLabel } from './target.js';

// Longer than this a start does not wait to be told how.
const SERVER_WAIT_MS = 2000;
// A refusal this young is likely that of this page.
const OWN_REFUSAL_MS = 15_000;

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
const frame = new Frame();
const dialog = new Dialog();
const refusals = new Refusals();
const list = new StreamList(refusals, (name) => play(name));
const guide = new Guide(() => showProblem());
const maker = new Maker(dialog, () => guide.setSigned((name) => maker.publishQuery(name), (target) => maker.lacksSignature(target)));
const session = new Session({
  video: stage.video,
  loadPlayer,
  sign: async (target) => {
    await serverKnown;
    return maker.playQuery(target);
  },
  onChange: showSession,
  onStatistics: showStats,
});

let server = null;
// Whoever starts at once still gets the signature that the server wants.
let serverTold;
const serverKnown = Promise.race([
  new Promise((resolve) => (serverTold = resolve)),
  new Promise((resolve) => setTimeout(resolve, SERVER_WAIT_MS)),
]);
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
  alertBox.show(inputProblem ?? known(session.problem), {
    stream: session.target ? targetLabel(session.target) : '',
    url: session.url ?? '',
    host: session.target?.host ?? location.host,
    port: server?.http_port ?? location.port,
    pushUrl: guide.pushUrl(session.target),
    transport: session.url?.startsWith('ws') ? 'WebSocket' : 'HTTP-FLV',
  });
}

/** A WebSocket does not tell why it was refused; the server's list does. */
function known(problem) {
  if (problem?.kind !== 'refused' && problem?.kind !== 'denied') return problem;
  const name = session.target?.name ?? parseTarget(nameBox.value).name;
  const { code } = problem.values;
  // Others may be refused at the same time: what HTTP told must fit.
  const isOwn = (refusal) => !code || statusOf(refusal) === code;
  const refusal = refusals.recent(name, { purpose: 'play', within: OWN_REFUSAL_MS, fits: isOwn });
  return refusal ? { ...problem, kind: 'denied', values: { reason: reason(refusal) }, technical: more(refusal) } : problem;
}

/** What the server said to whoever tried the stream in the box. */
function showNameRefusal() {
  const target = parseTarget(nameBox.value);
  const refusal = target.name ? refusals.recent(target.name) : undefined;
  const node = byId('name-refusal');
  node.hidden = !refusal;
  setText(node, refusal ? `${refusal.stream}: ${sentence(refusal)}` : '');
  node.title = refusal?.detail ?? '';
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
  maker.setName(target.name ?? EXAMPLE.name);
  showNameRefusal();
  if (inputProblem && !target.problem) {
    inputProblem = null;
    nameBox.removeAttribute('aria-invalid');
    showProblem();
  }
}

async function learnServer() {
  try {
    server = await fetchServer();
  } catch {
    // The events connection reports and retries; when it opens, this is asked again.
    return;
  }
  guide.setServer(server);
  maker.setServer(server);
  serverTold();
  list.setDemo(server.demo);
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
// A page kept for the Back button would go on watching, unseen.
let leftWhile = null;
addEventListener('pagehide', () => {
  leftWhile = session.target;
  session.stop();
});
addEventListener('pageshow', (event) => {
  if (event.persisted && leftWhile) session.start(leftWhile, form.elements.transport.value);
});
onLanguage(showSession);

frame.ready();
nameBox.value = parameters.get('stream') ?? '';
nameTyped();

const feed = watchStreams({
  onConnection(up, isDenied) {
    frame.setConnected(up || isDenied);
    list.setConnected(up, isDenied);
    if (up) learnServer();
    else session.streamsChanged(null);
  },
  onStreams(current, refused) {
    streams = current;
    refusals.update(refused);
    list.setStreams(current);
    shapeFromList();
    session.streamsChanged(current);
    showStats();
    showNameRefusal();
    if (session.problem) showProblem();
  },
});

byId('token').addEventListener('click', () => dialog.askToken(async () => {
  await fetchServer();
  feed.retry();
}));
// Ages go on while nothing is told.
setInterval(() => {
  showNameRefusal();
  list.showRefusals();
}, 1000);

if (parameters.get('autostart') === '1' && nameBox.value) {
  stage.video.muted = true;
  start();
}
