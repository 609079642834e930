import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf, REDRIVEN, timesOf } from '../../src/redrive/letter.ts';
import { lineOf } from '../../src/redrive/line.ts';
import { planOf, topicOf, type PlanRules } from '../../src/redrive/plan.ts';
import type { DeadLetter } from '../../src/types.ts';
import { sampleDecision } from '../sample-decision.ts';
import { anyLetter, letterAt } from './letters.ts';

const NOW = Date.parse('2026-03-03T00:00:00Z');
const FACTS = { partitions: 3, retention: Infinity };
const rulesOf = (instead: Partial<PlanRules> = {}): PlanRules => ({
  now: NOW,
  again: false,
  truncated: false,
  maxTimes: 3,
  timestamps: 'original',
  reads: (topic) => topic === 'content',
  sinks: ['hooks'],
  ledger: new Map(),
  ...instead,
});
const plan = (letter: DeadLetter, rules: Partial<PlanRules> = {}, facts = FACTS) =>
  planOf(letter, rulesOf(rules), topicOf(letter, rulesOf(rules)) === undefined ? undefined : facts);
const anyRules = fc.record({
  again: fc.boolean(),
  truncated: fc.boolean(),
  maxTimes: fc.nat(4),
  timestamps: fc.constantFrom<'original' | 'now'>('original', 'now'),
  to: fc.constantFrom(undefined, 'mended'),
  out: fc.constantFrom(undefined, '/tmp/lines'),
});
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();

