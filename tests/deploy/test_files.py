"""What deploy/ holds fits the program, and is accepted by the programs that read it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from data_access.db import environment
from tests.deploy.files import DEPLOY, INSTALLED, ROOT, copied, instructions, passwords

STREAMLITS = {
    "STREAMLIT_SERVER_ADDRESS",
    "STREAMLIT_SERVER_ALLOWED_HOSTS",
    "STREAMLIT_BROWSER_SERVER_ADDRESS",
}
OTHERS = {"PATH", "PYTHONUNBUFFERED", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())


def needs(program: str) -> pytest.MarkDecorator:
    found = shutil.which(program) is not None
    return pytest.mark.skipif(not found, reason=f"{program} is not installed here")


def test_the_image_holds_everything_that_the_server_imports() -> None:
    assert all((ROOT / one).exists() for one in copied())
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages <= set(copied())
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    sources = {*copied(), "requirements.txt", "constraints.txt"}
    assert {f"!{one}" for one in sources} <= set(allowed)


def test_the_image_runs_as_an_ordinary_user_with_a_health_check() -> None:
    assert list(instructions("USER")) == ["affiliate-review"]
    assert len(list(instructions("HEALTHCHECK"))) == 1


def test_every_setting_in_deploy_is_one_of_the_program() -> None:
    compose = re.findall(r"^      ([A-Z_]+): ", (DEPLOY / "compose.yaml").read_text(), re.M)
    units = [
        name
        for unit in UNITS
        for line in re.findall(r"^Environment=(.+)$", (DEPLOY / "systemd" / unit).read_text(), re.M)
        for name in re.findall(r"([A-Z_]+)=", line)
    ]
    image = re.findall(r"([A-Z_]+)=", next(instructions("ENV")))

    assert {*compose, *units, *image} - environment.BY_NAME.keys() <= STREAMLITS | OTHERS


def test_every_variable_of_compose_is_in_its_example() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    example = (DEPLOY / "compose" / "example.env").read_text()

    assert used == set(re.findall(r"^([A-Z_]+)=", example, re.M))


@pytest.mark.parametrize(
    ("service", "processes"),
    [
        ("dashboard", ["dashboard"]),
        ("worker", ["`notify`"]),
        # What deploy/nightly.sh runs.
        ("nightly", ["`load`", "`refresh`", "`history`, `doctor`"]),
    ],
)
def test_a_service_of_compose_has_the_passwords_that_its_processes_need(
    service: str, processes: list[str]
) -> None:
    rows = (ROOT / "docs" / "deploy.md").read_text().splitlines()
    cells = [row.split("|") for row in rows if "_PASSWORD`" in row and row.startswith("|")]
    needed = {process.strip(): re.findall(r"`(\w+)`", said) for _, process, said, _ in cells}

    assert passwords(service) == {name for process in processes for name in needed[process]}


@needs("nginx")
@pytest.mark.parametrize("base", ["", "/affiliates-desk"])
def test_nginx_accepts_its_configuration(base: str, tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=review.example.com"),
            *("-keyout", str(tmp_path / "privkey.pem")),
            *("-out", str(tmp_path / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
    served = (DEPLOY / "nginx" / "affiliate-review.conf").read_text()
    served = served.replace("/etc/ssl/affiliate-review", str(tmp_path))
    served, below = re.subn(r"location (= )?/(?!readyz)", rf"location \1{base}/", served)
    assert below == 3
    upstream = (DEPLOY / "nginx" / "affiliate-review-upstream.conf").read_text()
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{\n{upstream}\n{served}\n}}\n"
    )

    told = subprocess.run(
        ["nginx", "-t", "-c", str(whole)], capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stderr
    assert "warn" not in told.stderr


@needs("systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = (DEPLOY / "systemd" / unit).read_text()
        (tmp_path / unit).write_text(text.replace(INSTALLED, str(ROOT)))
    named = [unit.replace("@.", "@8501.") for unit in UNITS]

    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *named],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    # Where no systemd runs, it also reports what it cannot ask.
    ours = [line for line in told.stderr.splitlines() if "affiliate-review" in line]
    assert ours == []


def test_the_nightly_script_is_one_that_a_shell_reads() -> None:
    told = subprocess.run(
        ["sh", "-n", str(DEPLOY / "nightly.sh")], capture_output=True, text=True, check=False
    )

    assert (told.returncode, told.stderr) == (0, "")
