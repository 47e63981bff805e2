import { $, compact, decimals, duration, element, replace, say, whole } from './dom.js';
import { get, Refusal } from './api.js';
import { chart } from './charts.js';
import { Past } from './past.js';

const share = value => decimals(value, 4);
const drawEvery = 2000;
const generationsEvery = 10_000;
const perSecond = value => (value === null ? '–' : `${compact(value)}/s`);

const charts = [
  [
    chart({
      title: 'Recall@20',
      unit: 'share of events',
      format: share,
      axis: value => decimals(value, 2),
      note: 'By width, against the strongest simple method.',
    }),
    past => ({ series: past.recall(), empty: 'No example was scored yet.' }),
  ],
  [
    chart({ title: 'Throughput', unit: 'records per second', format: perSecond, axis: compact }),
    past => ({ series: past.rates(), empty: 'Rates need two samples.' }),
  ],
  [
    chart({ title: 'Loss', unit: 'nats, last step', format: value => decimals(value, 3), axis: value => decimals(value, 1) }),
    past => ({ series: past.loss(), zero: false, empty: 'No training step was made yet.' }),
  ],
  [
    chart({ title: 'Lag', unit: 'records and items waiting', format: compact }),
    past => ({ series: past.waiting(), empty: 'The ends of the partitions are not known yet.' }),
  ],
  [
    chart({ title: 'Freshness', unit: 'from event to Redis', format: duration }),
    past => ({ series: past.freshness(), empty: 'Nothing was published in the last 30 seconds of this period.' }),
  ],
  [
    chart({ title: 'Memory bank', unit: 'entries', format: compact }),
    past => ({ series: past.bank(), empty: 'The memory bank is not filled yet.' }),
  ],
  [
    chart({ title: 'Drift', unit: 'of item embeddings over 10 steps, relative', format: value => decimals(value, 3) }),
    past => ({ series: past.drift(), empty: 'Drift compares item embeddings 10 steps apart; there was nothing to compare yet.' }),
  ],
];
replace(
  $('charts'),
  charts.map(([{ figure }]) => figure),
);

let past = new Past('second');
let drawn = -Infinity;
let asked = -Infinity;

export function show(query) {
  const resolution = query.get('range') === 'day' ? 'minute' : 'second';
  for (const link of $('ranges').children) {
    link.removeAttribute('aria-current');
    if ((link.dataset.range === 'day') === (resolution === 'minute')) {
      link.setAttribute('aria-current', 'true');
    }
  }
  if (past.resolution !== resolution) {
    past = new Past(resolution);
  }
  drawn = asked = -Infinity;
}

export function fail(error, health) {
  if (!(error instanceof Refusal)) {
    throw error;
  }
  say($('index'), error.message);
  $('index').classList.add('error');
  tellParts(health);
}

/** Shows the status; figures over time and generations are asked for more rarely. */
export function update(status, health) {
  say($('index'), describe(status.index));
  $('index').classList.toggle('error', Boolean(status.index?.error));
  say($('trial'), describeTrial(status.trial));
  tellParts(health);
  const { pipeline } = status;
  $('training').hidden = $('ranges').hidden = !pipeline;
  $('dead-panel').hidden = !pipeline;
  say(
    $('no-training'),
    pipeline
      ? ''
      : status.trains
        ? `Nothing is being trained now: the trainer is ${health?.parts?.trainer ?? 'starting'}.`
        : 'This process serves lookups and trains no model. The worker (streaming run) shows the figures of training on its own page.',
  );
  if (pipeline) {
    tellNow(pipeline);
    tellQuality(pipeline);
    tellDead(pipeline);
  }
  ask(pipeline).catch(error => {
    if (!(error instanceof Refusal)) {
      throw error;
    }
  });
}

async function ask(pipeline) {
  if ($('live').hidden) {
    return;
  }
  const now = performance.now();
  if (pipeline && now - drawn >= drawEvery) {
    drawn = now;
    const current = past;
    await current.extend();
    if (current === past) {
      for (const [{ draw }, read] of charts) {
        draw({ at: past.at, step: past.step, ...(past.at.length ? read(past) : { series: [], empty: past.empty }) });
      }
    }
  }
  if (now - asked >= generationsEvery) {
    asked = now;
    await tellGenerations();
  }
}

