// The strings a publisher needs.

/** What is pushed before anything was typed. */
export const EXAMPLE = { name: 'live/stream1', query: '' };

/**
 * The addresses to push to, `rtmp://host[:port]`, best first. The host this page was opened with comes first when
 * it is not this computer's own: it evidently reaches the server.
 */
export function pushAddresses({ push, rtmp_port: port }, hostname) {
  const listed = push.map((url) => url.replace(/^(rtmps?:\/\/[^/]+).*$/, '$1'));
  const opened = `rtmp://${hostname}${port === 1935 ? '' : `:${port}`}`;
  const all = isLoopback(hostname) ? listed : [opened, ...listed];
  const usable = [...new Set(all)];
  return usable.sort((a, b) => isLoopback(hostOf(a)) - isLoopback(hostOf(b)));
}

export const hostOf = (base) => base.replace(/^rtmps?:\/\//, '');

export const isLoopback = (host) => /^(localhost|127\.|\[::1\])/.test(host);

/** Everything to copy for publishing the stream `name` to `base`, with the parameters `query`. */
export function commands(base, { name, query }) {
  const slash = name.lastIndexOf('/');
  const app = name.slice(0, slash);
  const key = name.slice(slash + 1) + query;
  const url = `${base}/${app}/${key}`;
  const encode = '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -c:a aac';
  return {
    url,
    obsServer: `${base}/${app}`,
    obsKey: key,
    wechat: [
      '<live-pusher',
      `  url="${attribute(url)}"`,
      '  mode="HD"',
      '  autopush',
      '  bindstatechange="onPush"',
      '  binderror="onPushError" />',
    ].join('\n'),
    ffmpegTest: `ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 ${encode} -f flv ${quote(url)}`,
    ffmpegFile: `ffmpeg -re -stream_loop -1 -i input.mp4 ${encode} -f flv ${quote(url)}`,
  };
}

const attribute = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');

/** Quoted for a shell only where it has to be: double quotes are what all shells, cmd.exe too, know. */
function quote(text) {
  return /^[\w./:@%+-]+$/.test(text) ? text : `"${text.replace(/["\\$`]/g, '\\$&')}"`;
}
