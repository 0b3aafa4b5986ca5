"""How a report looks: colours for light and dark, and where things stand."""

STYLE = """
:root{color-scheme:light dark;--paper:#f6f5f2;--card:#fff;--ink:#1d1d22;--soft:#6c6b74;
--line:#e6e4de;--me:#3457d5;--model:#c4511a;--other:#b4b1a8;--bubble:#f0eeea}
@media(prefers-color-scheme:dark){:root{--paper:#131417;--card:#1c1e23;--ink:#eceae6;
--soft:#9a99a2;--line:#2d2f36;--me:#86a1ff;--model:#ff9a63;--other:#5c5e68;--bubble:#26282f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);overflow-wrap:break-word;
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:48px}h1{font-size:44px;line-height:1.1;margin:0;letter-spacing:-.02em}
header p,footer,main>p{color:var(--soft)}header p{margin:.4em 0 28px;font-size:17px}
h2{font-size:21px;margin:44px 0 14px;letter-spacing:-.01em}
section{margin-bottom:20px}section p{margin:.7em 0 0}
section>h2:first-child{margin-top:28px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:16px}
.tile,figure,article{background:var(--card);border:1px solid var(--line);border-radius:14px}
.tile{padding:18px 20px}.tile b{display:block;font-size:30px;line-height:1.2;font-weight:650;
font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.tile small{font-size:14px;font-weight:400;color:var(--soft);letter-spacing:0}
.tile span{color:var(--soft);font-size:13px}
.two,.three{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(440px,1fr))}
.three{grid-template-columns:repeat(auto-fit,minmax(300px,1fr))}
figure{margin:0;padding:16px 18px 10px}figcaption{font-weight:600;margin-bottom:8px}
.key{font-weight:400;font-size:13px;color:var(--soft);margin-left:14px;white-space:nowrap}
.key::before,.part::before{content:"";display:inline-block;width:9px;height:9px;border-radius:3px;
margin-right:6px;background:var(--c)}
.me{--c:var(--me)}.model{--c:var(--model)}.other{--c:var(--other)}
svg{width:100%;display:block;overflow:visible}svg text{font-size:11.5px;fill:var(--soft)}
.three svg text{font-size:18px}.three .keys{display:block}
.three .key:first-child{margin-left:0}.grid{stroke:var(--line)}
.line{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.line.other{stroke-width:1.4}.dot{fill:var(--card);stroke:var(--c);stroke-width:2}
.bar{fill:var(--c)}
.balance{display:flex;gap:2px;height:22px;border-radius:8px;overflow:hidden}
.balance i{background:var(--c);min-width:2px}
.pairs{columns:2 440px;column-gap:16px}article{padding:18px;margin-bottom:16px;break-inside:avoid}
article p{margin:4px 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
cite{font-style:normal;font-size:12px;color:var(--soft);display:block;overflow-wrap:anywhere}
article p,.choices p,cite{unicode-bidi:plaintext;text-align:start}
.context{display:flex;flex-direction:column;align-items:flex-start}
.context p{background:var(--bubble);border-radius:12px;padding:6px 12px;max-width:85%}
.context .mine{align-self:flex-end}
.replies{display:grid;grid-template-columns:1fr 1fr;gap:12px;margin-top:16px;padding-top:14px;
border-top:1px solid var(--line)}
.reply{border-left:3px solid var(--c);padding-left:12px}.reply cite{color:var(--c)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:right;color:var(--soft);font-weight:400;white-space:nowrap}
td{text-align:right;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;border-bottom:1px solid var(--line)}.best td{font-weight:650}
.silent{color:var(--soft);font-style:italic}
footer{font-size:13px;padding-top:36px;padding-bottom:48px}
@media(max-width:520px){.two,.three{grid-template-columns:1fr}h1{font-size:34px}
svg text{font-size:18px}.keys{display:block}.key:first-child{margin-left:0}}
@media print{*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2{break-after:avoid}figure,.tile,tr{break-inside:avoid}.scroll{overflow:visible}}
"""
