import { get } from './api.js';

const second = 1000;

/** The figures over time that the server keeps, extended by what is new. */
export class Past {
  at = [];
  #columns = {};
  #widths = [];
  #baseline = '';

  constructor(resolution) {
    this.resolution = resolution;
    this.step = resolution === 'minute' ? 60 * second : second;
    this.kept = resolution === 'minute' ? 24 * 60 : 15 * 60;
  }

  get empty() {
    return this.resolution === 'minute' ? 'The first minute is not over yet.' : 'No sample was taken yet.';
  }

  async extend() {
    const since = this.at.at(-1) ?? 0;
    const { at, widths, baselineName, recall, loss, ...columns } = await get(`figures?resolution=${this.resolution}&since=${since}`);
    if (!at.length || (this.at.at(-1) ?? 0) !== since) {
      return;
    }
    if (`${widths}` !== `${this.#widths}`) {
      // A model of another shape: its widths begin here.
      this.#widths = widths;
      const gap = this.at.map(() => null);
      for (let k = 0; k < widths.length; k++) {
        this.#columns[`recall${k}`] = [...gap];
        this.#columns[`loss${k}`] = [...gap];
      }
    }
    this.#baseline = baselineName;
    const all = {
      ...columns,
      ...Object.fromEntries(
        widths.flatMap((_, k) => [
          [`recall${k}`, recall[k]],
          [`loss${k}`, loss[k]],
        ]),
      ),
    };
    this.at = [...this.at, ...at].slice(-this.kept);
    for (const [name, values] of Object.entries(all)) {
      this.#columns[name] = [...(this.#columns[name] ?? []), ...values].slice(-this.kept);
    }
  }

  recall() {
    const { recallFused: fused, recallBaseline: baseline } = this.#columns;
    return [
      ...this.#byWidth('recall'),
      ...(fused.some(value => value !== null) ? [{ name: `width ${this.#widths.at(-1)} + counts`, style: 'fused', values: fused }] : []),
      ...(this.#baseline ? [{ name: `${this.#baseline} (baseline)`, style: 'base', values: baseline }] : []),
    ];
  }

  loss() {
    return this.#byWidth('loss');
  }

  rates() {
    return [
      { name: 'read', style: 's0', values: this.#rate('read') },
      { name: 'dead letters', style: 'bad', values: this.#rate('deadLetters') },
    ];
  }

  waiting() {
    return [
      { name: 'records at the broker', style: 's0', values: this.#columns.lag },
      { name: 'embeddings to publish', style: 's2', values: this.#columns.waiting },
    ];
  }

  freshness() {
    return [
      { name: 'median', style: 's0', values: this.#columns.freshnessP50 },
      { name: '99 %', style: 's2', values: this.#columns.freshnessP99 },
    ];
  }

  bank() {
    return [
      { name: 'in use', style: 's0', values: this.#columns.bankUsed },
      { name: 'held', style: 's2', values: this.#columns.bankHeld },
    ];
  }

  drift() {
    return [{ name: 'drift', style: 's0', values: this.#columns.drift }];
  }

  #byWidth(figure) {
    return this.#widths.map((width, k) => ({ name: `width ${width}`, style: `s${k % 6}`, values: this.#columns[figure + k] }));
  }

  /** Counts by second; a worker that returned to a checkpoint counts from there. */
  #rate(name) {
    const values = this.#columns[name];
    return values.map((value, i) =>
      i === 0 || value < values[i - 1] ? null : ((value - values[i - 1]) * second) / (this.at[i] - this.at[i - 1]),
    );
  }
}
