"""A browser calls the server from a page of another origin, and shows the service's own pages.

Arguments: the server's URL, the configured origin, another origin, an access token, a venue's path. Both origins serve an
empty page."""

import os
import sys

from playwright.sync_api import sync_playwright

base, ours, other, token, venue = sys.argv[1:]


def fail(sentence):
    sys.exit(f"FAILED: {sentence}")


# What a page can do with an answer: its status, and the headers that it may read; or that the browser refused.
FETCH = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return { status: answer.status, etag: answer.headers.get('etag'), type: answer.headers.get('content-type') };
  } catch (error) {
    return { refused: String(error) };
  }
}"""

# Shows an address in a frame, and waits until the browser has done with it, shown or refused.
FRAME = """url => new Promise(done => {
  const frame = document.createElement('iframe');
  frame.onload = () => done();
  frame.src = url;
  document.body.append(frame);
})"""


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )

        def fetch(origin, path, **options):
            page = browser.new_page()
            page.goto(origin)
            answer = page.evaluate(FETCH, [base + path, options])
            page.close()
            return answer

        bearer = {"authorization": f"Bearer {token}"}
        trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "baggage": "a=b"}
        read = fetch(ours, venue, headers={**bearer, **trace})
        if read.get("status") != 200 or not read.get("etag"):
            fail(f"a page of the configured origin can't read with a token and a trace: {read}")
        change = {"method": "PATCH", "body": '{"name":"Changed by a page"}'}
        typed = {"content-type": "application/merge-patch+json", "if-match": read["etag"]}
        changed = fetch(ours, venue, headers={**bearer, **trace, **typed}, **change)
        if changed.get("status") != 200:
            fail(f"a page of the configured origin can't change what it read, by its tag: {changed}")
        for path, options, status in (
            ("/v1/nothing", {}, 404),
            ("/v1/users", {}, 401),
            ("/v1/users", {"headers": {"authorization": "Bearer x"}}, 401),
            ("/v1/venues", {"headers": {"accept": "image/png"}}, 406),
            ("/v1/venues", {"method": "POST", "headers": {**bearer, "content-type": "application/json"}, "body": "{"}, 400),
        ):
            answer = fetch(ours, path, **options)
            if answer.get("status") != status or answer.get("type") != "application/problem+json":
                fail(f"a page can't read the {status} of {path}: {answer}")
        print("ok  a page of a configured origin reads, changes, and reads every refusal")

        public = fetch(other, "/v1/venues", headers=trace)
        if public.get("status") != 200:
            fail(f"a page of another origin can't read what is public: {public}")
        for what, options in (
            ("with a token", {"headers": bearer}),
            ("by a PATCH", {"headers": {**bearer, **typed}, **change}),
        ):
            if "refused" not in fetch(other, venue, **options):
                fail(f"a page of another origin reaches the server {what}")
        print("ok  a page of another origin reads what is public, and nothing else")

        page = browser.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(f"{base}/docs/")
        page.wait_for_selector(".opblock-tag", timeout=60_000)
        if said:
            fail(f"the documentation breaks its own policy: {said}")
        page.goto(base)
        if page.locator("a[href='/docs/']").count() != 1:
            fail(f"a browser doesn't get the page of the service: {page.content()}")
        page.goto(f"{base}/problems/not-found")
        if page.locator("h1").inner_text() != "Not found" or said:
            fail(f"the page of a problem isn't shown: {said}")
        page.goto(ours)
        page.evaluate(FRAME, f"{base}/docs/")
        if any(frame.url.startswith(base) for frame in page.frames):
            fail("another page shows the documentation in a frame")
        print("ok  the documentation and the pages are shown, and not in frames")
        browser.close()


main()
