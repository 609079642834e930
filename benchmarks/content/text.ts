import { fill, harmful, harmless } from './bank.ts';
import type { Bank, Harm, Template } from './bank.ts';
import { at } from './random.ts';
import type { Random } from './random.ts';

/** Words of a text at quantiles of 5 per cent (the first are the very short ones), then 97, 98, 99, 99.7 and 100. */
const quantiles = [1, 4, 5, 7, 8, 9, 11, 12, 14, 16, 18, 20, 22, 25, 28, 31, 35, 41, 50, 74];
const tail = [
  [0.95, 74],
  [0.97, 95],
  [0.98, 115],
  [0.99, 150],
  [0.997, 240],
  [1, 380],
] as const;

const emoji = '😂 ❤️ 😍 🙏 👍 🔥 😭 🎉 ☀️ 🌧️ ⚽ 🍕 😅 🥰 💪 🤔 👏 😴 🙈 ✨ 👩‍👩‍👧 👨🏽‍💻 🏳️‍🌈 👩🏾‍🍳 🧑‍🚀 👨‍👩‍👧‍👦 🤷🏻‍♀️ 🇧🇷'.split(
  ' ',
);
const sites = ['blog.example/post', 'news.example.org/story', 'photos.example/album', 'video.example/watch'];
const rightToLeft = new Set(['ar', 'he', 'fa', 'ur']);
const casual = new Set(['en', 'es', 'pt', 'fr', 'it', 'nl', 'id', 'hi-Latn', 'ur-Latn']);

/** How many words the next text has: median about 20, 95th percentile about four times that, a long tail. */
export function targetWords(random: Random): number {
  const point = random.next();
  if (point < 0.95) {
    const position = point * 20;
    const index = Math.floor(position);
    const low = at(quantiles, index);
    const high = quantiles[index + 1] ?? low;
    return Math.round(low + (high - low) * (position - index));
  }
  for (let index = 1; index < tail.length; index++) {
    const [from, low] = at(tail, index - 1);
    const [to, high] = at(tail, index);
    if (point < to) return Math.round(low + ((high - low) * (point - from)) / (to - from));
  }
  return 380;
}

/** Writes sentences of one language: each topic's sentences in random order, then the next topic's. */
class Writer {
  text = '';
  words = 0;
  /** The text is one sentence that has no slots. */
  lone = false;
  readonly #bank: Bank;
  readonly #random: Random;
  #topic: readonly Template[];
  /** At the start of a line. */
  #fresh = true;
  #next = -1;
  #order = 0;
  #step = 1;
  #left = 0;

  constructor(bank: Bank, random: Random) {
    this.#bank = bank;
    this.#random = random;
    this.#topic = [];
  }

