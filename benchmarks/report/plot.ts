/** One line of a plot: its points from left to right. */
export interface Line {
  readonly title: string;
  readonly points: readonly { readonly label: string; readonly value: number }[];
}

const WIDTH = 360;
const HEIGHT = 220;
const MARGIN = { left: 62, right: 14, top: 34, bottom: 44 } as const;

/**
 * An SVG of small plots side by side, each with its own scale from zero: values against labels in equal steps. Colours hold
 * on light and on dark pages.
 */
export function plotOf(options: {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}): string {
  const { title, unit, lines } = options;
  const width = WIDTH * lines.length;
  const parts = lines.map((line, at) => `<g transform="translate(${at * WIDTH} 0)">${panel(line, unit)}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" font-family="sans-serif" font-size="11">
<title>${escape(title)}</title>
<rect width="${width}" height="${HEIGHT}" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`;
}

function panel({ title, points }: Line, unit: string): string {
  const top = niceCeiling(Math.max(...points.map(({ value }) => value)));
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const x = (at: number) => MARGIN.left + ((at + 0.5) * inner.width) / points.length;
  const y = (value: number) => MARGIN.top + inner.height * (1 - value / top);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const height = y(top * share).toFixed(1);
    const label = (top * share).toLocaleString('en', { maximumFractionDigits: 1 });
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height}" y2="${height}" stroke="#d0d7de"/><text x="${MARGIN.left - 6}" y="${Number(height) + 4}" text-anchor="end" fill="#57606a">${label}</text>`;
  });
  const path = points.map(({ value }, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const dots = points.map(
    ({ label, value }, at) =>
      `<circle cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="#0969da"><title>${escape(label)}: ${Math.round(value).toLocaleString('en')} ${escape(unit)}</title></circle><text x="${x(at).toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle" fill="#57606a">${escape(label)}</text>`,
  );
  return `<text x="${MARGIN.left}" y="18" fill="#1f2328" font-weight="bold">${escape(title)}</text><text x="${WIDTH - MARGIN.right}" y="18" text-anchor="end" fill="#57606a">${escape(unit)}</text>${grid.join('')}<polyline points="${path}" fill="none" stroke="#0969da" stroke-width="2"/>${dots.join('')}`;
}

/** The least of 1, 2, 4, 5 or 10 times a power of ten that is not below the value. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((step) => step * power >= value)! * power;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
