"""The steps of the Dockerfile, run here on exactly the files that the image holds."""

import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.serving import free_port
from tests.deploy.files import ROOT, copied, instructions

pytestmark = pytest.mark.slow


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with the files that the image holds, prepared by its own steps."""
    app = tmp_path / "app"
    for one in copied():
        (app / one).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / one).is_dir():
            shutil.copytree(ROOT / one, app / one, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / one, app / one)
    compiling = next(step for step in instructions("RUN") if "compileall" in step)
    subprocess.run([sys.executable, *shlex.split(compiling)[1:]], cwd=app, check=True)
    return app


def test_the_server_of_the_image_passes_its_health_check(image: Path, tmp_path: Path) -> None:
    port = str(free_port())
    start = json.loads(next(instructions("CMD")))
    check = json.loads(next(instructions("HEALTHCHECK")).partition(" CMD ")[2])
    settings = {
        "AFFILIATE_REVIEW_HOME": str(tmp_path / "home"),
        "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
    }
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *start[1:-1], port], cwd=image, env=settings, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        healthy = False
        while not healthy and time.monotonic() < deadline and server.poll() is None:
            asked = check[-1].replace("8501", port)
            healthy = (
                subprocess.run(
                    [sys.executable, "-c", asked], check=False, capture_output=True
                ).returncode
                == 0
            )
        assert healthy, (tmp_path / "log").read_text()
    finally:
        server.terminate()
        server.wait(20)


def test_every_package_of_the_image_comes_ready_built() -> None:
    step = next(step for step in instructions("RUN") if "pip install" in step)
    options = shlex.split(step)[1:]

    told = subprocess.run(
        [sys.executable, *options, "--dry-run", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stderr
