// Which program somebody uses, out of what it calls itself.

const BROWSERS = [
  ['MicroMessenger', /MicroMessenger\/([\d.]+)/],
  ['Edge', /Edg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:Chrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/([\d.]+).*Safari\//],
];
const SYSTEMS = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['HarmonyOS', /OpenHarmony|HarmonyOS/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux|X11/],
];

/** "Chrome 124, macOS"; what is not a browser's long line stays as it is. */
export function program(agent) {
  if (!agent.startsWith('Mozilla/')) return agent;
  const [name, pattern] = BROWSERS.find(([, pattern]) => pattern.test(agent)) ?? [];
  const system = SYSTEMS.find(([, pattern]) => pattern.test(agent))?.[0];
  if (!name) return system ?? agent;
  const version = pattern.exec(agent)[1];
  return system ? `${name} ${version}, ${system}` : `${name} ${version}`;
}
