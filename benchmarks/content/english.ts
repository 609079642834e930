/**
 * English phrase bank. Format (every `content/*.ts` bank): one `key: phrase | phrase | …` per line, keys may
 * repeat; `{name}` is a slot filled from the `{name}:` line, `{n}` a number from 5 to 9. Slots are whole phrases
 * in the one grammatical form that the sentences need, so that every combination is well-formed.
 */
export const english: Record<string, string> = {
  en: `
hi: Hi everyone! | Morning all. | Hey folks, | Evening everybody. | Hello from a very sleepy kitchen. | Hi all, new here.
lead: Update: | Confession: | Quick one: | Story time. | Right then. | Small thing: | Day {n}: | Hot take: | Today's news: | Note to self: | Well, well. | True story:
food: We had {food} {place} {when} and I am still thinking about it. | I finally learned how to make {food} without burning anything.
food: Honestly, {food} beats any fancy restaurant. | My {who} makes the best {food} in the family, no contest.
food: Does anyone have a good recipe for {food}? | I ordered {food} {place} and waited an hour for it.
food: Too much salt for my taste, but the kids asked for seconds. | Tried the new bakery {place} {when}, lovely people, tiny portions.
food: The trick is to let it rest for {n} minutes before you cut it. | I will never understand people who put ketchup on {food}.
food: Leftover {food} for breakfast, and I regret nothing. | The queue was long but it moved fast.
film: Watched {film} {when} and cried twice. | Is {film} worth finishing? | My {who} fell asleep halfway through {film}, which says enough.
film: The soundtrack alone is worth the ticket. | I read the book first, and the ending is completely different. | No spoilers please, I am only on episode {n}.
film: {film} started slowly but the last half hour was brilliant. | We queued {place} for the premiere and it was worth every minute.
film: The acting is great, the script less so. | I have watched {film} {n} times and still notice new details.
sport: What a match {when}! | We were {n} minutes from the final whistle and then threw it away. | My {who} ran a first half marathon {when}, so proud.
sport: That was never a penalty. | The keeper saved us again, give him a statue. | Went for a run {place} {when}, my knees are complaining.
sport: Season tickets went up again and we all still pay. | Our under-twelves won {when}, you should have seen their faces.
sport: The referee had a bad day, it happens. | Swimming {place} is the only thing that keeps me sane. | I cannot believe they sold him to a rival.
weather: It rained {place} {when} from start to finish. | The fog {place} was so thick I missed my own stop. | Sun at last, everybody is outside.
weather: Forecast said dry, sky said no. | {n} degrees in the morning and people were already in shorts. | The storm took down a tree {place} {when}, nobody hurt luckily.
weather: I love this time of the year, apart from the dark evenings. | First snow {when}, the dog went completely mad.
work: Long day at work, {n} meetings and not one decision. | My {who} just got promoted and we are celebrating {place}. | I start my new job on Monday and I am terrified.
work: The printer broke again {when}. | Working from home with two toddlers is a sport of its own. | I handed in the report {when} and slept like a stone.
work: Our team is looking for someone who knows databases, write to me if that is you. | The train was {n} minutes late again, so I answered emails {place}.
work: My manager actually said thank you {when}. | Exams are over, now we wait. | I need a holiday from my holiday.
home: We painted the hallway {when} and now every other room looks sad. | The cat has decided that the laundry basket belongs to her.
home: Does anybody know a good plumber {place}? | My {who} is moving out next month and the house already feels quiet. | The boiler gave up {when}, of course on the coldest day.
home: Planted tomatoes {place} {when}, wish me luck. | We adopted an old dog and he sleeps {n} hours at a stretch. | The neighbours lent us their ladder, which was kind.
travel: Just got back from a week by the sea, sunburnt and happy. | The bus {place} never came, so we walked. | Can anyone recommend a cheap place to stay near the station?
travel: Lost my suitcase {when}, got it back after {n} days. | The museum {place} is free on Sundays and well worth it. | We took the night train and I would do it again.
ask: What do you think? | Has anyone else noticed this? | Am I the only one? | Any tips? | How was your day? | Who is coming on Saturday? | Is it just me or has the app become slower?
end: Thanks for reading. | Have a good one. | Anyway, back to work. | That is all I wanted to say. | You were right, I take it back. | I completely agree with you.
end: Not sure I agree, but fair point. | Congratulations, you earned it! | Good luck tomorrow. | Let me know how it goes. | Sorry for the late reply. | This made my day.
end: Same here, to be honest. | Please share the recipe. | See you there. | Happy birthday, hope you get cake. | I could not have put it better. | Thank you, that helped a lot.
short: ok | lol | same | yes | no | haha | nice | this | thanks! | wow | true | agreed | lovely photo | what? | good morning | nope | me too | first | congrats! | so cute
tag: #mondaymood | #foodie | #matchday | #weekend | #nofilter | #throwback | #gardening | #worklife | #booklovers
{food}: lentil soup | fish and chips | pizza | mushroom risotto | apple crumble | chicken curry | banana bread | pancakes | roast potatoes | ramen | tomato salad | dumplings
{place}: at the market | down by the river | near the station | in town | at the community centre | in Leeds | in Chicago | at my parents' place | on the high street | in the park | in Melbourne
{when}: yesterday | this morning | last night | on Sunday | last weekend | two days ago | earlier today | on Friday evening
{who}: sister | brother | mum | dad | flatmate | cousin | neighbour | best friend | daughter | son | grandmother
{film}: the new space series | that documentary about bees | the remake everyone talks about | an old black-and-white thriller | the finale | that baking show | the film about the lighthouse keeper
`,
};

