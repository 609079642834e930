import type { FitReport } from './fit.ts';
import type { CascadeLoss } from './loss.ts';

/** What `sluice cascade fit` prints: the band as configuration, then what it costs and saves as comments. Pure. */
export function fitText(report: FitReport): string {
  const { band, fitted, heldOut, rates, maxLoss } = report;
  return [
    'cascade:',
    `  first: ${report.firstModel}`,
    '  band:',
    ...Object.entries(band).map(([label, [low, high]]) => `    ${label}: [${low}, ${high}]`),
    '',
    `# ${report.second} after ${report.first}, ${number(report.texts)} texts`,
    `# the first stage decides ${percent(heldOut.share)} of them; ${number(rates.second)} → ${number(rates.cascade)} texts a CPU second (${(rates.cascade / rates.second).toFixed(2)} times; the first stage alone ${number(rates.first)})`,
    `# largest loss, allowed ${percent(maxLoss)}:`,
    ...fitted.flatMap((loss) => lines('fitted to', loss)),
    ...lines('held out', heldOut),
    ...(heldOut.labels.length === 0 ? ['# nothing is labelled: the loss is the share of other actions'] : []),
  ].join('\n');
}

function lines(name: string, { worst, flips, share, labels }: CascadeLoss): string[] {
  return [
    `#   ${name}: ${percent(worst)}; decided ${percent(share)}, other actions ${percent(flips)}`,
    ...labels.map(
      ({ label, rows, measures }) =>
        `#     ${label} (${number(rows)}): ${measures
          .map((each) => `${each.name} ${each.second.toFixed(4)} → ${each.cascade.toFixed(4)}`)
          .join(', ')}`,
    ),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en');
}
