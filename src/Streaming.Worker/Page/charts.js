import { element, replace, say } from './dom.js';

// Line charts over time in SVG, with a legend that shows the values under the pointer, and a table of the same numbers.
const space = 'http://www.w3.org/2000/svg';
const rows = 12;

function svg(name, attributes, ...children) {
  const made = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A chart without data. `format` writes a value with its unit; `note` explains the figure. */
export function chart({ title, unit, note, format, axis = format }) {
  const plot = element('div', { className: 'plot' });
  const legend = element('ul', { className: 'legend' });
  const empty = element('p', { className: 'muted' });
  const body = element('tbody');
  const head = element('thead');
  const table = element(
    'details',
    {},
    element('summary', {}, 'Table'),
    element('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': `${title}: table` }, element('table', {}, head, body)),
  );
  table.addEventListener('toggle', () => state && fillTable());
  const figure = element(
    'figure',
    {},
    element('figcaption', {}, element('h2', {}, title), element('span', { className: 'muted' }, unit)),
    note ? element('p', { className: 'muted' }, note) : null,
    legend,
    plot,
    empty,
    table,
  );
  let state = null;
  let cursor = null;

  function draw(data) {
    state = data;
    const last = data.series.some(line => line.values.some(value => value !== null));
    empty.hidden = last;
    plot.hidden = legend.hidden = table.hidden = !last;
    say(empty, last ? '' : data.empty);
    if (last) {
      drawLines();
      drawLegend();
      if (table.open) {
        fillTable();
      }
    }
  }

  function drawLines() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = Math.max(plot.clientWidth, 12 * rem);
    const height = 11 * rem;
    const box = { left: 3.4 * rem, right: width - 0.6 * rem, top: 0.6 * rem, bottom: height - 1.7 * rem };
    const { at, series, step } = state;
    const [from, to] = [at[0], Math.max(at[at.length - 1], at[0] + 10 * step)];
    const [low, high, ticks] = scale(series, state.zero !== false);
    const x = time => box.left + ((box.right - box.left) * (time - from)) / (to - from);
    const y = value => box.bottom - ((box.bottom - box.top) * (value - low)) / (high - low);
    const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': describe() });
    for (const tick of ticks) {
      picture.append(
        svg('line', { class: 'grid', x1: box.left, x2: box.right, y1: y(tick), y2: y(tick) }),
        svg('text', { x: box.left - 0.4 * rem, y: y(tick) + 0.3 * rem, 'text-anchor': 'end' }, axis(tick, high)),
      );
    }
    for (const [time, label] of times(from, to, (box.right - box.left) / (5 * rem))) {
      picture.append(
        svg('line', { class: 'grid', x1: x(time), x2: x(time), y1: box.bottom, y2: box.bottom + 0.3 * rem }),
        svg('text', { x: x(time), y: box.bottom + 1.2 * rem, 'text-anchor': 'middle' }, label),
      );
    }
    for (const line of series) {
      picture.append(svg('path', { class: `line ${line.style}`, d: path(at, line.values, x, y, step) }));
    }
    const hair = svg('line', { class: 'hair', y1: box.top, y2: box.bottom });
    picture.append(hair);
    picture.addEventListener('pointermove', event => {
      const place = ((event.clientX - picture.getBoundingClientRect().left) / picture.getBoundingClientRect().width) * width;
      cursor = from + ((to - from) * (place - box.left)) / (box.right - box.left);
      point();
      drawLegend();
    });
    picture.addEventListener('pointerleave', () => {
      cursor = null;
      point();
      drawLegend();
    });
    function point() {
      hair.style.display = cursor === null ? 'none' : '';
      const under = cursor === null ? from : at[nearest(at, cursor)];
      hair.setAttribute('x1', x(under));
      hair.setAttribute('x2', x(under));
    }
    point();
    replace(plot, [picture]);
  }

  function drawLegend() {
    const { at, series } = state;
    const place = cursor === null ? null : nearest(at, cursor);
    replace(legend, [
      ...series.map(line =>
        element(
          'li',
          {},
          swatch(line.style),
          `${line.name} `,
          element('b', {}, format(place === null ? newest(line.values) : line.values[place])),
        ),
      ),
      element('li', { className: 'muted' }, place === null ? 'now' : clock(at[place], true)),
    ]);
  }

  function fillTable() {
    const { at, series } = state;
    const every = Math.max(1, Math.ceil(at.length / rows));
    replace(head, [element('tr', {}, ...['Time', ...series.map(line => line.name)].map(name => element('th', { scope: 'col' }, name)))]);
    const places = at
      .map((_, i) => i)
      .filter(i => (at.length - 1 - i) % every === 0)
      .reverse();
    replace(
      body,
      places.map(i =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, clock(at[i], true)),
          ...series.map(line => element('td', {}, format(line.values[i]))),
        ),
      ),
    );
  }

  function describe() {
    const { at, series } = state;
    const lines = series
      .filter(line => line.values.some(value => value !== null))
      .map(line => {
        const values = line.values.filter(value => value !== null);
        return `${line.name} now ${format(newest(line.values))}, between ${format(Math.min(...values))} and ${format(Math.max(...values))}`;
      });
    return `${title} from ${clock(at[0], true)} to ${clock(at[at.length - 1], true)}: ${lines.join('; ')}`;
  }

  new ResizeObserver(() => state && !plot.hidden && drawLines()).observe(figure);
  return { figure, draw };
}

function swatch(style) {
  return svg('svg', { class: 'swatch', viewBox: '0 0 20 8', 'aria-hidden': 'true' }, svg('path', { class: `line ${style}`, d: 'M0 4H20' }));
}

function newest(values) {
  for (let i = values.length - 1; i >= Math.max(0, values.length - 5); i--) {
    if (values[i] !== null) {
      return values[i];
    }
  }
  return null;
}

/** Round numbers from the lowest to the highest value, or from zero. */
function scale(series, fromZero) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of series) {
    for (const value of line.values) {
      if (value !== null) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  low = fromZero ? Math.min(0, low) : low;
  if (high - low < 1e-9) {
    high = low + (Math.abs(low) || 1);
  }
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * power).find(size => size >= rough);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return [first * step, last * step, Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)];
}

function path(at, values, x, y, step) {
  let text = '';
  let open = false;
  for (let i = 0; i < at.length; i++) {
    if (values[i] === null) {
      open = false;
      continue;
    }
    // A pause is a gap, not a line.
    open = open && at[i] - at[i - 1] < 5 * step;
    text += `${open ? 'L' : 'M'}${x(at[i]).toFixed(1)} ${y(values[i]).toFixed(1)}${open ? '' : 'h.1'}`;
    open = true;
  }
  return text;
}

const minute = 60_000;

function times(from, to, most) {
  const step =
    [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360].map(size => size * minute).find(size => (to - from) / size <= most) ??
    720 * minute;
  const local = new Date(from).getTimezoneOffset() * minute;
  const ticks = [];
  for (let time = Math.ceil((from - local) / step) * step + local; time <= to; time += step) {
    ticks.push([time, clock(time, step < minute)]);
  }
  return ticks;
}

function clock(time, withSeconds) {
  return new Date(time).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...(withSeconds ? { second: '2-digit' } : {}) });
}

function nearest(at, time) {
  let [low, high] = [0, at.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && time - at[low - 1] < at[low] - time ? low - 1 : low;
}
