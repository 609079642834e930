import { jobIdOf, openQueue, type EndpointPlace } from './queue.ts';

/** One attempt to deliver a decision. Bodies are not kept. */
export interface LoggedAttempt {
  /** When it began, ISO 8601. */
  readonly at: string;
  /** 1 is the first; those that the receiver put off do not count. */
  readonly attempt: number;
  /** Status, or why there was none: `timeout`, `ECONNREFUSED` … */
  readonly result: string;
  readonly millis: number;
  readonly detail?: string;
}

/** What is known of a decision at an endpoint. */
export interface DeliveryLog {
  readonly id: string;
  /** BullMQ's word: waiting, active, delayed, completed, failed. */
  readonly state: string;
  /** When it was queued, ISO 8601. */
  readonly queued: string;
  /** Oldest first. */
  readonly attempts: readonly LoggedAttempt[];
}

/** The delivery log of a decision; undefined when the endpoint was never sent it, or it is no longer remembered. */
export async function deliveryLog(place: EndpointPlace, id: string): Promise<DeliveryLog | undefined> {
  const queue = openQueue(place, { readOnly: true });
  try {
    const job = await queue.getJob(jobIdOf(id));
    if (!job) return undefined;
    const state = await job.getState();
    const { logs } = await queue.getJobLogs(jobIdOf(id));
    const attempts = logs.map((line) => JSON.parse(line) as LoggedAttempt);
    // A delivery that needed one attempt has no line of its own: it is the job's result.
    if (state === 'completed') attempts.push(job.returnvalue as LoggedAttempt);
    return { id, state, queued: new Date(job.timestamp).toISOString(), attempts };
  } finally {
    await queue.close();
  }
}
