/** Turns logits into probabilities of independent labels, in place: rows × labels, any layout. NaN stays NaN. */
export function sigmoid(logits: Float32Array): void {
  for (let i = 0; i < logits.length; i++) logits[i] = 1 / (1 + Math.exp(-logits[i]!));
}

/** Turns logits into probabilities that share 1 in each row, in place: rows × `labels`, row-major. NaN spoils its row. */
export function softmax(logits: Float32Array, labels: number): void {
  for (let start = 0; start < logits.length; start += labels) {
    const row = logits.subarray(start, start + labels);
    const largest = row.reduce((most, logit) => Math.max(most, logit), -Infinity);
    let sum = 0;
    for (let i = 0; i < labels; i++) {
      row[i] = Math.exp(row[i]! - largest);
      sum += row[i]!;
    }
    for (let i = 0; i < labels; i++) row[i] = row[i]! / sum;
  }
}
