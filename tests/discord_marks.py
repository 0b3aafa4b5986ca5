"""Discord's marks and what people see instead, to which exporters and the bot are both held."""

SEEN = {
    "lol <:pepe:123456789012345678> at <t:1700000000:t>": "lol :pepe: at 22:13",
    "<a:wave:1><:naïve_1:22>": ":wave::naïve_1:",
    "<t:1700000000>, <t:1700000000:R>": "2023-11-14 22:13, 2023-11-14 22:13",
    "<t:1700000000:T> <t:1700000000:d> <t:-86400:D>": "22:13:20 2023-11-14 1969-12-31",
    "<t:1700000000:f> <t:1700000000:F>": "2023-11-14 22:13 2023-11-14 22:13",
    "<t:999999999999999999>": "Invalid date",
    "1 < 2 <3 <b> <:a b:1> <::1> <t:x> :pepe:": "1 < 2 <3 <b> <:a b:1> <::1> <t:x> :pepe:",
    "<@1> <@!2> <@&3> <#4>": "@Unknown @Unknown @deleted-role #deleted-channel",
    "@everyone and @here": "@everyone and @here",
}
