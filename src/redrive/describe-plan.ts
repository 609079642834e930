import type { DeadLetter } from '../types.ts';
import { base64Of, isoOf, printable, valueText } from './describe.ts';
import { idOf } from './letter.ts';
import type { Plan } from './plan.ts';

/** What would be done with a letter, in one line. */
export function planLine(letter: DeadLetter, plan: Plan): string {
  return printable(`${idOf(letter)} ${planText(plan)}`);
}

function planText(plan: Plan): string {
  if (plan.kind === 'kept') return `stays: ${plan.reason}: ${plan.detail}`;
  if (plan.kind === 'decision') return `to sink ${plan.sink}: the decision ${plan.decision.id}`;
  if (plan.kind === 'line') return `to file ${plan.file}: ${plan.line.length} bytes`;
  const { topic, partition, timestamp, key, value, headers } = plan;
  const parts = [
    partition === undefined ? 'partition by key' : `partition ${partition}`,
    key ? `key ${valueText(key)}` : 'no key',
    timestamp === undefined ? 'time of sending' : `time ${isoOf(timestamp)}`,
    `${value.length} bytes`,
    ...Object.entries(headers).map(([name, each]) => `${name}=${valueText(each)}`),
  ];
  return `to topic ${topic}: ${parts.join(', ')}`;
}

/** The same for machines. */
export function planJson(letter: DeadLetter, plan: Plan): object {
  return { id: idOf(letter), ...planFields(plan) };
}

function planFields(plan: Plan): object {
  if (plan.kind === 'kept') return { kept: plan.reason, detail: plan.detail };
  if (plan.kind === 'decision') return { to: { sink: plan.sink } };
  if (plan.kind === 'line') return { to: { file: plan.file }, bytes: plan.line.length };
  const { topic, partition = null, timestamp, key, value, headers } = plan;
  return {
    to: { topic, partition },
    timestamp: timestamp === undefined ? null : isoOf(timestamp),
    key: key && base64Of(key),
    bytes: value.length,
    headers: Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, base64Of(each)])),
  };
}