  add(template: Template): void {
    this.lone = this.text === '' && template.slots.length === 0;
    this.append(fill(template, this.#random), template.words);
  }

  append(sentence: string, words: number): void {
    this.text += this.#fresh ? sentence : this.#bank.space + sentence;
    this.#fresh = false;
    this.words += words;
  }

  sentence(): void {
    if (this.#left === 0) {
      if (this.words > 40 && this.#random.chance(0.6)) {
        this.text += this.#random.chance(0.5) ? '\n' : '\n\n';
        this.#fresh = true;
      }
      const { topics } = this.#bank;
      this.#next = this.#next < 0 ? this.#random.integer(topics.length) : (this.#next + 1) % topics.length;
      const topic = at(topics, this.#next);
      this.#topic = topic;
      this.#left = topic.length;
      this.#order = this.#random.integer(topic.length);
      do this.#step = 1 + this.#random.integer(topic.length);
      while (divisor(this.#step, topic.length) !== 1);
    }
    this.#left--;
    this.#order = (this.#order + this.#step) % this.#topic.length;
    this.add(at(this.#topic, this.#order));
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function write(writer: Writer, bank: Bank, words: number, random: Random): void {
  if (words >= 8 && random.chance(0.12)) writer.add(random.pick(bank.greetings));
  else if (words <= 14 && bank.leads.length > 0 && random.chance(0.35)) writer.add(random.pick(bank.leads));
  const closing = random.next();
  const reserve = words >= 10 && closing < 0.4 ? 4 : 0;
  do writer.sentence();
  while (writer.words + 4 + reserve < words);
  // A lone sentence without slots would recur word for word too often.
  if (reserve === 0 && writer.lone) writer.add(random.pick(bank.endings));
  if (reserve > 0) writer.add(random.pick(closing < 0.15 ? bank.questions : bank.endings));
}

function decorate(text: string, bank: Bank, random: Random): string {
  let result = text;
  if (casual.has(bank.language) && random.chance(0.1)) result = result.toLowerCase().replace(/\.$/, '');
  if (random.chance(0.08)) result = `@${mention(random)} ${result}`;
  if (random.chance(0.14)) {
    const face = random.pick(emoji);
    result += ` ${random.chance(0.2) ? face + face + face : face}`;
  }
  if (random.chance(0.08)) result += ` ${random.pick(bank.tags)}`;
  if (random.chance(0.03)) result += ` https://${random.pick(sites)}/${random.integer(90000) + 10000}`;
  const rare = random.next();
  if (rare < 0.004) result = `> "${fill(random.pick(bank.endings), random)}"\n${result}`;
  else if (rare < 0.01 && casual.has(bank.language)) result = result.normalize('NFD');
  else if (rare < 0.0103) result = `${result}\u0000`;
  else if (rare < 0.03 && rightToLeft.has(bank.language)) result = `\u200f${result}\u200f`;
  return result;
}

function mention(random: Random): string {
  return (
    random.pick(['maria', 'tariq', 'li_wei', 'sam', 'oksana', 'amara', 'jonas', 'priya']) +
    random.integer(100)
  );
}

/** A harmless text of about so many words. */
export function plain(bank: Bank, words: number, random: Random): string {
  if (words <= 2) {
    const short = fill(random.pick(bank.shorts), random);
    return random.chance(0.25) ? `${short} ${random.pick(emoji)}` : short;
  }
  const writer = new Writer(bank, random);
  if (words <= 6 && random.chance(0.5)) {
    writer.add(random.pick(random.chance(0.6) ? bank.endings : bank.questions));
    if (random.chance(0.8)) writer.add(random.pick(bank.endings));
  } else write(writer, bank, words, random);
  return decorate(writer.text, bank, random);
}

/** A harmless English text around a sentence that a careless classifier takes for harm. */
export function lookAlike(bank: Bank, words: number, random: Random): string {
  const writer = new Writer(bank, random);
  writer.append(random.pick(harmless), 9);
  while (writer.words + 6 < words) writer.sentence();
  return decorate(writer.text, bank, random);
}

/** A harmful text: one or two harmful sentences, sometimes inside harmless ones. The bank's language has harm. */
export function harmfulText(bank: Bank, kind: Harm, words: number, random: Random): string {
  const sentences = harmful.get(bank.language)?.get(kind) ?? [];
  const writer = new Writer(bank, random);
  if (kind !== 'spam' && words > 14 && random.chance(0.4)) writer.sentence();
  const first = random.integer(sentences.length);
  writer.add(at(sentences, first));
  if (words > 8 && random.chance(0.7)) {
    writer.add(at(sentences, (first + 1 + random.integer(sentences.length - 1)) % sentences.length));
  }
  if (kind !== 'spam') while (writer.words + 20 < words) writer.sentence();
  let text = writer.text;
  if (random.chance(0.25)) text = `@${mention(random)} ${text}`;
  if (random.chance(0.1)) text = text.toUpperCase();
  if (random.chance(0.2))
    text += random.pick(kind === 'spam' ? ['!!!', ' 💰💰💰', ' 🔥'] : [' 😡', ' 🤡', '!!!', ' 👎']);
  return text;
}

/** Text grown with more sentences of the language, then cut, to so many bytes of UTF-8 (on a whole character). */
export function fit(text: string, bank: Bank, bytes: number, random: Random): string {
  const chunks = [Buffer.from(text)];
  for (let size = chunks[0]?.length ?? 0; size < bytes;) {
    const writer = new Writer(bank, random);
    // Few sentences are much longer than 80 bytes; where they are shorter the loop goes round again.
    for (let count = Math.min(100, Math.ceil((bytes - size) / 80)); count > 0; count--) writer.sentence();
    const chunk = Buffer.from(bank.space + writer.text);
    chunks.push(chunk);
    size += chunk.length;
  }
  const encoded = Buffer.concat(chunks);
  let end = Math.min(bytes, encoded.length);
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--;
  return encoded.toString('utf8', 0, end);
}
