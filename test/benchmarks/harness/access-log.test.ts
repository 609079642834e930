import { describe, expect, it } from 'vitest';
import { countRequests } from '../../../benchmarks/harness/access-log.ts';

const line = (bucket: string, operation: string, key: string) =>
  `owner ${bucket} [21/November/2026:17:15:46 +0000] 127.0.0.1 owner BM0V7MLL ${operation} ${key} /${bucket}/${key} 200 - 0 1 1 1 - agent - id= SigV4 - AuthHeader host - arn Yes\n`;

describe('access log', () => {
  it('counts the requests for a bucket, and no others', () => {
    const log = [
      'log starts 2026-11-21 17:15:40 +0000 UTC m=+0.020470235\n',
      line('one', 's3_CreateBucket', '-'),
      line('one', 's3_PutObject', 'customer=a b/x.parquet'),
      line('one-more', 's3_PutObject', 'one'),
      line('one', 's3_HeadObject', 'x'),
    ].join('');
    expect(countRequests(log, 'one')).toBe(3);
    expect(countRequests(log, 'one-more')).toBe(1);
    expect(countRequests(log, 'none')).toBe(0);
  });
});
