// A line of the last values of one figure.

const POINTS = 60;
const WIDTH = 100;
const HEIGHT = 24;
const MARGIN = 2;

export class Spark {
  #line;
  #values = [];

  constructor(svg) {
    this.#line = svg.querySelector('polyline');
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > POINTS) this.#values.shift();
    this.#draw();
  }

  /** The mean of the last `count` values; 0 before there are as many. */
  recent(count) {
    const last = this.#values.slice(-count);
    return last.length < count ? 0 : last.reduce((sum, value) => sum + value, 0) / count;
  }

  clear() {
    this.#values = [];
    this.#draw();
  }

  /** Zero is the bottom line, so that the height means something. */
  #draw() {
    const top = Math.max(...this.#values, 1e-9) * 1.15;
    const from = POINTS - this.#values.length;
    const points = this.#values.map((value, index) => {
      const x = ((from + index) * WIDTH) / (POINTS - 1);
      const y = HEIGHT - MARGIN - (value / top) * (HEIGHT - 2 * MARGIN);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    this.#line.setAttribute('points', points.join(' '));
  }
}
