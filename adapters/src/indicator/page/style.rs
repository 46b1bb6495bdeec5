//! How the page looks: readable on paper and on a small screen, in light and dark.

pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d5dbe3;--paper:#fff;--back:#f4f6f9;
--blue:#1f5fae;--bad:#b3261e;--good:#2e6b34;--gap:#e4e8ee}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#38424f;--paper:#1a2029;
--back:#12161c;--blue:#7fb2f0;--bad:#f2908a;--good:#8fd096;--gap:#2b333e}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,'Noto Sans',sans-serif}
header,main{max-width:60rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.6rem;margin:1.5rem 0 0}
header p,.facts{color:var(--soft);font-size:.875rem;margin:.25rem 0 1rem;overflow-wrap:anywhere}
section{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem}
h2{font-size:1.1rem;margin:0}
h2 code{font-weight:400;font-size:.8rem;color:var(--soft)}
.sums{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;padding:0;margin:0 0 1rem}
.sums li{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.5rem 1rem}
.sums b{font-size:1.3rem}
.bad b{color:var(--bad)}.good b{color:var(--good)}
svg{display:block;width:100%;height:auto}
svg text{font:12px system-ui,'Noto Sans',sans-serif;fill:var(--soft)}
.axis{stroke:var(--line)}.line{fill:none;stroke:var(--blue);stroke-width:2}
.dot{fill:var(--blue)}.gap{fill:var(--gap)}.kept{fill:url(#hatch);stroke:var(--line)}
.hatch{stroke:var(--soft);stroke-width:1.5}
.key{display:flex;flex-wrap:wrap;gap:1rem;color:var(--soft);font-size:.8rem;margin:.25rem 0 .75rem}
.key svg{width:1.2rem;height:.8rem;display:inline-block;vertical-align:middle;margin-right:.3rem}
details{margin:.5rem 0}summary{cursor:pointer}
table{border-collapse:collapse;width:100%;font-size:.875rem;margin:.5rem 0}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line)}
.n{text-align:right;font-variant-numeric:tabular-nums}
i{color:var(--soft)}
.open{font-size:.875rem;padding-left:1.2rem;margin:.5rem 0 0;overflow-wrap:anywhere}
@media print{body{background:#fff}section{break-inside:avoid}}
";
