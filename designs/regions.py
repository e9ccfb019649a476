"""The textile traditions that the gallery knows, and the Indian state that each comes from.

The totals of regions (designs.totals) find the region of a design by the tradition that its title names. A change
here changes trigger SQL, so it needs a migration; `manage.py check --database default` says so.
"""

TRADITIONS_BY_REGION = {
    "Andhra Pradesh": (
        "machilipatnam kalamkari",
        "mangalagiri",
        "srikalahasti kalamkari",
        "uppada jamdani",
        "venkatagiri",
    ),
    "Assam": ("bodo aronai", "eri", "mising", "muga", "pat silk"),
    "Bihar": ("bhagalpuri tussar", "madhubani"),
    "Chhattisgarh": ("bastar pata", "champa kosa"),
    "Gujarat": (
        "ajrakh",
        "ashavali",
        "bhujodi",
        "gharchola",
        "kutch bandhani",
        "kutch mirror work",
        "mashru",
        "patan patola",
        "rajkot patola",
        "rogan",
        "tangaliya",
    ),
    "Haryana": ("panipat khes",),
    "Himachal Pradesh": ("chamba rumal", "kullu"),
    "Karnataka": ("ilkal", "kasuti", "khun", "lambani", "mysore silk"),
    "Kashmir": ("aari", "kani", "sozni"),
    "Kerala": ("chendamangalam", "kasavu"),
    "Ladakh and Kashmir": ("pashmina",),
    "Madhya Pradesh": ("bagh print", "chanderi", "gond", "maheshwari"),
    "Maharashtra": ("himroo", "karvati kinar", "paithani", "puneri", "warli"),
    "Manipur": ("moirang phee", "wangkhei phee"),
    "Mizoram": ("mizo puan",),
    "Nagaland": ("naga shawl",),
    "Odisha": ("bomkai", "habaspuri", "kotpad", "pattachitra", "sambalpuri ikat"),
    "Punjab": ("phulkari",),
    "Rajasthan": (
        "bagru print",
        "dabu",
        "gota patti",
        "khari print",
        "kota doria",
        "leheriya",
        "rajasthani bandhani",
        "sanganeri print",
    ),
    "Sikkim": ("lepcha thara",),
    "Tamil Nadu": (
        "arni silk",
        "chettinad kandangi",
        "kanjivaram",
        "kanjivaram kattam",
        "koorai nadu",
        "kovai kora",
        "madurai sungudi",
        "toda embroidery",
    ),
    "Telangana": ("gadwal", "narayanpet", "pochampally ikat", "telia rumal"),
    "Tripura": ("risa",),
    "Uttar Pradesh": (
        "banarasi brocade",
        "banarasi jangla",
        "banarasi tissue",
        "chikankari",
        "mukaish",
        "tanchoi",
        "zardozi",
    ),
    "West Bengal": (
        "baluchari",
        "bengal jamdani",
        "garad",
        "nakshi kantha",
        "shantiniketan batik",
        "swarnachari",
        "tangail",
        "tant",
    ),
}
# The region of each tradition, whose name is in lower case.
REGION_OF_TRADITION = {
    tradition: region for region, traditions in TRADITIONS_BY_REGION.items() for tradition in traditions
}
