-- Normal forms of typed text for comparison and indexes, as in program/text.

create function review.person(address text) returns text
    language sql immutable strict parallel safe
    return lower(btrim(address, E' \t\n\r\f\v') collate "C");
comment on function review.person(address text) is 'The form in which a person''s address is stored and compared';

create function review.folded_beyond_ascii(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
begin
    return replace(replace(translate(
    regexp_replace(normalize(left(typed, 2000), NFKC) collate "C", '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]', '', 'g'),
    'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƠƢƤƦƧƩƬƮƯƱƲƳƵƷƸƼǄǅǇǈǊǋǍǏǑǓǕǗǙǛǞǠǢǤǦǨǪǬǮǱǲǴǶǷǸǺǼǾȀȂȄȆȈȊȌȎȐȒȔȖȘȚȜȞȠȢȤȦȨȪȬȮȰȲȺȻȽȾɁɃɄɅɆɈɊɌɎͰͲͶͿΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫϏϘϚϜϞϠϢϤϦϨϪϬϮϴϷϹϺϽϾϿЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖḀḂḄḆḈḊḌḎḐḒḔḖḘḚḜḞḠḢḤḦḨḪḬḮḰḲḴḶḸḺḼḾṀṂṄṆṈṊṌṎṐṒṔṖṘṚṜṞṠṢṤṦṨṪṬṮṰṲṴṶṸṺṼṾẀẂẄẆẈẊẌẎẐẒẔẞẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸỺỼỾἈἉἊἋἌἍἎἏἘἙἚἛἜἝἨἩἪἫἬἭἮἯἸἹἺἻἼἽἾἿὈὉὊὋὌὍὙὛὝὟὨὩὪὫὬὭὮὯᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾸᾹᾺΆᾼῈΈῊΉῌῘῙῚΊῨῩῪΎῬῸΌῺΏῼςİı', 'abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĳĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżžɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵơƣƥʀƨʃƭʈưʊʋƴƶʒƹƽǆǆǉǉǌǌǎǐǒǔǖǘǚǜǟǡǣǥǧǩǫǭǯǳǳǵƕƿǹǻǽǿȁȃȅȇȉȋȍȏȑȓȕȗșțȝȟƞȣȥȧȩȫȭȯȱȳⱥȼƚⱦɂƀʉʌɇɉɋɍɏͱͳͷϳάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋϗϙϛϝϟϡϣϥϧϩϫϭϯθϸϲϻͻͼͽѐёђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕßạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹỻỽỿἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὑὓὕὗὠὡὢὣὤὥὦὧᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱὰάᾳὲέὴήῃῐῑὶίῠῡὺύῥὸόὼώῳσii'), U&'\00df', 'ss'), U&'i\0307', 'i');
end
$function$;
comment on function review.folded_beyond_ascii(typed text) is 'review.folded for text beyond ASCII';

create function review.folded(typed text) returns text
language sql immutable parallel safe
return case when octet_length(typed) = length(typed) then lower(left(typed, 2000) collate "C")
    else review.folded_beyond_ascii(typed) end;
comment on function review.folded(typed text) is 'Text folded for comparison: NFKC and lower case, without invisible characters';

create function review.word(typed text) returns text
language sql immutable strict parallel safe
return left(coalesce(
    nullif(normalize(regexp_replace(review.folded(typed) collate "C", '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]', '', 'g'), NFKC), ''),
    btrim(review.folded(typed), ' ')), 100);
comment on function review.word(typed text) is 'Only the letters and digits of a name, at most 100';

create function review.platform_meant(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    names constant text[] := array['x','twitter','xtwitter','twitterx','xcom','twittercom','xformerlytwitter','twitternowx','xextwitter','tweeter','推特','ツイッター','트위터','твиттер','تويتر','توییتر','telegram','tg','tme','telegramme','telegramdog','telegramorg','telegramm','telegrem','电报','電報','텔레그램','テレグラム','телеграм','телеграмм','телега','тг','تلگرام','تيليجرام','تلجرام','تيليغرام','טלגרם','เทเลแกรม','youtube','yt','youtubecom','油管','유튜브','ユーチューブ','ютуб','ютюб','يوتيوب','یوتیوب','tiktok','tt','tiktokcom','틱톡','ティックトック','тикток','تيكتوك','douyin','抖音','douyincom','instagram','ig','insta','instagramcom','照片墙','인스타그램','インスタグラム','インスタ','инстаграм','инста','إنستغرام','انستقرام','اینستاگرام','threads','threadsnet','threadscom','facebook','fb','meta','facebookcom','fbcom','fbme','mme','fbmessenger','脸书','臉書','페이스북','フェイスブック','фейсбук','فيسبوك','فیسبوک','discord','dc','discordcom','discordgg','discordappcom','디스코드','ディスコード','дискорд','ديسكورد','whatsapp','wa','wapp','whats','whatsup','whatsap','watsapp','wame','whatsappcom','zap','왓츠앱','ワッツアップ','ватсап','вотсап','واتساب','واتساپ','wechat','wx','weixin','微信','薇信','위챗','ウィーチャット','вичат','wechatcom','email','mail','emailaddress','mailaddress','gmail','googlemail','邮箱','邮件','電子郵件','电子邮件','电子邮箱','電郵','이메일','메일','メール','eメール','почта','элпочта','электроннаяпочта','имейл','correo','correoelectrónico','eposta','courriel','adresseemail','emailadresse','surel','thưđiệntử','بريدإلكتروني','البريدالإلكتروني','ایمیل','אימייל','อีเมล','phone','telephone','phonenumber','mobile','mobilephone','cell','cellphone','call','tel','电话','手机','電話','전화','телефон','teléfono','telefone','téléphone','telefon','هاتف','sms','textmessage','imessage','line','lineme','라인','ライン','ไลน์','signal','signalme','signalorg','сигнал','viber','вайбер','vibercom','skype','скайп','skypecom','kakaotalk','kakao','카카오톡','카톡','kakaocom','zalo','zalome','qq','扣扣','tencentqq','linkedin','linkedincom','领英','링크드인','لينكدإن','twitch','twitchtv','트위치','твич','kick','kickcom','rumble','rumblecom','reddit','redditcom','레딧','реддит','medium','mediumcom','github','githubcom','snapchat','snap','snapchatcom','سنابشات','pinterest','pinterestcom','tradingview','tradingviewcom','bluesky','bsky','bskyapp','vk','vkontakte','vkcom','вк','вконтакте','weibo','sinaweibo','weibocom','微博','新浪微博','xiaohongshu','red','rednote','xhs','小红书','小紅書','xiaohongshucom','bilibili','b站','哔哩哔哩','bilibilicom','zhihu','知乎','zhihucom'];
    keys constant text[] := array['x','x','x','x','x','x','x','x','x','x','x','x','x','x','x','x','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','telegram','youtube','youtube','youtube','youtube','youtube','youtube','youtube','youtube','youtube','youtube','tiktok','tiktok','tiktok','tiktok','tiktok','tiktok','tiktok','douyin','douyin','douyin','instagram','instagram','instagram','instagram','instagram','instagram','instagram','instagram','instagram','instagram','instagram','instagram','instagram','threads','threads','threads','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','facebook','discord','discord','discord','discord','discord','discord','discord','discord','discord','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','whatsapp','wechat','wechat','wechat','wechat','wechat','wechat','wechat','wechat','wechat','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','email','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','phone','line','line','line','line','line','signal','signal','signal','signal','viber','viber','viber','skype','skype','skype','kakaotalk','kakaotalk','kakaotalk','kakaotalk','kakaotalk','zalo','zalo','qq','qq','qq','linkedin','linkedin','linkedin','linkedin','linkedin','twitch','twitch','twitch','twitch','kick','kick','rumble','rumble','reddit','reddit','reddit','reddit','medium','medium','github','github','snapchat','snapchat','snapchat','snapchat','pinterest','pinterest','tradingview','tradingview','bluesky','bluesky','bluesky','vk','vk','vk','vk','vk','weibo','weibo','weibo','weibo','weibo','xiaohongshu','xiaohongshu','xiaohongshu','xiaohongshu','xiaohongshu','xiaohongshu','xiaohongshu','bilibili','bilibili','bilibili','bilibili','zhihu','zhihu','zhihu'];
    name constant text collate "C" := review.word(typed);
begin
    return coalesce(
        keys[array_position(names, name)],
        keys[array_position(names, regexp_replace(name, '(?:account|accounts|channel|chat|contact|group|handle|id|link|messenger|name|number|page|profile|server|url|user|username|business|app|канал|频道|账号|号|채널|チャンネル)+\Z', ''))],
        name);
end
$function$;
comment on function review.platform_meant(typed text) is 'review.platform_key for names that are not a known key';

create function review.platform_key(typed text) returns text
language sql immutable parallel safe
return case when typed in ('x', 'telegram', 'youtube', 'tiktok', 'douyin', 'instagram', 'threads', 'facebook', 'discord', 'whatsapp', 'wechat', 'email', 'phone', 'line', 'signal', 'viber', 'skype', 'kakaotalk', 'zalo', 'qq', 'linkedin', 'twitch', 'kick', 'rumble', 'reddit', 'medium', 'github', 'snapchat', 'pinterest', 'tradingview', 'bluesky', 'vk', 'weibo', 'xiaohongshu', 'bilibili', 'zhihu') then typed
    else review.platform_meant(typed) end;
comment on function review.platform_key(typed text) is 'The key of the platform that is meant, whatever it is called';

create function review.exchange_key(name text, told_apart boolean) returns text
language sql immutable strict parallel safe
return case when told_apart then '=' || review.word(name) else coalesce(
    nullif(review.word(regexp_replace(regexp_replace(
        review.folded(name) collate "C", '\A(?:[a-z]+://)?(?:www\.|m\.)?([a-z0-9.-]+\.[a-z]+)(?:[/?#].*)?\Z', '\1'), '(?:[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]+(?:com|net|org|io|co|app|xyz|finance|trade|exchange|ai|me|us|eu|uk|tr|jp|kr|sg|au|ca|br|in|hk|ae|kz|ru|pro|plus|ltd|inc|llc|official|vip|spot|main|account)|[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]*(?:exchange|global|international|intl|futures|derivatives|perpetual|perps|europe|america|asia|japan|korea|turkey|turkiye|brazil|india|australia|singapore|hongkong|cex|dex|wallet))+[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]*\Z', '')), ''),
    review.word(name)) end;
comment on function review.exchange_key(name text, told_apart boolean) is 'The key that groups volumes by exchange';

create function review.look_of(typed text) returns text
language sql immutable strict parallel safe
return case when octet_length(typed) = length(typed) then translate(typed, '01i|', 'olll')
    else translate(typed, U&'\0430\0410\03b1\0391\0251\1d00\0432\0412\03b2\0392\044c\042c\0299\0441\0421\03c2\1d04\0501\0500\1d05\0435\0415\0454\0404\03b5\0395\212e\1d07\03dd\03dc\a730\0261\0581\0262\04bb\04ba\043d\041d\0397\0570\029c\0458\0408\03f3\037f\1d0a\043a\041a\049b\049a\03ba\039a\1d0b\0031\0069\007c\0456\0406\0457\0407\04cf\04c0\03b9\0399\0131\0130\026a\029f\043c\041c\039c\1d0d\03b7\039d\0578\0274\0030\043e\041e\03bf\039f\03c3\0585\0555\00f8\00d8\1d0f\0440\0420\03c1\03a1\1d18\051b\051a\0566\0433\0280\0455\0405\054f\a731\0442\0422\03c4\03a4\1d1b\03c5\057d\054d\1d1c\03bd\0475\0474\1d20\051d\051c\0461\0460\03c9\1d21\0445\0425\03c7\03a7\0443\0423\04af\04ae\03b3\03a5\028f\0396\1d22', 'aaaaaabbbbbbbccccdddeeeeeeeefffggghhhhhhhjjjjjkkkkkkklllllllllllllllmmmmnnnnooooooooooopppppqqqrrsssstttttuuuuvvvvwwwwwwxxxxyyyyyyyzz') end;
comment on function review.look_of(typed text) is 'A lower-case name with look-alike letters merged';

create function review.without_quotes(typed text) returns text
language sql immutable strict parallel safe
return rtrim(ltrim(typed, E' \u0009\u000a\u000b\u000c\u000d\u001c\u001d\u001e\u001f\u0085\u1680\u2028\u2029@<([{\u0022\u0027\u00ab\u201c\u201e\u2018'), E' \u0009\u000a\u000b\u000c\u000d\u001c\u001d\u001e\u001f\u0085\u1680\u2028\u2029>)]}\u0022\u0027\u00bb\u201d\u2019.,;:!?/');
comment on function review.without_quotes(typed text) is 'Text without the characters that people put around a name or an address';

create function review.unescaped(typed text) returns text
language sql immutable strict parallel safe
return case when strpos(typed, '%') = 0 then typed else (
    select coalesce(string_agg(case when length(found[1]) > 1
        then convert_from(decode(replace(found[1], '%', ''), 'hex'), 'UTF8') else found[1] end, '' order by place), '')
    from regexp_matches(typed, '(%[2-7][0-9a-f]|%c[2-9a-f]%[89ab][0-9a-f]|%d[0-9a-f]%[89ab][0-9a-f]|%e0%[ab][0-9a-f]%[89ab][0-9a-f]|%e[1-9a-cef]%[89ab][0-9a-f]%[89ab][0-9a-f]|%ed%[89][0-9a-f]%[89ab][0-9a-f]|%f0%[9ab][0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]|%f[1-3]%[89ab][0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]|%f4%8[0-9a-f]%[89ab][0-9a-f]%[89ab][0-9a-f]|.)', 'gi') with ordinality as x(found, place)) end;
comment on function review.unescaped(typed text) is 'An address with percent-encoded characters decoded';

create function review.phone_digits(typed text) returns text
language sql immutable strict parallel safe
return (select case when length(digits) between 7 and 15 then digits else '' end
    from regexp_replace(regexp_replace(regexp_replace(
        translate(typed, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹߀߁߂߃߄߅߆߇߈߉०१२३४५६७८९০১২৩৪৫৬৭৮৯੦੧੨੩੪੫੬੭੮੯૦૧૨૩૪૫૬૭૮૯୦୧୨୩୪୫୬୭୮୯௦௧௨௩௪௫௬௭௮௯౦౧౨౩౪౫౬౭౮౯೦೧೨೩೪೫೬೭೮೯൦൧൨൩൪൫൬൭൮൯๐๑๒๓๔๕๖๗๘๙໐໑໒໓໔໕໖໗໘໙༠༡༢༣༤༥༦༧༨༩၀၁၂၃၄၅၆၇၈၉០១២៣៤៥៦៧៨៩᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙', '012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789'), '\( *0 *\)', '', 'g'), '[^0-9]', '', 'g'),
        '\A00', '') as digits);
comment on function review.phone_digits(typed text) is 'The digits of a phone number with its country code; empty if too few or too many';

create function review.identity_named(platform text, name text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    shape constant text := case platform when 'facebook' then '\A([0-9]{5,20})\Z' when 'discord' then '\A([0-9]{17,20})\Z' when 'youtube' then '\A(UC[A-Za-z0-9_-]{22})\Z' when 'vk' then '\A[Ii][Dd]([0-9]+)\Z' when 'weibo' then '\A([0-9]{5,20})\Z' when 'bilibili' then '\A([0-9]{1,20})\Z' when 'xiaohongshu' then '\A([0-9a-f]{24})\Z' end;
    id constant text := (regexp_match(name, shape))[1];
    typed text collate "C" := name;
begin
    if id is not null then
        return case when length(id) < 3 then '' else left(platform || '#' || id, 200) end;
    end if;
    if platform = 'discord' then
        typed := regexp_replace(typed, '#0(?:000)?\Z', '');
    end if;
    if left(typed, 1) = '+' then
        return '';
    end if;
    typed := review.folded(typed);
    return case when length(typed) < 3 then '' else left(platform || ':' || review.look_of(typed), 200) end;
end
$function$;
comment on function review.identity_named(platform text, name text) is 'The person that a plain name on a platform means';

create function review.identity_part(platform text, kind text, part text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    typed constant text := review.without_quotes(review.unescaped(part));
    digits text;
begin
    if kind = 'name' then
        return review.identity_named(platform, typed);
    end if;
    if kind = 'phone' then
        digits := review.phone_digits(typed);
        return case when digits = '' then '' else '+' || digits end;
    end if;
    return case when length(typed) < 3 then '' else left(platform || '#' || typed, 200) end;
end
$function$;
comment on function review.identity_part(platform text, kind text, part text) is 'The person that a part of an address names';

create function review.identity_at(host text, rest text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    address constant text collate "C" := '/' || ltrim(rest, '/');
    part text;
begin
    if host in ('x.com', 'twitter.com', 'fxtwitter.com', 'vxtwitter.com', 'fixupx.com', 'nitter.net', 'xcancel.com') then
        part := (regexp_match(address, '\A/+intent/(?:user|follow)/?\?(?:[^#]*&)?screen_name=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('x', 'name', part); end if;
        part := (regexp_match(address, '\A/+intent/(?:user|follow)/?\?(?:[^#]*&)?user_id=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('x', 'id', part); end if;
        part := (regexp_match(address, '\A/+messages/compose/?\?(?:[^#]*&)?recipient_id=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('x', 'id', part); end if;
        part := (regexp_match(address, '\A/+i/user/([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('x', 'id', part); end if;
        part := (regexp_match(address, '\A/+(?:#!/+)?(?!(?:home|search|search-advanced|explore|i|intent|share|hashtag|compose|messages|notifications|settings|login|logout|signup|tos|privacy|about|jobs|download|widgets|account|oauth)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('x', 'name', part); end if;
        return '';
    elsif host in ('twitter:') then
        part := (regexp_match(address, '\A/+user/?\?(?:[^#]*&)?screen_name=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('x', 'name', part); end if;
        return '';
    elsif host in ('t.me', 'telegram.me', 'telegram.dog') then
        part := (regexp_match(address, '\A/+(?:\+|%2b)([0-9]{7,15})(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'phone', part); end if;
        part := (regexp_match(address, '\A/+(?:s/+)?(?!(?:joinchat|c|s|share|addstickers|addemoji|addtheme|addlist|proxy|socks|setlanguage|login|iv|bg|confirmphone|invoice|boost|m|giftcode|nft|contact|k|a|z|resolve|[+$~][^/?#]*)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'name', part); end if;
        return '';
    elsif host in ('web.telegram.org') then
        part := (regexp_match(address, '\A[^#]*#(?:/im\?p=)?(?:@|%40)([^/?&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'name', part); end if;
        part := (regexp_match(address, '\A[^#]*#\?tgaddr=tg(?::|%3a)(?:/|%2f)(?:/|%2f)resolve(?:\?|%3f)domain(?:=|%3d)([a-z0-9_]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'name', part); end if;
        part := (regexp_match(address, '\A[^#]*#(?:/im\?p=u)?([0-9]{5,20})(?:[_?/].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'id', part); end if;
        return '';
    elsif host in ('tg:') then
        part := (regexp_match(address, '\A/+resolve/?\?(?:[^#]*&)?domain=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'name', part); end if;
        part := (regexp_match(address, '\A/+resolve/?\?(?:[^#]*&)?phone=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'phone', part); end if;
        part := (regexp_match(address, '\A/+user/?\?(?:[^#]*&)?id=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'id', part); end if;
        part := (regexp_match(address, '\A/+openmessage/?\?(?:[^#]*&)?user_id=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('telegram', 'id', part); end if;
        return '';
    elsif host in ('youtube.com', 'music.youtube.com', 'studio.youtube.com') then
        part := (regexp_match(address, '\A/+channel/(UC[A-Za-z0-9_-]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('youtube', 'id', part); end if;
        part := (regexp_match(address, '\A/+(?:c|user)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('youtube', 'name', part); end if;
        part := (regexp_match(address, '\A/+(?!(?:watch|shorts|playlist|results|live|embed|v|feed|channel|c|user|hashtag|gaming|premium|redirect|attribution_link|clip|post|t|about|account|signin|oembed|source|kids|trending|e|live_chat)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('youtube', 'name', part); end if;
        return '';
    elsif host in ('youtu.be', 'youtube-nocookie.com') then
        return '';
    elsif host in ('tiktok.com') then
        part := (regexp_match(address, '\A/+(?:share/user|h5/share/usr)/([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('tiktok', 'id', part); end if;
        part := (regexp_match(address, '\A/+(?!(?:t|tag|music|discover|foryou|following|live|explore|upload|login|share|embed|video|v|place|channel|business|about|legal|search|h5)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('tiktok', 'name', part); end if;
        return '';
    elsif host in ('vm.tiktok.com', 'vt.tiktok.com') then
        return '';
    elsif host in ('instagram.com', 'instagr.am') then
        part := (regexp_match(address, '\A/+user/?\?(?:[^#]*&)?username=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('instagram', 'name', part); end if;
        part := (regexp_match(address, '\A/+(?:stories/+|_u/+)?(?!(?:p|reel|reels|tv|explore|stories|highlights|accounts|direct|about|developer|legal|web|share|s|challenge|invites|ar|n|topics|graphql|download|directory|user)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('instagram', 'name', part); end if;
        return '';
    elsif host in ('instagram:') then
        part := (regexp_match(address, '\A/+user/?\?(?:[^#]*&)?username=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('instagram', 'name', part); end if;
        return '';
    elsif host in ('ig.me') then
        part := (regexp_match(address, '\A/+m/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('instagram', 'name', part); end if;
        return '';
    elsif host in ('threads.net', 'threads.com') then
        part := (regexp_match(address, '\A/+(?:@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('threads', 'name', part); end if;
        return '';
    elsif host in ('facebook.com', 'fb.com') then
        part := (regexp_match(address, '\A/+(?:profile|story|permalink)\.php/?\?(?:[^#]*&)?id=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'id', part); end if;
        part := (regexp_match(address, '\A/+(?:people|pages)/[^/?#]+/([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'id', part); end if;
        part := (regexp_match(address, '\A/+pages/category/[^/?#]+/(?:[^/?#]*-)?([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'id', part); end if;
        part := (regexp_match(address, '\A/+p/(?:[^/?#]*-)?([0-9]{5,})(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'id', part); end if;
        part := (regexp_match(address, '\A/+(?:messages/+t|pg|t)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'name', part); end if;
        part := (regexp_match(address, '\A/+(?!(?:[a-z_-]+\.php|people|pages|p|groups|events|watch|share|sharer|photo|photos|reel|reels|permalink|hashtag|login|help|marketplace|gaming|messages|dialog|plugins|stories|notes|privacy|policies|business|ads|public|search|media|friends|recover|tr|live|fundraisers|saved|t|pg)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'name', part); end if;
        return '';
    elsif host in ('m.me') then
        part := (regexp_match(address, '\A/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'name', part); end if;
        return '';
    elsif host in ('messenger.com') then
        part := (regexp_match(address, '\A/+t/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('facebook', 'name', part); end if;
        return '';
    elsif host in ('fb.me', 'fb.watch', 'l.facebook.com') then
        return '';
    elsif host in ('discord.com', 'discordapp.com', 'discord:') then
        part := (regexp_match(address, '\A/+(?:-/)?users/([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('discord', 'id', part); end if;
        return '';
    elsif host in ('discord.gg') then
        return '';
    elsif host in ('wa.me') then
        part := (regexp_match(address, '\A/+(?:send)?/?\?(?:[^#]*&)?phone=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('whatsapp', 'phone', part); end if;
        part := (regexp_match(address, '\A/+(?:c/+)?((?:\+|%2b)?[0-9][^/?#]*)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('whatsapp', 'phone', part); end if;
        return '';
    elsif host in ('whatsapp.com', 'api.whatsapp.com', 'web.whatsapp.com', 'whatsapp:') then
        part := (regexp_match(address, '\A/+send/?\?(?:[^#]*&)?phone=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('whatsapp', 'phone', part); end if;
        part := (regexp_match(address, '\A/+catalog/([0-9]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('whatsapp', 'phone', part); end if;
        return '';
    elsif host in ('chat.whatsapp.com') then
        return '';
    elsif host in ('signal.me', 'sgnl:') then
        part := (regexp_match(address, '\A/*(?:signal\.me/*)?#p/([^/?&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('signal', 'phone', part); end if;
        part := (regexp_match(address, '\A/*(?:signal\.me/*)?#eu/([^/?&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('signal', 'id', part); end if;
        return '';
    elsif host in ('signal.group') then
        return '';
    elsif host in ('line.me', 'line:') then
        part := (regexp_match(address, '\A/+(?:R/+)?ti/p/(?:~|%7e|@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('line', 'name', part); end if;
        part := (regexp_match(address, '\A/+(?:R/+)?ti/p/([A-Za-z0-9_-]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('line', 'id', part); end if;
        return '';
    elsif host in ('page.line.me') then
        part := (regexp_match(address, '\A/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('line', 'name', part); end if;
        return '';
    elsif host in ('lin.ee') then
        return '';
    elsif host in ('viber:') then
        part := (regexp_match(address, '\A/+(?:chat|add|contact)/?\?(?:[^#]*&)?number=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('viber', 'phone', part); end if;
        return '';
    elsif host in ('viber.click') then
        part := (regexp_match(address, '\A/+((?:\+|%2b)?[0-9]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('viber', 'phone', part); end if;
        return '';
    elsif host in ('skype:') then
        part := (regexp_match(address, '\A/+(?:@|%40)*([^?#/]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('skype', 'name', part); end if;
        return '';
    elsif host in ('join.skype.com', 'skype.com') then
        return '';
    elsif host in ('tel:', 'sms:', 'callto:', 'facetime:', 'imessage:') then
        part := (regexp_match(address, '\A/+([^?;&]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('phone', 'phone', part); end if;
        return '';
    elsif host in ('zalo.me') then
        part := (regexp_match(address, '\A/+(?:pc/+)?([0-9]{7,15})(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('zalo', 'phone', part); end if;
        return '';
    elsif host in ('pf.kakao.com') then
        part := (regexp_match(address, '\A/+([A-Za-z0-9_]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('kakaotalk', 'id', part); end if;
        return '';
    elsif host in ('open.kakao.com') then
        return '';
    elsif host in ('weixin:') then
        part := (regexp_match(address, '\A/+dl/chat\?([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('wechat', 'name', part); end if;
        return '';
    elsif host in ('u.wechat.com') then
        part := (regexp_match(address, '\A/+([A-Za-z0-9_-]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('wechat', 'id', part); end if;
        return '';
    elsif host in ('linkedin.com') then
        part := (regexp_match(address, '\A/+(?:mwlite/+)?(?:in|pub)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('linkedin', 'name', part); end if;
        part := (regexp_match(address, '\A/+(?:@|%40)*((?:company|school|showcase)/[^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('linkedin', 'name', part); end if;
        return '';
    elsif host in ('lnkd.in') then
        return '';
    elsif host in ('twitch.tv') then
        part := (regexp_match(address, '\A/+(?:(?:popout|moderator)/+)?(?!(?:directory|videos|video|p|jobs|login|signup|search|settings|subs|turbo|store|downloads|friends|inventory|wallet|drops|team|broadcast|popout|moderator)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('twitch', 'name', part); end if;
        return '';
    elsif host in ('kick.com') then
        part := (regexp_match(address, '\A/+(?!(?:video|videos|categories|category|browse|following)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('kick', 'name', part); end if;
        return '';
    elsif host in ('rumble.com') then
        part := (regexp_match(address, '\A/+(?:c|user)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('rumble', 'name', part); end if;
        return '';
    elsif host in ('reddit.com') then
        part := (regexp_match(address, '\A/+(?:u|user)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('reddit', 'name', part); end if;
        part := (regexp_match(address, '\A/+r/+u_(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('reddit', 'name', part); end if;
        return '';
    elsif host in ('redd.it') then
        return '';
    elsif host in ('medium.com') then
        part := (regexp_match(address, '\A/+(?:@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('medium', 'name', part); end if;
        return '';
    elsif host in ('github.com') then
        part := (regexp_match(address, '\A/+(?!(?:features|orgs|topics|search|login|settings)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('github', 'name', part); end if;
        return '';
    elsif host in ('snapchat.com') then
        part := (regexp_match(address, '\A/+(?:add/+|@|%40)(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('snapchat', 'name', part); end if;
        return '';
    elsif host in ('pinterest.com') then
        part := (regexp_match(address, '\A/+(?!(?:pin|search|ideas|explore|today)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('pinterest', 'name', part); end if;
        return '';
    elsif host in ('pin.it') then
        return '';
    elsif host in ('tradingview.com') then
        part := (regexp_match(address, '\A/+u/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('tradingview', 'name', part); end if;
        return '';
    elsif host in ('bsky.app') then
        part := (regexp_match(address, '\A/+profile/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('bluesky', 'name', part); end if;
        return '';
    elsif host in ('vk.com', 'vk.me', 'vkontakte.ru') then
        part := (regexp_match(address, '\A/+id([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('vk', 'id', part); end if;
        part := (regexp_match(address, '\A/+im/?\?(?:[^#]*&)?sel=([^&#]+).*\Z', 'i'))[1];
        if part is not null then return review.identity_part('vk', 'id', part); end if;
        part := (regexp_match(address, '\A/+(?!(?:(?:wall|photo|video|club|public|event|app|album|topic|doc|market|clip|story|audio|page)-?[0-9]+[^/?#]*|feed|im|away\.php|groups|search|friends|login|settings|video|music|apps)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('vk', 'name', part); end if;
        return '';
    elsif host in ('weibo.com', 'weibo.cn') then
        part := (regexp_match(address, '\A/+(?:u/)?([0-9]{5,})(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('weibo', 'id', part); end if;
        part := (regexp_match(address, '\A/+n/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('weibo', 'name', part); end if;
        part := (regexp_match(address, '\A/+(?!(?:p|u|n|tv|hot|login|ajax)(?:[/?#]|\Z))(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('weibo', 'name', part); end if;
        return '';
    elsif host in ('xiaohongshu.com') then
        part := (regexp_match(address, '\A/+user/profile/([A-Za-z0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('xiaohongshu', 'id', part); end if;
        return '';
    elsif host in ('xhslink.com') then
        return '';
    elsif host in ('space.bilibili.com') then
        part := (regexp_match(address, '\A/+([0-9]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('bilibili', 'id', part); end if;
        return '';
    elsif host in ('bilibili.com', 'b23.tv') then
        return '';
    elsif host in ('zhihu.com') then
        part := (regexp_match(address, '\A/+(?:people|org)/+(?:@|%40)*([^/?#]+)(?:[/?#].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('zhihu', 'name', part); end if;
        return '';
    elsif host in ('douyin.com') then
        part := (regexp_match(address, '\A/+user/([A-Za-z0-9_.-]+)(?:[/?#&_].*)?\Z', 'i'))[1];
        if part is not null then return review.identity_part('douyin', 'id', part); end if;
        return '';
    elsif host in ('v.douyin.com') then
        return '';
    end if;
    return null;
end
$function$;
comment on function review.identity_at(host text, rest text) is 'The person that an address at a host names; empty for nobody, null for an unknown host';

create function review.identity_at_host(host text, rest text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    here constant text collate "C" := lower(host collate "C");
    found constant text := review.identity_at(here, rest);
begin
    if found is not null then
        return found;
    end if;
    if here ~ '\A([a-z0-9_]{4,32})\.(t\.me)\Z' then
        return review.identity_named('telegram', (regexp_match(here, '\A([a-z0-9_]{4,32})\.(t\.me)\Z'))[1]);
    end if;
    return review.identity_at(regexp_replace(here, '\A(?:(?:www[0-9]?|m|mobile|web|touch|mbasic|business|old|new|np|amp|ptb|canary|gaming|[a-z]{2}|[a-z]{2}-[a-z]{2})\.)+', ''), rest);
end
$function$;
comment on function review.identity_at_host(host text, rest text) is 'The same for a host with or without a prefix such as www';

create function review.identity_in_link(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    link constant text collate "C" := typed;
    part text[] := regexp_match(link, '\A(?:https?[:;]*/+|[:;]?//)([^/?#]*)(.*)\Z', 'i');
    found text;
begin
    if part is not null then
        found := regexp_replace(regexp_replace(part[1], '\A.*@', ''), '\.?(?::[0-9]*)?\Z', '');
        return coalesce(review.identity_at_host(found, part[2]), '');
    end if;
    part := regexp_match(link, '\A([a-z][a-z0-9+-]*:)(//)?(.*)\Z', 'i');
    if part is not null then
        found := coalesce(review.identity_at(lower(part[1] collate "C"), part[3]), '');
        return case when part[2] is not null or found <> '' then found end;
    end if;
    part := regexp_match(link, '\A((?:[a-z0-9_-]+\.)+[a-z]{2,})\.?(?::[0-9]+)?([/?#].*)?\Z', 'i');
    if part is null then
        return null;
    end if;
    found := review.identity_at_host(part[1], coalesce(part[2], ''));
    return case when found is null and strpos(part[2], '/') > 0 then '' else found end;
end
$function$;
comment on function review.identity_in_link(typed text) is 'The person that an address names; empty for nobody, null if the text is not an address';

create function review.identity_key(platform text, handle text) returns text
language plpgsql immutable parallel safe
as $function$
declare
    typed text collate "C" := left(handle, 2000);
    key text collate "C" := review.platform_key(coalesce(platform, ''));
    part text[];
    found text;
begin
    if handle is null then
        return null;
    end if;
    if octet_length(typed) <> length(typed) then
        typed := replace(regexp_replace(normalize(typed, NFKC), '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]', '', 'g'), '。', '.');
    end if;
    typed := review.without_quotes(typed);
    -- Words for "none" are short; most handles are longer or have a digit.
    if length(typed) < 20 and review.folded(typed) in ('none', 'null', 'nil', 'n/a', 'not applicable', 'nothing', 'nobody', 'unknown', 'same', 'same as above', 'no account', 'no contact', 'yok', 'нет', 'ninguno', 'ninguna', 'nenhum', 'nenhuma', 'aucun', 'keine', 'keiner', '没有', '沒有', 'なし', '無し', '없음', 'لا يوجد') then
        return '';
    end if;
    -- Most handles are a bare name; skip the patterns.
    if typed ~ '\A[A-Za-z_][A-Za-z0-9_]*\Z' then
        return review.identity_named(key, typed);
    end if;
    if typed ~* '\Amailto:[/ ]*' then
        typed := replace(regexp_replace(typed, '\Amailto:[/ ]*', '', 'i'), '%40', '@');
    end if;
    part := regexp_match(typed, '\A(?:[^<>@:/]*[:<])?[ @]*([^ <>@:/?,;]+@[^ <>@:/?,;]+\.[^ <>@:/?,;.]+)>?(?:\?.*)?\Z', 'i');
    if part is not null then
        return left('email:' || review.look_of(review.folded(review.unescaped(part[1]))), 200);
    end if;
    found := review.identity_in_link(typed);
    if found is null then
        part := regexp_match(typed, '\A([^:@/]{1,30}): *(.+)\Z');
        if review.platform_key(part[1]) in ('x', 'telegram', 'youtube', 'tiktok', 'douyin', 'instagram', 'threads', 'facebook', 'discord', 'whatsapp', 'wechat', 'email', 'phone', 'line', 'signal', 'viber', 'skype', 'kakaotalk', 'zalo', 'qq', 'linkedin', 'twitch', 'kick', 'rumble', 'reddit', 'medium', 'github', 'snapchat', 'pinterest', 'tradingview', 'bluesky', 'vk', 'weibo', 'xiaohongshu', 'bilibili', 'zhihu') then
            key := review.platform_key(part[1]);
            typed := review.without_quotes(part[2]);
            found := review.identity_in_link(typed);
        end if;
    end if;
    if found is not null then
        return found;
    end if;
    found := translate(typed, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹߀߁߂߃߄߅߆߇߈߉०१२३४५६७८९০১২৩৪৫৬৭৮৯੦੧੨੩੪੫੬੭੮੯૦૧૨૩૪૫૬૭૮૯୦୧୨୩୪୫୬୭୮୯௦௧௨௩௪௫௬௭௮௯౦౧౨౩౪౫౬౭౮౯೦೧೨೩೪೫೬೭೮೯൦൧൨൩൪൫൬൭൮൯๐๑๒๓๔๕๖๗๘๙໐໑໒໓໔໕໖໗໘໙༠༡༢༣༤༥༦༧༨༩၀၁၂၃၄၅၆၇၈၉០១២៣៤៥៦៧៨៩᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙', '012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789');
    if found ~ '\A(?:\+|00)?[0-9 ().,/\u00b7\u2010-\u2015\u2212-]*\Z' and (left(found, 1) = '+' or key in ('', 'phone', 'whatsapp', 'telegram', 'signal', 'viber', 'zalo', 'line', 'wechat', 'kakaotalk')) then
        found := review.phone_digits(found);
        if found <> '' then
            return '+' || found;
        end if;
    end if;
    if typed ~ '[/?]' then
        return case when strpos(typed, ':') > 0 or typed ~ '\A[^/?]*[,;]' then ''
            else coalesce(review.identity_at(case key when 'douyin' then 'douyin.com' when 'zhihu' then 'zhihu.com' when 'bilibili' then 'space.bilibili.com' when 'xiaohongshu' then 'xiaohongshu.com' when 'weibo' then 'weibo.com' when 'vk' then 'vk.com' when 'bluesky' then 'bsky.app' when 'tradingview' then 'tradingview.com' when 'pinterest' then 'pinterest.com' when 'snapchat' then 'snapchat.com' when 'github' then 'github.com' when 'medium' then 'medium.com' when 'reddit' then 'reddit.com' when 'rumble' then 'rumble.com' when 'kick' then 'kick.com' when 'twitch' then 'twitch.tv' when 'linkedin' then 'linkedin.com' when 'wechat' then 'weixin:' when 'kakaotalk' then 'pf.kakao.com' when 'zalo' then 'zalo.me' when 'phone' then 'tel:' when 'skype' then 'skype:' when 'viber' then 'viber:' when 'line' then 'line.me' when 'signal' then 'signal.me' when 'whatsapp' then 'wa.me' when 'discord' then 'discord.com' when 'facebook' then 'facebook.com' when 'threads' then 'threads.net' when 'instagram' then 'instagram.com' when 'tiktok' then 'tiktok.com' when 'youtube' then 'youtube.com' when 'telegram' then 't.me' when 'x' then 'x.com' end, typed), '') end;
    end if;
    return review.identity_named(key, typed);
end
$function$;
comment on function review.identity_key(platform text, handle text) is 'The key that handles of the same person share; empty if the handle names nobody, at most 200 characters';

create function review.searchable(typed text) returns text
language plpgsql immutable strict parallel safe
as $function$
declare
    plain constant text := review.folded(typed);
    digits text collate "C" := translate(plain, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹߀߁߂߃߄߅߆߇߈߉०१२३४५६७८९০১২৩৪৫৬৭৮৯੦੧੨੩੪੫੬੭੮੯૦૧૨૩૪૫૬૭૮૯୦୧୨୩୪୫୬୭୮୯௦௧௨௩௪௫௬௭௮௯౦౧౨౩౪౫౬౭౮౯೦೧೨೩೪೫೬೭೮೯൦൧൨൩൪൫൬൭൮൯๐๑๒๓๔๕๖๗๘๙໐໑໒໓໔໕໖໗໘໙༠༡༢༣༤༥༦༧༨༩၀၁၂၃၄၅၆၇၈၉០១២៣៤៥៦៧៨៩᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙', '012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789');
begin
    if digits !~ '\A(?:\+|00)?[0-9 ().,/\u00b7\u2010-\u2015\u2212-]*\Z' then
        return plain;
    end if;
    digits := regexp_replace(regexp_replace(regexp_replace(
        digits, '\( *0 *\)', '', 'g'), '[^0-9]', '', 'g'), '\A00', '');
    return case when digits = '' then plain else plain || ' ' || digits end;
end
$function$;
comment on function review.searchable(typed text) is 'review.search_text for other than bare names';

create function review.search_text(typed text) returns text
language sql immutable parallel safe
return case when ascii(typed) between 64 and 127 then review.folded(typed)
    else review.searchable(typed) end;
comment on function review.search_text(typed text) is 'The searchable text of a name, handle or contact: folded, plus a phone''s digits';

create function review.name_key(typed text) returns text
language sql immutable strict parallel safe
return btrim(regexp_replace(review.folded(typed) collate "C", '[ \u0009-\u000d\u001c-\u001f\u0085\u1680\u2028\u2029]+', ' ', 'g'), ' ');
comment on function review.name_key(typed text) is 'The key by which user-given names are compared: folded, with single spaces';
