"""Words that say nothing of a garment: those that hold English (and romanised Hindi) together, and those of shopping.

A search need not match them. Words that name what is worn, its cloth, colour, maker or occasion are none.
"""

ENGLISH = """
a an the this that these those some any all each every both other another such own
i me my mine we us our you your he him his she her hers it its they them their who whom whose which what
and or but nor so than then if as at by for from in into of on onto to with without within about above below
under over between across through during before after until up down out near around per via like
am is are was were be been being do does did done doing have has had having can could may might shall should will
would must not no yes very too also just only more most much many few less lot lots
here there where when why how please
made make makes making worn wear wears wearing
"""
SHOPPING = """
buy buying purchase order orders ordering shop shops shopping store stores sell selling sale sales
price prices priced pricing cost costs rate rates rs inr rupee rupees cheap cheapest affordable budget expensive
discount discounts offer offers deal deals coupon cod emi delivery shipping online website site app
find finding search searching show showing see look looking want wanted need needed get give
design designs designer designers pattern patterns collection collections catalogue catalog range item items
product products piece pieces thing things something anything image images photo photos picture pictures pic pics
latest new newest trend trends trendy trending fashion fashionable stylish popular famous best top
good nice great beautiful pretty lovely fancy original authentic genuine real pure quality branded brand brands
type types kind kinds sort variety option options idea ideas
garment garments clothes clothing outfit outfits apparel
size sizes xs xl xxl xxxl free combo wholesale retail exclusive premium
colour colours color colors coloured colored shade shades
woman women womens man men mens lady ladies gents girl girls boy boys kid kids
mother mothers mom mum father dad sister sisters brother brothers wife husband daughter son friend friends
"""
HINDI = """
ka ki ke ko se aur mein liye wala wali wale hai chahiye dikhao rang
का की के को से और में लिए वाला वाली वाले है चाहिए रंग
"""
STOP_WORDS = frozenset(f"{ENGLISH} {SHOPPING} {HINDI}".split())
