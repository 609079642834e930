import { describe, expect, it } from 'vitest';
import { createCommits } from '../../src/ingest/confluent-commits.ts';
import type { Position } from '../../src/types.ts';

const position: Position = { topic: 't', partition: 0, offset: 7 };
/** Lets what is promised happen. */
const turn = () => new Promise(setImmediate);

function create() {
  const sent: (readonly object[])[] = [];
  const commits = createCommits({ commit: (positions) => sent.push(positions) }, () => undefined);
  return { sent, commits, commit: (metadata: string) => commits.commit([position], metadata, () => true) };
}

describe('commits', () => {
  it('are settled by their answers, one after the other', async () => {
    const { sent, commits, commit } = create();
    const [first, second] = [commit('a'), commit('b')];
    await turn();
    expect(sent).toEqual([[{ ...position, metadata: 'a' }]]);
    expect(commits.isWaiting()).toBe(true);
    commits.answered(undefined);
    expect(await first).toEqual({ kind: 'committed' });
    await turn();
    expect(sent).toHaveLength(2);
    commits.answered(Object.assign(new Error('other member'), { code: 22 }));
    expect(await second).toEqual({ kind: 'fenced', detail: 'other member' });
    expect(commits.isWaiting()).toBe(false);
  });

  it('carry no metadata where there are none', async () => {
    const { sent, commits, commit } = create();
    const outcome = commit('');
    await turn();
    expect(sent).toEqual([[position]]);
    commits.answered(undefined);
    await outcome;
  });

  it('whose assignment ended while they waited are not sent', async () => {
    const { sent, commits, commit } = create();
    let isAllowed = true;
    const first = commit('a');
    const second = commits.commit([position], 'b', () => isAllowed);
    await turn();
    isAllowed = false;
    commits.answered(undefined);
    expect((await first).kind).toBe('committed');
    expect((await second).kind).toBe('fenced');
    expect(sent).toHaveLength(1);
  });

  it('that librdkafka does not take fail as what it says', async () => {
    const commits = createCommits(
      {
        commit: () => {
          throw Object.assign(new Error('not connected'), { code: -172 });
        },
      },
      () => undefined,
    );
    expect(await commits.commit([position], 'a', () => true)).toMatchObject({ kind: 'fenced' });
    expect(commits.isWaiting()).toBe(false);
  });

  it('under way at the end may have come through; those behind are not sent', async () => {
    const { sent, commits, commit } = create();
    const [first, second] = [commit('a'), commit('b')];
    await turn();
    commits.close();
    expect(await first).toMatchObject({ kind: 'retry', unanswered: true });
    expect(await second).toMatchObject({ kind: 'fenced' });
    expect(sent).toHaveLength(1);
  });
});
