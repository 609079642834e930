/** Phrase banks of German, Dutch and Turkish (format: see `english.ts`). */
export const germanic: Record<string, string> = {
  de: `
hi: Hallo zusammen! | Guten Morgen in die Runde. | Moin! | Hallo, ich bin neu hier.
food: {when} gab es {food} {place} und ich denke immer noch daran. | Niemand macht {food} so gut wie {who}. | Hat jemand ein gutes Rezept für {food}? | Der Trick ist, alles {n} Minuten ruhen zu lassen. | Heute gibt es {food}, keine Diskussion. | Etwas zu salzig, aber die Kinder wollten Nachschlag.
film: {when} habe ich {film} gesehen und zweimal geweint. | Lohnt es sich, {film} zu Ende zu schauen? | Bitte keine Spoiler, ich bin erst bei Folge {n}. | Allein die Musik ist das Geld wert. | Das Buch fand ich besser, das Ende ist ganz anders.
sport: Was für ein Spiel! | Das war nie im Leben ein Elfmeter. | Der Torwart hat uns wieder gerettet. | Noch {n} Minuten, und dann verlieren wir doch. | {when} war ich {place} laufen und heute tut alles weh.
weather: Es regnet {place} ohne Pause. | Endlich wieder Sonne. | Bei dieser Hitze kann kein Mensch schlafen. | {when} gab es {place} ein heftiges Gewitter. | Der Wetterbericht lag schon wieder daneben.
work: Heute {n} Besprechungen und keine einzige Entscheidung. | Am Montag fange ich im neuen Job an und bin ziemlich nervös. | {when} habe ich den Bericht abgegeben und wie ein Stein geschlafen. | Der Zug hatte schon wieder Verspätung. | Ich brauche Urlaub vom Urlaub.
home: {when} haben wir den Flur gestrichen, sieht richtig gut aus. | Kennt jemand einen guten Klempner {place}? | Die Katze hat beschlossen, dass das Sofa ihr gehört. | {who} kommt uns am Wochenende besuchen.
ask: Was meint ihr? | Geht das nur mir so? | Wie war euer Tag? | Wer kommt am Samstag mit? | Habt ihr Tipps?
end: Danke fürs Lesen. | Sehe ich ganz genauso. | Glückwunsch, hast du dir verdient! | Viel Erfolg morgen. | Sorry für die späte Antwort. | Schönen Abend noch. | Da bin ich anderer Meinung, aber guter Punkt. | Danke, das hat mir sehr geholfen.
short: ok | haha | ja | nein | same | danke | schön | genau | stimmt | moin | lol | passt
tag: #wochenende | #selbstgekocht | #bundesliga | #montag | #kino
{food}: Linsensuppe | Käsespätzle | Apfelkuchen | Kartoffelsalat | Flammkuchen | Gulasch | Pfannkuchen
{place}: auf dem Markt | bei meinen Eltern | am Bahnhof | in Leipzig | in der Stadt | im Park | in Graz | in Zürich
{when}: gestern | gestern Abend | am Sonntag | heute Morgen | letztes Wochenende | am Freitag
{who}: meine Oma | meine Schwester | mein Vater | meine Nachbarin | mein Bruder | meine Tante
{film}: die neue Serie | die Doku über Bienen | den Film mit dem Leuchtturm | die letzte Folge
`,
  nl: `
hi: Hoi allemaal! | Goedemorgen iedereen. | Goedenavond! | Hallo, ik ben nieuw hier.
food: {when} hebben we {food} gegeten {place} en het was heerlijk. | Niemand maakt {food} zo lekker als {who}. | Heeft iemand een goed recept voor {food}? | Het geheim is om het {n} minuten te laten rusten. | Vanavond eten we {food}. | Iets te zout, maar de kinderen wilden nog een bord.
film: {when} heb ik {film} gekeken en twee keer gehuild. | Is het de moeite waard om {film} af te kijken? | Geen spoilers graag, ik ben pas bij aflevering {n}. | De muziek alleen al is het kaartje waard. | Het boek vond ik beter.
sport: Wat een wedstrijd! | Dat was nooit een strafschop. | De keeper heeft ons weer gered. | Nog {n} minuten en toen ging het mis. | {when} ging ik hardlopen {place} en nu doet alles pijn.
weather: Het blijft maar regenen {place}. | Eindelijk zon. | Met deze hitte kan niemand slapen. | {when} was er flink onweer {place}. | De voorspelling zat er weer naast.
work: Vandaag {n} vergaderingen en geen enkel besluit. | Maandag begin ik met mijn nieuwe baan en ik ben best zenuwachtig. | {when} heb ik het verslag ingeleverd en als een blok geslapen. | De trein had weer vertraging. | Ik ben toe aan vakantie.
home: {when} hebben we de gang geverfd en het is prachtig geworden. | Kent iemand een goede loodgieter {place}? | De kat vindt dat de bank van haar is. | {who} komt dit weekend logeren.
ask: Wat vinden jullie? | Heb ik dat alleen? | Hoe was jullie dag? | Wie gaat er zaterdag mee? | Iemand nog tips?
end: Bedankt voor het lezen. | Helemaal mee eens. | Gefeliciteerd, je hebt het verdiend! | Succes morgen. | Sorry voor de late reactie. | Fijne avond nog. | Ik zie het anders, maar goed punt. | Dank je, daar heb ik echt iets aan.
short: ok | haha | ja | nee | zelfde | dankjewel | mooi | precies | klopt | leuk! | top
tag: #weekend | #zelfgemaakt | #voetbal | #maandag | #fietsen
{food}: erwtensoep | stamppot | pannenkoeken | appeltaart | nasi | mosselen
{place}: op de markt | bij mijn ouders | bij het station | in Utrecht | in de stad | in het park | in Gent
{when}: gisteren | gisteravond | zondag | vanochtend | afgelopen weekend | vrijdag
{who}: mijn oma | mijn zus | mijn vader | mijn buurvrouw | mijn broer | mijn tante
{film}: de nieuwe serie | de documentaire over bijen | de film met de vuurtoren | de laatste aflevering
`,
  tr: `
hi: Herkese merhaba! | Günaydın arkadaşlar. | İyi akşamlar. | Selam, gruba yeni katıldım.
food: {when} {place} {food} yedik, tadı hâlâ damağımda. | {who} çok güzel {food} yapıyor. | Güzel bir {food} tarifi olan var mı? | İşin sırrı {n} dakika dinlendirmek. | Bu akşam {food} var. | Tuzu biraz fazlaydı ama çocuklar bayıldı.
film: {when} {film} izledim ve iki kere ağladım. | Spoiler vermeyin lütfen, daha {n}. bölümdeyim. | Müzikleri çok güzeldi. | Kitabı daha çok sevmiştim. | Oyunculuk iyiydi ama senaryo zayıf kalmış.
sport: Ne maçtı ama! | O asla penaltı değildi. | Kaleci bizi yine kurtardı. | Bitime {n} dakika kala golü yedik. | {when} {place} koştum, bugün bacaklarım tutmuyor.
weather: Burada yağmur hiç durmuyor. | Sonunda güneş çıktı. | Bu sıcakta uyunmuyor. | {when} {place} çok şiddetli fırtına vardı. | Hava tahmini yine tutmadı.
work: Bugün {n} toplantı yaptık, tek bir karar çıkmadı. | Pazartesi yeni işime başlıyorum, biraz heyecanlıyım. | {when} raporu teslim ettim ve deliksiz uyudum. | Otobüs yine gecikti. | Tatile ihtiyacım var.
home: {when} koridoru boyadık, çok güzel oldu. | Bildiğiniz iyi bir tesisatçı var mı? | Kedi koltuğu sahiplendi. | {who} hafta sonu bize geliyor.
ask: Siz ne düşünüyorsunuz? | Sadece bana mı oluyor? | Gününüz nasıl geçti? | Cumartesi kim geliyor? | Önerisi olan var mı?
end: Okuduğunuz için teşekkürler. | Kesinlikle katılıyorum. | Tebrikler, hak ettin! | Yarın için bol şans. | Geç cevap için kusura bakmayın. | İyi akşamlar herkese. | Pek katılmıyorum ama haklı olduğun yerler var. | Teşekkürler, çok işime yaradı.
short: tamam | evet | hayır | aynen | teşekkürler | çok güzel | bence de | haklısın | günaydın | ben de
tag: #haftasonu | #evyemekleri | #futbol | #pazartesi | #sinema
{food}: mercimek çorbası | menemen | mantı | karnıyarık | börek | lahmacun | sütlaç
{place}: pazarda | annemlerde | istasyonun yanında | İzmir'de | parkta | Ankara'da | sahilde
{when}: dün | dün akşam | pazar günü | bu sabah | geçen hafta sonu | cuma günü
{who}: anneannem | ablam | babam | komşumuz | abim | teyzem
{film}: yeni diziyi | arılarla ilgili belgeseli | deniz feneri filmini | son bölümü
`,
};
