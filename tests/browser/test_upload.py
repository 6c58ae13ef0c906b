"""Uploading from the page when things are many, slow or broken."""

import json
import re

from playwright.sync_api import expect

STORE = re.compile(r"/hematovision(/|$)")  # the bucket


def test_a_dropped_folder(technician, pictures, tmp_path):
    inner = tmp_path / "slide" / "inner"
    inner.mkdir(parents=True)
    for picture in pictures[:3]:
        (inner / picture.name).write_bytes(picture.read_bytes())
    (inner.parent / pictures[3].name).write_bytes(pictures[3].read_bytes())
    (inner.parent / ".hidden.jpg").touch()
    (inner.parent / "Thumbs.db").touch()
    technician.open_case("UP-folder")
    drop(technician.page, inner.parent)
    technician.expect_classified(4)
    expect(technician.page.locator(".problems")).to_have_count(0)


def test_a_chosen_folder(technician, pictures, tmp_path):
    for picture in pictures[:2]:
        (tmp_path / picture.name).write_bytes(picture.read_bytes())
    technician.open_case("UP-chosen")
    technician.page.get_by_label("Choose a folder").set_input_files(tmp_path)
    technician.expect_classified(2)


def test_a_bad_line_is_borne(technician, pictures):
    """The first posts fail on the way, then the store is busy once; everything arrives all the same."""
    answers = ["connection", "connection", 503]

    def line(route):
        answer = answers.pop() if answers else None
        if answer is None:
            route.continue_()
        elif answer == "connection":
            route.abort("connectionreset")
        else:
            route.fulfill(status=answer, headers={"Access-Control-Allow-Origin": "*"})

    technician.page.route(
        STORE, lambda route: line(route) if route.request.method == "POST" else route.continue_()
    )
    technician.open_case("UP-line")
    technician.choose(*pictures)
    technician.expect_classified(len(pictures))
    expect(technician.page.locator("[data-failures]")).to_be_hidden()
    assert not answers
    technician.complaints.clear()  # the browser speaks of what we broke


def test_what_the_store_will_not_take_is_named_and_can_be_tried_again(technician, pictures):
    page = technician.page

    def refuse(route):
        if route.request.method == "POST" and pictures[0].name in (
            route.request.post_data_buffer or b""
        ).decode("latin-1"):
            route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"})
        else:
            route.continue_()

    page.route(STORE, refuse)
    technician.open_case("UP-refusal")
    technician.choose(*pictures[:3])
    failures = page.locator("[data-failures]")
    expect(failures).to_contain_text("1 file could not be uploaded")
    expect(failures.get_by_role("listitem")).to_contain_text(pictures[0].name)
    expect(failures.get_by_role("listitem")).to_contain_text("403")
    technician.expect_classified(2)
    page.unroute(STORE)
    page.get_by_role("button", name="Try again").click()
    technician.expect_classified(3)
    expect(failures).to_be_hidden()
    technician.complaints.clear()


def test_leaving_meanwhile_is_warned_of_and_stopping_keeps_what_arrived(technician, pictures):
    page = technician.page
    held = []
    page.route(STORE, lambda route: held.append(route) if len(held) < 6 else route.continue_())
    technician.open_case("UP-leave")
    technician.choose(*pictures)
    expect(page.locator("[data-said]")).to_contain_text("Uploading")
    warned = []
    page.once("dialog", lambda dialog: (warned.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    page.wait_for_timeout(500)
    assert warned == ["beforeunload"]
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-said]")).to_contain_text("Stopped: 0 of 8 files uploaded")
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Go on").click()
    technician.expect_classified(len(pictures))
    technician.complaints.clear()


def test_thousands_of_files_neither_freeze_the_page_nor_fill_it(technician):
    """The server and the store are played, so that only the page itself is measured."""
    page, links, handed_over = technician.page, [], []

    def begin(route):
        files = json.loads(route.request.post_data)["files"]
        first = sum(links)
        links.append(len(files))
        uploads = [
            {
                "id": first + n,
                "name": file["name"],
                "url": f"{technician.url}/played",
                "fields": {},
                "refused": None,
            }
            for n, file in enumerate(files)
        ]
        route.fulfill(status=201, json={"uploads": uploads})

    def complete(route):
        handed_over.append(json.loads(route.request.post_data)["ids"])
        route.fulfill(status=202, json={"accepted": len(handed_over[-1])})

    technician.open_case("UP-thousands")
    page.route("**/uploads/", begin)
    page.route("**/uploads/complete/", complete)
    # The store is answered for inside the page: five thousand answers from out here would be what is slow.
    page.evaluate(
        """() => {
            const fetched = window.fetch;
            const stored = () => Promise.resolve(new Response(null, { status: 204 }));
            window.fetch = (url, ...rest) => (url.endsWith("/played") ? stored() : fetched(url, ...rest));
            const files = new DataTransfer();
            for (let n = 0; n < 5000; n += 1) files.items.add(new File(["x"], `cell-${n}.jpg`));
            window.nodes = document.querySelectorAll("*").length;
            window.tasks = [];
            const note = (entries) => tasks.push(...entries.getEntries().map((entry) => entry.duration));
            new PerformanceObserver(note).observe({ type: "longtask" });
            const picker = document.querySelector("[data-files]");
            picker.files = files.files;
            setTimeout(() => picker.dispatchEvent(new Event("change")), 100);
        }"""
    )
    expect(page.locator("[data-announced]")).to_have_text("5,000 files uploaded.")
    assert sorted(number for group in handed_over for number in group) == list(range(5000))
    assert max(links) <= 100
    assert {len(group) for group in handed_over[:-1]} == {64}
    assert page.evaluate("document.querySelectorAll('*').length - nodes") < 50
    assert page.evaluate("Math.max(0, ...tasks.slice(1))") < 500  # ms; the first made the files


def drop(page, path):
    """Drop a file or folder as the operating system does, entries of folders included."""
    session = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": event,
                "x": 300,
                "y": 300,
                "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
            },
        )
