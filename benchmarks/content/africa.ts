/** Phrase banks of African languages (format: see `english.ts`). */
export const africa: Record<string, string> = {
  sw: `
hi: Habari zenu wote! | Habari za asubuhi. | Habari za jioni, marafiki. | Hamjambo, mimi ni mgeni hapa.
food: {when} tulikula {food} {place}, chakula kilikuwa kitamu sana. | {who} anapika vizuri kuliko mkahawa wowote. | Nani anajua kupika {food} vizuri? | Leo usiku tunakula {food}. | Chumvi ilizidi kidogo lakini watoto waliomba tena.
film: {when} nilitazama {film} nikalia mara mbili. | Tafadhali msiniambie mwisho, bado sijamaliza. | Muziki wake ni mzuri sana. | Nilipenda kitabu zaidi.
sport: Mechi ilikuwa kali sana! | Ile haikuwa penalti. | Kipa ametuokoa tena. | Zilibaki dakika {n} tukafungwa bao. | {when} nilikimbia {place}, leo miguu inauma.
weather: Mvua haikatiki. | Hatimaye jua limetoka. | Joto hili halituachi kulala. | {when} kulikuwa na upepo mkali {place}.
work: Leo tulikuwa na mikutano {n} bila uamuzi wowote. | Jumatatu naanza kazi mpya, nina wasiwasi kidogo. | {when} nilikabidhi ripoti nikalala vizuri. | Basi limechelewa tena. | Nahitaji likizo.
ask: Mnaonaje? | Ni mimi peke yangu? | Siku yako ilikuwaje? | Nani anakuja Jumamosi?
end: Asante kwa kusoma. | Nakubaliana nawe kabisa. | Hongera sana! | Kila la heri kesho. | Samahani kwa kuchelewa kujibu. | Usiku mwema.
short: sawa | haha | ndiyo | hapana | asante | nzuri sana | kweli | hata mimi | poa
tag: #wikendi | #chakula | #soka
{food}: pilau | ugali na samaki | chapati na maharage | wali wa nazi | ndizi za kupika
{place}: sokoni | nyumbani kwa mama | karibu na stesheni | mjini Mombasa | jijini Arusha
{when}: jana | jana usiku | Jumapili | leo asubuhi | wiki iliyopita
{who}: mama yangu | bibi yangu | dada yangu | shangazi yangu
{film}: filamu mpya | filamu ya zamani | tamthilia mpya
`,
  ha: `
hi: Sannunku duka! | Barka da safiya. | Barka da yamma, abokai.
food: {when} mun ci {food} {place}, ya yi daɗi sosai. | {who} ta fi kowa iya girki. | Wa ya iya yin {food} sosai? | Yau da dare za mu ci {food}. | Gishirin ya ɗan yi yawa amma yara sun ƙara.
film: {when} na kalli {film} har na yi kuka. | Don Allah kada ku faɗi ƙarshen, ban gama ba. | Waƙoƙin suna da daɗi. | Littafin ya fi burge ni.
sport: Wasa ya yi kyau sosai! | Wannan ba bugun fanareti ba ne. | Mai tsaron gida ya sake cetonmu. | Saura minti {n} aka ci mu. | {when} na yi gudu {place}, yau ƙafafuna suna ciwo.
weather: Ruwan sama ya ƙi tsayawa. | A ƙarshe rana ta fito. | Zafin nan ya hana mu barci. | {when} an yi iska mai ƙarfi {place}.
work: Yau mun yi taro {n} amma babu matsaya. | Ranar Litinin zan fara sabon aiki, ina ɗan jin tsoro. | {when} na kai rahoto na yi barci mai daɗi. | Motar ta sake makara. | Ina buƙatar hutu.
ask: Me kuke gani? | Ni kaɗai ne haka? | Yaya ranarku ta kasance? | Wa zai zo ranar Asabar?
end: Na gode da karantawa. | Na yarda da kai gaba ɗaya. | Ina taya ka murna! | Allah ya ba da sa'a gobe. | Yi haƙuri na makara da amsa. | Sai da safe.
short: to | haha | eh | a'a | na gode | ya yi kyau | gaskiya ne | ni ma | madalla
tag: #Kano | #abinci | #ƙwallo
{food}: tuwon shinkafa | jollof | masa | ɗan wake | kosai
{place}: a kasuwa | a gidan mama | a Kano | a Kaduna | kusa da tasha
{when}: jiya | jiya da dare | ranar Lahadi | yau da safe | makon jiya
{who}: mamata | kakata | yayata | makwabciyarmu
{film}: sabon fim | tsohon fim ɗin nan | fim ɗin da ake magana
`,
  am: `
hi: ሰላም ለሁላችሁ! | እንደምን አደራችሁ። | እንደምን አመሻችሁ።
food: {when} {place} {food} በላን፣ በጣም ጣፋጭ ነበር። | {who} ምግብ በጣም ጥሩ ትሠራለች። | {food} እንዴት እንደሚሠራ የሚያውቅ አለ? | ዛሬ ማታ {food} እንበላለን። | ጨው ትንሽ በዝቶ ነበር፣ ልጆቹ ግን ደግመው በሉ።
film: {when} {film} አየሁ፣ ሁለት ጊዜ አለቀስኩ። | መጨረሻውን አትንገሩኝ፣ ገና አልጨረስኩም። | ሙዚቃው በጣም ያምራል። | መጽሐፉን የበለጠ ወደድኩት።
sport: በጣም ጥሩ ጨዋታ ነበር! | ያ ፍጹም ቅጣት ምት አልነበረም። | በረኛው እንደገና አዳነን። | {n} ደቂቃ ሲቀረው ጎል ገባብን። | {when} {place} ሮጥኩ፣ ዛሬ እግሬን ያመኛል።
weather: ዝናቡ አላቆመም። | በመጨረሻ ፀሐይ ወጣች። | በዚህ ሙቀት መተኛት አይቻልም። | {when} {place} ኃይለኛ ነፋስ ነበር።
work: ዛሬ {n} ስብሰባ ነበረን፣ ምንም ውሳኔ የለም። | ሰኞ አዲስ ሥራ እጀምራለሁ፣ ትንሽ ፈርቻለሁ። | {when} ሪፖርቱን አስገብቼ በሰላም ተኛሁ። | አውቶቡሱ እንደገና ዘገየ። | እረፍት ያስፈልገኛል።
ask: ምን ታስባላችሁ? | እኔ ብቻ ነኝ? | ቀናችሁ እንዴት ነበር? | ቅዳሜ ማን ይመጣል?
end: ስላነበባችሁ አመሰግናለሁ። | ሙሉ በሙሉ እስማማለሁ። | እንኳን ደስ አለህ! | ነገ መልካም ዕድል። | ዘግይቼ ስለመለስኩ ይቅርታ። | ደህና እደሩ።
short: እሺ | ሃሃ | አዎ | አይ | አመሰግናለሁ | በጣም ጥሩ | እውነት | እኔም
tag: #አዲስአበባ | #ምግብ | #እግርኳስ
{food}: እንጀራ በወጥ | ሽሮ | ዶሮ ወጥ | ክትፎ | ጥብስ
{place}: ገበያ ውስጥ | እናቴ ቤት | አዲስ አበባ | ባሕር ዳር | ጣቢያው አጠገብ
{when}: ትናንት | ትናንት ማታ | እሑድ | ዛሬ ጠዋት | ባለፈው ሳምንት
{who}: እናቴ | አያቴ | እህቴ | አክስቴ
{film}: አዲሱን ፊልም | የድሮውን ፊልም | አዲሱን ድራማ
`,
  yo: `
hi: Ẹ kú àárọ̀ o! | Ẹ kú ìrọ̀lẹ́ gbogbo ènìyàn. | Báwo ni o, ẹ̀yin ọ̀rẹ́ mi.
food: A jẹ {food} {place} {when}, ó dùn gan-an. | {who} mọ oúnjẹ sè ju gbogbo wa lọ. | Ta ló mọ bí a ṣe ń se {food}? | {food} la máa jẹ lálẹ́ òní. | Iyọ̀ pọ̀ díẹ̀ ṣùgbọ́n àwọn ọmọ tún béèrè sí i.
film: Mo wo {film} {when}, mo sì sunkún. | Ẹ má sọ bó ṣe parí fún mi, mi ò tíì wò ó tán. | Orin inú rẹ̀ dára gan-an. | Mo fẹ́ràn ìwé náà jù.
sport: Eré bọ́ọ̀lù náà dùn gan-an! | Aṣọ́lé tún gbà wá là. | Ó ku ìṣẹ́jú {n} kí wọ́n tó gbá bọ́ọ̀lù sí wa nínú àwọ̀n. | Mo sáré {place} {when}, ẹsẹ̀ ń dùn mí lónìí.
weather: Òjò kò dá rárá. | Oòrùn ti yọ níkẹyìn. | Ooru yìí kò jẹ́ ká sùn. | Atẹ́gùn líle fẹ́ {place} {when}.
work: Ìpàdé {n} la ṣe lónìí, a kò sì pinnu nǹkan kan. | Mo máa bẹ̀rẹ̀ iṣẹ́ tuntun ní ọjọ́ Ajé. | Ọkọ̀ tún pẹ́ lónìí. | Mo nílò ìsinmi.
ask: Kí ni ẹ rò? | Ṣé èmi nìkan ni? | Báwo ni ọjọ́ yín ṣe rí? | Ta ló ń bọ̀ ní ọjọ́ Sátidé?
end: Ẹ ṣé tí ẹ kà á. | Mo gbà pẹ̀lú rẹ. | Ẹ kú oríire! | Ẹ má bínú pé mo pẹ́ dáhùn. | Ó dàárọ̀ o.
short: ó dáa | bẹ́ẹ̀ ni | rárá | ẹ ṣé | ó dára gan-an | òótọ́ ni | èmi náà
tag: #Ìbàdàn | #oúnjẹ | #bọ́ọ̀lù
{food}: iyán àti ẹ̀gúsí | àmàlà | ẹ̀wà | mọ́ínmọ́ín | ìrẹsì
{place}: ní ọjà | ní ilé màmá mi | ní Ìbàdàn | ní Èkó | ní Abẹ́òkúta
{when}: lánàá | ní alẹ́ àná | ní ọjọ́ Àìkú | ní àárọ̀ yìí | ní ọ̀sẹ̀ tó kọjá
{who}: màmá mi | màmá àgbà | ẹ̀gbọ́n mi | àǹtí mi
{film}: fíìmù tuntun | fíìmù àtijọ́ yẹn | eré tuntun
`,
};
