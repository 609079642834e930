import { benthos } from './benthos/index.ts';
import { icebergConnect } from './iceberg-connect/index.ts';
import { parquetjs } from './parquetjs/index.ts';
import type { Peer } from './peer.ts';
import { createPythonPeer } from './python.ts';

/** What users would pick otherwise. */
export const PEERS: readonly Peer[] = [
  createPythonPeer({ name: 'polars', title: 'Python, confluent-kafka + polars' }),
  createPythonPeer({ name: 'pyarrow', title: 'Python, confluent-kafka + pyarrow' }),
  parquetjs,
  icebergConnect,
  benthos,
  createPythonPeer({ name: 'quix', title: 'Quix Streams' }),
  createPythonPeer({
    name: 'bytewax',
    title: 'Bytewax',
    // Recovery partitions are made once; after a kill it goes on from its last snapshot in them.
    program: (python, main) => [
      'sh',
      '-c',
      `[ -d recovery ] || (mkdir recovery && ${python} -m bytewax.recovery recovery 1) && exec ${python} -m bytewax.run -r recovery -s 10 -b 0 ${main}`,
    ],
  }),
];
