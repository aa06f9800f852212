"""Files in a real browser: attached to a message, dropped, pasted, refused; documents summarised and asked about."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor
from tests.chat.docs import files

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
PATIENCE = 60_000
DROP = """async ([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const event = (kind) => document.querySelector("#composer").dispatchEvent(
    new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  event("dragover");
  event("drop");
}"""
PASTE = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 20, height: 20 });
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  const data = new DataTransfer();
  data.items.add(new File([blob], "image.png", { type: "image/png" }));
  document.querySelector("#msg").dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(files.picture(size=(400, 300)))
    (tmp_path / "lease.pdf").write_bytes(files.pdf(*files.PDF_PAGES))
    (tmp_path / "locked.pdf").write_bytes(files.locked_pdf())
    chapters = (f"Chapter {number}: what house {number} agreed on.\n" * 80 for number in range(80))
    (tmp_path / "long.txt").write_text("".join(chapters))
    return tmp_path


def attach(page: Page, *paths: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(list(paths))


def box(page: Page) -> Any:
    return page.get_by_role("textbox", name="Message", exact=True)


def ready(page: Page, count: int) -> None:
    expect(page.locator('.composer .file[data-state="ready"]')).to_have_count(count, timeout=PATIENCE)


@pytest.mark.parametrize(
    "size",
    [{"width": 1440, "height": 900, "color_scheme": "light"}, {"width": 390, "height": 844, "color_scheme": "dark"}],
    ids=["wide light", "narrow dark"],
)
def test_files_are_attached_sent_and_there_after_a_reload(arrive: Visit, folder: Path, size: dict[str, Any]) -> None:
    me = arrive(**size)
    page = me.page
    attach(page, folder / "photo.png", folder / "lease.pdf")
    ready(page, 2)
    expect(page.locator('.file[data-kind="image"]')).to_have_class(re.compile("file--warn"))
    me.assert_accessible()
    page.get_by_role("button", name="Choose a model with vision").click()
    expect(page.locator("#picker .opt:visible").first).to_be_visible()
    for option in page.locator("#picker .opt:visible").all():
        assert "vision" in (option.get_attribute("data-caps") or "")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".file--warn")).to_have_count(0)
    page.reload()
    ready(page, 2)
    if page.locator("[data-blind]").is_visible():  # the choice of a new chat is not stored
        page.get_by_role("button", name="Choose a model with vision").click()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    box(page).fill("What are these?")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    expect(page.locator(".turn:not(.turn--you)")).to_contain_text("I received an image", timeout=PATIENCE)
    expect(page.locator(".turn:not([aria-busy]):not(.turn--you)")).to_have_count(1, timeout=PATIENCE)
    page.reload()
    sent = page.get_by_role("list", name="Attached files")
    expect(sent.get_by_role("link")).to_have_count(2)
    assert page.evaluate("document.querySelector('.file--picture img').naturalWidth") == 320
    expect(page.locator(".composer .file")).to_have_count(0)
    with page.expect_download() as saved:
        sent.get_by_role("link", name="lease.pdf").click()
    assert saved.value.suggested_filename == "lease.pdf"
    me.assert_accessible()


def test_a_file_that_cannot_be_read_says_why_and_is_removed(arrive: Visit, folder: Path) -> None:
    me = arrive()
    page = me.page
    attach(page, folder / "locked.pdf")
    chip = page.locator(".file--bad")
    expect(chip).to_contain_text("It is protected by a password.", timeout=PATIENCE)
    me.assert_accessible()
    box(page).fill("Read it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“locked.pdf” cannot be read.")
    page.get_by_role("button", name="Remove locked.pdf").click()
    expect(page.locator(".composer .file")).to_have_count(0)
    expect(box(page)).to_have_value("Read it")
    page.reload()
    expect(page.locator(".composer .file")).to_have_count(0)


def test_a_file_is_dropped_and_a_picture_pasted_and_a_message_waits_for_them(arrive: Visit) -> None:
    page = arrive().page
    box(page).fill("And this?")
    page.evaluate(DROP, ["notes.txt", "The flat has two rooms."])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"), timeout=PATIENCE)
    expect(page.get_by_role("list", name="Attached files")).to_contain_text("notes.txt")
    expect(page.locator(".turn:not([aria-busy]):not(.turn--you)")).to_have_count(1, timeout=PATIENCE)
    page.evaluate(PASTE)
    ready(page, 1)
    expect(page.locator('.file[data-kind="image"]')).to_contain_text("image.png")


def test_a_document_is_summarised_with_progress_and_asked_about(arrive: Visit, folder: Path) -> None:
    me = arrive("/documents/")
    page = me.page
    me.assert_accessible()
    page.get_by_label("Files").set_input_files(folder / "long.txt")
    page.get_by_role("button", name="Add documents").click()
    expect(page.get_by_role("button", name="Summarise")).to_be_visible(timeout=PATIENCE)
    me.assert_accessible()
    page.get_by_role("button", name="Summarise").click()
    expect(page.locator(".reading .ended")).to_contain_text(
        re.compile(r"Read \d of \d parts|Read all"), timeout=PATIENCE
    )
    expect(page.locator(".reading .turn:not([aria-busy])")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator(".reading")).to_contain_text("In short:")
    page.get_by_label("Question").fill("What did house 7 agree on?")
    page.get_by_role("button", name="Ask").click()
    answer = page.locator(".reading").first
    expect(answer).to_contain_text("“Chapter 7: what house 7 agreed on.”", timeout=PATIENCE)
    expect(answer.locator(".turn:not([aria-busy])")).to_have_count(1, timeout=PATIENCE)
    expect(answer).to_contain_text("those that share most words with the question were sent")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    me.assert_accessible()
    answer.get_by_role("link", name=re.compile(r"p\. \d+")).first.click()
    expect(page.locator(".page-text")).to_contain_text("Chapter 7: what house 7 agreed on.")
    me.assert_accessible()


def test_documents_work_without_script(arrive: Visit, folder: Path) -> None:
    page = arrive("/documents/", java_script_enabled=False).page
    page.get_by_label("Files").set_input_files(folder / "lease.pdf")
    page.get_by_role("button", name="Add documents").click()
    page.wait_for_url(re.compile(r"/documents/[0-9a-f-]{36}/"))
    expect(page.get_by_role("button", name="Ask")).to_be_visible(timeout=PATIENCE)  # the page reloads itself
    page.get_by_label("Question").fill("How high is the deposit?")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("link", name="p. 2")).to_be_visible(timeout=PATIENCE)


def test_a_message_takes_files_without_script(arrive: Visit, folder: Path) -> None:
    page = arrive(java_script_enabled=False).page
    box(page).fill("Read this")
    page.get_by_label("Files", exact=True).set_input_files(folder / "lease.pdf")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    expect(page.get_by_role("list", name="Attached files")).to_contain_text("lease.pdf")
    expect(page.locator(".turn:not(.turn--you)")).to_contain_text("I received a document", timeout=PATIENCE)
