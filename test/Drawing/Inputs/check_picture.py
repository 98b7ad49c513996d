# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that an SVG of Napkin is legible.

    check_picture.py NAPKINC DIAGRAM...             by its own numbers
    check_picture.py --browser B NAPKINC DIAGRAM... as browser B renders it

draws every diagram as it is written and as it is scheduled; a file that is an SVG
already is taken as it is.

Nothing reaches over the edge, no text lies on another one, and every title of a
box fits into it. Prints what does not hold, and how many texts, boxes and lines
there are.
"""

import html
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

NAMESPACE = "{http://www.w3.org/2000/svg}"
CHARACTER, ABOVE, BELOW = 6.62, 8, 2  # of the font of 11 pixels

SCRIPT = """
const svg = document.querySelector('svg'), size = svg.viewBox.baseVal, found = [];
const texts = [...svg.querySelectorAll('text')].map(e => [e.textContent, e.getBBox()]);
for (const e of svg.querySelectorAll('text, rect, path, circle, line')) {
  const b = e.getBBox();
  if (b.x < 0 || b.y < 0 || b.x + b.width > size.width || b.y + b.height > size.height)
    found.push('over the edge: ' + (e.textContent || e.tagName));
}
// A line of text is as high as its font, though its letters are not.
const over = (a, b) => a.x < b.x + b.width - 1 && b.x < a.x + a.width - 1 &&
                       a.y + 2 < b.y + b.height - 2 && b.y + 2 < a.y + a.height - 2;
for (let i = 0; i < texts.length; ++i)
  for (let j = 0; j < i; ++j)
    if (over(texts[i][1], texts[j][1]))
      found.push('one on the other: ' + texts[i][0] + ' and ' + texts[j][0]);
document.body.innerHTML = '<pre>' + found.length + ' rendered wrong, ' + texts.length + ' texts\\n' + found.join('\\n') + '</pre>';
"""


def extent(text):
    """Left, top, right and bottom of a text element."""
    width = CHARACTER * len(text.text or "")
    left = float(text.get("x")) - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor")]
    base = float(text.get("y"))
    return left, base - ABOVE, left + width, base + BELOW


def own_findings(root):
    width, height = (float(root.get(name)) for name in ("width", "height"))
    findings = []
    texts = [(text.text, *extent(text)) for text in root.iter(NAMESPACE + "text") if text.text]
    for words, left, top, right, bottom in texts:
        if left < 0 or top < 0 or right > width or bottom > height:
            findings.append(f"over the edge: {words}")
    for number, (words, left, top, right, bottom) in enumerate(texts):
        for other, l, t, r, b in texts[:number]:
            if left < r - 1 and l < right - 1 and top < b and t < bottom:
                findings.append(f"one on the other: {words} and {other}")
    for box in root.iter(NAMESPACE + "rect"):
        left, top, wide, high = (float(box.get(name, 0)) for name in ("x", "y", "width", "height"))
        if left < 0 or top < 0 or left + wide > width or top + high > height:
            findings.append(f"over the edge: a box of class {box.get('class')}")
    return findings


def rendered_findings(browser, path):
    with tempfile.NamedTemporaryFile("w", suffix=".html") as page:
        page.write(f"<!doctype html><body>{open(path).read()}<script>{SCRIPT}</script></body>")
        page.flush()
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "file://" + page.name]
        dom = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120).stdout
    shown = re.search(r"<pre>(.*?)</pre>", dom, re.S)
    return html.unescape(shown[1]).splitlines() if shown else ["nothing was rendered"]


def draw(napkinc, diagram, stage):
    name = f"{os.path.splitext(os.path.basename(diagram))[0]}.{stage}.svg"
    path = os.path.join(tempfile.gettempdir(), f"{os.getpid()}.{name}")
    subprocess.run([napkinc, diagram, f"--emit={stage}", "-o", path], check=True)
    return path


def main(arguments):
    browser = None
    if arguments[:1] == ["--browser"]:
        browser, arguments = arguments[1], arguments[2:]
    wrong = 0
    napkinc, *diagrams = arguments
    paths = []
    for diagram in diagrams:
        if diagram.endswith(".svg"):
            paths.append(diagram)
        else:
            paths += [draw(napkinc, diagram, stage) for stage in ("svg", "schedule-svg")]
    for path in paths:
        root = ElementTree.parse(path).getroot()
        findings = own_findings(root)
        if browser:
            first, *rest = rendered_findings(browser, path)
            findings += rest if first.startswith("0 rendered wrong") else [first, *rest]
        count = {name: sum(1 for _ in root.iter(NAMESPACE + name)) for name in ("text", "rect", "path")}
        print(f"{os.path.basename(path)}: {len(findings)} wrong, {count['text']} texts, {count['rect']} boxes, "
              f"{count['path']} lines")
        for finding in findings[:20]:
            print(f"  {finding}")
        wrong += len(findings)
        if path not in diagrams:
            os.remove(path)
    return 1 if wrong or not diagrams else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
