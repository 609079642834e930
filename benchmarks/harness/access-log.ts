/** Owner, bucket, time, address, requester, request id; then the operation, such as `s3_PutObject`. */
const LINE = /^\S+ (\S+) \[[^\]]*\] \S+ \S+ \S+ (\S+) /gm;

/**
 * Counts the requests for one bucket in an access log of Amazon S3's format
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html), as versitygw writes it.
 */
export function countRequests(log: string, bucket: string): number {
  let count = 0;
  for (const [, name] of log.matchAll(LINE)) if (name === bucket) count++;
  return count;
}
