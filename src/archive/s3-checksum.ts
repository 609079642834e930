import { checksum } from './encode.ts';

/** CRC-32 as the S3 API writes it: base64 of four bytes, the highest first. */
export function s3Checksum(content: Uint8Array): string {
  return Buffer.from(checksum(content), 'hex').toString('base64');
}
