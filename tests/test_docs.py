"""The documentation: in a browser, pictures load, links lead somewhere and pages fit; and its numbers are ours."""

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "results" / "published"
DESKTOP, PHONE = 1280, 390
CHROMIUM = shutil.which("chromium")

VISIT = """
<body><script type="module">
const seen = [];
for (const width of WIDTHS) for (const page of PAGES) {
  const frame = Object.assign(document.createElement("iframe"), {width, height: 800, src: page});
  document.body.append(frame);
  await new Promise(loaded => frame.onload = loaded);
  const {documentElement: root, images, links} = frame.contentDocument;
  for (const image of images) { image.loading = "eager"; await image.decode().catch(() => {}); }
  seen.push({
    page, width,
    too_wide: root.scrollWidth - root.clientWidth,
    pictures: Array.from(images, image => [image.src, image.naturalWidth]),
    links: Array.from(links, link => link.href),
    anchors: Array.from(root.querySelectorAll("[id]"), element => element.id),
    requests: frame.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name),
  });
  frame.remove();
}
await fetch("/", {method: "POST", body: JSON.stringify(seen)});
</script></body>
"""
"""Opens each page at each width, and tells what it sees there."""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what is posted."""

    posted = Queue()

    def do_POST(self):
        self.posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built as `make docs` builds it."""
    pytest.importorskip("mkdocs", reason='needs MkDocs: pip install -c constraints.txt -e ".[docs]"')
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def server(site):
    """The address at which the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site)) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


@pytest.fixture(scope="module")
def seen(site, server, tmp_path_factory):
    """What the browser sees on each page at each width."""
    if not CHROMIUM:
        pytest.skip("needs the browser chromium")
    pages = sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    visit = VISIT.replace("WIDTHS", json.dumps([DESKTOP, PHONE])).replace("PAGES", json.dumps(pages))
    (site / "visit.html").write_text(visit)
    profile = tmp_path_factory.mktemp("chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    with subprocess.Popen([CHROMIUM, *options, f"{server}visit.html"], stderr=subprocess.DEVNULL) as browser:
        try:
            views = Handler.posted.get(timeout=300)
        finally:
            browser.terminate()
    assert len(views) == 2 * len(pages) > 40
    return views


def test_every_picture_loads(seen):
    pictures = [(view["page"], *picture) for view in seen for picture in view["pictures"]]
    assert len(pictures) > 40
    assert [(page, source) for page, source, width in pictures if width == 0] == []


def test_no_page_is_wider_than_its_window(seen):
    assert {(view["page"], view["width"]): view["too_wide"] for view in seen if view["too_wide"] > 0} == {}


def test_every_link_within_the_site_leads_somewhere(seen, site, server):
    anchors = {view["page"]: set(view["anchors"]) for view in seen}
    links = {(view["page"], link.removeprefix(server)) for view in seen for link in view["links"] if server in link}
    assert len(links) > 1000
    for page, link in sorted(links):
        target, _, anchor = link.partition("#")
        target = target or "index.html"
        assert (site / target).is_file(), f"{page} links to {link}"
        assert not anchor or target not in anchors or anchor in anchors[target], f"{page} links to {link}"


def test_nothing_is_loaded_from_elsewhere(seen, server):
    requests = {request for view in seen for request in view["requests"]}
    assert len(requests) > 20
    assert {request for request in requests if not request.startswith((server, "data:"))} == set()


def test_the_gallery_shows_each_figure_that_is_published(seen):
    shown = {Path(source).name for view in seen if view["page"] == "gallery.html" for source, _ in view["pictures"]}
    assert shown == {path.name for path in (PUBLISHED / "figures").glob("*.png")}


def test_the_summary_tells_the_published_numbers():
    summary = (ROOT / "docs" / "summary.md").read_text()
    (verdicts,) = re.findall(r"^\*\*Of \d+ claims .*\*\*", (PUBLISHED / "claims.md").read_text(), re.MULTILINE)
    assert verdicts in summary
    claims = pd.read_csv(PUBLISHED / "claims.csv", index_col="id")
    rows = re.findall(r"\| ([^|]*) \| `([\w/-]+)` \|$", summary, re.MULTILINE)
    assert len(rows) == 4
    for told, name in rows:
        claim = claims.loc[name]
        assert told == f"{claim['value']:.2g} ({claim['ci_low']:.2g} to {claim['ci_high']:.2g})", name


def test_codecheck_lists_what_is_published():
    manifest = yaml.safe_load((ROOT / "codecheck.yml").read_text())["manifest"]
    wanted = [*PUBLISHED.glob("figures/*.pdf"), *PUBLISHED.glob("tables/*.csv.gz"), PUBLISHED / "claims.md"]
    assert {entry["file"] for entry in manifest} == {str(path.relative_to(ROOT)) for path in wanted}


def test_the_guide_names_each_preset():
    named = re.findall(r"^\| `(\w+\.yaml)`", (ROOT / "docs" / "guide.md").read_text(), re.MULTILINE)
    assert set(named) == {path.name for path in (ROOT / "workflow" / "presets").iterdir()}
