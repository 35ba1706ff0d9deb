import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import type { Overview } from './api.ts';
import { axisTime, count, fullTime, timeOfDay } from './format.ts';

/** Told apart by people who see colours differently, on light and dark ground (Okabe and Ito). */
const colours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#b5a900', '#7f7f7f'];
const height = 260;

interface Layer {
  readonly name: string;
  readonly machines: readonly number[];
}

const plus = (a: readonly number[], b: readonly number[]): readonly number[] =>
  b.map((value, index) => value + (a[index] ?? 0));

/** As many templates as there are colours for; all others together are the last. */
const layersOf = ({ capacity }: Overview): readonly Layer[] => {
  const named = capacity.slice(0, capacity.length > colours.length ? colours.length - 1 : colours.length);
  const others = capacity.slice(named.length);
  const layers = named.map(({ templateId, machines }) => ({ name: templateId, machines }));
  if (others.length === 0) return layers;
  const sum = others.reduce<readonly number[]>((all, { machines }) => plus(all, machines), []);
  return [...layers, { name: `${others.length} other templates`, machines: sum }];
};

/** Marks at the foot of the chart where AWS refused capacity. */
const refusalMarks = (refusals: Overview['refusals']) => (plot: UPlot) => {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = getComputedStyle(plot.root).getPropertyValue('--bad');
  const [size, foot] = [5 * devicePixelRatio, bbox.top + bbox.height];
  for (const { at } of refusals) {
    const x = plot.valToPos(Date.parse(at) / 1000, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, foot - 2 * size);
    ctx.lineTo(x + size, foot);
    ctx.lineTo(x - size, foot);
    ctx.fill();
  }
  ctx.restore();
};

/** A count holds until the next. */
const stepped = UPlot.paths.stepped?.({ align: -1 });
const steps = stepped === undefined ? {} : { paths: stepped };

const optionsOf = (box: HTMLElement, layers: readonly Layer[], refusals: Overview['refusals']): UPlot.Options => {
  const style = getComputedStyle(box);
  const [stroke, grid] = [style.getPropertyValue('--faint'), { stroke: style.getPropertyValue('--line'), width: 1 }];
  const axis = { stroke, grid, ticks: grid, font: '12px system-ui, "DejaVu Sans", sans-serif' };
  return {
    width: box.clientWidth,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.05)] } },
    axes: [
      { ...axis, values: (_plot, splits) => splits.map((seconds) => axisTime(seconds * 1000)) },
      { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] },
    ],
    // The highest sum is drawn first, the others over it.
    series: [
      {},
      ...layers.toReversed().map(({ name }, index) => {
        const colour = colours[layers.length - 1 - index] ?? stroke;
        return { label: name, stroke: colour, fill: colour, width: 1, points: { show: false }, ...steps };
      }),
    ],
    hooks: { draw: [refusalMarks(refusals)] },
  };
};

const dataOf = ({ from, step }: Overview, layers: readonly Layer[]): UPlot.AlignedData => {
  const start = Date.parse(from);
  const times = (layers[0]?.machines ?? []).map((_, index) => (start + (index + 1) * step) / 1000);
  let below: readonly number[] = [];
  const sums = layers.map(({ machines }) => {
    below = plus(below, machines);
    return [...below];
  });
  return [times, ...sums.toReversed()];
};

/** In words, for those who do not see it. */
const summary = (overview: Overview, layers: readonly Layer[]): string => {
  const total = layers.reduce<readonly number[]>((all, { machines }) => plus(all, machines), []);
  const most = Math.max(0, ...total);
  const mostAt = Date.parse(overview.from) + (total.indexOf(most) + 1) * overview.step;
  return `${count(total.at(-1) ?? 0)} machines now; at most ${count(most)}, at ${fullTime(new Date(mostAt).toISOString())}; ${overview.refusals.length} refusals.`;
};

/** How many machines each template had over time, one upon the other. */
export const CapacityChart = ({ overview }: { readonly overview: Overview }) => {
  const box = useRef<HTMLDivElement>(null);
  const layers = layersOf(overview);
  useEffect(() => {
    const parent = box.current;
    if (parent === null || layers.length === 0) return undefined;
    const plot = new UPlot(optionsOf(parent, layers, overview.refusals), dataOf(overview, layers), parent);
    const fit = new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height }));
    fit.observe(parent);
    return () => {
      fit.disconnect();
      plot.destroy();
    };
  }, [overview]);
  const [latest] = overview.refusals;
  return (
    <figure style={{ margin: 0 }}>
      <figcaption class="hidden">{summary(overview, layers)}</figcaption>
      {layers.length === 0 && <p class="faint">No machines in this time.</p>}
      <div class="chart" ref={box} aria-hidden="true" />
      <ul class="legend">
        {layers.map(({ name, machines }, index) => (
          <li key={name}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" rx="2" fill={colours[index]} />
            </svg>{' '}
            {name} <span class="faint">{count(machines.at(-1) ?? 0)}</span>
          </li>
        ))}
        {latest !== undefined && (
          <li class="bad">
            ▲ refused by AWS, last at {timeOfDay(latest.at)}: {latest.missing} of {latest.templateId}, {latest.code}
          </li>
        )}
      </ul>
    </figure>
  );
};
