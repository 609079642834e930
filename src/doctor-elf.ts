import { closeSync, openSync, readSync } from 'node:fs';

/** Offsets and tags of the ELF format for 64 bits, little-endian (System V ABI, "Object Files" and "Dynamic Linking"). */
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

/** A part of a file in memory: where it lies in the file, where it is mapped to. */
interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Names of the shared libraries that a shared library asks for (`DT_NEEDED`), such as `libcublas.so.12`; empty for a file that is no
 * ELF file of 64 bits. Only the few kB that say so are read.
 */
export function neededLibraries(file: string): string[] {
  const handle = openSync(file, 'r');
  const read = (offset: number, size: number): Buffer => {
    const buffer = Buffer.alloc(size);
    return buffer.subarray(0, readSync(handle, buffer, 0, size, offset));
  };
  try {
    const header = read(0, 64);
    const isElf = header.length === 64 && header.readUInt32BE(0) === 0x7f454c46;
    if (!isElf || header[4] !== 2 || header[5] !== 1) return [];
    const segments = segmentsOf(header, read);
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    return dynamic ? namesIn(dynamic, segments, read) : [];
  } finally {
    closeSync(handle);
  }
}

type Read = (offset: number, size: number) => Buffer;

function segmentsOf(header: Buffer, read: Read): Segment[] {
  const start = Number(header.readBigUInt64LE(32));
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = read(start, entrySize * count);
  return Array.from({ length: count }, (_, i) => {
    const entry = table.subarray(i * entrySize, (i + 1) * entrySize);
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      size: Number(entry.readBigUInt64LE(32)),
    };
  });
}

function namesIn(dynamic: Segment, segments: readonly Segment[], read: Read): string[] {
  const table = read(dynamic.offset, dynamic.size);
  const entries = Array.from({ length: Math.floor(table.length / 16) }, (_, i) => ({
    tag: table.readBigUInt64LE(i * 16),
    value: Number(table.readBigUInt64LE(i * 16 + 8)),
  }));
  const strings = entries.find(({ tag }) => tag === DT_STRTAB)?.value;
  const mapped = segments.find(
    ({ type, address, size }) =>
      type === PT_LOAD && strings !== undefined && strings >= address && strings < address + size,
  );
  if (strings === undefined || !mapped) return [];
  const start = strings - mapped.address + mapped.offset;
  return entries
    .filter(({ tag }) => tag === DT_NEEDED)
    .map(({ value }) => {
      const text = read(start + value, 256);
      return text.toString('latin1', 0, text.indexOf(0));
    });
}
