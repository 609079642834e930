import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadLanguageDetector } from '../../src/classify/language.ts';
import { readScript } from '../../src/classify/script.ts';
import { HOSTILE } from '../contract/classifier.ts';

const detector = loadLanguageDetector();

describe('language detection', () => {
  it.each([
    ['en', 'Thanks for the help yesterday, see you at the station'],
    ['de', 'Wir treffen uns morgen um acht Uhr vor dem Kino'],
    ['fr', 'Je ne sais pas encore si nous viendrons demain soir'],
    ['pt', 'Não sei se amanhã vamos conseguir chegar a tempo'],
    ['es', 'No sabemos todavía si mañana podremos ir contigo'],
    ['ru', 'Завтра мы встречаемся в восемь часов у кинотеатра'],
    ['ar', 'سوف نلتقي غدا في الساعة الثامنة أمام السينما'],
    ['zh', '今天天气很好'],
    ['ja', '今日は天気がいいですね'],
    ['ko', '오늘 날씨가 좋네요'],
    ['th', 'วันนี้อากาศดี'],
    ['ta', 'இன்று வானிலை நன்றாக உள்ளது'],
    ['kn', 'ಇಂದು ಹವಾಮಾನ ಚೆನ್ನಾಗಿದೆ'],
    ['hi', 'आज मौसम बहुत अच्छा है और हम बाहर जा रहे हैं'],
    ['th', 'ซื้อ iPhone ใหม่วันนี้'],
  ])('finds %s in "%s"', (language, text) => {
    expect(detector.detect(text)?.language).toBe(language);
  });

  it.each([
    '',
    'ok',
    'lol!!!',
    '12345 67890 12345',
    '🙂🙂🙂🙂',
    'https',
    'aaa bbb',
    'gaskiya ina san cin tuwo',
    '@somebody_else #goodmorning https://example.com/good/morning',
    ...HOSTILE.slice(0, 4),
  ])('says nothing of "%s"', (text) => {
    expect(detector.detect(text)).toBeNull();
  });

  it.each([
    ['en', '@jan_kowalski @ola RT this is what I have been telling you https://przyklad.pl/dlaczego-nie'],
    ['de', 'das ist doch nicht wahr #throwbackthursday #nofilter'],
  ])('finds %s behind names, tags and links: "%s"', (language, text) => {
    expect(detector.detect(text)?.language).toBe(language);
  });

  it('is certain of scripts and of long plain texts, not of short or mixed ones', () => {
    const certainty = (text: string) => detector.detect(text)?.isCertain;
    expect(certainty('วันนี้อากาศดี')).toBe(true);
    expect(certainty('Não sei se amanhã vamos conseguir chegar a tempo de apanhar o comboio')).toBe(true);
    expect(certainty('hallo mensen')).toBe(false);
  });

  it('gives a tag or null for any string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const found = detector.detect(text);
        expect(found === null || /^[a-z]{2,3}$/.test(found.language)).toBe(true);
      }),
    );
    for (const text of HOSTILE) expect(() => detector.detect(text)).not.toThrow();
  });

  it('reads only the start of a long text', () => {
    expect(readScript(`${'a'.repeat(50)}${'한'.repeat(500)}`, 60)).toEqual({ language: null, letters: 60 });
    expect(readScript(`${'a'.repeat(50)}${'한'.repeat(500)}`, 600)).toEqual({ language: 'ko', letters: 550 });
  });
});
