"""Decoders are real processes here: killed, stopped, starved, replaced."""

import io
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import psutil
import pytest

from infra.demo.cells import draw
from serving.decoder.pool import Decoders, DecodersBusy, DecoderUnavailable
from serving.decoder.read import read
from serving.decoder.refused import FileRefused, Reason

MAX_PIXELS = 25_000_000
SIZE = 224


def encoded(seed=1):
    out = io.BytesIO()
    draw("neutrophil", seed=seed).save(out, "JPEG")
    return out.getvalue()


CELL = encoded()


@pytest.fixture
def decoders():
    made = Decoders(1, max_pixels=MAX_PIXELS, seconds=10)
    yield made
    made.close()


def decoder_processes():
    return [child for child in psutil.Process().children() if "serving.decoder" in child.cmdline()]


def the_process():
    (process,) = decoder_processes()
    return process


def test_it_gives_what_reading_gives(decoders):
    found, expected = decoders.read(CELL, size=SIZE), read(CELL, size=SIZE, max_pixels=MAX_PIXELS)
    assert (found.pixels == expected.pixels).all()
    assert (found.width, found.height, found.media_type) == (expected.width, expected.height, "image/jpeg")
    assert found.display is None


@pytest.mark.parametrize("size", [32, 160, 512])
def test_pixels_are_of_the_size_that_was_asked_for(decoders, size):
    found = decoders.read(CELL, size=size)
    assert found.pixels.shape == (size, size, 3)
    assert (found.pixels == read(CELL, size=size, max_pixels=MAX_PIXELS).pixels).all()


def test_a_refusal_comes_with_its_reason(decoders):
    with pytest.raises(FileRefused, match="a PDF document") as caught:
        decoders.read(b"%PDF-1.7", size=SIZE)
    assert caught.value.reason == Reason.UNSUPPORTED_TYPE


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"", b"no picture"])
def test_what_is_said_of_it_passes_whole_between_the_processes(decoders, data):
    with pytest.raises(FileRefused) as there:
        decoders.read(data, size=SIZE)
    with pytest.raises(FileRefused) as here:
        read(data, size=SIZE, max_pixels=MAX_PIXELS)
    assert there.value.detail == here.value.detail


def test_one_process_serves_many_pictures(decoders):
    decoders.read(CELL, size=SIZE)
    before = the_process().pid
    for _ in range(5):
        decoders.read(CELL, size=SIZE)
    assert the_process().pid == before


def test_a_picture_that_takes_too_long_is_refused_and_the_next_is_decoded():
    ended: list[str] = []
    decoders = Decoders(1, max_pixels=MAX_PIXELS, seconds=0.5, ended=ended.append)
    decoders.read(CELL, size=SIZE)
    stuck = the_process()
    stuck.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(FileRefused) as caught:
        decoders.read(CELL, size=SIZE)
    assert time.monotonic() - began < 5
    assert caught.value.reason == Reason.TOO_COSTLY
    assert not stuck.is_running()
    assert ended == ["time"]
    assert decoders.read(CELL, size=SIZE).width == 360
    decoders.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_decoder_that_is_killed_costs_no_picture(decoders, how):
    decoders.read(CELL, size=SIZE)
    victim = the_process()
    victim.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as background:
        reading = background.submit(partial(decoders.read, size=SIZE), CELL)
        time.sleep(0.2)
        os.kill(victim.pid, how)
        os.kill(victim.pid, signal.SIGCONT)
        assert reading.result().width == 360


def test_its_processor_time_is_bounded_for_each_picture():
    burn = "from serving.decoder.__main__ import _start_the_clock\n_start_the_clock()\nwhile True: pass"
    began = time.process_time()
    done = subprocess.run([sys.executable, "-c", burn], timeout=60)
    assert done.returncode == -signal.SIGXCPU
    assert time.process_time() - began < 1


def test_its_memory_is_bounded():
    swell = (
        "from serving.decoder.__main__ import _confine\nfrom serving.decoder.limits import Limits\n"
        "_confine(Limits(25_000_000))\nbytearray(400_000_000)"
    )
    done = subprocess.run([sys.executable, "-c", swell], timeout=60, capture_output=True, text=True)
    assert "MemoryError" in done.stderr


def test_it_may_write_no_file(decoders):
    decoders.read(CELL, size=SIZE)
    limits = the_process().rlimit
    assert limits(psutil.RLIMIT_FSIZE) == limits(psutil.RLIMIT_CORE) == (0, 0)


def test_it_has_nothing_of_the_workers_environment(decoders, monkeypatch):
    monkeypatch.setenv("HEMATOVISION_SECRET_KEY", "secret")
    decoders.read(CELL, size=SIZE)
    assert not [name for name in the_process().environ() if name.startswith("HEMATOVISION")]


def test_it_ends_with_its_worker():
    worker = (
        "import sys\nfrom serving.decoder.pool import Decoders\nd = Decoders(1, max_pixels=10**6)\n"
        "d.read(sys.stdin.buffer.read(), size=224)\nimport psutil\n"
        "print(psutil.Process().children()[0].pid, flush=True)\nimport os\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", worker], input=CELL, capture_output=True, timeout=60)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_picture_without_a_turn_is_not_begun(decoders):
    decoders._free.get()  # as another picture would
    with pytest.raises(DecodersBusy):
        decoders.read(CELL, size=SIZE, until=time.monotonic() + 0.1)


def test_many_threads_share_few_processes():
    decoders = Decoders(2, max_pixels=MAX_PIXELS)
    files = [encoded(seed) for seed in range(6)]
    expected = [read(data, size=SIZE, max_pixels=MAX_PIXELS).pixels for data in files]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(partial(decoders.read, size=SIZE), files * 4))
    assert len(decoder_processes()) <= 2
    assert all(np.array_equal(one.pixels, expected[place % 6]) for place, one in enumerate(found))
    decoders.close()
    assert not decoder_processes()


def test_a_decoder_that_does_not_come_up_is_no_pictures_fault(decoders, monkeypatch):
    monkeypatch.setattr("serving.decoder.pool._environment", dict)  # it finds no module of ours
    monkeypatch.setattr("serving.decoder.pool._ROOT", "/nowhere")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DecoderUnavailable):
        decoders.read(CELL, size=SIZE)
