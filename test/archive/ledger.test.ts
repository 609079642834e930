import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { newestPositions } from '../../src/archive/ledger.ts';
import { archiveAt, idOf, plansOf, writePlan, type Plan, type Story } from './forge.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-ledger-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const row = { customer: 0, day: 0 };
const STORY: Story = [[[row, row], [row]], [[row], [row, 'dead']], [['absent', row]]];
const archive = () => archiveAt(mkdtempSync(join(scratch, 'out-')));

it('is behind the newest finished transaction of each partition', async () => {
  const { store } = archive();
  const { plans, committed } = plansOf(STORY);
  for (const plan of plans) await writePlan(store, plan);
  await writePlan(store, { ...plansOf(STORY, 'other').plans[0]!, id: idOf(50) });
  const found = await newestPositions(store, { pipeline: 'p' });
  const expected = committed.map((position) => ({
    ...position,
    createdAt: expect.any(Number) as number,
    from: 0,
  }));
  expect(found.toSorted((a, b) => a.partition - b.partition)).toEqual(expected);
  expect(await newestPositions(store, { pipeline: 'nobody' })).toEqual([]);
});

it('counts what was committed and not finished, as its visible files tell, and nothing that was only prepared', async () => {
  for (const [until, offset] of [
    ['manifest', 3],
    ['publish', 5],
  ] as const) {
    const { store } = archive();
    const { plans } = plansOf(STORY);
    for (const plan of plans.slice(0, 2)) await writePlan(store, plan);
    await writePlan(store, plans[2]!, until);
    const found = await newestPositions(store, { pipeline: 'p', partitions: [{ topic: 't', partition: 0 }] });
    expect(found.find(({ partition }) => partition === 0)?.offset).toBe(offset);
  }
});

it('reads no further than it must, and an hour more because clocks differ', async () => {
  const forged = archive();
  const { plans } = plansOf(STORY);
  for (const plan of plans) await writePlan(forged.store, plan);
  const late = (plan: Plan, hour: number): Plan => ({ ...plan, id: plan.id.replace('T00', `T0${hour}`) });
  const later = plansOf([...STORY, [[row], [row]]]).plans.at(-1)!;
  await writePlan(forged.store, late(later, 5));
  forged.rewrite(late(later, 5).id, (transaction) => ({
    ...transaction,
    createdAt: '2026-01-03T05:00:00.000Z',
  }));
  const read: string[] = [];
  const store = {
    ...forged.store,
    readManifest: (id: string) => {
      read.push(id);
      return forged.store.readManifest(id);
    },
  };
  const partitions = [0, 1].map((partition) => ({ topic: 't', partition }));
  const found = await newestPositions(store, { pipeline: 'p', partitions });
  expect(found.map(({ offset }) => offset)).toEqual([6, 4]);
  // The hour further begins before the older ones do: their offsets are not looked at.
  expect(found.map(({ from }) => from)).toEqual([5, 3]);
});

it('finds the furthest position even where clocks put transactions in another order', async () => {
  const { store } = archive();
  const [first, second] = plansOf(STORY).plans;
  await writePlan(store, { ...first!, id: idOf(9) });
  await writePlan(store, { ...second!, id: idOf(4) });
  const partitions = [0, 1].map((partition) => ({ topic: 't', partition }));
  const found = await newestPositions(store, { pipeline: 'p', partitions });
  expect(found.map(({ offset }) => offset)).toEqual([3, 3]);
});

it('stops at a manifest that is damaged', async () => {
  const forged = archive();
  for (const plan of plansOf(STORY).plans) await writePlan(forged.store, plan);
  writeFileSync(forged.manifest(idOf(1)), '{}');
  await expect(newestPositions(forged.store, { pipeline: 'p' })).rejects.toMatchObject({
    name: 'CorruptError',
  });
});
