import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createAddressCheck } from '../../../src/sinks/webhooks/address.ts';
import { breakerStep, CLOSED, type BreakerState } from '../../../src/sinks/webhooks/breaker.ts';
import { messageOf, printableId } from '../../../src/sinks/webhooks/message.ts';
import { outcomeOf, retryAfterMillis } from '../../../src/sinks/webhooks/outcome.ts';
import { jobIdOf } from '../../../src/sinks/webhooks/queue.ts';
import { retryDelay, scheduleLength } from '../../../src/sinks/webhooks/schedule.ts';
import { secretKey } from '../../../src/sinks/webhooks/secret.ts';
import { signatureHeaders } from '../../../src/sinks/webhooks/sign.ts';
import { sampleDecision } from '../../sample-decision.ts';

describe('addresses', () => {
  const isPublic = createAddressCheck([]);

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '168.63.129.16',
    '::ffff:168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '4000::1',
    '',
    'example.com',
    '1.2.3',
    '1.2.3.4.5',
  ])('refuses %s', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '172.32.0.1',
    '168.63.129.17',
    '2606:4700::1111',
    '2a00:1450:4001::1',
    '::ffff:8.8.8.8',
  ])('allows %s', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it('allows blocks that are named, and nothing beside them', () => {
    const isAllowed = createAddressCheck(['10.1.0.0/16', 'fd00:1::/32']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::5', '8.8.8.8'].map(isAllowed)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['10.2.0.1', '127.0.0.1', 'fd00:2::5', '::1'].map(isAllowed)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('signatures', () => {
  const key = fc.uint8Array({ minLength: 24, maxLength: 64 });
  const secretOf = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`;

  it('are what the receivers’ library takes, by each of the secrets', () => {
    fc.assert(
      fc.property(
        fc.array(key, { minLength: 1, maxLength: 3 }),
        fc.string({ unit: 'binary', maxLength: 50 }),
        (keys, text) => {
          const body = JSON.stringify({ text });
          const headers = signatureHeaders({ id: 'content-0-1', at: Date.now(), body, keys });
          for (const each of keys)
            expect(new Webhook(secretOf(each)).verify(body, { ...headers })).toEqual({ text });
        },
      ),
    );
  });

  it('are not by another secret, of another body, id or time', () => {
    const keys = [Buffer.alloc(32, 1)];
    const headers = { ...signatureHeaders({ id: 'a', at: Date.now(), body: '{}', keys }) };
    const good = new Webhook(secretOf(keys[0]!));
    expect(good.verify('{}', headers)).toEqual({});
    const later = String(Number(headers['webhook-timestamp']) + 1);
    for (const changed of [{ 'webhook-id': 'b' }, { 'webhook-timestamp': later }])
      expect(() => good.verify('{}', { ...headers, ...changed })).toThrow(/No matching signature/);
    expect(() => good.verify('{"a":1}', headers)).toThrow(/No matching signature/);
    expect(() => new Webhook(secretOf(Buffer.alloc(32, 2))).verify('{}', headers)).toThrow(
      /No matching signature/,
    );
  });

  it('take secrets of 24 to 64 bytes and no others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const found = secretKey(secretOf(bytes));
        expect(found && [...found]).toEqual(
          bytes.length >= 24 && bytes.length <= 64 ? [...bytes] : undefined,
        );
      }),
    );
    const good = secretOf(Buffer.alloc(32, 1));
    for (const bad of [
      good.slice(6),
      good.replace('whsec_', 'WHSEC_'),
      `${good.slice(0, 20)} ${good.slice(20)}`,
      `${good}!`,
    ])
      expect(secretKey(bad)).toBeUndefined();
  });
});

describe('messages', () => {
  it('of the same decisions have the same id, of others another one', () => {
    const offsets = fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(offsets, offsets, (a, b) => {
        const idOf = (list: number[]) =>
          messageOf(
            list.map((offset) => sampleDecision(offset)),
            { batched: true },
          ).id;
        expect(idOf(a)).toBe(idOf(a.toReversed()));
        expect(idOf(a) === idOf(b)).toBe(a.length === b.length && a.every((offset) => b.includes(offset)));
      }),
    );
  });

  it('have ids that headers and queues can hold', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        (text) => {
          expect(printableId(text)).toMatch(/^[\x21-\x7e]*$/);
          expect(jobIdOf(text)).not.toContain(':');
          expect(decodeURIComponent(jobIdOf(`%${text}`).replaceAll(/%(?!25|3A)/g, '%25'))).toBe(`%${text}`);
        },
      ),
    );
    expect(printableId('content.v1-0-12')).toBe('content.v1-0-12');
  });
});

describe('outcomes', () => {
  const answer = (status: number | null, retryAfter?: string) => ({
    status,
    took: 1,
    text: '',
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
  const now = Date.parse('2026-03-01T10:00:00Z');

  it.each([
    [answer(200), 'delivered'],
    [answer(299), 'delivered'],
    [answer(301), 'failed'],
    [answer(400), 'failed'],
    [answer(410), 'gone'],
    [answer(429), 'failed'],
    [answer(429, '7'), 'held'],
    [answer(503, '7'), 'held'],
    [answer(503, 'soon'), 'failed'],
    [answer(500, '7'), 'failed'],
    [answer(null), 'failed'],
  ])('%j is %s', (given, kind) => {
    expect(outcomeOf(given, now).kind).toBe(kind);
  });

  it('wait for seconds or until a date, within bounds', () => {
    expect(
      [
        '7',
        ' 7 ',
        '0',
        '99999',
        'Sun, 01 Mar 2026 10:00:30 GMT',
        'Sun, 01 Mar 2020 10:00:30 GMT',
        '-5',
        '1.5',
        '',
        'x',
        '2026-03-01',
      ].map((text) => retryAfterMillis(text, now)),
    ).toEqual([
      7_000,
      7_000,
      1_000,
      3_600_000,
      30_000,
      1_000,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const millis = retryAfterMillis(text, now);
        if (millis !== undefined) expect(millis >= 1_000 && millis <= 3_600_000).toBe(true);
      }),
    );
  });
});

describe('schedule', () => {
  it('gives each wait once, a tenth shorter or longer', () => {
    const waits = fc.array(fc.integer({ min: 1, max: 1e8 }), { maxLength: 10 });
    fc.assert(
      fc.property(
        waits,
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (schedule, attempts, random) => {
          const delay = retryDelay(schedule, attempts, random);
          const wait = schedule[attempts - 1];
          if (wait === undefined) expect(delay).toBeUndefined();
          else expect(Math.abs(delay! - wait)).toBeLessThanOrEqual(wait / 10 + 1);
        },
      ),
    );
    expect(scheduleLength([1, 2, 3])).toBe(6);
  });
});

describe('breaker', () => {
  const options = { failures: 3, pause: 1_000, max_pause: 8_000 };
  const fail = (state: BreakerState, revision: number, began = revision) =>
    breakerStep(state, { ok: false, began, revision }, options);

  it('opens at so many failures in a row, for longer each time, and closes at the first success', () => {
    let state = CLOSED;
    const pauses: (number | undefined)[] = [];
    for (let revision = 0; revision < 8; revision++) {
      const step = fail(state, revision);
      pauses.push(step.pause);
      state = step.state;
    }
    expect(pauses).toEqual([undefined, undefined, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    expect(breakerStep(state, { ok: true, began: 8, revision: 8 }, options)).toEqual({
      state: CLOSED,
      closed: true,
    });
    expect(breakerStep(CLOSED, { ok: true, began: 8, revision: 8 }, options)).toEqual({ state: CLOSED });
  });

  it('learns nothing from requests that began before it opened', () => {
    const opening = fail({ ...CLOSED, failures: 2 }, 7);
    expect(opening.pause).toBe(1_000);
    expect(fail(opening.state, 8, 7)).toEqual({ state: opening.state });
    expect(fail(opening.state, 8, 8).pause).toBe(2_000);
  });

  it('never opens without that many failures since the last success', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (results) => {
        let state = CLOSED;
        let row = 0;
        for (const [revision, ok] of results.entries()) {
          row = ok ? 0 : row + 1;
          const step = breakerStep(state, { ok, began: revision, revision }, options);
          expect(step.pause !== undefined).toBe(row >= options.failures);
          state = step.state;
        }
      }),
    );
  });
});
