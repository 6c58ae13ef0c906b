"""Uploading from the page when things are many, slow or broken."""

import json
import os
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Dialog, Route, expect

STORE = re.compile(r"/hematovision(/|$)")  # the bucket


def test_a_dropped_folder(technician, pictures, tmp_path):
    inner = tmp_path / "slide" / "inner"
    inner.mkdir(parents=True)
    for picture in pictures[:3]:
        (inner / picture.name).write_bytes(picture.read_bytes())
    (inner.parent / pictures[3].name).write_bytes(pictures[3].read_bytes())
    (inner.parent / ".hidden.jpg").touch()
    (inner.parent / "Thumbs.db").touch()
    (inner / "notes.txt").write_text("not a picture")
    (inner / "no-suffix").write_bytes(pictures[4].read_bytes())
    technician.open_case("UP-folder")
    drop(technician.page, inner.parent)
    technician.expect_classified(5)
    expect(technician.page.locator(".problems")).to_have_count(0)
    assert not_sent(technician.page) == {
        "slide/.hidden.jpg": "A hidden or system file.",
        "slide/Thumbs.db": "A hidden or system file.",
        "slide/inner/notes.txt": "Not a picture, by its content.",
    }


def test_a_dropped_folder_with_unreadable_parts_is_read_to_its_end(technician, pictures):
    """Root reads everything, so the entries are played; the browser gives a hundred of a folder at a time."""
    page = technician.page
    technician.open_case("UP-unreadable")
    for picture in pictures[:2]:
        page.evaluate(
            "([name, bytes]) => ((window.given ??= []).push(new File([new Uint8Array(bytes)], name)))",
            [picture.name, list(picture.read_bytes())],
        )
    page.evaluate(
        """() => {
            const file = (path, read) => ({
                isFile: true, name: path.split("/").at(-1), fullPath: path, file: read,
            });
            const gone = (ok, no) => no(new DOMException("gone", "NotFoundError"));
            const folder = (path, ...batches) => ({
                isDirectory: true, name: path.split("/").at(-1), fullPath: path,
                createReader: () => ({
                    readEntries: (ok, no) => {
                        const batch = batches.length ? batches.shift() : [];
                        if (batch === "unreadable") no(new DOMException("no", "NotReadableError"));
                        else ok(batch);
                    },
                }),
            });
            const root = folder(
                "/slide",
                [file("/slide/gone.jpg", gone), folder("/slide/locked", "unreadable")],
                [file("/slide/a.jpg", (ok) => ok(given[0])), folder("/slide/half", [], "unreadable")],
                [folder("/slide/torn", [file("/slide/torn/b.jpg", (ok) => ok(given[1]))], "unreadable")],
            );
            const event = new Event("drop", { bubbles: true, cancelable: true });
            event.dataTransfer = {
                types: ["Files"],
                items: [
                    { kind: "file", webkitGetAsEntry: () => root },
                    { kind: "file", webkitGetAsEntry: () => null, getAsFile: () => null },
                    { kind: "string" },
                ],
            };
            document.dispatchEvent(event);
        }"""
    )
    technician.expect_classified(2)
    assert not_sent(page) == {
        "slide/gone.jpg": "It cannot be read.",
        "slide/locked": "The folder cannot be read, or not to its end.",
        "slide/torn": "The folder cannot be read, or not to its end.",
    }


def test_images_are_of_the_slide_that_was_chosen_with_them(technician, pictures):
    technician.open_case("UP-slide")
    page = technician.page
    case = page.url
    expect(page.get_by_label("Slide", exact=True)).to_have_count(0)
    page.get_by_role("link", name="specimen and slides").click()
    page.get_by_label("Label").fill("S-1")
    page.get_by_role("button", name="Add slide").click()
    page.goto(case)
    page.get_by_label("Slide", exact=True).select_option("S-1")
    page.get_by_label("Choose images").set_input_files(pictures[0])
    technician.expect_classified(1)
    page.get_by_label("Slide", exact=True).select_option("Not said")
    page.get_by_label("Choose images").set_input_files(pictures[1])
    technician.expect_classified(2)
    page.goto(f"{case}files/")
    expect(page.get_by_role("row", name=pictures[0].name).get_by_role("cell", name="S-1")).to_be_visible()
    expect(page.get_by_role("row", name=pictures[1].name).get_by_role("cell", name="S-1")).to_have_count(0)


