"""Uses the page /examples/whats-on/ of the demo as people do, at the width of a desk and of a telephone.

Arguments: the server's URL, and a folder for pictures (empty: none)."""

import os
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

base, pictures = sys.argv[1:]


def check(page, what):
    """Axe finds nothing, and nothing is wider than the page."""
    found = Axe().run(page)
    if found.violations_count:
        sys.exit(f"FAILED: {what}: {found.generate_report()}")
    too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    if too_wide:
        sys.exit(f"FAILED: {what}: the page is wider than the window")


def picture(page, name):
    if pictures:
        page.screenshot(path=os.path.join(pictures, f"{name}.png"))


def titles(page):
    return page.locator("#cards h2").all_inner_texts()


def shown(page):
    """Waits until the groups of the last search stand there."""
    expect(page.get_by_role("status")).to_contain_text("shown")


def visit(browser, width, name):
    page = browser.new_page(viewport={"width": width, "height": 900})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" and "400" not in said.text else None)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    page.goto(f"{base}/examples/whats-on/")
    shown(page)
    soon = titles(page)
    assert len(soon) == len(set(soon)) or len(soon) > 10, soon
    check(page, f"the first page at {width}")

    # With the keyboard alone: a postcode, and Enter.
    page.get_by_label("Your postcode").fill("L4 4AA")
    asked.clear()
    page.keyboard.press("Enter")
    expect(page.locator("#cards")).to_contain_text("km away")
    shown(page)
    near = titles(page)
    assert near and near != soon, (near, soon)
    cards = [url for url in asked if "/v1/session-series?" in url]
    assert len(cards) == 1, asked
    check(page, f"near a postcode at {width}")
    picture(page, f"whats-on-{name}")

    # A menu says how many there are, and narrows the list to them.
    menu = page.get_by_label("Topic")
    option = menu.locator("option").nth(1)
    value, count = option.get_attribute("value"), int(option.inner_text().rsplit("(", 1)[1].rstrip(")"))
    menu.select_option(value)
    expect(page.get_by_role("status")).to_contain_text(f"{count} group")
    narrowed = titles(page)
    assert len(narrowed) == count and set(narrowed) <= set(near) | set(narrowed), (narrowed, count)

    # A group opens, has dates and a calendar, and goes back to where one was.
    page.get_by_role("button", name=f"Dates and place of {narrowed[0]}").first.click()
    heading = page.get_by_role("heading", name=narrowed[0])
    expect(heading).to_be_focused()
    expect(page.get_by_role("heading", name="Next dates")).to_be_visible()
    calendar = page.get_by_role("link", name="Add the dates to your calendar").get_attribute("href")
    events = page.request.get(calendar)
    assert events.ok and "BEGIN:VEVENT" in events.text(), calendar
    check(page, f"a group at {width}")
    picture(page, f"whats-on-group-{name}")
    page.get_by_role("button", name="Back to the groups").click()
    expect(page.get_by_role("button", name=f"Dates and place of {narrowed[0]}").first).to_be_focused()

    # A place that nobody knows is said beside the field.
    page.get_by_label("Your postcode").fill("Narnia")
    page.keyboard.press("Enter")
    expect(page.locator("#near-problem")).not_to_be_empty()
    expect(page.get_by_label("Your postcode")).to_be_focused()
    check(page, f"an unknown place at {width}")
    assert not wrong, wrong
    page.close()


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        visit(browser, 1200, "desk")
        visit(browser, 390, "phone")
        browser.close()


main()
