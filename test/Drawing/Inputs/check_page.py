# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opens a page of Napkin in a browser, points at a wire and says what lights.

    check_page.py BROWSER PAGE ARRAY

Prints how many lines of the pictures, rows of tables and lines of PTX light, what
of the page reaches beyond its width, and whether anything was fetched.
"""

import html
import re
import subprocess
import sys
import tempfile

SCRIPT = """
const wire = document.querySelector('svg [data-array="ARRAY"]');
wire.dispatchEvent(new Event('mouseenter'));
const lit = selector => document.querySelectorAll(selector).length;
const words = ['strands lit: ' + lit('svg .lit'), 'rows lit: ' + lit('#kernels tr.lit'),
               'lines lit: ' + lit('#ptx tr.lit')];
wire.dispatchEvent(new Event('mouseleave'));
words.push('lit afterwards: ' + lit('.lit'));
const body = document.body.getBoundingClientRect();
const wide = [...document.querySelectorAll('h1, h2, h3, p, pre, table, li')].filter(
    e => !e.closest('.scroll, .picture') && e.getBoundingClientRect().right > body.right + 1);
words.push('too wide: ' + wide.map(e => e.tagName + ' ' + e.textContent.slice(0, 40)).join('; '));
words.push('fetched: ' + performance.getEntriesByType('resource').length);
document.body.innerHTML = '<pre id="found">' + words.join('\\n') + '</pre>';
"""


def main(browser, path, array):
    with open(path) as page:
        text = page.read()
    with tempfile.NamedTemporaryFile("w", suffix=".html") as copy:
        copy.write(text.replace("</html>", f"<script>{SCRIPT.replace('ARRAY', array)}</script></html>"))
        copy.flush()
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "file://" + copy.name]
        dom = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120).stdout
    shown = re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)
    print(html.unescape(shown[1]) if shown else "nothing was rendered")


if __name__ == "__main__":
    main(*sys.argv[1:])