def test_files_are_told_by_their_bytes_and_a_repeated_upload_adds_nothing(technician, pictures, tmp_path):
    """Frames of two slides share names and sizes; a copy has another name; one is refused."""
    frames: list[Path] = []
    for slide in ("a", "b"):
        (tmp_path / slide).mkdir()
        image = Image.open(pictures[len(frames)]).convert("RGB").resize((200, 200))
        frames.append(tmp_path / slide / "frame1.bmp")
        image.save(frames[-1])
    assert frames[0].stat().st_size == frames[1].stat().st_size
    (tmp_path / "copy.bmp").write_bytes(frames[0].read_bytes())
    (tmp_path / "letter.jpg").write_text("no picture")
    technician.open_case("UP-twice")
    page = technician.page
    picker = page.get_by_label("Choose a folder")
    picker.set_input_files(tmp_path)
    technician.expect_classified(2)
    expect(page.locator(".tally div", has_text="Refused").locator("dd")).to_have_text("1")
    (twin,) = not_sent(page).items()
    root = tmp_path.name
    assert twin in [
        (f"{root}/copy.bmp", f"The same picture as {root}/a/frame1.bmp."),
        (f"{root}/a/frame1.bmp", f"The same picture as {root}/copy.bmp."),
    ]
    page.reload()
    page.get_by_label("Choose a folder").set_input_files(tmp_path)
    expect(page.locator("[data-others-said]")).to_have_text("4 files not sent: 4 known already.")
    told = not_sent(page)
    assert told[f"{root}/b/frame1.bmp"] == "In the case already."
    assert told[f"{root}/letter.jpg"].startswith("Refused before: ")
    expect(page.locator(".tally div", has_text="Images").locator("dd")).to_have_text("3")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the whole list").click()
    lines = saved.value.path().read_text().splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == sorted(told)


def test_a_page_that_cannot_compute_digests_still_loses_nothing(technician, pictures):
    """As over plain HTTP to another machine: the worker finds what is twice, and says of what."""
    technician.page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    technician.open_case("UP-plain")
    technician.choose(*pictures[:2])
    technician.expect_classified(2)
    technician.choose(*pictures[:1])
    problem = technician.page.locator(".problems li")
    expect(problem).to_contain_text("The same image is in this case")
    technician.expect_classified(2)


def test_a_link_that_has_expired_is_renewed_for_the_same_row(technician, pictures):
    """The store itself refuses the first links: their signatures do not hold."""
    page, renewed = technician.page, []

    def spoil(route):
        answer = route.fetch()
        body = answer.json()
        for upload in body["uploads"]:
            upload["fields"]["x-amz-signature"] = "0" * 64
        route.fulfill(response=answer, json=body)

    def renew(route):
        renewed.extend(json.loads(route.request.post_data)["ids"])
        route.continue_()

    technician.open_case("UP-expired")
    page.route("**/uploads/", spoil)
    page.route("**/uploads/renew/", renew)
    technician.choose(*pictures[:3])
    technician.expect_classified(3)
    expect(page.locator("[data-failures]")).to_be_hidden()
    assert len(set(renewed)) == 3
    expect(page.locator(".tally div", has_text="Images").locator("dd")).to_have_text("3")
    technician.complaints.clear()


def test_a_file_that_changes_meanwhile_is_named(technician, pictures, tmp_path):
    page = technician.page
    file = tmp_path / "cell.jpg"
    file.write_bytes(pictures[0].read_bytes())

    def change(route):
        file.write_bytes(pictures[1].read_bytes() + b"more")
        os.utime(file, (1, 1))
        route.continue_()

    technician.open_case("UP-changes")
    page.route("**/uploads/", change)
    technician.choose(file)
    failures = page.locator("[data-failures]")
    expect(failures.get_by_role("listitem")).to_contain_text("has changed or is gone")
    technician.complaints.clear()


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
    held: list[Route] = []

    def hold(route: Route) -> None:
        if len(held) < 6:
            held.append(route)
        else:
            route.continue_()

    page.route(STORE, hold)
    technician.open_case("UP-leave")
    technician.choose(*pictures)
    expect(page.locator("[data-said]")).to_contain_text("Uploading")
    warned = []

    def stay(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
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
    page = technician.page
    links: list[int] = []
    handed_over: list[list[int]] = []

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
            for (let n = 0; n < 5000; n += 1) files.items.add(new File([`x${n}`], `cell-${n}.jpg`));
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


def not_sent(page):
    """The reason by the name of each file that the page says was not sent."""
    rows = page.locator("[data-others-list] li")
    expect(rows.first).to_be_visible()
    return dict(row.split(" ", 1) for row in rows.all_inner_texts())


def drop(page, path, *, x=300, y=300):
    """Drop a file or folder as the operating system does, entries of folders included."""
    session = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": event,
                "x": x,
                "y": y,
                "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
            },
        )
