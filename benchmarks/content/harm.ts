/**
 * Harmful phrases per language and kind, for tests and demonstrations of moderation. They are plainly abusive but
 * hold no slurs for protected groups. Format as in `english.ts`: the keys are the kinds, `{name}` lines are slots.
 */
export const harm: Record<string, string> = {
  en: `
toxic: You are a {bad} {noun}, nobody wants you here. | Shut up you {noun}. | Nobody asked you, {noun}. | Go away and never come back, you {bad} {noun}.
toxic: What a {bad} {noun} you are. | You are too stupid to tie your own shoes. | I hope you fall down the stairs. | Everybody laughs about you behind your back, {noun}.
toxic: I know where you live, watch your back. | I am going to find you and break your legs. | You should be ashamed to show that ugly face. | Delete your account, you {bad} {noun}.
toxic: Say that again and I will smash your teeth in. | Your whole family must be as dumb as you are. | You are garbage and so is everything you make.
hate: People like you should be thrown out of this country. | {group} are all the same, you can never trust any of them. | Send all {group} back where they came from.
hate: {group} are a disease and they are ruining this country. | We do not want {group} in our town, get out. | All {group} are criminals, every single one. | {group} do not deserve the same rights as us.
hate: Never hire {group}, they are lazy and they steal. | Somebody should burn down the houses of these {group}. | {group} are not even human to me.
spam: CONGRATULATIONS! You have won {prize}. Click here to claim: {url} | Click here to win {prize} today!!! {url} | Earn {money} per week from home, no experience needed. Message me on {app}.
spam: Double your bitcoin in 24 hours, guaranteed profit, join now {url} | Instant loan up to {money}, no credit check, apply at {url} | Hot singles in your area are waiting for you tonight {url}
spam: I am lonely and looking for fun, see my private photos here {url} | Lose {n} kg in one week with this secret pill, order now {url} | Cheap followers and likes, {money} for 10k, DM me on {app}.
spam: Your parcel is on hold, pay the fee now to release it: {url} | Free gift card for the first 100 people, hurry up: {url} | I made {money} with this trading bot, ask me how on {app} 🚀🚀🚀 | Limited offer!!! Replica watches 90% OFF {url}
{bad}: worthless | pathetic | disgusting | stupid | useless | miserable
{noun}: idiot | moron | loser | clown | imbecile | piece of trash
{group}: immigrants | foreigners | refugees | those people | people of that religion | women in this job
{prize}: a new iPhone | 1,000,000 dollars | a brand-new car | a trip to Dubai | a $500 gift card
{money}: $5000 | $750 | 3000 dollars | $10,000
{app}: Telegram | WhatsApp
`,
  es: `
toxic: Eres {noun}, nadie te quiere aquí. | Cállate ya, {noun2}. | Das asco, borra tu cuenta. | Ojalá te caigas por las escaleras, {noun2}. | Sé dónde vives, ten cuidado. | No sirves para nada, {noun2}.
hate: Todos los {group} son iguales, fuera de aquí. | Que echen a todos los {group} del país. | Los {group} son una plaga y arruinan todo. | La gente como tú no merece vivir en este país.
spam: ¡FELICIDADES! Has ganado {prize}. Haz clic aquí: {url} | Gana {money} a la semana desde casa, escríbeme por {app}. | Préstamos al instante hasta {money}, sin aval: {url} | Solteras cerca de ti te esperan esta noche {url} | Duplica tus bitcoins en 24 horas, ganancia garantizada {url}
{noun}: un idiota inútil | un payaso patético | una basura | un imbécil
{noun2}: idiota | imbécil | payaso | estúpido
{group}: inmigrantes | extranjeros | refugiados
{prize}: un iPhone nuevo | 10.000 euros | un viaje a Cancún
{money}: 3000 euros | 800 dólares | 5000 euros
{app}: WhatsApp | Telegram
`,
  de: `
toxic: Du bist {noun}, keiner will dich hier haben. | Halt die Klappe, du {noun2}. | Lösch dich, du {noun2}. | Ich weiß, wo du wohnst, pass bloß auf. | Du bist zu dumm, um dir die Schuhe zuzubinden. | Geh sterben, du {noun2}.
hate: Alle {group} sind gleich, raus mit denen. | {group} ruinieren dieses Land, schickt sie alle zurück. | Leute wie du gehören aus dem Land geworfen. | {group} sind alle kriminell, ohne Ausnahme.
spam: GLÜCKWUNSCH! Du hast {prize} gewonnen. Hier klicken: {url} | Verdiene {money} pro Woche von zu Hause, schreib mir auf {app}. | Sofortkredit bis {money} ohne Schufa: {url} | Heiße Singles in deiner Nähe warten auf dich {url} | Bitcoin verdoppeln in 24 Stunden, garantiert: {url}
{noun}: ein wertloser Idiot | eine absolute Null | ein erbärmlicher Versager
{noun2}: Idiot | Trottel | Vollpfosten | Versager
{group}: Ausländer | Flüchtlinge | Migranten
{prize}: ein neues iPhone | 10.000 Euro | eine Reise nach Dubai
{money}: 3000 Euro | 5000 Euro | 900 Euro
{app}: WhatsApp | Telegram
`,
  hi: `
toxic: तुम एक {noun} हो, यहाँ तुम्हें कोई नहीं चाहता। | चुप रह {noun}। | तेरी शक्ल देखकर उल्टी आती है, {noun}। | मुझे पता है तू कहाँ रहता है, संभल कर रहना। | तुझसे कुछ नहीं होगा, {noun}।
hate: ये {group} सब एक जैसे होते हैं, इन्हें बाहर निकालो। | {group} इस देश को बर्बाद कर रहे हैं। | तुम जैसे लोगों को देश से बाहर फेंक देना चाहिए।
spam: बधाई हो! आपने {prize} जीता है। यहाँ क्लिक करें: {url} | घर बैठे हर हफ़्ते {money} कमाएँ, {app} पर संपर्क करें। | बिना कागज़ के तुरंत लोन, {money} तक: {url} | अकेली लड़कियाँ आपसे बात करना चाहती हैं, अभी क्लिक करें {url}
{noun}: गधे | बेवकूफ़ | निकम्मे | घटिया आदमी
{group}: बाहरी लोग | शरणार्थी | विदेशी
{prize}: नया आईफ़ोन | 25 लाख रुपये | एक नई कार
{money}: 50,000 रुपये | 20,000 रुपये | 2 लाख रुपये
{app}: व्हाट्सऐप | टेलीग्राम
`,
  'hi-Latn': `
toxic: Chup kar {noun}, tujhe kisi ne nahi bulaya. | Tu ek number ka {noun} hai, nikal yahan se. | Teri shakal dekh ke ulti aati hai, {noun}. | Mujhe pata hai tu kahan rehta hai, sambhal ke rehna. | Tere jaise {noun} ko koi nahi poochta.
hate: Ye {group} sab ek jaise hote hain, inko bahar nikalo. | {group} is desh ko barbaad kar rahe hain. | Tum jaise logon ko desh se bahar phek dena chahiye.
spam: Badhai ho! Aapne {prize} jeeta hai, yahan click karein {url} | Ghar baithe har hafte {money} kamao, {app} par message karo. | Instant loan {money} tak, bina documents: {url} | Lonely girls aapse baat karna chahti hain, click karo {url}
{noun}: gadha | bewakoof | nikamma | ghatiya aadmi
{group}: bahar wale | refugees | videshi log
{prize}: naya iPhone | 25 lakh rupaye | ek nayi car
{money}: 50,000 rupaye | 20,000 rupaye
{app}: WhatsApp | Telegram
`,
  'ur-Latn': `
toxic: Chup ho ja {noun}, tujhe kisi ne nahi bulaya. | Tu aik number ka {noun} hai, dafa ho ja yahan se. | Mujhe pata hai tu kahan rehta hai, khayal rakhna. | Teri shakal dekh kar ghin aati hai, {noun}.
hate: Yeh {group} sab aik jaise hain, in ko mulk se nikalo. | {group} ne is mulk ko tabah kar diya hai. | Tum jaise logon ko mulk se bahar phenk dena chahiye.
spam: Mubarak ho! Aap ne {prize} jeet liya hai, yahan click karein {url} | Ghar baithe haftay ke {money} kamayein, {app} par rabta karein. | Foran qarza {money} tak, koi zamanat nahi: {url}
{noun}: gadha | bewaqoof | nikamma | ghatiya insan
{group}: panahguzeen | pardesi | bahar ke log
{prize}: naya iPhone | 50 lakh rupay | nayi gari
{money}: 50,000 rupay | 2 lakh rupay
{app}: WhatsApp | Telegram
`,
  zh: `
toxic: 你就是个{noun}，没人想看到你。 | 闭嘴吧，{noun}。 | 你这种{noun}怎么不去死。 | 我知道你住哪儿，小心点。 | 长得这么恶心还敢发照片，{noun}。
hate: {group}都是一个样，全都滚出去。 | {group}把这个国家毁了，应该全部赶走。 | 你们这种人就不配住在这里。 | {group}没一个好东西。
spam: 恭喜您中奖！{prize}等您领取，点击 {url} | 在家兼职，日赚{money}，加微信详聊 {url} | 无抵押贷款，最高{money}，当天到账 {url} | 寂寞美女同城约会，点这里 {url} | 稳赚不赔，比特币翻倍，速进群 {url}
{noun}: 白痴 | 废物 | 垃圾 | 蠢货
{group}: 外地人 | 外国人 | 难民 | 移民
{prize}: 最新款手机一部 | 现金十万元 | 汽车一辆
{money}: 500元 | 3000元 | 二十万
`,
  ko: `
toxic: 너 같은 {noun}는 아무도 안 좋아해. | 입 닥쳐, 이 {noun}야. | 네가 어디 사는지 알아, 조심해라. | 진짜 역겹다, 계정 삭제해라 {noun}야. | 넌 아무 쓸모도 없어.
hate: {group}은 다 똑같아, 전부 쫓아내야 해. | {group} 때문에 나라가 망한다. | 너 같은 사람들은 이 나라에서 나가야 돼. | {group}은 전부 범죄자다.
spam: 축하합니다! {prize}에 당첨되셨습니다. 지금 클릭 {url} | 집에서 하루 {money} 수익 보장, 카톡 주세요 {url} | 무담보 당일 대출 최대 {money} {url} | 오늘 밤 외로운 여성들이 기다려요 {url} | 코인 24시간 안에 두 배, 원금 보장 {url}
{noun}: 바보 | 멍청이 | 쓰레기
{group}: 외국인들 | 이민자들 | 난민들
{prize}: 최신 아이폰 | 현금 천만 원 | 상품권
{money}: 50만 원 | 3천만 원 | 100만 원
`,
  ar: `
toxic: أنت {noun} ولا أحد يريدك هنا. | اخرس يا {noun}. | أعرف أين تسكن، احذر مني. | وجهك مقرف، احذف حسابك يا {noun}. | لا فائدة منك أبداً يا {noun}.
hate: كل {group} متشابهون، اطردوهم جميعاً. | {group} خربوا هذا البلد. | أمثالك يجب أن يُطردوا من هذا البلد. | {group} كلهم مجرمون.
spam: مبروك! لقد ربحت {prize}، اضغط هنا الآن {url} | اربح {money} أسبوعياً من البيت، راسلني على {app} | قروض فورية حتى {money} بدون ضمان {url} | فتيات بالقرب منك ينتظرنك الليلة {url} | ضاعف أموالك في 24 ساعة، ربح مضمون {url}
{noun}: غبي | أحمق | حقير | فاشل
{group}: اللاجئين | الأجانب | المهاجرين
{prize}: هاتف آيفون جديد | مليون دولار | سيارة جديدة
{money}: 5000 دولار | 3000 ريال | 1000 دولار
{app}: واتساب | تلغرام
`,
};
