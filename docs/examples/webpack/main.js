import pushpull from 'pushpull-player';

const url = new URLSearchParams(location.search).get('url') ?? 'http://localhost:8082/live/demo.flv';
const player = pushpull.createPlayer({ type: 'flv', isLive: true, url });
player.on(pushpull.Events.ERROR, (type, detail, { msg }) => {
  document.getElementById('message').textContent = `${type}: ${msg}`;
});
player.attachMediaElement(document.getElementById('video'));
player.load();
player.play();
