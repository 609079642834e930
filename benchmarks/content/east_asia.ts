/** Phrase banks of East and South-East Asian languages (format: see `english.ts`). */
export const eastAsia: Record<string, string> = {
  th: `
hi: สวัสดีทุกคน | อรุณสวัสดิ์ค่ะ | สวัสดีตอนเย็นค่ะ
food: {when}ไปกิน{food}{place} อร่อยมาก | {who}ทำอาหารอร่อยที่สุดในบ้าน | ใครมีสูตร{food}ดีๆ บ้าง | เคล็ดลับคือพักไว้ {n} นาที | เย็นนี้ที่บ้านทำ{food} | เค็มไปนิดแต่เด็กๆ ขอเพิ่ม
film: {when}ดู{film}แล้วร้องไห้สองรอบ | {film}สนุกไหม ควรดูต่อไหม | ห้ามสปอยล์นะ เพิ่งถึงตอนที่ {n} | เพลงประกอบเพราะมาก | ชอบหนังสือมากกว่า
sport: แข่งสนุกมาก | ลูกนั้นไม่น่าเป็นจุดโทษเลย | ผู้รักษาประตูช่วยไว้อีกแล้ว | เหลืออีก {n} นาทีก็โดนยิง | {when}ไปวิ่ง{place} วันนี้ปวดขามาก
weather: ฝนตกไม่หยุดเลย | แดดออกสักที | ร้อนขนาดนี้นอนไม่หลับ | {when}พายุเข้า{place} น่ากลัวมาก
work: วันนี้ประชุม {n} รอบ แต่ไม่ได้ข้อสรุปอะไรเลย | วันจันทร์เริ่มงานใหม่ ตื่นเต้นมาก | {when}ส่งรายงานแล้วหลับสบายเลย | รถไฟมาช้าอีกแล้ว | อยากหยุดพักบ้าง
ask: ทุกคนคิดยังไง | มีใครเป็นเหมือนกันไหม | วันนี้เป็นยังไงบ้าง | วันเสาร์ใครไปบ้าง
end: ขอบคุณที่อ่านค่ะ | เห็นด้วยเลย | ยินดีด้วยนะ | พรุ่งนี้ขอให้โชคดี | ขอโทษที่ตอบช้า | ฝันดีนะทุกคน
short: โอเค | 555 | ใช่ | ไม่ | ขอบคุณ | สวยมาก | จริง | เหมือนกัน
tag: #วันหยุด | #ของอร่อย | #บอลไทย
{food}: ข้าวมันไก่ | ส้มตำ | ก๋วยเตี๋ยวเรือ | แกงเขียวหวาน | ผัดไทย | ข้าวซอย
{place}: ที่ตลาด | ที่บ้านแม่ | แถวสถานี | ที่เชียงใหม่ | ในสวน | ที่ขอนแก่น
{when}: เมื่อวาน | เมื่อคืน | วันอาทิตย์ | เมื่อเช้า | อาทิตย์ก่อน
{who}: แม่ | ยาย | พี่สาว | ป้า
{film}: ซีรีส์เรื่องใหม่ | สารคดีเรื่องผึ้ง | หนังเก่าเรื่องนั้น
`,
  vi: `
hi: Chào cả nhà! | Chào buổi sáng mọi người. | Chào mọi người, mình mới vào nhóm.
food: {when} nhà mình ăn {food} {place}, ngon lắm. | {who} nấu ăn ngon nhất nhà. | Ai có công thức nấu {food} ngon không? | Bí quyết là để nghỉ {n} phút. | Tối nay nhà mình ăn {food}. | Hơi mặn một chút nhưng bọn trẻ vẫn xin thêm.
film: {when} mình xem {film} và khóc hai lần. | Có nên xem hết {film} không? | Đừng kể trước nhé, mình mới xem đến tập {n}. | Nhạc phim hay quá. | Mình thích truyện hơn.
sport: Trận đấu hay quá! | Quả đó không thể là phạt đền. | Thủ môn lại cứu cả đội. | Còn {n} phút mà vẫn để thua. | {when} mình chạy bộ {place}, hôm nay đau hết cả chân.
weather: Mưa mãi không tạnh. | Cuối cùng cũng có nắng. | Nóng thế này không ngủ được. | {when} bão lớn, may mà cả nhà không sao.
work: Hôm nay họp {n} cuộc mà chẳng quyết được gì. | Thứ hai mình bắt đầu công việc mới, hơi lo. | {when} nộp báo cáo xong ngủ ngon lành. | Xe buýt lại đến muộn. | Mình cần một kỳ nghỉ.
ask: Mọi người nghĩ sao? | Có ai giống mình không? | Hôm nay của mọi người thế nào? | Thứ bảy ai đi nào?
end: Cảm ơn mọi người đã đọc. | Mình hoàn toàn đồng ý. | Chúc mừng bạn nhé! | Chúc ngày mai may mắn. | Xin lỗi vì trả lời muộn. | Chúc cả nhà ngủ ngon.
short: ok | haha | đúng rồi | không | cảm ơn | đẹp quá | chuẩn | mình cũng vậy | hay quá
tag: #cuốituần | #mónngon | #bóngđá
{food}: phở | bún chả | bánh xèo | cơm tấm | bún bò Huế | canh chua
{place}: ở chợ | ở nhà ngoại | gần ga | ở Đà Nẵng | ngoài công viên | ở Cần Thơ
{when}: hôm qua | tối qua | chủ nhật | sáng nay | tuần trước
{who}: mẹ mình | bà ngoại | chị mình | bố mình
{film}: bộ phim mới | phim tài liệu về ong | bộ phim cũ đó | tập cuối
`,
  id: `
hi: Halo semuanya! | Selamat pagi, teman-teman. | Selamat malam semua. | Hai, saya anggota baru.
food: {when} kami makan {food} {place}, enak sekali. | {who} paling jago masak di keluarga. | Ada yang punya resep {food} yang enak? | Rahasianya didiamkan dulu {n} menit. | Malam ini kami masak {food}. | Agak keasinan, tapi anak-anak minta tambah.
film: {when} saya nonton {film} dan nangis dua kali. | Apakah {film} layak ditonton sampai habis? | Jangan spoiler ya, saya baru sampai episode {n}. | Musiknya bagus banget. | Saya lebih suka bukunya.
sport: Pertandingan yang luar biasa! | Itu bukan penalti. | Kiper kita menyelamatkan lagi. | Tinggal {n} menit malah kebobolan. | {when} saya lari {place}, hari ini kaki pegal semua.
weather: Hujan tidak berhenti dari pagi. | Akhirnya cerah juga. | Panas begini susah tidur. | {when} ada angin kencang {place}.
work: Hari ini {n} rapat dan tidak ada keputusan. | Senin saya mulai kerja di tempat baru, deg-degan. | {when} laporan selesai, langsung tidur nyenyak. | Kereta terlambat lagi. | Butuh liburan.
ask: Menurut kalian bagaimana? | Apa cuma saya yang begini? | Bagaimana harimu? | Siapa yang ikut hari Sabtu?
end: Terima kasih sudah membaca. | Setuju sekali. | Selamat ya, kamu pantas mendapatkannya! | Semoga sukses besok. | Maaf baru balas. | Selamat istirahat.
short: ok | wkwk | iya | tidak | sama | makasih | bagus | betul | mantap
tag: #akhirpekan | #masakanrumah | #sepakbola
{food}: nasi goreng | soto ayam | rendang | gado-gado | bakso | sayur asem
{place}: di pasar | di rumah ibu | dekat stasiun | di Bandung | di taman | di Surabaya
{when}: kemarin | tadi malam | hari Minggu | tadi pagi | minggu lalu
{who}: ibu saya | nenek saya | kakak saya | tante saya
{film}: serial baru itu | dokumenter tentang lebah | film lama itu | episode terakhir
`,
  ja: `
hi: みなさん、こんにちは。 | おはようございます！ | こんばんは。 | はじめまして、よろしくお願いします。
food: {when}、{place}{food}を食べました。とてもおいしかったです。 | {who}の料理が一番好きです。 | {food}のいいレシピを知っている人いませんか？ | コツは{n}分休ませることです。 | 今夜は{food}にします。 | 少ししょっぱかったけど、子どもたちはおかわりしました。
film: {when}、{film}を見て二回泣きました。 | {film}は最後まで見る価値ありますか？ | ネタバレはやめてください、まだ{n}話です。 | 音楽だけでも見る価値があります。 | 原作のほうが好きでした。
sport: すごい試合だった！ | あれはPKじゃないでしょう。 | キーパーがまた助けてくれた。 | 残り{n}分で逆転されてしまった。 | {when}、{place}走ったので足が痛いです。
weather: 雨が全然やみません。 | やっと晴れました。 | 暑すぎて眠れません。 | {when}は風がすごかったですね。 | 天気予報がまた外れました。
work: 今日は会議が{n}回もあったのに、何も決まりませんでした。 | 月曜から新しい職場です。緊張します。 | {when}、レポートを出してぐっすり寝ました。 | 電車がまた遅れています。 | 休みがほしい。
home: {when}、部屋の模様替えをしました。 | 猫がソファを占領しています。 | 週末に{who}が遊びに来ます。 | ベランダのトマトが赤くなりました。
ask: みなさんはどう思いますか？ | 私だけでしょうか？ | 今日はどんな一日でしたか？ | 土曜日、誰か行きますか？
end: 読んでくれてありがとうございます。 | まったく同感です。 | おめでとうございます！ | 明日がんばってください。 | 返信が遅れてすみません。 | おやすみなさい。 | いい写真ですね。
short: 了解 | 草 | はい | いいえ | ありがとう | かわいい | それな | 同じく | おつかれさま | いいね
tag: #おうちごはん | #週末 | #サッカー | #読書
{food}: ラーメン | カレー | お好み焼き | 味噌煮込みうどん | 親子丼 | 餃子 | おでん
{place}: 駅の近くで | 実家で | 市場で | 京都で | 公園で | 札幌で
{when}: 昨日 | 昨夜 | 日曜日 | 今朝 | 先週
{who}: 母 | 祖母 | 姉 | 弟 | 父
{film}: 新しいドラマ | 蜂のドキュメンタリー | あの古い映画 | 最終回
`,
  ko: `
hi: 안녕하세요 여러분! | 좋은 아침이에요. | 안녕하세요, 처음 왔어요.
food: {when} {place} {food} 먹었는데 정말 맛있었어요. | {who} 요리가 제일 맛있어요. | 맛있는 {food} 레시피 아시는 분? | 비결은 {n}분 동안 그대로 두는 거예요. | 오늘 저녁은 {food}입니다. | 조금 짰지만 아이들은 더 달라고 했어요.
film: {when} {film} 보고 두 번 울었어요. | {film} 끝까지 볼 만한가요? | 스포일러 하지 마세요, 아직 {n}화예요. | 음악만으로도 볼 가치가 있어요. | 저는 책이 더 좋았어요.
sport: 정말 대단한 경기였다! | 그건 절대 페널티킥이 아니었어요. | 골키퍼가 또 살렸네요. | {n}분 남기고 역전당했어요. | {when} {place} 달리기를 했더니 다리가 아파요.
weather: 비가 그치질 않네요. | 드디어 해가 났어요. | 너무 더워서 잠이 안 와요. | {when} 바람이 정말 심했어요. | 일기예보가 또 틀렸네요.
work: 오늘 회의만 {n}번 했는데 결정된 게 없어요. | 월요일부터 새 직장에 나가요, 떨리네요. | {when} 보고서 내고 푹 잤어요. | 지하철이 또 늦네요. | 휴가가 필요해요.
home: {when} 거실 가구를 옮겼더니 훨씬 넓어 보여요. | 고양이가 소파를 차지했어요. | 주말에 {who} 집에 놀러 가요.
ask: 여러분은 어떻게 생각하세요? | 저만 그런가요? | 오늘 하루 어떠셨어요? | 토요일에 누가 가요?
end: 읽어 주셔서 감사합니다. | 완전 동의해요. | 축하드려요! | 내일 잘하세요. | 답장이 늦어서 죄송해요. | 좋은 밤 되세요. | 덕분에 큰 도움이 됐어요.
short: ㅋㅋㅋ | 네 | 아니요 | 감사합니다 | 예뻐요 | 인정 | 저도요 | 맞아요 | 대박
tag: #집밥 | #주말 | #축구 | #책스타그램
{food}: 김치찌개 | 비빔밥 | 냉면 | 떡볶이 | 칼국수 | 만두
{place}: 시장에서 | 부모님 집에서 | 역 근처에서 | 부산에서 | 공원에서 | 전주에서
{when}: 어제 | 어젯밤 | 일요일에 | 오늘 아침에 | 지난주에
{who}: 할머니 | 언니 | 이모 | 어머니
{film}: 새 드라마 | 꿀벌 다큐멘터리 | 그 옛날 영화 | 마지막 회
`,
  zh: `
hi: 大家好！ | 早上好，各位。 | 晚上好。 | 大家好，我是新来的。
food: {when}在{place}吃了{food}，味道真不错。 | {who}做的饭最好吃。 | 谁有做{food}的好方子？ | 关键是要静置{n}分钟。 | 今晚家里吃{food}。 | 稍微有点咸，不过孩子们还要再来一碗。
film: {when}看了{film}，哭了两次。 | {film}值得看完吗？ | 别剧透，我才看到第{n}集。 | 光是配乐就值回票价。 | 我更喜欢原著，结局完全不一样。
sport: 这场比赛太精彩了！ | 那个球根本不是点球。 | 门将又救了我们一次。 | 还剩{n}分钟，结果被绝杀了。 | {when}在{place}跑步，今天腿疼得不行。
weather: 雨下个不停。 | 终于出太阳了。 | 天气这么热，根本睡不着。 | {when}刮了一场大风。 | 天气预报又不准。
work: 今天开了{n}个会，什么也没定下来。 | 星期一去新公司上班，有点紧张。 | {when}交了报告，睡得特别香。 | 地铁又晚点了。 | 好想放假。
home: {when}把客厅重新布置了一下，宽敞多了。 | 猫把沙发占了。 | 有没有靠谱的水管工推荐？ | 周末{who}要来我家玩。
ask: 大家怎么看？ | 只有我一个人这样吗？ | 今天过得怎么样？ | 星期六谁去？
end: 谢谢阅读。 | 完全同意。 | 恭喜恭喜！ | 祝明天顺利。 | 抱歉回复晚了。 | 大家晚安。 | 谢谢，帮了大忙。
short: 好的 | 哈哈哈 | 是的 | 不是 | 谢谢 | 真好看 | 确实 | 我也是 | 赞 | 沙发
tag: #周末 | #家常菜 | #足球 | #读书
{food}: 饺子 | 牛肉面 | 番茄炒蛋 | 麻婆豆腐 | 火锅 | 红烧肉
{place}: 菜市场 | 爸妈家 | 车站附近 | 成都 | 公园 | 杭州
{when}: 昨天 | 昨晚 | 星期天 | 今天早上 | 上周
{who}: 奶奶 | 姐姐 | 妈妈 | 姑姑
{film}: 那部新剧 | 那部蜜蜂的纪录片 | 那部老电影 | 最后一集
`,
};
