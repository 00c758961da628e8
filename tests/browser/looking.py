"""What any page for people has to hold to, asked of a browser: width, landmarks, headings, names, contrast, links."""

from typing import Any

from playwright.sync_api import Page

NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

_FAULTS = r"""() => {
  const faults = [], all = (what) => [...document.querySelectorAll(what)];
  const say = (what, node) => faults.push(what + (node ? ": " + node.outerHTML.slice(0, 120) : ""));
  const seen = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 1;

  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) {
    say(`the page scrolls sideways by ${wide} px`);
    const over = (node) => node.getBoundingClientRect().right > innerWidth && !node.closest("pre *, .skip, thead");
    all("body *").filter(over).slice(0, 3).forEach((node) => say("too wide", node));
  }
  if (!document.documentElement.lang) say("no language");
  if (!document.title.trim()) say("no title");
  if (!document.querySelector("meta[name=viewport]")) say("no viewport");
  if (!document.querySelector("link[rel=icon][href^='data:']")) say("no icon");
  if (all("main").length !== 1) say("not one main");
  if (all("h1").length !== 1) say("not one h1");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const own = Number(heading.localName[1]);
    if (own > level + 1) say(`h${own} after h${level}`, heading);
    if (!heading.textContent.trim()) say("empty heading", heading);
    level = own;
  }
  const ids = all("[id]").map((node) => node.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => say(`id ${id} twice`));
  for (const link of all("a")) {
    if (!link.textContent.trim()) say("a link without a name", link);
    const to = link.getAttribute("href");
    if (to.startsWith("#") && !document.getElementById(to.slice(1))) say("a link to nowhere", link);
  }
  for (const table of all("table")) {
    if (!table.querySelector("thead th[scope=col]")) say("a table without heads", table);
    for (const row of table.querySelectorAll("tbody tr"))
      if (table.tHead && row.cells.length !== table.tHead.rows[0].cells.length) say("a row of another length", row);
  }
  all("pre").filter((node) => node.scrollWidth > node.clientWidth && node.tabIndex < 0)
    .forEach((node) => say("scrolls, and not by keyboard", node));
  all("script, img:not([alt]), iframe, [onclick]").forEach((node) => say("does not belong here", node));
  for (const node of all("body *").filter((each) => !each.closest("main, nav, header, footer, .skip")))
    if (node.textContent.trim()) say("outside of all landmarks", node);

  const parts = (text) => text.match(/[\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const rgb = parts(getComputedStyle(each).backgroundColor);
      if (rgb.length < 4 || rgb[3] > 0) return rgb;
    }
    return [255, 255, 255];
  };
  for (const node of all("body *")) {
    const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
    if (!own || !seen(node)) continue;
    const style = getComputedStyle(node), pair = [light(parts(style.color)), light(behind(node))];
    const [a, b] = pair.sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) say(`contrast ${ratio.toFixed(2)}`, node);
    if (parseFloat(style.fontSize) < 12) say(`letters of ${style.fontSize}`, node);
  }
  return faults;
}"""


def faults(page: Page, address: str) -> dict[str, Any]:
    """Open *address* with scripts switched off, as a telephone and as a desk has it; gives what is wrong by width."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    found = {}
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(address)
        found[size["width"]] = page.evaluate(_FAULTS)
    return {width: each for width, each in found.items() if each}
