import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadLanguageDetector, type LanguageDetector } from '../../src/classify/language.ts';
import { readScript } from '../../src/classify/script.ts';
import { HOSTILE } from '../contract/classifier.ts';

let detector: LanguageDetector;
beforeAll(async () => (detector = await loadLanguageDetector()));

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
    expect(detector.detect(text)).toBe(language);
  });

  it.each(['', 'ok', 'lol!!!', '12345 67890 12345', '🙂🙂🙂🙂', 'https', 'aaa bbb', ...HOSTILE.slice(0, 7)])(
    'says nothing of "%s"',
    (text) => {
      expect(detector.detect(text)).toBeNull();
    },
  );

  it('gives a tag or null for any string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const language = detector.detect(text);
        expect(language === null || /^[a-z]{2,3}$/.test(language)).toBe(true);
      }),
    );
    for (const text of HOSTILE) expect(() => detector.detect(text)).not.toThrow();
  });

  it('reads only the start of a long text', () => {
    expect(readScript(`${'a'.repeat(50)}${'한'.repeat(500)}`, 60)).toEqual({ language: null, letters: 60 });
    expect(readScript(`${'a'.repeat(50)}${'한'.repeat(500)}`, 600)).toEqual({ language: 'ko', letters: 550 });
  });
});
