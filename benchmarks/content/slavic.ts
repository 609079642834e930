/** Phrase banks of Slavic languages (format: see `english.ts`; `{who}` is feminine, for agreement). */
export const slavic: Record<string, string> = {
  pl: `
hi: Cześć wszystkim! | Dzień dobry! | Dobry wieczór. | Hej, jestem tu nowa.
food: {when} jedliśmy {food} {place} i było pyszne. | {who} robi najlepsze jedzenie na świecie. | Ma ktoś dobry przepis na {food}? | Cały sekret to zostawić ciasto na {n} minut. | Dzisiaj na obiad robię {food}. | Trochę za słone, ale dzieci prosiły o dokładkę.
film: {when} oglądaliśmy {film} i płakałam dwa razy. | Bez spoilerów proszę, jestem dopiero na odcinku {n}. | Sama muzyka jest warta ceny biletu. | Książka podobała mi się bardziej. | Aktorzy świetni, scenariusz trochę gorszy.
sport: Co za mecz! | Tam nie było żadnego karnego. | Bramkarz znowu nas uratował. | Zostało {n} minut i straciliśmy gola. | {when} biegałam {place} i dziś ledwo chodzę.
weather: Ciągle pada, mam już dość. | Nareszcie słońce. | Przy takim upale nie da się spać. | {when} była u nas straszna burza. | Prognoza znowu się nie sprawdziła.
work: Dzisiaj {n} spotkań i żadnej decyzji. | W poniedziałek zaczynam nową pracę i trochę się denerwuję. | {when} oddałam raport i spałam jak kamień. | Pociąg znowu był spóźniony. | Potrzebuję urlopu.
home: {when} pomalowaliśmy przedpokój i wyszło pięknie. | Zna ktoś dobrego hydraulika? | Kot uznał, że kanapa należy do niego. | {who} przyjeżdża do nas na weekend.
ask: Co o tym myślicie? | Tylko ja tak mam? | Jak wam minął dzień? | Kto idzie w sobotę? | Macie jakieś rady?
end: Dzięki za przeczytanie. | W pełni się zgadzam. | Gratulacje, należało ci się! | Powodzenia jutro. | Przepraszam, że odpisuję tak późno. | Miłego wieczoru. | Nie do końca się zgadzam, ale rozumiem. | Dziękuję, bardzo mi to pomogło.
short: ok | haha | tak | nie | też tak mam | dzięki | super | dokładnie | prawda | hej | pięknie
tag: #weekend | #domowejedzenie | #mecz | #poniedziałek | #kino
{food}: pierogi | żurek | bigos | naleśniki | szarlotkę | gołąbki | placki ziemniaczane
{place}: na rynku | u rodziców | w Krakowie | w mieście | nad rzeką | w Gdańsku | w parku
{when}: wczoraj | wczoraj wieczorem | w niedzielę | dziś rano | w zeszły weekend | w piątek
{who}: moja babcia | moja siostra | moja mama | moja sąsiadka | moja ciocia
{film}: nowy serial | dokument o pszczołach | film o latarniku | ostatni odcinek
`,
  ru: `
hi: Всем привет! | Доброе утро всем. | Добрый вечер. | Привет, я здесь недавно.
food: {when} ели {food} {place}, до сих пор вспоминаю. | {who} готовит лучше любого ресторана. | У кого есть хороший рецепт? Хочу приготовить {food}. | Секрет в том, чтобы дать постоять минут {n}. | Сегодня на ужин готовлю {food}. | Немного пересолили, но дети попросили добавки.
film: {when} смотрели {film}, я дважды плакала. | Стоит ли досматривать {film}? | Только без спойлеров, я пока на серии {n}. | Одна музыка чего стоит. | Книга понравилась больше, там другой конец.
sport: Вот это матч! | Никакого пенальти там не было. | Вратарь опять нас спас. | Оставалось {n} минут, и мы всё упустили. | {when} бегала {place}, сегодня ноги не ходят.
weather: Дождь идёт без остановки. | Наконец-то солнце. | В такую жару невозможно спать. | {when} была страшная гроза. | Прогноз опять не сбылся.
work: Сегодня {n} совещаний и ни одного решения. | В понедельник выхожу на новую работу, волнуюсь. | {when} сдала отчёт и спала как убитая. | Электричка опять опоздала. | Срочно нужен отпуск.
home: {when} покрасили коридор, получилось очень красиво. | Посоветуйте хорошего сантехника. | Кот решил, что диван теперь его. | {who} приедет к нам на выходные.
ask: Что думаете? | Это только у меня так? | Как прошёл день? | Кто идёт в субботу? | Есть советы?
end: Спасибо, что дочитали. | Полностью согласна. | Поздравляю, ты это заслужил! | Удачи завтра. | Извините, что отвечаю поздно. | Хорошего вечера. | Не уверена, но мысль интересная. | Спасибо, очень помогли.
short: ок | ахах | да | нет | тоже | спасибо | красиво | точно | согласен | привет | +1
tag: #выходные | #домашняяеда | #футбол | #понедельник | #кино
{food}: борщ | пельмени | блины | шарлотку | окрошку | плов | сырники
{place}: на рынке | у родителей | в Казани | в центре | у реки | в Новосибирске | в парке
{when}: вчера | вчера вечером | в воскресенье | сегодня утром | на прошлых выходных | в пятницу
{who}: моя бабушка | моя сестра | моя мама | моя соседка | моя тётя
{film}: новый сериал | документалку про пчёл | фильм про смотрителя маяка | последнюю серию
`,
  uk: `
hi: Усім привіт! | Доброго ранку всім. | Добрий вечір. | Привіт, я тут нещодавно.
food: {when} їли {food} {place}, досі згадую. | {who} готує краще за будь-який ресторан. | Хто має добрий рецепт? Хочу приготувати {food}. | Секрет у тому, щоб дати постояти хвилин {n}. | Сьогодні на вечерю готую {food}. | Трохи пересолили, але діти просили добавки.
film: {when} дивилися {film}, я двічі плакала. | Чи варто додивлятися {film}? | Тільки без спойлерів, я поки на серії {n}. | Сама музика чого варта. | Книжка сподобалася більше, там інший кінець.
sport: Оце так матч! | Ніякого пенальті там не було. | Воротар знову нас урятував. | Залишалося {n} хвилин, і ми все втратили. | {when} бігала {place}, сьогодні ледве ходжу.
weather: Дощ іде без упину. | Нарешті сонце. | У таку спеку неможливо спати. | {when} була сильна гроза. | Прогноз знову не справдився.
work: Сьогодні {n} нарад і жодного рішення. | У понеділок виходжу на нову роботу, хвилююся. | {when} здала звіт і спала як немовля. | Електричка знову запізнилася. | Терміново потрібна відпустка.
home: {when} пофарбували коридор, вийшло дуже гарно. | Порадьте доброго сантехніка. | Кіт вирішив, що диван тепер його. | {who} приїде до нас на вихідні.
ask: Що думаєте? | Це тільки в мене так? | Як минув день? | Хто йде в суботу? | Маєте поради?
end: Дякую, що дочитали. | Повністю згодна. | Вітаю, ти на це заслужив! | Успіхів завтра. | Вибачте, що відповідаю пізно. | Гарного вечора. | Не впевнена, але думка цікава. | Дякую, дуже допомогли.
short: ок | ахаха | так | ні | теж | дякую | гарно | точно | згоден | привіт | +1
tag: #вихідні | #домашняїжа | #футбол | #понеділок | #кіно
{food}: борщ | вареники | деруни | млинці | сирники | голубці
{place}: на базарі | у батьків | у Львові | у центрі | біля річки | в Одесі | у парку
{when}: вчора | вчора ввечері | у неділю | сьогодні вранці | минулими вихідними | у п'ятницю
{who}: моя бабуся | моя сестра | моя мама | моя сусідка | моя тітка
{film}: новий серіал | документалку про бджіл | фільм про доглядача маяка | останню серію
`,
};
