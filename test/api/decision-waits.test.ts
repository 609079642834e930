import { describe, expect, it } from 'vitest';
import { createDecisionWaits } from '../../src/api/decision-waits.ts';
import { sampleDecision } from '../sample-decision.ts';
import { rawBatch } from '../ingest/raw-batch.ts';

const batchOf = (...offsets: number[]) =>
  rawBatch(
    offsets.map((offset) => JSON.stringify(sampleDecision(offset))),
    { headers: offsets.map((offset) => ({ id: Buffer.from(`content-0-${offset}`) })) },
  );
const never = new AbortController().signal;
const LONG = 60_000;

describe('waiting for decisions', () => {
  it('tells each of several that wait, of their decision only', async () => {
    const waits = createDecisionWaits();
    const waiting = [1, 2, 1].map((offset) => waits.wait(`content-0-${offset}`, LONG, never));
    waits.arrived(batchOf(3, 2, 1));
    expect((await Promise.all(waiting)).map((decision) => decision?.id)).toEqual([
      'content-0-1',
      'content-0-2',
      'content-0-1',
    ]);
  });

  it('knows decisions that came before anybody asked', async () => {
    const waits = createDecisionWaits();
    waits.arrived(batchOf(1));
    expect(await waits.wait('content-0-1', LONG, never)).toMatchObject({ content_id: 'post-1' });
    expect(await waits.wait('content-0-1', 0, never)).toMatchObject({ content_id: 'post-1' });
  });

  it('forgets the oldest of them', async () => {
    const waits = createDecisionWaits();
    const offsets = Array.from({ length: 5000 }, (_, offset) => offset);
    waits.arrived(batchOf(...offsets));
    expect(await waits.wait('content-0-0', 0, never)).toBeUndefined();
    expect(await waits.wait('content-0-4999', 0, never)).toMatchObject({ id: 'content-0-4999' });
  });

  it('gives up when the time is over, and when the client is gone', async () => {
    const waits = createDecisionWaits();
    const gone = new AbortController();
    const waiting = waits.wait('content-0-1', LONG, gone.signal);
    gone.abort();
    expect(await waiting).toBeUndefined();
    expect(await waits.wait('content-0-1', LONG, gone.signal)).toBeUndefined();
    expect(await waits.wait('content-0-1', 1, never)).toBeUndefined();
  });

  it('passes over what is no decision', async () => {
    const waits = createDecisionWaits();
    const waiting = waits.wait('content-0-1', LONG, never);
    waits.arrived(rawBatch(['{}', null]));
    waits.arrived(
      rawBatch(['not json', null], {
        headers: [{ id: Buffer.from('content-0-1') }, { id: Buffer.from('content-0-1') }],
      }),
    );
    waits.arrived(batchOf(1));
    expect(await waiting).toMatchObject({ id: 'content-0-1' });
  });
});
