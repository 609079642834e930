/** Phrase banks of Romance languages (format: see `english.ts`). */
export const romance: Record<string, string> = {
  es: `
hi: ¡Hola a todos! | Buenos días, gente. | Buenas tardes por aquí. | Hola, soy nuevo en el grupo.
food: {when} comimos {food} {place} y todavía me acuerdo. | Nadie prepara {food} como {who}. | Por fin aprendí a hacer {food} sin quemar nada.
food: ¿Alguien tiene una buena receta para {food}? | Le faltaba un poco de sal, pero estaba muy rico. | Hoy toca {food} y no se discute. | El secreto es dejarlo reposar {n} minutos.
film: {when} vi {film} y lloré dos veces. | ¿Vale la pena terminar {film}? | Sin spoilers, por favor, voy por el capítulo {n}. | La banda sonora ya vale la entrada. | A {who} no le gustó el final, a mí sí.
sport: ¡Qué partido el de {when}! | Eso nunca fue penalti. | El portero nos salvó otra vez. | Faltaban {n} minutos y lo perdimos. | {when} salí a correr {place} y hoy no puedo con las piernas.
weather: No para de llover {place}. | Por fin salió el sol. | Con este calor no se puede dormir. | {when} cayó una tormenta tremenda {place}. | El pronóstico decía despejado y mira.
work: Hoy tuve {n} reuniones y ninguna decisión. | El lunes empiezo en el trabajo nuevo y estoy con muchos nervios. | {when} entregué el informe y dormí como un tronco. | El tren llegó tarde otra vez. | A {who} le dieron el ascenso y lo celebramos {place}.
home: {when} pintamos el pasillo y quedó precioso. | ¿Conocen a un buen fontanero {place}? | El gato decidió que el sofá es suyo. | Los vecinos nos prestaron la escalera, qué amables.
ask: ¿Qué opinan? | ¿A alguien más le pasa? | ¿Cómo les fue hoy? | ¿Quién viene el sábado? | ¿Soy la única persona que piensa así?
end: Gracias por leer. | Totalmente de acuerdo. | No estoy tan seguro, pero respeto tu opinión. | ¡Felicidades, te lo mereces! | Mucha suerte mañana. | Perdón por responder tarde. | Un abrazo. | Me alegraste el día.
short: ok | jajaja | sí | no | igual | gracias | qué lindo | tal cual | jaja | buenísimo | de acuerdo | hola
tag: #findesemana | #comidacasera | #fútbol | #buenosdías | #cine | #lunes
{food}: tortilla de patatas | lentejas | empanadas | arroz con pollo | sopa de verduras | tacos | croquetas | ensalada de tomate
{place}: en el mercado | en casa de mis padres | cerca de la estación | en Valencia | en Bogotá | en el centro | en el parque | en Guadalajara
{when}: ayer | anoche | el domingo | esta mañana | el fin de semana pasado | el viernes
{who}: mi abuela | mi hermana | mi tía | mi madre | mi vecina | mi hermano
{film}: la serie nueva | el documental de las abejas | la película del faro | el último episodio | ese programa de cocina
`,
  pt: `
hi: Oi, gente! | Bom dia a todos. | Boa noite, pessoal. | Olá, acabei de entrar no grupo.
food: {when} comemos {food} {place} e estava uma delícia. | Ninguém faz {food} como {who}. | Alguém tem uma boa receita de {food}? | Aprendi a fazer {food} e só queimei uma panela. | O segredo é deixar descansar {n} minutos. | Hoje o almoço é {food}.
film: {when} assisti {film} e chorei no final. | Vale a pena terminar {film}? | Sem spoiler, por favor, ainda estou no episódio {n}. | A trilha sonora é linda. | O livro é melhor, mas gostei do filme.
sport: Que jogo o de {when}! | Isso nunca foi pênalti. | O goleiro salvou a gente de novo. | Faltavam {n} minutos e levamos o gol. | {when} corri {place} e hoje mal consigo andar.
weather: Não para de chover {place}. | Que calor é esse? | O sol finalmente apareceu. | {when} caiu um temporal {place}. | A previsão errou outra vez.
work: Hoje foram {n} reuniões e nada decidido. | Segunda-feira começo no emprego novo. | {when} entreguei o relatório e dormi feito pedra. | O ônibus atrasou de novo. | Preciso de férias das férias.
home: {when} pintamos a sala e ficou ótimo. | Alguém conhece um bom encanador {place}? | O cachorro dormiu no meu travesseiro. | {who} vem passar o feriado com a gente.
ask: O que vocês acham? | Só acontece comigo? | Como foi o dia de vocês? | Quem vai no sábado? | Alguma dica?
end: Obrigada por tudo. | Concordo plenamente. | Parabéns, você merece! | Boa sorte amanhã. | Desculpa a demora para responder. | Um abraço. | Adorei a foto. | Não sei se concordo, mas entendo.
short: kkkk | ok | sim | não | verdade | obrigado | que lindo | amei | isso | bom dia | tmj
tag: #sextou | #comidacaseira | #futebol | #bomdia | #cinema
{food}: feijoada | pão de queijo | arroz com feijão | moqueca | bolo de cenoura | sopa de legumes | pastel
{place}: na feira | na casa da minha mãe | perto da estação | em Recife | no centro | no parque | em Lisboa | em Curitiba
{when}: ontem | hoje cedo | no domingo | ontem à noite | no fim de semana | na sexta
{who}: minha avó | minha irmã | minha tia | minha vizinha | meu irmão | meu pai
{film}: a série nova | o documentário das abelhas | o filme do farol | o último episódio
`,
  fr: `
hi: Salut tout le monde ! | Bonjour à tous. | Bonsoir la compagnie. | Coucou, je viens d'arriver sur le groupe.
food: {when}, on a mangé {food} {place} et c'était délicieux. | Personne ne prépare {food} comme {who}. | Quelqu'un a une bonne recette pour {food} ? | Le secret, c'est de laisser reposer {n} minutes. | J'ai enfin réussi {food} sans rien brûler. | Un peu trop salé à mon goût, mais les enfants en ont repris.
film: {when}, j'ai regardé {film} et j'ai pleuré deux fois. | Est-ce que ça vaut le coup de finir {film} ? | Pas de spoilers, j'en suis à l'épisode {n}. | La musique vaut le billet à elle seule. | J'ai préféré le livre, la fin est différente.
sport: Quel match ! | Il n'y avait jamais penalty. | Le gardien nous a encore sauvés. | À {n} minutes de la fin, on a tout perdu. | {when}, j'ai couru {place} et j'ai mal partout.
weather: Il pleut sans arrêt {place}. | Le soleil est enfin revenu. | Quelle chaleur, impossible de dormir. | {when}, il y a eu un gros orage {place}. | La météo annonçait du beau temps, raté.
work: {n} réunions aujourd'hui et aucune décision. | Je commence mon nouveau travail lundi et j'ai le trac. | {when}, j'ai rendu le rapport et j'ai dormi comme un loir. | Le train avait encore du retard. | J'ai besoin de vacances.
home: {when}, on a repeint le couloir et ça change tout. | Vous connaissez un bon plombier {place} ? | Le chat a décidé que le canapé est à lui. | {who} vient passer le week-end à la maison.
ask: Qu'en pensez-vous ? | Je suis le seul à trouver ça bizarre ? | Vous avez passé une bonne journée ? | Qui vient samedi ? | Des conseils ?
end: Merci d'avoir lu. | Tout à fait d'accord. | Félicitations, c'est mérité ! | Bon courage pour demain. | Désolé pour la réponse tardive. | Bonne soirée à tous. | Je ne suis pas convaincu, mais pourquoi pas. | Merci, ça m'a bien aidé.
short: ok | mdr | oui | non | pareil | merci | trop beau | ptdr | bravo | grave | bonjour
tag: #bonneambiance | #faitmaison | #cinéma | #lundi | #rugby
{food}: un gratin dauphinois | des crêpes | une soupe à l'oignon | un couscous | une tarte aux pommes | une ratatouille | des lentilles
{place}: au marché | chez mes parents | près de la gare | à Nantes | en ville | au parc | à Montréal | à Dakar
{when}: hier | hier soir | dimanche | ce matin | le week-end dernier | vendredi
{who}: ma grand-mère | ma sœur | mon père | ma voisine | mon frère | ma tante
{film}: la nouvelle série | le documentaire sur les abeilles | le film du phare | le dernier épisode
`,
  it: `
hi: Ciao a tutti! | Buongiorno a tutti. | Buonasera gente. | Ciao, sono appena entrata nel gruppo.
food: {when} abbiamo mangiato {food} {place} e me lo ricordo ancora. | Nessuno prepara {food} come {who}. | Qualcuno ha una buona ricetta per {food}? | Il segreto è lasciar riposare {n} minuti. | Stasera {food} e non si discute. | Un po' troppo sale, ma i bambini hanno fatto il bis.
film: {when} ho guardato {film} e ho pianto due volte. | Vale la pena finire {film}? | Niente spoiler, sono alla puntata {n}. | La colonna sonora vale da sola il biglietto. | Il libro mi era piaciuto di più.
sport: Che partita! | Quello non era mai rigore. | Il portiere ci ha salvati di nuovo. | Mancavano {n} minuti e abbiamo buttato via tutto. | {when} sono andata a correre {place} e oggi non sento più le gambe.
weather: Non smette di piovere {place}. | Finalmente il sole. | Con questo caldo non si dorme. | {when} c'è stato un temporale fortissimo {place}. | Le previsioni hanno sbagliato di nuovo.
work: Oggi {n} riunioni e nessuna decisione. | Lunedì comincio il lavoro nuovo e sono in ansia. | {when} ho consegnato la relazione e ho dormito come un sasso. | Il treno era di nuovo in ritardo. | Mi serve una vacanza.
home: {when} abbiamo dipinto il corridoio e sembra un'altra casa. | Conoscete un bravo idraulico {place}? | Il gatto ha deciso che il divano è suo. | {who} viene a trovarci per le feste.
ask: Che ne pensate? | Succede solo a me? | Com'è andata la giornata? | Chi viene sabato? | Qualche consiglio?
end: Grazie per aver letto. | Sono pienamente d'accordo. | Complimenti, te lo meriti! | In bocca al lupo per domani. | Scusate il ritardo nella risposta. | Buona serata a tutti. | Non sono convinto, ma rispetto la tua opinione. | Grazie, mi hai aiutato molto.
short: ok | ahahah | sì | no | anch'io | grazie | bellissimo | esatto | vero | brava!
tag: #buonadomenica | #fattoincasa | #calcio | #cinema | #lunedì
{food}: le lasagne | il risotto ai funghi | la parmigiana | la minestra di verdure | gli gnocchi | la torta di mele
{place}: al mercato | dai miei | vicino alla stazione | a Bologna | in centro | al parco | a Palermo
{when}: ieri | ieri sera | domenica | stamattina | lo scorso fine settimana | venerdì
{who}: mia nonna | mia sorella | mio padre | la mia vicina | mio fratello | mia zia
{film}: la nuova serie | il documentario sulle api | il film del faro | l'ultima puntata
`,
};