/** Harmless English sentences with words that a careless classifier takes for harm, or that name groups neutrally. */
export const lookAlikes: readonly string[] = `
This cake is killer. | I could murder a pizza right now. | That joke absolutely killed me. | My phone died in the middle of the call.
You idiot-proofed the form, brilliant work. | I am such an idiot, I left my keys in the fridge again. | This traffic is going to be the death of me.
The team destroyed them three nil, what a performance. | We shot the whole wedding on film. | She slayed in that dress.
My neighbours are Muslim and we celebrate together. | Our church and the mosque next door share a car park and a soup kitchen.
My best friend is gay and his wedding was the happiest day of the year. | The Jewish bakery on the corner has the best bread in town.
Refugee families opened a small restaurant here and the food is wonderful. | The women's team deserves a bigger stadium.
My grandparents came to this country as immigrants with one suitcase. | Black coffee, black coat, black cat: that is my whole personality.
He bombed the audition but they gave him a second chance. | I hate Mondays with a passion. | I hate when the bus leaves early.
The plot twist blew my mind. | I would kill for a nap. | Kill the process and restart the server, that fixed it for me.
Free entry to the museum on Sunday, no ticket needed. | I won the office raffle, it was a mug. | Click the blue button to save your form.
My bank finally approved our mortgage, we can move in May. | The prize for best marrow went to my uncle. | What a sick beat.
Calling somebody stupid never won an argument. | The report on hate speech is worth reading. | The word moron was a medical term once.
Stop saying that all immigrants are criminals, it is simply not true. | Shooting hoops after school with the kids. | My gym trainer is trying to kill me.
Deaf people in our choir sign the songs and it is beautiful. | Happy Diwali to all my Hindu friends and colleagues!
My Christian and Muslim colleagues swap holiday shifts so that everybody gets their feast. | Ramadan Mubarak to everyone fasting today.
The disabled parking bay is blocked again, please move the blue van. | Trans rights talk at the library tonight, all welcome.
The dog attacked the vacuum cleaner again. | Shut up, no way, you got the job? Congratulations! | This spicy soup is savage.
`
  .split(/[|\n]/)
  .map((phrase) => phrase.trim())
  .filter((phrase) => phrase !== '');