describe('redrive plan', () => {
  it('sends a message as it was, with what tells that it was sent back', () => {
    const headers = { customer: Buffer.from('acme') };
    const letter = letterAt(7, { key: Buffer.from('k'), headers, partition: 2 });
    const planned = plan(letter);
    expect(planned).toMatchObject({ kind: 'message', topic: 'content', partition: 2, key: letter.key });
    if (planned.kind !== 'message') throw new Error('expected a message');
    expect(planned.value).toEqual(letter.bytes);
    expect(planned.timestamp).toBe(letter.timestamp);
    expect(Object.entries(planned.headers).map(([name, value]) => [name, text(value)])).toEqual([
      ['customer', 'acme'],
      [REDRIVEN.id, 'content-2-7'],
      [REDRIVEN.at, '2026-03-03T00:00:00.000Z'],
      [REDRIVEN.times, '1'],
    ]);
  });

  it('changes no byte, key or header of any message, and sends none that it must not', () => {
    fc.assert(
      fc.property(anyLetter, anyRules, fc.boolean(), (letter, rules, isDone) => {
        const ledger = new Map(isDone ? [[keyOf(letter), { at: 'then', to: 'there' }]] : []);
        const planned = plan(letter, { ...rules, ledger });
        if (planned.kind === 'kept') return;
        expect(isDone && !rules.again).toBe(false);
        expect(timesOf(letter)).toBeLessThan(rules.maxTimes);
        if (letter.detail.endsWith('are kept') && letter.code === 'too_large')
          expect(rules.truncated).toBe(true);
        if (planned.kind === 'line') {
          expect(planned.line).not.toContain(0x0a);
          return;
        }
        if (planned.kind !== 'message') throw new Error(`expected a message, got ${planned.kind}`);
        expect(planned.value).toEqual(letter.bytes);
        expect(planned.key).toEqual(letter.key);
        const names = Object.keys(letter.headers ?? {});
        for (const name of names) expect(planned.headers[name]).toEqual(letter.headers![name]);
        expect(Object.keys(planned.headers)).toHaveLength(names.length + 3);
      }),
    );
  });

  it('counts how often, and ends', () => {
    let letter = letterAt(1);
    for (const times of [1, 2, 3]) {
      const planned = plan(letter);
      if (planned.kind !== 'message') throw new Error('expected a message');
      expect(text(planned.headers[REDRIVEN.times])).toBe(String(times));
      letter = letterAt(letter.offset + 10, { headers: planned.headers });
    }
    expect(plan(letter)).toEqual({ kind: 'kept', reason: 'too_many_times', detail: '3 times' });
    expect(plan(letter, { maxTimes: 4 }).kind).toBe('message');
    // What a producer wrote there is no number of ours.
    expect(timesOf(letterAt(1, { headers: { [REDRIVEN.times]: Buffer.from('-1e9') } }))).toBe(0);
  });

  it('keeps what cannot go anywhere, and says why', () => {
    const truncated = letterAt(1, {
      code: 'too_large',
      detail: 'expected at most 5 bytes, got 9; only the first 5 are kept',
    });
    expect(plan(truncated)).toMatchObject({ kind: 'kept', reason: 'truncated' });
    expect(plan(truncated, { truncated: true }).kind).toBe('message');
    expect(plan({ ...truncated, detail: 'text: expected at most 5 bytes of UTF-8, got more' }).kind).toBe(
      'message',
    );
    expect(plan(letterAt(1, { topic: 'gone' }))).toMatchObject({ reason: 'not_read', detail: 'gone' });
    expect(plan(letterAt(1, { topic: 'gone' }), { to: 'content' }).kind).toBe('message');
    expect(plan(letterAt(1, { bytes: Buffer.from('no\njson') }), { out: 'f' })).toMatchObject({
      reason: 'not_a_line',
    });
  });

  it('leaves the partition to the key in another topic, and where the topic has fewer', () => {
    expect(plan(letterAt(1, { partition: 2 }), { to: 'mended' })).not.toHaveProperty('partition');
    expect(plan(letterAt(1, { partition: 3 }))).not.toHaveProperty('partition');
  });

  it('does not send what the topic would delete before it is read', () => {
    const hour = 3_600_000;
    const aged = (hours: number, rules: Partial<PlanRules> = {}) =>
      plan(letterAt(1, { timestamp: NOW - hours * hour }), rules, { partitions: 1, retention: 10 * hour });
    expect(aged(8.9).kind).toBe('message');
    expect(aged(9.1)).toMatchObject({ reason: 'too_old', detail: 'content keeps messages for 10.0 hours' });
    expect(aged(9.1, { timestamps: 'now' })).not.toHaveProperty('timestamp');
  });

  it('tells a decision to the sink that refused it', () => {
    const decision = sampleDecision(3);
    const refused = (sink: string, bytes = JSON.stringify(decision)) =>
      letterAt(3, {
        stage: 'deliver',
        bytes: Buffer.from(bytes),
        headers: { 'sluice-sink': Buffer.from(sink) },
      });
    expect(plan(refused('hooks'))).toEqual({ kind: 'decision', sink: 'hooks', decision });
    expect(plan(refused('hook'))).toMatchObject({ reason: 'no_sink', detail: 'hook; did you mean "hooks"?' });
    expect(plan(refused('hooks', '{}'))).toMatchObject({ reason: 'not_a_decision' });
    expect(plan(refused('hooks'), { out: 'f' })).toMatchObject({ reason: 'for_a_sink' });
    // Two sinks refused it: the one that has it now must not hide the other.
    const ledger = new Map([[keyOf(refused('hooks')), { at: 'then', to: 'sink hooks' }]]);
    expect(plan(refused('hooks'), { ledger })).toMatchObject({ reason: 'sent_before' });
    expect(plan(refused('scores'), { ledger, sinks: ['hooks', 'scores'] }).kind).toBe('decision');
  });
});

describe('a message as a line', () => {
  it('means the same, on one line, digits and all', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(4), (json, indent) => {
        const pretty = JSON.stringify(JSON.parse(json), null, indent);
        const line = lineOf(Buffer.from(pretty))!;
        expect(line).not.toContain(0x0a);
        expect(JSON.parse(text(line)!)).toEqual(JSON.parse(pretty));
      }),
    );
    expect(text(lineOf(Buffer.from('{"a":\n12345678901234567890}')))).toBe('{"a": 12345678901234567890}');
  });
});