function describe(index) {
  if (!index) {
    return '';
  }
  const of = index.load?.expected ? ` of ${whole(index.load.expected)}` : '';
  const load = index.load ? `loading generation ${index.load.generation}: ${whole(index.load.loaded)} items${of}` : '';
  const state = {
    loading: 'The index is not loaded yet',
    unpublished: 'No generation is published yet, so that nothing can be looked up',
    fresh: `Serving ${whole(index.items)} items of generation ${index.generation}`,
    stale: `Serving ${whole(index.items)} items of generation ${index.generation}, not refreshed for ${index.age.split('.')[0]}`,
  }[index.phase];
  return `${[state, load, index.error].filter(Boolean).join('; ')}.`;
}

function describeTrial(trial) {
  return !trial
    ? ''
    : trial.reason
      ? `Generation ${trial.generation} is on trial and cannot be served: ${trial.reason}. Its users are answered like the others.`
      : `Generation ${trial.generation} is on trial: its ${whole(trial.items)} items answer ${decimals(100 * trial.share, 1)} % of the users.`;
}

function tellNow(now) {
  const lines = [
    ['Events read', whole(now.counts.read), now.counts.duplicates ? `${whole(now.counts.duplicates)} duplicates` : ''],
    ['Trained on', whole(now.counts.trained), now.overloaded ? 'overloaded: a share is left out' : `${whole(now.steps)} steps`],
    ['Lag', whole(now.lag), 'records at the broker'],
    [
      'Freshness',
      duration(now.freshness.p50),
      now.freshness.p99 === null ? 'nothing was published lately' : `99 %: ${duration(now.freshness.p99)}`,
    ],
    ['Items', whole(now.items), now.waiting ? `${whole(now.waiting)} wait to be published` : 'all published'],
    ['Memory bank', whole(now.bank.used), now.bank.isOn ? `in use of ${whole(now.bank.held)}` : 'warming up'],
    ['Drift', decimals(now.drift.at(-1), 3), 'over 10 steps'],
    [
      'Dead letters',
      whole(now.counts.deadLettered),
      now.counts.read ? `${decimals((100 * now.counts.deadLettered) / now.counts.read, 2)} % of events` : '',
    ],
  ];
  replace(
    $('now'),
    lines.map(([name, value, more]) =>
      element(
        'div',
        {},
        element('dt', {}, name),
        element('dd', {}, element('b', {}, value), ' ', element('span', { className: 'muted' }, more)),
      ),
    ),
  );
}

function tellQuality({ widths, methods }) {
  const row = (name, figures) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, name),
      ...[
        decimals(figures.loss, 3),
        ...[figures.recall, figures.ndcg, figures.newItems, figures.repeats].map(value => (figures.examples ? share(value) : '–')),
      ].map(text => element('td', {}, text)),
    );
  replace($('quality'), [...widths.map(width => row(`width ${width.width}`, width)), ...methods.map(method => row(method.name, method))]);
}

function tellDead({ deadLetters }) {
  say(
    $('no-dead'),
    deadLetters.length
      ? 'Records that could not be used, since this process started.'
      : 'No record was refused since this process started.',
  );
  replace(
    $('dead'),
    deadLetters.map(dead =>
      element(
        'li',
        {},
        element('b', {}, whole(dead.records)),
        ` ${dead.reason} `,
        element('span', { className: 'muted' }, `in ${dead.topic}`),
      ),
    ),
  );
}

function tellParts(health) {
  replace(
    $('parts'),
    Object.entries(health?.parts ?? {}).map(([part, state]) => {
      const [level, ...reason] = state.split(': ');
      return element(
        'li',
        { className: 'part', 'data-level': level },
        element('span', { className: 'dot', 'aria-hidden': 'true' }),
        element('b', {}, part),
        ` ${level}`,
        reason.length ? element('span', { className: 'muted' }, `: ${reason.join(': ')}`) : '',
      );
    }),
  );
}

async function tellGenerations() {
  try {
    const { active, records } = await get('generations');
    $('generations-table').hidden = !records.length;
    say($('no-generations'), records.length ? '' : 'No generation is published yet.');
    replace(
      $('generations'),
      records.map(record =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, `${record.generation}`),
          ...[
            record.generation === active ? 'read now' : record.generation > active ? 'next' : 'earlier',
            record.widths.join(', '),
            whole(record.items),
            whole(record.step),
            record.examples ? share(record.recall) : '–',
            new Date(record.written).toLocaleString('en-GB'),
          ].map(text => element('td', {}, text)),
        ),
      ),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    $('generations-table').hidden = true;
    say($('no-generations'), error.message);
  }
}
