"""What every page has to be, measured in the browser."""

from playwright.sync_api import Page

CONTRAST = """() => {
  const channel = value => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = text => {
    const found = text.match(/[\\d.]+/g).map(Number);
    return found.length > 3 ? found : [...found, 1];
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] === 1) return color;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 24, 30, 1] : [255, 255, 255, 1];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility({visibilityProperty: true}) || element.closest('[disabled]')) continue;
    const style = getComputedStyle(element);
    const a = light(parse(style.color)), b = light(ground(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), bold = parseInt(style.fontWeight) >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const text = element.textContent.trim().slice(0, 40);
    if (ratio < least) found.push(`${element.tagName} "${text}" ${ratio.toFixed(2)}`);
  }
  return found;
}"""
"""Texts whose contrast with what is behind them is below WCAG 2.2 AA."""
UNNAMED = """() => {
  const named = element => (element.labels && element.labels.length) || element.getAttribute('aria-label')
    || element.getAttribute('aria-labelledby') || element.textContent.trim();
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(element => !named(element)).map(element => element.outerHTML.slice(0, 120));
}"""
IDS_TWICE = """() => {
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}"""


def check_structure(page: Page) -> None:
    """Check what every page has to have: one heading, one main part, names for all that is used, a title."""
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(IDS_TWICE) == []
    assert page.title().endswith(" · Listener")
